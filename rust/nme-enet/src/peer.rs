//! One peer of a host: where it is, how far the connection is, and what flows both ways.

use std::net::SocketAddr;

use crate::channels::Channels;
use crate::counts::{IncomingLoss, LossMeter, Traffic};
use crate::event::{Event, PeerHandle, PeerLimit};
use crate::lists::List;
use crate::reason::DropReason;
use crate::receive::quota::Usage;
use crate::receive::rates::Meter;
use crate::receive::reception::Gate;
use crate::receive::unsequenced::UnsequencedWindow;
use crate::round_trip::RoundTrip;
use crate::rules::Rules;
use crate::send::{BlackHole, Pending, Progress, Ring, Silence, Window};
use crate::shared::{Shared, Stray};
use crate::tag::Tags;
use crate::throttle::Throttle;
use crate::wire::{Command, Handshake, Header, NO_PEER, ThrottleSettings};

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Our connect request is sent and not answered.
    Connecting,
    /// Our answer to a connect request is sent and not acknowledged.
    Answering,
    /// Data flows.
    Connected,
    /// What is queued is still sent, then we disconnect. What comes is acknowledged and thrown away.
    Draining,
    /// Our disconnect is sent and not acknowledged.
    Disconnecting,
}

/// Bits of a header that tell the sessions of one place apart, in both directions. They outlive a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sessions {
    /// In datagrams from the peer.
    pub(crate) incoming: u8,
    /// In datagrams to the peer.
    pub(crate) outgoing: u8,
}

impl Sessions {
    /// Of a place that has had no peer.
    pub(crate) const NONE: Self = Self { incoming: 0xff, outgoing: 0xff };
}

/// What is needed only until the handshake is complete.
#[derive(Debug)]
pub(crate) struct Half {
    /// What we send: the request, or the answer.
    pub(crate) handshake: Handshake,
    /// The value that the request carries.
    pub(crate) data: u32,
    /// Times at which the handshake was sent; it is repeated six times before a peer is given up.
    sent_times: [u16; 8],
    sent: u8,
}

impl Half {
    pub(crate) const fn new(handshake: Handshake, data: u32) -> Self {
        Self { handshake, data, sent_times: [0; 8], sent: 0 }
    }

    pub(crate) fn note_sent(&mut self, time: u16) {
        self.sent_times[usize::from(self.sent) % self.sent_times.len()] = time;
        self.sent = self.sent.saturating_add(1);
    }

    /// True when the handshake was sent at this time.
    pub(crate) fn was_sent_at(&self, time: u16) -> bool {
        let count = usize::from(self.sent).min(self.sent_times.len());
        self.sent_times[..count].contains(&time)
    }
}

/// An acknowledgement that is to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acknowledgement {
    pub(crate) channel: u8,
    pub(crate) sequence: u16,
    pub(crate) sent_time: u16,
}

/// When a silent peer is given up; see [`Host::set_timeout`](crate::Host::set_timeout). In ms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeoutSettings {
    pub(crate) limit: u32,
    pub(crate) minimum: u32,
    pub(crate) maximum: u32,
}

/// One peer. Times are in µs of the host's clock.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) handle: PeerHandle,
    pub(crate) address: SocketAddr,
    pub(crate) state: State,
    /// The peer's number for us, [`NO_PEER`] until we know it.
    pub(crate) remote: u16,
    pub(crate) sessions: Sessions,
    pub(crate) connect_id: u32,
    /// The latest number of a command without a channel that has come. ENet gives one to each, also to those that want no
    /// acknowledgement.
    latest_control: u16,
    pub(crate) half: Option<Box<Half>>,
    /// We have asked for the connection.
    pub(crate) initiated: bool,
    pub(crate) mtu: u16,
    pub(crate) rules: Rules,
    pub(crate) channels: Channels,
    pub(crate) acknowledgements: List,

    pub(crate) tags: Option<Box<Tags>>,

    // What comes in.
    pub(crate) usage: Usage,
    /// There once not everything was taken.
    pub(crate) gate: Option<Box<Gate>>,
    /// There once there has been a limit.
    pub(crate) meter: Option<Box<Meter>>,
    pub(crate) unsequenced_in: UnsequencedWindow,

    // What goes out and is not sent.
    pub(crate) pending: Pending,
    /// The value of our disconnect.
    pub(crate) goodbye: u32,
    pub(crate) unsequenced: List,
    /// The first of the channels with something in their queue, each of which names the next.
    pub(crate) active: Option<u8>,
    /// The turn that was taken last.
    pub(crate) turn: u64,
    /// Payload bytes in all queues.
    pub(crate) queued: u64,
    /// Cost of everything that is queued, or reliable and unacknowledged.
    pub(crate) unacknowledged: u64,
    /// Whether that becomes less.
    pub(crate) progress: Progress,
    /// The owner knows that it has exceeded a limit.
    pub(crate) has_exceeded: bool,
    pub(crate) unsequenced_out: u16,

    // What is sent and not acknowledged.
    pub(crate) control: Ring,
    /// In the order of transmission.
    pub(crate) sent: List,
    /// To be sent again.
    pub(crate) lost: List,
    pub(crate) in_flight: u32,
    pub(crate) in_flight_commands: u32,
    /// The latest transmission that was acknowledged, and how long that took.
    pub(crate) newest: u64,
    pub(crate) newest_trip: u32,
    /// How far later transmissions may overtake: parts of the round trip, doubled each time it was not enough.
    pub(crate) reordering: u8,
    pub(crate) round_trip: RoundTrip,
    pub(crate) throttle: Throttle,
    pub(crate) window: Window,
    /// Bytes in flight that the peer's bandwidth and ours allow; stock ENet's window.
    pub(crate) window_limit: u32,
    /// Bytes/s that the peer can take, or send; 0 is no limit.
    pub(crate) in_bandwidth: u32,
    pub(crate) out_bandwidth: u32,
    /// What we have told the peer that it may send, in bytes/s; 0 is no limit.
    pub(crate) granted_bandwidth: u32,
    /// Bytes of commands queued since bandwidth was last shared out.
    pub(crate) outgoing_total: u32,

    // When something is to be done.
    pub(crate) timeouts: TimeoutSettings,
    /// In µs.
    pub(crate) ping_interval: u32,
    pub(crate) last_acknowledged: u64,
    pub(crate) silence: Silence,
    pub(crate) black_hole: BlackHole,
    pub(crate) next_expiry: u64,
    pub(crate) next_loss: u64,
    pub(crate) paced_to: u64,
    /// What the host's timer is set to.
    pub(crate) timer: u64,

    // For statistics.
    pub(crate) commands_sent: u32,
    pub(crate) commands_lost: u32,
    pub(crate) traffic: Traffic,
    pub(crate) outgoing_loss: LossMeter,
    pub(crate) incoming_loss: IncomingLoss,
    /// When a datagram has come last, and when the connection began.
    pub(crate) heard_at: u64,
    pub(crate) began_at: u64,

    // For the host's lists.
    pub(crate) is_due: bool,
    pub(crate) next_at_address: u16,
    pub(crate) live_index: u16,
}

/// What a new peer is made from.
pub(crate) struct NewPeer {
    pub(crate) handle: PeerHandle,
    pub(crate) address: SocketAddr,
    pub(crate) state: State,
    pub(crate) sessions: Sessions,
    pub(crate) half: Half,
    pub(crate) remote: u16,
    pub(crate) bandwidths: (u32, u32),
    pub(crate) window_limit: u32,
}

impl Peer {
    pub(crate) fn new(new: NewPeer, shared: &Shared) -> Self {
        let NewPeer { handle, address, state, sessions, half, remote, bandwidths, window_limit } = new;
        // The handshakes that we make grant 255 channels and an MTU of u16 at most.
        let mtu = half.handshake.mtu as u16;
        let channels = half.handshake.channels as usize;
        Self {
            handle,
            address,
            state,
            remote,
            sessions,
            connect_id: half.handshake.connect_id,
            // That of the handshake.
            latest_control: 1,
            initiated: state == State::Connecting,
            mtu,
            rules: Rules::new(mtu, shared.config.max_packet),
            channels: Channels::new(channels),
            acknowledgements: List::EMPTY,
            tags: None,
            usage: Usage::default(),
            gate: None,
            meter: None,
            unsequenced_in: UnsequencedWindow::default(),
            pending: if state == State::Connecting { Pending::CONNECT } else { Pending::VERIFY },
            goodbye: 0,
            unsequenced: List::EMPTY,
            active: None,
            turn: 0,
            queued: 0,
            unacknowledged: 0,
            progress: Progress::default(),
            has_exceeded: false,
            unsequenced_out: 0,
            control: Ring::new(),
            sent: List::EMPTY,
            lost: List::EMPTY,
            in_flight: 0,
            in_flight_commands: 0,
            newest: 0,
            newest_trip: 0,
            reordering: 1,
            round_trip: RoundTrip::new(),
            throttle: Throttle::new(half.handshake.throttle),
            window: Window::new(shared.config.max_window),
            window_limit,
            in_bandwidth: bandwidths.0,
            out_bandwidth: bandwidths.1,
            granted_bandwidth: 0,
            outgoing_total: 0,
            timeouts: DEFAULT_TIMEOUTS,
            ping_interval: PING_INTERVAL_US,
            last_acknowledged: shared.clock.now(),
            silence: Silence::NONE,
            black_hole: BlackHole::NONE,
            next_expiry: u64::MAX,
            next_loss: u64::MAX,
            paced_to: u64::MAX,
            timer: u64::MAX,
            commands_sent: 0,
            commands_lost: 0,
            traffic: Traffic::default(),
            outgoing_loss: LossMeter::default(),
            incoming_loss: IncomingLoss::default(),
            heard_at: shared.clock.now(),
            began_at: shared.clock.now(),
            is_due: false,
            next_at_address: NO_PEER,
            live_index: 0,
            half: Some(Box::new(half)),
        }
    }

    /// True while data can come and go.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Connected | State::Draining)
    }

    /// The header of our datagrams.
    pub(crate) const fn header(&self, sent_time: Option<u16>) -> Header {
        let session = if self.remote == NO_PEER { 0 } else { self.sessions.outgoing };
        Header { peer: self.remote, session, sent_time, compressed: false }
    }

    /// Takes the number of a command without a channel. Who forges a disconnect has to guess it, too.
    pub(crate) const fn note_control(&mut self, sequence: u16) -> Result<(), DropReason> {
        let ahead = sequence.wrapping_sub(self.latest_control) as i16;
        if ahead.unsigned_abs() > CONTROL_WINDOW_COMMANDS {
            return Err(DropReason::Sequence);
        }
        if ahead > 0 {
            self.latest_control = sequence;
        }
        Ok(())
    }

    /// A datagram of this one command, which leaves without its turn.
    pub(crate) fn stray(&self, command: &Command) -> Stray {
        Stray::new(self.address, &self.header(None), command).tagged(self.tags.as_deref())
    }

    /// The server has answered our request with this.
    pub(crate) fn verified(&mut self, answer: &Handshake) {
        self.remote = answer.peer;
        self.sessions = Sessions { incoming: answer.incoming_session, outgoing: answer.outgoing_session };
        if let Ok(mtu) = u16::try_from(answer.mtu) {
            self.mtu = self.mtu.min(mtu);
            self.rules = self.rules.with_mtu(self.mtu);
        }
        let granted = answer.channels as usize;
        if granted < self.channels.len() {
            self.channels = Channels::new(granted);
        }
        self.window_limit = self.window_limit.min(answer.window.max(MIN_WINDOW_BYTES));
        self.in_bandwidth = answer.in_bandwidth;
        self.out_bandwidth = answer.out_bandwidth;
        self.open();
    }

    /// The handshake is complete.
    pub(crate) fn open(&mut self) {
        self.state = State::Connected;
        self.half = None;
    }

    pub(crate) fn queue_acknowledgement(
        &mut self,
        shared: &mut Shared,
        channel: u8,
        sequence: u16,
        sent_time: u16,
    ) {
        let acknowledgement = Acknowledgement { channel, sequence, sent_time };
        shared.acknowledgements.push_back(&mut self.acknowledgements, acknowledgement);
    }

    /// Tells the owner that the peer has exceeded a limit, once.
    pub(crate) fn exceed(&mut self, shared: &mut Shared, limit: PeerLimit) {
        if !std::mem::replace(&mut self.has_exceeded, true) {
            shared.events.push_back(Event::Exceeded { peer: self.handle, limit });
        }
    }

    /// Takes the throttle settings of the peer, or of our own owner.
    pub(crate) const fn set_throttle(&mut self, settings: ThrottleSettings) {
        self.throttle.settings = settings;
    }
}

/// The window that goes with two bandwidths, one of which limits the other; 0 is no limit.
pub(crate) fn window_for(ours: u32, theirs: u32) -> u32 {
    let bandwidth = match (ours, theirs) {
        (0, 0) => return MAX_WINDOW_BYTES,
        (0, one) | (one, 0) => one,
        (ours, theirs) => ours.min(theirs),
    };
    (bandwidth / MAX_WINDOW_BYTES * MIN_WINDOW_BYTES).clamp(MIN_WINDOW_BYTES, MAX_WINDOW_BYTES)
}

/// Commands without a channel that a peer may have sent in vain, one behind the other: a ping waits for the one before, and
/// bandwidths are told once a second.
const CONTROL_WINDOW_COMMANDS: u16 = 64;

pub(crate) const MIN_WINDOW_BYTES: u32 = 4096;
pub(crate) const MAX_WINDOW_BYTES: u32 = 65536;

/// Of stock ENet, in µs.
pub(crate) const PING_INTERVAL_US: u32 = 500_000;

/// Of stock ENet.
pub(crate) const DEFAULT_TIMEOUTS: TimeoutSettings =
    TimeoutSettings { limit: 32, minimum: 5000, maximum: 30_000 };
