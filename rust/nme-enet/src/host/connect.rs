//! Handshakes.
//!
//! 1. The client sends CONNECT, without a peer number, until it is answered.
//! 2. The server gives it a place and answers VERIFY_CONNECT with the place's number. It repeats that once unasked, and
//!    otherwise when the request comes again: an address that may be forged is sent at most twice what came from it.
//! 3. The client is connected, and acknowledges. Data may follow in the same datagram.
//! 4. The server is connected when the acknowledgement comes.
//!
//! Numbers of sessions go up by one with each peer of a place, so that datagrams of the last one are told apart.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Admission, ConnectError, ConnectRequest, Host, Verdict, disconnect_notice};
use crate::config::Config;
use crate::event::{Event, PeerHandle};
use crate::inspect::Request;
use crate::peer::{Half, MAX_WINDOW_BYTES, MIN_WINDOW_BYTES, NewPeer, Peer, Sessions, State, window_for};
use crate::reason::DropReason;
use crate::shared::{Shared, Stray};
use crate::throttle::DEFAULT_SETTINGS;
use crate::wire::{Body, CONTROL_CHANNEL, Command, Handshake, Header, NO_PEER, code};

impl Host {
    /// Asks for a connection; `data` travels in the request. [`Event::Connected`] or [`Event::Disconnected`] follows.
    pub fn connect(
        &mut self,
        now: Duration,
        address: SocketAddr,
        channels: u8,
        data: u32,
    ) -> Result<PeerHandle, ConnectError> {
        self.shared.clock.tell(now);
        if !(1..=self.shared.config.channel_limit).contains(&channels) {
            return Err(ConnectError::Channels);
        }
        let vacancy = self.peers.vacancy().ok_or(ConnectError::Full)?;
        let connect_id = self.random();
        let config = &self.shared.config;
        let window_limit = window_for(config.out_bandwidth, 0);
        let handshake = Handshake {
            peer: vacancy.handle.slot,
            incoming_session: vacancy.sessions.incoming,
            outgoing_session: vacancy.sessions.outgoing,
            mtu: config.mtu.into(),
            window: window_limit,
            channels: channels.into(),
            in_bandwidth: config.in_bandwidth,
            out_bandwidth: config.out_bandwidth,
            throttle: DEFAULT_SETTINGS,
            connect_id,
        };
        let peer = Peer::new(
            NewPeer {
                handle: vacancy.handle,
                address,
                state: State::Connecting,
                sessions: vacancy.sessions,
                half: Half::new(handshake, data),
                remote: NO_PEER,
                bandwidths: (0, 0),
                window_limit,
            },
            &self.shared,
        );
        self.peers.insert(Box::new(peer));
        self.settle(vacancy.handle.slot);
        Ok(vacancy.handle)
    }

    /// Tells the sender of a request that was [ignored](Verdict::Ignore) that it is refused.
    pub fn refuse(&mut self, request: &ConnectRequest) {
        let (header, command) = refusal(request.peer, request.connect_id);
        self.shared.post(Stray::new(request.from, &header, &command));
    }

    /// Gives up the oldest client that has not acknowledged the answer to its request for this long, so that another one
    /// gets its place; false when there is none. A client that was connected after all is told when it speaks.
    pub fn give_up_half_open(&mut self, age: Duration) -> bool {
        if self.half_open_peers() == 0 {
            return false;
        }
        let now = self.shared.clock.now();
        let age = u64::try_from(age.as_micros()).unwrap_or(u64::MAX);
        // Nothing has been acknowledged since it was made.
        let answering = self.peers.iter().filter(|peer| peer.state == State::Answering);
        let oldest = answering.min_by_key(|peer| peer.last_acknowledged);
        let Some(oldest) = oldest.filter(|peer| now.saturating_sub(peer.last_acknowledged) >= age) else {
            return false;
        };
        let (handle, goodbye) = (oldest.handle, disconnect_notice(oldest, 0));
        self.given_up.remember(now, oldest, goodbye);
        self.remove(handle);
        true
    }

    /// A datagram without a peer: the connect request of a client, or nothing.
    pub(super) fn handle_connect(
        &mut self,
        from: SocketAddr,
        header: &Header,
        datagram: &[u8],
        admission: &mut dyn Admission,
    ) -> Result<(), DropReason> {
        let asked = Request::read(datagram, header)?;
        asked.check(&self.shared.config)?;
        let (handshake, data) = (asked.handshake, asked.data);
        let is_known = |peer: &&Peer| peer.connect_id == handshake.connect_id && !peer.initiated;
        let known = self.peers.at_address(from).find(is_known).map(|peer| peer.handle.slot);
        if let Some(slot) = known {
            self.repeat_answer(slot);
            return Err(DropReason::Repeated);
        }
        if self.peers.at_address(from).count() >= MAX_AT_ADDRESS {
            return Err(DropReason::AddressLimit);
        }
        let vacancy = self.peers.vacancy();
        let request = asked.describe(from, vacancy.is_none());
        match (admission.judge(&request), vacancy) {
            (Verdict::Accept, Some(vacancy)) => {
                let sessions = next_sessions(vacancy.sessions, &handshake);
                let peer = self.answer(from, vacancy.handle, sessions, &handshake, data);
                self.given_up.forget(from);
                self.peers.insert(Box::new(peer));
                self.settle(vacancy.handle.slot);
                Ok(())
            }
            (Verdict::Ignore, _) => Err(DropReason::Refused),
            (verdict, _) => {
                self.refuse(&request);
                Err(if verdict == Verdict::Accept { DropReason::Full } else { DropReason::Refused })
            }
        }
    }

    /// A server's peer, which will send its answer to the request.
    fn answer(
        &self,
        address: SocketAddr,
        handle: PeerHandle,
        sessions: Sessions,
        request: &Handshake,
        data: u32,
    ) -> Peer {
        let config = &self.shared.config;
        let own_window = window_for(config.in_bandwidth, 0);
        let handshake = Handshake {
            peer: handle.slot,
            incoming_session: sessions.outgoing,
            outgoing_session: sessions.incoming,
            mtu: request.mtu.min(config.mtu.into()),
            window: own_window.min(request.window).max(MIN_WINDOW_BYTES),
            channels: request.channels.min(config.channel_limit.into()),
            in_bandwidth: config.in_bandwidth,
            out_bandwidth: config.out_bandwidth,
            throttle: request.throttle,
            connect_id: request.connect_id,
        };
        Peer::new(
            NewPeer {
                handle,
                address,
                state: State::Answering,
                sessions,
                half: Half::new(handshake, data),
                remote: request.peer,
                bandwidths: (request.in_bandwidth, request.out_bandwidth),
                window_limit: window_for(config.out_bandwidth, request.in_bandwidth),
            },
            &self.shared,
        )
    }

    /// The handshake with a peer is complete.
    pub(super) fn opened(&mut self, slot: u16, data: u32) {
        let Some(peer) = self.peers.at(slot) else { return };
        self.shared.usage.peers += 1;
        self.shares.changed();
        // Not more than 255.
        let channels = peer.channels.len() as u8;
        let (peer, address) = (peer.handle, peer.address);
        self.shared.events.push_back(Event::Connected { peer, address, channels, data });
    }

    /// SplitMix64.
    const fn random(&mut self) -> u32 {
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed >> 32) as u32
    }
}

/// True for a connect request that ENet could have written.
pub(crate) fn is_sane(request: &Handshake, config: &Config) -> bool {
    let (smallest, largest) = config.peer_mtu.clone().into_inner();
    request.peer < NO_PEER
        && (u32::from(smallest)..=u32::from(largest)).contains(&request.mtu)
        && (MIN_WINDOW_BYTES..=MAX_WINDOW_BYTES).contains(&request.window)
        && (1..=MAX_CHANNELS).contains(&request.channels)
}

/// True for an answer that grants what the peer's request asked for, or fewer channels, or a smaller MTU.
///
/// Stock ENet gives the attempt up when it reads another throttle or connect id, so a stranger can end it.
pub(super) fn answers(peer: &Peer, answer: &Handshake, shared: &Shared) -> bool {
    if !peer.initiated || answer.connect_id != peer.connect_id {
        return false;
    }
    let Some(half) = &peer.half else {
        // A repetition, because our acknowledgement was lost.
        return answer.peer == peer.remote;
    };
    let request = &half.handshake;
    grants(request, answer, *shared.config.peer_mtu.start()) && answer.channels <= request.channels
}

/// True for an answer that an ENet could have written to this request; its channels are the caller's to compare.
pub(crate) fn grants(request: &Handshake, answer: &Handshake, smallest_mtu: u16) -> bool {
    answer.connect_id == request.connect_id
        && answer.peer < NO_PEER
        && (u32::from(smallest_mtu)..=request.mtu).contains(&answer.mtu)
        && (MIN_WINDOW_BYTES..=MAX_WINDOW_BYTES).contains(&answer.window)
        && answer.channels >= 1
        && answer.incoming_session <= MAX_SESSION
        && answer.outgoing_session <= MAX_SESSION
        && answer.throttle == request.throttle
}

/// The sessions of a place's next peer: each one more than what the client knows, or than the last here, and another than
/// the last here.
fn next_sessions(last: Sessions, request: &Handshake) -> Sessions {
    let next = |asked: u8, last: u8| {
        let known = if asked == 0xff { last } else { asked };
        let next = known.wrapping_add(1) & MAX_SESSION;
        if next == last { next.wrapping_add(1) & MAX_SESSION } else { next }
    };
    Sessions {
        incoming: next(request.outgoing_session, last.incoming),
        outgoing: next(request.incoming_session, last.outgoing),
    }
}

/// What tells a client at once that it gets no place, which stock ENet leaves it to find out in half a minute. `peer` is the
/// client's number for us. Stock clients do not look at the value, ours want it to be the number of their request: who forges a
/// refusal has not seen that.
pub(crate) const fn refusal(peer: u16, connect_id: u32) -> (Header, Command) {
    let header = Header { peer, session: 0, sent_time: None, compressed: false };
    let (code, channel) = (code::DISCONNECT_UNSEQUENCED, CONTROL_CHANNEL);
    (header, Command { code, channel, sequence: 0, body: Body::Disconnect { data: connect_id } })
}

const MAX_CHANNELS: u32 = 255;
const MAX_SESSION: u8 = 3;

/// Connections at one address and port. More than one is what a client leaves that has crashed and come back.
const MAX_AT_ADDRESS: usize = 64;
