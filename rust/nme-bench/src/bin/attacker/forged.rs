//! Datagrams in somebody else's name, who is connected.

use std::error::Error;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use nme_enet::wire::{Body, CONTROL_CHANNEL, Command, NO_PEER, ThrottleSettings, code};

use crate::datagrams::{connect, handshake, header};

/// Sockets that are bound to the addresses of others. What comes back goes to those.
pub(crate) struct Impostor {
    pairs: Vec<(UdpSocket, SocketAddr)>,
    sent: u64,
    refused: u64,
}

impl Impostor {
    /// From each of the first addresses to each of the second ones; both are lists with commas.
    pub(crate) fn open(from: &str, to: &str) -> Result<Self, Box<dyn Error>> {
        let to = to.split(',').map(str::parse).collect::<Result<Vec<SocketAddr>, _>>()?;
        let mut pairs = Vec::new();
        for from in from.split(',') {
            let socket = UdpSocket::bind(from.parse::<SocketAddr>()?)?;
            socket.set_nonblocking(true)?;
            for to in &to {
                pairs.push((socket.try_clone()?, *to));
            }
        }
        Ok(Self { pairs, sent: 0, refused: 0 })
    }

    /// How many connections there may be.
    pub(crate) fn pairs(&self) -> u64 {
        self.pairs.len() as u64
    }

    /// Sends a datagram in the name of one of them, in turns.
    pub(crate) fn send(&mut self, number: u64, datagram: &[u8]) {
        let (socket, to) = &self.pairs[(number % self.pairs()) as usize];
        if socket.send_to(datagram, *to).is_ok() {
            self.sent += 1;
        } else {
            self.refused += 1;
        }
    }

    pub(crate) fn report(&self, time: Duration) -> String {
        let Self { sent, refused, .. } = self;
        let rate = *sent as f64 / time.as_secs_f64().max(0.001);
        format!(r#"{{"sent":{sent},"refused":{refused},"rate":{rate:.0}}}"#)
    }
}

/// A datagram that stock ENet believes if its numbers are right. What a peer and a session can be is guessed first, then
/// what the command is, then its sequence number.
pub(crate) fn guess(number: u64, peers: u16, out: &mut Vec<u8>) {
    let session = (number % 4) as u8;
    let peer = (number / 4 % u64::from(peers)) as u16;
    let guess = number / 4 / u64::from(peers);
    let round = guess / KINDS;
    // Those of a young connection, and some out of all.
    let (low, any) = ((round % 2048) as u16, round.wrapping_mul(127) as u16);
    let (code, channel, sequence, body) = match guess % KINDS {
        0 => (code::DISCONNECT, CONTROL_CHANNEL, any, Body::Disconnect { data: 1 }),
        1 => (code::DISCONNECT, CONTROL_CHANNEL, low, Body::Disconnect { data: 1 }),
        2 => (code::DISCONNECT_UNSEQUENCED, CONTROL_CHANNEL, 0, Body::Disconnect { data: 1 }),
        3 => (code::RELIABLE, 1, low, Body::Reliable { len: PAYLOAD }),
        4 => (code::RELIABLE, 1, any, Body::Reliable { len: PAYLOAD }),
        5 => (code::UNRELIABLE, 2, low, Body::Unreliable { number: any, len: PAYLOAD }),
        6 => (code::UNSEQUENCED, 2, 0, Body::Unsequenced { group: any, len: PAYLOAD }),
        7 => (code::ACKNOWLEDGE, 1, low, Body::Acknowledge { sequence: low, sent_time: any }),
        8 => (code::VERIFY, CONTROL_CHANNEL, 1, Body::Verify { handshake: handshake(peer, any.into()) }),
        9 => (code::BANDWIDTH_LIMIT, CONTROL_CHANNEL, low, Body::BandwidthLimit { incoming: 1, outgoing: 1 }),
        10 => {
            let throttle = ThrottleSettings { interval: 1, acceleration: 0, deceleration: 32 };
            (code::THROTTLE_CONFIGURE, CONTROL_CHANNEL, low, Body::ThrottleConfigure { throttle })
        }
        _ => {
            header(NO_PEER, 0, Some(any), out);
            connect(any.into(), u32::from(any) | 2).append_to(out);
            return;
        }
    };
    header(peer, session, Some(any), out);
    Command { code, channel, sequence, body }.append_to(out);
    if body.payload_len() > 0 {
        out.extend_from_slice(&FROM_THE_SERVER);
        out.extend([FILLING; PAYLOAD as usize - FROM_THE_SERVER.len()]);
    }
}

/// Commands that `guess` makes.
const KINDS: u64 = 12;

/// As long as a packet of the players.
const PAYLOAD: u16 = 56;

/// What Godot 3.6 puts in front of a packet of the server to all. A client cannot know better; of a player, the numbers
/// are random.
const FROM_THE_SERVER: [u8; 8] = [1, 0, 0, 0, 0, 0, 0, 0];

/// The rest of a packet. No player sends it.
const FILLING: u8 = 0x66;
