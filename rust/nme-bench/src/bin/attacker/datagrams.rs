//! Datagrams as a client's, with numbers that nobody has given out.

use nme_enet::wire::{
    Body, CONTROL_CHANNEL, Command, Handshake, Header, NO_PEER, ThrottleSettings, Writer, code,
};

/// A request to connect, another one for each number.
pub(crate) fn request(number: u64, out: &mut Vec<u8>) {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    header(NO_PEER, 0, Some(mixed as u16), out);
    connect(mixed as u32, (mixed >> 32) as u32 & 0x7fff_ffff | 2).append_to(out);
}

/// What a client sends that has got the answer to its request: an acknowledgement of it, and a packet.
pub(crate) fn guess(peer: u16, session: u8, round: u16, out: &mut Vec<u8>) {
    header(peer, session, Some(1), out);
    // The clock goes round in 65.5 s.
    acknowledge(CONTROL_CHANNEL, 1, round.wrapping_mul(2048)).append_to(out);
    let packet = [1_u8; 16];
    let body = Body::Reliable { len: packet.len() as u16 };
    Command { code: code::RELIABLE, channel: 1, sequence: 1, body }.append_to(out);
    out.extend_from_slice(&packet);
}

/// The start of a datagram.
pub(crate) fn header(peer: u16, session: u8, sent_time: Option<u16>, out: &mut Vec<u8>) {
    let header = Header { peer, session, sent_time, compressed: false };
    let start = out.len();
    out.resize(start + header.len(), 0);
    header.write(&mut Writer::new(&mut out[start..]));
}

pub(crate) const fn acknowledge(channel: u8, sequence: u16, sent_time: u16) -> Command {
    Command { code: code::ACKNOWLEDGE, channel, sequence, body: Body::Acknowledge { sequence, sent_time } }
}

/// The request of a client with this id.
pub(crate) const fn connect(connect_id: u32, id: u32) -> Command {
    let body = Body::Connect { handshake: handshake(0, connect_id), data: id };
    Command { code: code::CONNECT, channel: CONTROL_CHANNEL, sequence: 1, body }
}

pub(crate) const fn handshake(peer: u16, connect_id: u32) -> Handshake {
    Handshake {
        peer,
        incoming_session: 0xff,
        outgoing_session: 0xff,
        mtu: 1392,
        window: 65_536,
        channels: 3,
        in_bandwidth: 0,
        out_bandwidth: 0,
        throttle: ThrottleSettings { interval: 5000, acceleration: 2, deceleration: 2 },
        connect_id,
    }
}
