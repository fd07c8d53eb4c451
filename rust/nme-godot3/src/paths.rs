//! The paths that peers have announced to each other, so that calls need only send an id.

use std::collections::{HashMap, HashSet};

use crate::error::DecodeError;
use crate::packet::{self, BY_PATH, Command, Node, Outgoing, OutgoingKind, Packet, Received};
use crate::path_rules::{MAX_PATH_BYTES, canonical_path, check_path};
use crate::value::Limits;

/// How many paths one peer may announce. More are ignored: they get no confirmation, so that peer goes on to write the
/// paths out, and its calls work all the same. This holds in a session of many nodes with names of their own, too.
pub const MAX_ANNOUNCED_PATHS: usize = 4096;

/// How many bytes all paths may have that one peer announces. More are ignored in the same way.
pub const MAX_ANNOUNCED_BYTES: usize = 512 * 1024;

/// From how many peers announcements are kept that have not been reported as connected. Over a relay, packets of a peer
/// can come before the notice that it is there.
pub const MAX_UNKNOWN_PEERS: usize = 64;

/// Paths announced and confirmed, of one `MultiplayerAPI`.
///
/// As a sender it counts ids up over all peers, and never uses one again before [`PathCache::clear`]. As a receiver it
/// knows what each peer has announced, within [`MAX_ANNOUNCED_PATHS`].
#[derive(Debug, Default)]
pub struct PathCache {
    connected: HashSet<i32>,
    /// What this side has announced.
    sent: HashMap<String, SentPath>,
    /// The last id that was given to a path.
    last_id: u32,
    /// What each peer has announced.
    announced: HashMap<i32, Announced>,
}

/// A path that this side calls.
#[derive(Debug)]
struct SentPath {
    id: u32,
    /// The peers that it was announced to, and whether they have confirmed it.
    peers: HashMap<i32, bool>,
}

/// What a peer has announced.
#[derive(Debug, Default)]
struct Announced {
    paths: HashMap<u32, String>,
    /// Of all paths together.
    bytes: usize,
}

impl PathCache {
    /// Without any path.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A peer has connected. What it has announced before stays: on a client, packets of a relayed peer can come before
    /// the notice of its arrival, and Godot 3.6, which forgets them, then refuses that peer's calls for good.
    pub fn peer_connected(&mut self, id: i32) {
        self.connected.insert(id);
    }

    /// A peer has gone: what it announced and what it confirmed is forgotten.
    pub fn peer_disconnected(&mut self, id: i32) {
        self.connected.remove(&id);
        self.announced.remove(&id);
        for path in self.sent.values_mut() {
            path.peers.remove(&id);
        }
    }

    /// Forgets everything, and begins again with the ids. For another network peer.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Packets for one call or set of the node at `path` (in the form that the confirmation will have, see
    /// [`canonical_path`]).
    ///
    /// `targets` are the ids of the connected peers that it goes to. `target` is what the game gave for them: 0, n or
    /// -n. `as_one` says whether one packet to `target` may take the place of one to each of them, which it does when
    /// all have confirmed the path; false for a server with peers of other dialects.
    #[must_use]
    pub fn send(
        &mut self,
        path: &str,
        command: &Command<'_>,
        targets: &[i32],
        target: i32,
        as_one: bool,
    ) -> Vec<Outgoing> {
        if targets.is_empty() {
            return Vec::new();
        }
        if !self.sent.contains_key(path) {
            self.last_id = (self.last_id + 1) & !BY_PATH;
            let sent = SentPath { id: self.last_id, peers: HashMap::new() };
            self.sent.insert(path.to_owned(), sent);
        }
        let Some(SentPath { id, peers }) = self.sent.get_mut(path) else {
            return Vec::new();
        };
        let mut out = Vec::new();
        let mut all_confirmed = true;
        for peer in targets {
            all_confirmed &= *peers.entry(*peer).or_insert_with(|| {
                out.push(Outgoing {
                    target: *peer,
                    kind: OutgoingKind::Announcement,
                    packet: packet::announcement(*id, path),
                });
                false
            });
        }
        let message = |target, packet| Outgoing { target, kind: OutgoingKind::Message, packet };
        if as_one && all_confirmed {
            out.push(message(target, packet::message_by_id(*id, command)));
            return out;
        }
        for peer in targets {
            let has_confirmed = peers.get(peer).copied().unwrap_or_default();
            out.push(message(
                *peer,
                if has_confirmed {
                    packet::message_by_id(*id, command)
                } else {
                    packet::message_by_path(path, command)
                },
            ));
        }
        out
    }

    /// Takes a packet of a peer apart.
    ///
    /// Announcements are answered as Godot 3.6 does it, also for paths that no call may use: these are checked at the
    /// call. Those beyond the limits come out as [`Received::Ignored`].
    ///
    /// # Errors
    /// What is wrong with the packet. It has changed nothing then.
    pub fn receive(&mut self, sender: i32, packet: &[u8], limits: &Limits) -> Result<Received, DecodeError> {
        match Packet::parse(packet)? {
            Packet::Message { kind, node, body } => {
                let path = match node {
                    Node::Path(path) => {
                        if path.len() > MAX_PATH_BYTES {
                            return Err(crate::PathError::TooLong.into());
                        }
                        let path = canonical_path(path);
                        check_path(&path)?;
                        path.into_owned()
                    }
                    Node::Id(id) => {
                        let path = self.announced_path(sender, id).ok_or(DecodeError::UnknownPath(id))?;
                        check_path(path)?;
                        path.to_owned()
                    }
                };
                packet::decode_body(kind, path, body, limits)
            }
            Packet::Announcement { id, path } => Ok(self.announcement(sender, id, path)),
            Packet::Confirmation { path } => self.confirmation(sender, path),
            Packet::Raw(bytes) => Ok(Received::Raw(bytes.to_vec())),
            Packet::Ignored => Ok(Received::Ignored),
        }
    }

    fn announced_path(&self, sender: i32, id: u32) -> Option<&str> {
        self.announced.get(&sender)?.paths.get(&id).map(String::as_str)
    }

    fn announcement(&mut self, sender: i32, id: u32, path: &str) -> Received {
        // Whatever becomes of the new path, the id no longer stands for the old one.
        if let Some(announced) = self.announced.get_mut(&sender) {
            announced.remove(id);
        }
        if path.len() > MAX_PATH_BYTES {
            return Received::Ignored;
        }
        let path = canonical_path(path);
        let answer = Received::Announcement { answer: packet::confirmation(&path) };
        // The empty path is the probe's, and an id with that bit cannot be called: there is nothing to keep.
        if path.is_empty() || id & BY_PATH != 0 {
            return answer;
        }
        if !self.announced.contains_key(&sender) && !self.may_announce(sender) {
            return Received::Ignored;
        }
        let announced = self.announced.entry(sender).or_default();
        if announced.insert(id, path.into_owned()) { answer } else { Received::Ignored }
    }

    /// Whether there is room for a peer that has announced nothing so far.
    fn may_announce(&self, sender: i32) -> bool {
        self.connected.contains(&sender)
            || self.announced.keys().filter(|peer| !self.connected.contains(peer)).count() < MAX_UNKNOWN_PEERS
    }

    fn confirmation(&mut self, sender: i32, path: &str) -> Result<Received, DecodeError> {
        // The answer to a probe, perhaps after the time for it.
        if path.is_empty() {
            return Ok(Received::Ignored);
        }
        let sent = self.sent.get_mut(canonical_path(path).as_ref());
        let confirmed = sent.and_then(|sent| sent.peers.get_mut(&sender)).ok_or(DecodeError::NotAnnounced)?;
        *confirmed = true;
        Ok(Received::Confirmation)
    }
}

impl Announced {
    fn remove(&mut self, id: u32) {
        if let Some(path) = self.paths.remove(&id) {
            self.bytes -= path.len();
        }
    }

    /// False if there is no room.
    fn insert(&mut self, id: u32, path: String) -> bool {
        let bytes = self.bytes + path.len();
        if bytes > MAX_ANNOUNCED_BYTES || self.paths.len() >= MAX_ANNOUNCED_PATHS {
            return false;
        }
        self.bytes = bytes;
        self.paths.insert(id, path);
        true
    }
}
