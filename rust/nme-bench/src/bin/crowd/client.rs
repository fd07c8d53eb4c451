//! One client: its socket, its connection, and what it has received.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use crate::dialect::{Coder, Dialect, Message};
use crate::tally::Tally;
use crate::wire::{self, Command, FLAG_COMPRESSED, MAX_COMMANDS, MAX_DATAGRAM, Receipt, Route};

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
    route: Route,
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
            route: Route::NONE,
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
            wire::put_connect(
                &mut shared.outgoing,
                shared.dialect.channels(),
                self.id ^ CONNECT_SALT,
                self.id,
            );
            self.send(now, shared, true);
        }
        let mut receipts = std::mem::take(&mut self.receipts);
        for receipts in receipts.chunks(MAX_COMMANDS - 1) {
            if !shared.outgoing.is_empty() {
                self.send(now, shared, false);
            }
            receipts.iter().for_each(|receipt| wire::put_acknowledge(&mut shared.outgoing, *receipt));
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
        wire::put_unsequenced(&mut shared.outgoing, dialect.unreliable_channel(), self.group, len);
        dialect.put_prefix(&mut shared.outgoing, self.id, target);
        shared.outgoing.extend_from_slice(payload);
    }

    /// Sends the commands in the shared buffer as one datagram.
    fn send(&self, now: Duration, shared: &mut Shared, timed: bool) {
        let mut datagram = [0; MAX_DATAGRAM];
        let mut flags = if timed { wire::FLAG_SENT_TIME } else { 0 };
        let start = if timed { 4 } else { 2 };
        let sent_time = now.as_millis() as u16;
        datagram[2..4].copy_from_slice(&sent_time.to_be_bytes());
        let len = match shared.coder.shrink(&shared.outgoing, &mut datagram[start..]) {
            Some(len) => {
                flags |= FLAG_COMPRESSED;
                len
            }
            None => {
                datagram[start..start + shared.outgoing.len()].copy_from_slice(&shared.outgoing);
                shared.outgoing.len()
            }
        };
        datagram[..2].copy_from_slice(&self.route.header(flags));
        shared.outgoing.clear();
        // A datagram that the system refuses is as good as lost on the way.
        if self.socket.send(&datagram[..start + len]).is_err() {
            shared.tally.unsent += 1;
        }
    }

    fn receive(&mut self, now: Duration, shared: &mut Shared, buffers: &mut Buffers) {
        while let Ok(len) = self.socket.recv(&mut buffers.incoming) {
            let datagram = &buffers.incoming[..len];
            let Some((flags, sent_time, commands)) = wire::split_header(datagram) else { continue };
            if flags & FLAG_COMPRESSED == 0 {
                self.obey(now, sent_time, commands, shared);
            } else if let Some(len) = shared.coder.expand(commands, &mut buffers.expanded) {
                self.obey(now, sent_time, &buffers.expanded[..len], shared);
            }
        }
    }

    fn obey(&mut self, now: Duration, sent_time: u16, mut commands: &[u8], shared: &mut Shared) {
        while let Some((command, receipt)) = wire::next_command(&mut commands, sent_time) {
            if self.state != State::Gone {
                self.receipts.extend(receipt);
            }
            match command {
                Command::Verified(route) if !self.is_connected() => {
                    self.route = route;
                    self.state = State::Connected;
                }
                Command::Disconnected => {
                    self.state = State::Gone;
                    shared.tally.disconnected += 1;
                }
                Command::Packet { channel, sequence, payload } => {
                    self.on_packet(now, channel, sequence, payload, shared);
                }
                Command::Verified(_) | Command::Other => {}
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
