//! One client: its socket, its connection, and what it has received.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use nme_enet::wire::{
    Body, CONTROL_CHANNEL, Command, Commands, Handshake, Header, MAX_COMMANDS, NO_PEER, ThrottleSettings,
    Writer, code,
};

use crate::dialect::{Coder, Dialect, Message};
use crate::tally::Tally;

/// What all clients of a crowd have in common.
pub(crate) struct Shared {
    pub(crate) dialect: Dialect,
    pub(crate) coder: Coder,
    pub(crate) tally: Tally,
    /// The commands of the next datagram.
    outgoing: Vec<u8>,
}

impl Shared {
    pub(crate) fn new(dialect: Dialect, coder: Coder) -> Self {
        Self { dialect, coder, tally: Tally::default(), outgoing: Vec::with_capacity(MAX_DATAGRAM) }
    }
}

/// Room for a datagram, as it came and expanded; all clients use the same.
pub(crate) struct Buffers {
    incoming: [u8; MAX_DATAGRAM],
    expanded: [u8; 2 * MAX_DATAGRAM],
}

impl Buffers {
    pub(crate) const fn new() -> Self {
        Self { incoming: [0; MAX_DATAGRAM], expanded: [0; 2 * MAX_DATAGRAM] }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Asks again at `retry`, after twice the time.
    Connecting {
        retry: Duration,
        interval: Duration,
    },
    Connected,
    Gone,
}

/// A client of the crowd.
pub(crate) struct Client {
    id: u32,
    socket: UdpSocket,
    state: State,
    /// In front of each datagram: the server's number for the client, and the session.
    header: Header,
    receipts: Vec<Receipt>,
    reliable: [Arrivals; RELIABLE_CHANNELS],
    group: u16,
}

impl Client {
    /// Makes a client of the server at `port` on this machine; it asks for a connection when it is polled.
    pub(crate) fn new(id: u32, port: u16) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            id,
            socket,
            state: State::Connecting { retry: Duration::ZERO, interval: FIRST_RETRY_INTERVAL },
            header: Header { peer: NO_PEER, session: 0, sent_time: None, compressed: false },
            receipts: Vec::new(),
            reliable: Default::default(),
            group: 0,
        })
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.state == State::Connected
    }

    /// One frame of the client: everything that has come is read, `outgoing` and all acknowledgements leave.
    pub(crate) fn frame(
        &mut self,
        now: Duration,
        outgoing: Option<(i32, &[u8])>,
        shared: &mut Shared,
        buffers: &mut Buffers,
    ) {
        self.receive(now, shared, buffers);
        if let State::Connecting { retry, interval } = self.state
            && now >= retry
        {
            self.state = State::Connecting { retry: now + interval, interval: 2 * interval };
            connect(shared.dialect.channels(), self.id).append_to(&mut shared.outgoing);
            self.send(now, shared, true);
        }
        let mut receipts = std::mem::take(&mut self.receipts);
        for receipts in receipts.chunks(MAX_COMMANDS - 1) {
            if !shared.outgoing.is_empty() {
                self.send(now, shared, false);
            }
            receipts.iter().for_each(|receipt| receipt.acknowledge().append_to(&mut shared.outgoing));
        }
        receipts.clear();
        self.receipts = receipts;
        if let (State::Connected, Some((target, payload))) = (self.state, outgoing) {
            self.put(target, payload, shared);
        }
        if !shared.outgoing.is_empty() {
            self.send(now, shared, false);
        }
    }

    fn put(&mut self, target: i32, payload: &[u8], shared: &mut Shared) {
        let dialect = shared.dialect;
        self.group = self.group.wrapping_add(1);
        let len = (dialect.prefix_len(target) + payload.len()) as u16;
        let body = Body::Unsequenced { group: self.group, len };
        let channel = dialect.unreliable_channel();
        Command { code: code::UNSEQUENCED, channel, sequence: 0, body }.append_to(&mut shared.outgoing);
        dialect.put_prefix(&mut shared.outgoing, self.id, target);
        shared.outgoing.extend_from_slice(payload);
    }

    /// Sends the commands in the shared buffer as one datagram.
    fn send(&self, now: Duration, shared: &mut Shared, timed: bool) {
        let mut datagram = [0; MAX_DATAGRAM];
        let mut header = Header { sent_time: timed.then_some(now.as_millis() as u16), ..self.header };
        let (start, rest) = datagram.split_at_mut(header.len());
        let compressed = shared.coder.shrink(&shared.outgoing, rest);
        header.compressed = compressed.is_some();
        header.write(&mut Writer::new(start));
        let len = header.len()
            + compressed.unwrap_or_else(|| {
                rest[..shared.outgoing.len()].copy_from_slice(&shared.outgoing);
                shared.outgoing.len()
            });
        shared.outgoing.clear();
        // A datagram that the system refuses is as good as lost on the way.
        if self.socket.send(&datagram[..len]).is_err() {
            shared.tally.unsent += 1;
        }
    }

    /// Reads everything that has come.
    pub(crate) fn receive(&mut self, now: Duration, shared: &mut Shared, buffers: &mut Buffers) {
        while let Ok(len) = self.socket.recv(&mut buffers.incoming) {
            let datagram = &buffers.incoming[..len];
            let Ok(header) = Header::read(datagram) else { continue };
            let (sent_time, commands) = (header.sent_time.unwrap_or_default(), &datagram[header.len()..]);
            if !header.compressed {
                self.obey(now, sent_time, commands, shared);
            } else if let Some(len) = shared.coder.expand(commands, &mut buffers.expanded) {
                self.obey(now, sent_time, &buffers.expanded[..len], shared);
            }
        }
    }

    fn obey(&mut self, now: Duration, sent_time: u16, commands: &[u8], shared: &mut Shared) {
        for (command, payload) in Commands::new(commands).map_while(Result::ok) {
            let Command { channel, sequence, .. } = command;
            if self.state != State::Gone && command.wants_acknowledgement() {
                self.receipts.push(Receipt { channel, sequence, sent_time });
            }
            match command.body {
                Body::Verify { handshake } if !self.is_connected() => {
                    self.header.peer = handshake.peer;
                    self.header.session = handshake.outgoing_session;
                    self.state = State::Connected;
                }
                Body::Disconnect { .. } => {
                    self.state = State::Gone;
                    shared.tally.disconnected += 1;
                }
                Body::Reliable { .. } => self.on_packet(now, channel, Some(sequence), payload, shared),
                Body::Unreliable { .. } | Body::Unsequenced { .. } => {
                    self.on_packet(now, channel, None, payload, shared);
                }
                // No scenario has packets that are longer than a datagram.
                _ => {}
            }
        }
    }

    fn on_packet(
        &mut self,
        now: Duration,
        channel: u8,
        sequence: Option<u16>,
        packet: &[u8],
        shared: &mut Shared,
    ) {
        let arrivals = self.reliable.get_mut(usize::from(channel));
        if let (Some(sequence), Some(arrivals)) = (sequence, arrivals)
            && !arrivals.is_first(sequence)
        {
            return;
        }
        match shared.dialect.read(channel, packet) {
            Message::Joined => shared.tally.joined += 1,
            Message::Payload(payload) => shared.tally.receive(now, payload),
            Message::Other => shared.tally.strange += 1,
        }
    }
}

/// A command that the server wants acknowledged.
#[derive(Clone, Copy)]
struct Receipt {
    channel: u8,
    sequence: u16,
    sent_time: u16,
}

impl Receipt {
    const fn acknowledge(self) -> Command {
        let Self { channel, sequence, sent_time } = self;
        Command {
            code: code::ACKNOWLEDGE,
            channel,
            sequence,
            body: Body::Acknowledge { sequence, sent_time },
        }
    }
}

/// The request of a client with this id for a connection.
const fn connect(channels: u32, id: u32) -> Command {
    let handshake = Handshake {
        peer: 0,
        incoming_session: 0xff,
        outgoing_session: 0xff,
        mtu: 1392,
        window: 65_536,
        channels,
        in_bandwidth: 0,
        out_bandwidth: 0,
        throttle: ThrottleSettings { interval: 5000, acceleration: 2, deceleration: 2 },
        connect_id: id ^ CONNECT_SALT,
    };
    let body = Body::Connect { handshake, data: id };
    Command { code: code::CONNECT, channel: CONTROL_CHANNEL, sequence: 1, body }
}

/// The reliable sequence numbers that a channel has seen, to count resent packets once.
#[derive(Default)]
struct Arrivals {
    /// Everything up to here has come; the first number is 1.
    complete: u16,
    beyond: BTreeSet<u16>,
}

impl Arrivals {
    fn is_first(&mut self, sequence: u16) -> bool {
        let ahead = sequence.wrapping_sub(self.complete);
        if ahead == 0 || ahead > u16::MAX / 2 || !self.beyond.insert(sequence) {
            return false;
        }
        while self.beyond.remove(&self.complete.wrapping_add(1)) {
            self.complete = self.complete.wrapping_add(1);
        }
        true
    }
}

/// ENet's first guess of a round-trip time, after which it asks again.
const FIRST_RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// The longest datagram of ENet 1.3, in bytes.
const MAX_DATAGRAM: usize = 1400;

/// Makes the connect id differ from the peer id.
const CONNECT_SALT: u32 = 0x5bd1_e995;

/// Channels on which an engine of these scenarios sends reliable packets.
const RELIABLE_CHANNELS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reliable_packet_counts_once_in_any_order() {
        let mut arrivals = Arrivals::default();
        let firsts: Vec<bool> = [1, 3, 3, 2, 1, 4, 2].map(|number| arrivals.is_first(number)).to_vec();
        assert_eq!(firsts, [true, true, false, true, false, true, false]);
        assert_eq!((arrivals.complete, arrivals.beyond.len()), (4, 0));
    }

    #[test]
    fn sequence_numbers_wrap_around() {
        let mut arrivals = Arrivals { complete: u16::MAX - 1, beyond: BTreeSet::new() };
        assert!([u16::MAX, 0, 1].into_iter().all(|number| arrivals.is_first(number)));
        assert!(!arrivals.is_first(u16::MAX));
    }
}
