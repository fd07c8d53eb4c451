//! Datagrams that go out, and what time does.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use super::{Host, disconnect_notice};
use crate::event::{DisconnectReason, PeerHandle};
use crate::peer::{Peer, State};
use crate::send::Gone;

/// Peers with something to send.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// Wait for the next flush.
    waiting: Vec<PeerHandle>,
    /// May send now.
    sending: VecDeque<PeerHandle>,
}

impl Due {
    /// Notes that a peer has something to send.
    pub(super) fn add(&mut self, peer: &mut Peer) {
        if !peer.is_due {
            peer.is_due = true;
            self.waiting.push(peer.handle);
        }
    }
}

/// A datagram that is to leave.
#[derive(Clone, Copy, Debug)]
pub struct Transmit<'a> {
    /// Where it goes.
    pub to: SocketAddr,
    /// The peer that it is for, if it is for one and not an answer to somebody else.
    pub peer: Option<PeerHandle>,
    /// Its bytes.
    pub datagram: &'a [u8],
}

impl Host {
    /// Lets everything leave that is queued: take it with [`Self::poll_transmit`] until there is nothing more. Call it
    /// once a frame, behind the last packet; or more often, which costs datagrams.
    pub fn flush(&mut self, now: Duration) {
        let now = self.shared.clock.tell(now);
        if now > self.shared.this_flush {
            self.shared.last_flush = self.shared.this_flush;
            self.shared.this_flush = now;
        }
        self.due.sending.extend(self.due.waiting.drain(..));
    }

    /// Writes the next datagram that may leave into `buffer`, which must hold the host's MTU and a tag.
    pub fn poll_transmit<'a>(&mut self, buffer: &'a mut [u8]) -> Option<Transmit<'a>> {
        let (to, peer, range) = self.next_datagram(buffer)?;
        let datagram = buffer.get(range)?;
        self.shared.figures.datagrams_sent += 1;
        self.shared.figures.bytes_sent += datagram.len() as u64;
        Some(Transmit { to, peer, datagram })
    }

    fn next_datagram(&mut self, buffer: &mut [u8]) -> Option<(SocketAddr, Option<PeerHandle>, Range<usize>)> {
        if let Some(stray) = self.shared.strays.pop_front() {
            let bytes = stray.bytes();
            buffer.get_mut(..bytes.len())?.copy_from_slice(bytes);
            return Some((stray.to, None, 0..bytes.len()));
        }
        while let Some(&handle) = self.due.sending.front() {
            if let Some(peer) = self.peers.get_mut(handle) {
                if let Some(range) = peer.write_datagram(&mut self.shared, buffer) {
                    return Some((peer.address, Some(handle), range));
                }
                peer.is_due = false;
                self.timers.set(peer);
            }
            self.due.sending.pop_front();
        }
        None
    }

    /// Does what is due at this time: repeats, pings, timeouts. Read everything that has come before, or peers whose
    /// acknowledgements wait to be read are given up. What it wants to send leaves without a flush.
    pub fn handle_timeout(&mut self, now: Duration) {
        let now = self.shared.clock.tell(now);
        while let Some((time, handle)) = self.timers.pop(now) {
            let Some(peer) = self.peers.get_mut(handle).filter(|peer| peer.timer == time) else { continue };
            peer.timer = u64::MAX;
            let is_due = peer.next_expiry <= now || peer.silence.is_over(now);
            if is_due && let Err(gone) = peer.expire(&mut self.shared) {
                self.give_up(handle, gone);
                continue;
            }
            let Some(peer) = self.peers.get_mut(handle) else { continue };
            if peer.next_loss <= now {
                peer.detect_losses(&mut self.shared);
            }
            if peer.paced_to <= now {
                peer.paced_to = u64::MAX;
            }
            peer.ping_when_idle(now);
            if peer.has_output() {
                // It is not in the line of those that wait for a flush, or it is, and gets its turn sooner.
                self.due.sending.push_back(handle);
                peer.is_due = true;
            }
            self.timers.set_behind(peer, now);
        }
        self.share_bandwidth();
        self.shared.trim();
    }

    /// A peer has not acknowledged anything for too long, or nothing long.
    fn give_up(&mut self, peer: PeerHandle, gone: Gone) {
        let Some(found) = self.peers.get(peer) else { return };
        if found.state == State::Answering {
            // Nobody has heard of it.
            self.remove(peer);
        } else {
            if found.is_open() {
                let data = if gone == Gone::LongLost { DisconnectReason::LONG_LOST_DATA } else { 0 };
                let goodbye = disconnect_notice(found, data);
                if gone == Gone::LongLost {
                    // It hears what is short.
                    self.shared.post(goodbye);
                }
                self.given_up.remember(self.shared.clock.now(), found, goodbye);
            }
            let reason =
                if gone == Gone::LongLost { DisconnectReason::LongLost } else { DisconnectReason::TimedOut };
            self.end(peer, reason);
        }
    }
}
