//! What no honest ENet sends is dropped whole, and leaves no trace.

mod raw;

use nme_enet::DropReason::*;
use nme_enet::{Delivery, DropReason};
use raw::*;

#[test]
fn port_zero_is_dropped() {
    let mut bench = Bench::server();
    bench.peer.set_port(0);
    bench.refuse(SourcePort, ping());
}

#[test]
fn length_is_two_bytes_to_the_mtu() {
    let mut bench = Bench::server();
    let (slot, session) = (bench.slot as u8, bench.session << 4);
    assert_eq!(bench.receive(&[]), Err(TooShort));
    assert_eq!(bench.receive(&[0]), Err(TooShort));
    assert_eq!(bench.receive(&[0x80, 0, 0]), Err(TooShort));
    assert_eq!(bench.receive(&[session, slot]), Err(Empty));
    assert_eq!(bench.receive(&[0x80 | session, slot, 0, 0]), Err(Empty));
    // Header and commands: 1392 bytes, then one more.
    bench.pass(&[reliable(0, 1, F as u16), ping(), unsequenced(0, 1, 1392 - 4 - 6 - F as u16 - 4 - 8)]);
    let commands = [reliable(0, 2, F as u16), ping(), unsequenced(0, 2, 7)];
    let long = datagram(bench.slot, bench.session, Some(0), &commands);
    assert_eq!(long.len(), 1393);
    assert_eq!(bench.receive(&long), Err(TooLong));
}

#[test]
fn compressed_datagrams_do_not_pass() {
    let mut bench = Bench::server();
    let mut bytes = datagram(bench.slot, bench.session, Some(0), &[ping()]);
    bytes[0] |= 0x40;
    assert_eq!(bench.receive(&bytes), Err(Compressed));
    assert_eq!(bench.receive(&[0xc0, 0]), Err(TooShort));
}

#[test]
fn at_most_32_commands() {
    let mut bench = Bench::server();
    bench.pass(&vec![ping(); 32]);
    assert_eq!(bench.send(&vec![ping(); 33]), Err(TooManyCommands));
}

#[test]
fn every_prefix_that_ends_inside_a_command_is_dropped() {
    let commands = [
        ack(0, 1, 1),
        disconnect(),
        ping(),
        reliable(0, 1, 3),
        unreliable(0, 0, 1, 3),
        unsequenced(0, 1, 3),
        [&[0x8a, 0xff, 0, 2][..], &[0; 8]].concat(),
        [&[0x8b, 0xff, 0, 2][..], &[0; 12]].concat(),
        fragment(0, 1, 2000, 1),
        unreliable_fragment(0, 0, 1, 2000, 1),
    ];
    for command in commands {
        for len in 1..command.len() {
            Bench::server().refuse(Truncated, command[..len].to_vec());
        }
        assert!(Bench::server().send(std::slice::from_ref(&command)).is_ok());
        // One byte too many begins another command.
        assert_eq!(Bench::server().send(&[command, vec![0x85]]), Err(Truncated));
    }
}

#[test]
fn only_the_codes_that_enet_sends() {
    let known = [0x01, 0x82, 0x83, 0x84, 0x44, 0x85, 0x86, 0x07, 0x88, 0x49, 0x8a, 0x8b, 0x0c];
    for code in 0..=255 {
        let mut bytes = vec![code, 0xff, 0, 1];
        if code == 0x81 {
            bytes.extend([0; 4]);
        }
        let result = Bench::server().send(&[bytes]);
        assert_eq!(result == Err(UnknownCommand), !known.contains(&code), "{code:#x}");
    }
}

#[test]
fn acknowledged_commands_need_the_sent_time() {
    let untimed = |command: Vec<u8>| {
        let mut bench = Bench::server();
        bench.receive(&datagram(bench.slot, bench.session, None, &[command]))
    };
    for command in [ping(), disconnect(), reliable(0, 1, 1), fragment(0, 1, 2000, 0)] {
        assert_eq!(untimed(command), Err(MissingSentTime));
    }
    for command in [ack(0, 1, 1), unreliable(0, 0, 1, 1), unsequenced(0, 1, 1)] {
        assert!(untimed(command).is_ok());
    }
}

#[test]
fn a_bad_tail_leaves_no_trace() {
    let mut bench = Bench::server();
    assert_eq!(bench.send(&[reliable(0, 1, 1), reliable(0, 3, 1), vec![0x86]]), Err(Truncated));
    assert_eq!(bench.send(&[reliable(0, 1, 1), disconnect(), reliable(9, 1, 1)]), Err(Channel));
    assert_eq!((bench.lengths(), bench.reassembly_bytes()), (vec![], 0));
    assert!(bench.transmit().is_empty());
    bench.pass(&[reliable(0, 1, 1)]);
    assert_eq!(bench.lengths(), [1]);
}

#[test]
fn reasons_have_their_own_names_and_places() {
    let mut names: Vec<_> = DropReason::ALL.iter().map(|reason| reason.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), DropReason::ALL.len());
    assert!(DropReason::ALL.iter().enumerate().all(|(place, reason)| *reason as usize == place));
}

#[test]
fn what_is_dropped_is_counted_once() {
    let mut bench = Bench::server();
    bench.refuse(Truncated, vec![0x85]);
    bench.pass(&[fragment(0, 5, 3 * F, 0)]);
    bench.refuse(Conflict, reliable(0, 6, 1));
    // Beside something that is taken, only the command is dropped.
    bench.pass(&[ping(), reliable(0, 6, 1)]);
    let figures = bench.host.figures();
    assert_eq!((figures.dropped(Truncated), figures.dropped(Conflict)), (1, 2));
    assert_eq!(figures.datagrams_dropped, 2);
}

#[test]
fn data_channels_are_those_granted() {
    let data: [fn(u8) -> Vec<u8>; 5] = [
        |channel| reliable(channel, 1, 1),
        |channel| unreliable(channel, 0, 1, 1),
        |channel| unsequenced(channel, 1, 1),
        |channel| fragment(channel, 1, 2000, 0),
        |channel| unreliable_fragment(channel, 0, 1, 2000, 0),
    ];
    for make in data {
        for mut bench in [Bench::server(), Bench::client()] {
            bench.pass(&[make(2)]);
            bench.refuse(Channel, make(3));
            bench.refuse(Channel, make(0xff));
        }
    }
}

#[test]
fn control_commands_have_no_channel() {
    let mut bench = Bench::server();
    for code in [0x85, 0x8a, 0x8b, 0x44, 0x84] {
        let mut bytes = vec![code, 0, 0, 1];
        let len = match code {
            0x85 => 4,
            0x8a => 12,
            0x8b => 16,
            _ => 8,
        };
        bytes.resize(len, 0);
        bench.refuse(Channel, bytes.clone());
        bytes[1] = 0xff;
        assert!(Bench::server().send(&[bytes]).is_ok());
    }
    bench.pass(&[ack(0, 1, 1), ack(2, 1, 1), ack(0xff, 1, 1)]);
    bench.refuse(Channel, ack(3, 1, 1));
}

#[test]
fn payloads_are_never_empty_nor_larger_than_a_fragment() {
    let data: [fn(u16) -> Vec<u8>; 3] =
        [|len| reliable(0, 1, len), |len| unreliable(0, 0, 1, len), |len| unsequenced(0, 1, len)];
    for make in data {
        let mut bench = Bench::server();
        bench.refuse(PayloadLength, make(0));
        bench.refuse(PayloadLength, make(F as u16 + 1));
        bench.pass(&[make(F as u16)]);
        Bench::server().pass(&[make(1)]);
    }
}

#[test]
fn fragments_are_cut_in_one_way() {
    let good = Piece::reliable(0, 1, 3 * F + 10, 1);
    let last = Piece { number: 3, sequence: 4, offset: 3 * F, len: 10, ..good };
    let bad = [
        Piece { total: F, count: 1, number: 0, sequence: 1, offset: 0, ..good },
        Piece { count: 3, ..good },
        Piece { count: 5, ..good },
        Piece { number: 4, sequence: 5, offset: 4 * F, ..good },
        Piece { offset: F - 1, ..good },
        Piece { len: good.len - 1, ..good },
        Piece { len: 0, ..good },
        Piece { total: u32::MAX, count: u32::MAX.div_ceil(F), ..good },
        Piece { total: MAX_PACKET as u32 + 1, count: (MAX_PACKET as u32 + 1).div_ceil(F), ..good },
        Piece { number: u32::MAX, offset: u32::MAX, ..good },
        Piece { len: 9, ..last },
        Piece { len: 11, ..last },
    ];
    for piece in bad {
        for code in [0x88, 0x0c] {
            Bench::server().refuse(Fragment, Piece { code, ..piece }.bytes());
        }
    }
    Bench::server().refuse(Fragment, Piece { sequence: 3, ..good }.bytes());
    let largest = MAX_PACKET as u32;
    let end = largest.div_ceil(F) - 1;
    for number in [0, 1, end] {
        Bench::server().pass(&[fragment(0, 1, largest, number)]);
        Bench::server().pass(&[unreliable_fragment(0, 0, 1, largest, number)]);
    }
    Bench::server().pass(&[good.bytes(), last.bytes()]);
    Bench::server().pass(&[fragment(0, 1, F + 1, 1)]);
}

#[test]
fn contradictions_are_ignored() {
    let mut bench = Bench::server();
    bench.pass(&[reliable(0, 1, 1), fragment(0, 5, 3 * F, 0), reliable(0, 10, 1)]);
    bench.transmit();
    let reassembly_bytes = bench.reassembly_bytes();
    let lies = [
        // Into the numbers of a known packet, whole and in fragments.
        reliable(0, 5, 1),
        reliable(0, 7, 1),
        fragment(0, 6, 2 * F, 0),
        fragment(0, 4, 2 * F, 0),
        fragment(0, 7, 4 * F, 0),
        // Over a whole packet.
        fragment(0, 10, 2 * F, 0),
        fragment(0, 9, 2 * F, 0),
        // Another size for a known packet.
        fragment(0, 5, 3 * F - 1, 1),
        fragment(0, 5, 4 * F, 1),
        // With the number that was delivered last.
        fragment(0, 1, 2 * F, 0),
    ];
    for lie in lies {
        bench.refuse(Conflict, lie);
        assert_eq!(bench.reassembly_bytes(), reassembly_bytes);
        assert!(bench.transmit().is_empty(), "not acknowledged");
    }
    assert_eq!(bench.lengths(), [1]);
    bench.pass(&[ping(), reliable(0, 7, 9), reliable(0, 2, 1)]);
    assert_eq!(bench.lengths(), [1]);
    // Right in front of and behind them there is room.
    bench.pass(&[fragment(0, 3, 2 * F, 0), fragment(0, 8, 2 * F, 0)]);
}

#[test]
fn an_unreliable_packet_has_one_size() {
    let mut bench = Bench::server();
    bench.pass(&[unreliable_fragment(0, 0, 1, 3000, 0), unreliable(0, 1, 1, 9)]);
    bench.refuse(Conflict, unreliable_fragment(0, 0, 1, 3001, 1));
    bench.refuse(Conflict, unreliable_fragment(0, 0, 1, 4 * F, 1));
    bench.refuse(Conflict, unreliable_fragment(0, 1, 1, 3000, 0));
}

#[test]
fn large_packets_say_how_they_travelled() {
    let mut bench = Bench::server();
    bench.pass(&[fragment(0, 1, 2000, 0), fragment(0, 1, 2000, 1)]);
    bench.pass(&[unreliable_fragment(0, 2, 1, 1500, 0), unreliable_fragment(0, 2, 1, 1500, 1)]);
    bench.pass(&[unsequenced(0, 1, 3), unreliable(0, 2, 2, 4), reliable(0, 3, 5)]);
    let (rel, seq) = (Delivery::Reliable, Delivery::Sequenced);
    assert_eq!(bench.got(), [(2000, rel), (1500, seq), (3, Delivery::Unsequenced), (4, seq), (5, rel)]);
}
