use super::*;

const HANDSHAKE: Handshake = Handshake {
    peer: 0x0102,
    incoming_session: 3,
    outgoing_session: 4,
    mtu: 0x0506_0708,
    window: 0x090a_0b0c,
    channels: 0x0d0e_0f10,
    in_bandwidth: 0x1112_1314,
    out_bandwidth: 0x1516_1718,
    throttle: ThrottleSettings {
        interval: 0x191a_1b1c,
        acceleration: 0x1d1e_1f20,
        deceleration: 0x2122_2324,
    },
    connect_id: 0x2526_2728,
};

const FRAGMENT: Fragment = Fragment { start: 0x0102, len: 2, count: 4, number: 5, total: 6, offset: 7 };

/// One of each code, with its length in front of the payload as ENet's headers say it.
fn all() -> Vec<(u8, usize, Body)> {
    vec![
        (0x01, 8, Body::Acknowledge { sequence: 1, sent_time: 2 }),
        (0x81, 8, Body::Acknowledge { sequence: 1, sent_time: 2 }),
        (0x82, 48, Body::Connect { handshake: HANDSHAKE, data: 0x292a_2b2c }),
        (0x83, 44, Body::Verify { handshake: HANDSHAKE }),
        (0x84, 8, Body::Disconnect { data: 9 }),
        (0x44, 8, Body::Disconnect { data: 9 }),
        (0x85, 4, Body::Ping {}),
        (0x86, 6, Body::Reliable { len: 2 }),
        (0x07, 8, Body::Unreliable { number: 3, len: 2 }),
        (0x88, 24, Body::Fragment { fragment: FRAGMENT }),
        (0x49, 8, Body::Unsequenced { group: 3, len: 2 }),
        (0x8a, 12, Body::BandwidthLimit { incoming: 1, outgoing: 2 }),
        (0x8b, 16, Body::ThrottleConfigure { throttle: HANDSHAKE.throttle }),
        (0x0c, 24, Body::UnreliableFragment { fragment: FRAGMENT }),
    ]
}

fn written(header: &Header, commands: &[Command]) -> Vec<u8> {
    let mut bytes = vec![0; 400];
    let mut out = Writer::new(&mut bytes);
    header.write(&mut out);
    for command in commands {
        command.write(&mut out);
        out.put(&vec![0xee; command.body.payload_len()]);
    }
    let len = out.len();
    bytes.truncate(len);
    bytes
}

#[test]
fn what_is_written_is_read() {
    let header = Header { peer: 0x123, session: 2, sent_time: Some(0xbeef), compressed: false };
    let commands: Vec<Command> = all()
        .into_iter()
        .map(|(code, _, body)| Command { code, channel: 5, sequence: 0x6789, body })
        .collect();
    let bytes = written(&header, &commands);
    assert_eq!(Header::read(&bytes), Ok(header));
    let list = CommandList::read(&bytes, &header).expect("well-formed");
    let read: Vec<Command> = list.as_slice().iter().map(|(command, _)| *command).collect();
    assert_eq!(read, commands);
    assert!(list.as_slice().iter().all(|(command, payload)| {
        payload.len() == command.body.payload_len() && payload.iter().all(|byte| *byte == 0xee)
    }));
}

#[test]
fn every_code_has_its_length_and_the_others_none() {
    let known = all();
    for code in 0..=255 {
        let expected = known.iter().find(|(known, ..)| *known == code).map_or(0, |(_, len, _)| *len);
        assert_eq!(fixed_len(code), expected, "{code:#x}");
    }
    assert_eq!((CONNECT_DATAGRAM_LEN, FRAGMENT_LEN), (52, 24));
}

#[test]
fn a_connect_request_is_laid_out_as_enet_does() {
    let header = Header { peer: NO_PEER, session: 0, sent_time: Some(0x2d2e), compressed: false };
    let body = Body::Connect { handshake: HANDSHAKE, data: 0x292a_2b2c };
    let bytes = written(&header, &[Command { code: 0x82, channel: 0xff, sequence: 1, body }]);
    assert_eq!(bytes[..8], [0x8f, 0xff, 0x2d, 0x2e, 0x82, 0xff, 0, 1]);
    let fields: Vec<u8> = (1..=0x2c).collect();
    assert_eq!(bytes[8..], fields);
}

/// One command of each code, byte by byte as stock ENet lays it out.
const BYTES: [&str; 14] = [
    "01 05 6789 0001 0002",
    "81 05 6789 0001 0002",
    "82 05 6789 0102 03 04 05060708 090a0b0c 0d0e0f10 11121314 15161718 191a1b1c 1d1e1f20 21222324 25262728 292a2b2c",
    "83 05 6789 0102 03 04 05060708 090a0b0c 0d0e0f10 11121314 15161718 191a1b1c 1d1e1f20 21222324 25262728",
    "84 05 6789 00000009",
    "44 05 6789 00000009",
    "85 05 6789",
    "86 05 6789 0002 eeee",
    "07 05 6789 0003 0002 eeee",
    "88 05 6789 0102 0002 00000004 00000005 00000006 00000007 eeee",
    "49 05 6789 0003 0002 eeee",
    "8a 05 6789 00000001 00000002",
    "8b 05 6789 191a1b1c 1d1e1f20 21222324",
    "0c 05 6789 0102 0002 00000004 00000005 00000006 00000007 eeee",
];

#[test]
fn every_command_is_laid_out_as_enet_does() {
    for ((code, _, body), expected) in all().into_iter().zip(BYTES) {
        let mut bytes = Vec::new();
        Command { code, channel: 5, sequence: 0x6789, body }.append_to(&mut bytes);
        bytes.resize(bytes.len() + body.payload_len(), 0xee);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected.replace(' ', ""));
    }
}

#[test]
fn commands_end_behind_the_first_that_is_none() {
    let ping = [0x85, 0xff, 0, 7];
    let cut_off = [0x86, 1, 0, 9, 0, 2, b'h'];
    for (end, reason) in
        [(&cut_off[..], DropReason::Truncated), (&[0x06, 1, 0, 9], DropReason::UnknownCommand)]
    {
        let bytes = [&ping[..], end].concat();
        let read: Vec<_> = Commands::new(&bytes).collect();
        assert!(matches!(read[0], Ok((Command { code: code::PING, sequence: 7, .. }, []))), "{read:?}");
        assert_eq!(read[1..], [Err(reason)]);
    }
}

#[test]
fn headers_have_flags_session_and_peer() {
    let timed = Header { peer: 0x345, session: 1, sent_time: Some(1), compressed: false };
    assert_eq!(written(&timed, &[]), [0x93, 0x45, 0, 1]);
    assert_eq!(written(&Header { sent_time: None, ..timed }, &[]), [0x13, 0x45]);
    assert_eq!(written(&Header { compressed: true, ..timed }, &[]), [0xd3, 0x45, 0, 1]);
    assert!(Header::read(&[0x53, 0x45]).expect("a header").compressed);
    assert_eq!(Header::read(&[0x93, 0x45, 0]), Err(DropReason::TooShort));
}
