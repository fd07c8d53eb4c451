//! The way of datagrams between ENet and the socket: compression, and encryption around it.
//!
//! What comes from a stranger costs as little as possible: peer, address and session are checked in the plain header
//! before anything is decompressed, and a connect request expands to its 52 bytes at most.

use std::net::SocketAddr;

use nme_enet::proof::LONGEST_ANSWER;
use nme_enet::wire::{Header, MAX_MTU, NO_PEER, Writer};
use nme_enet::{ConnectRequest, DropReason, TAG_LEN, Transmit};

use super::secure::{Associations, post};
use super::{Endpoint, Role};
use crate::codec::{Compression, Stage};
use crate::counters::Dropped;
use crate::datagram::DatagramBatch;
use crate::secure::{SecureLayer, SecureOutput};
use crate::session::Mtu;

/// The largest datagram that a socket has to take: what ENet can send with any MTU.
pub const MAX_DATAGRAM: usize = MAX_MTU as usize;

/// Compression and encryption of an endpoint, with their scratch memory.
pub(super) struct Datagrams {
    codec: Option<Stage>,
    /// A plain datagram.
    plain: Box<[u8; MAX_DATAGRAM]>,
    /// A compressed one.
    compressed: Box<[u8; MAX_DATAGRAM]>,
    pub(super) associations: Option<Associations>,
    /// What is on its way. `wire` is for the socket, also without encryption; the rest is empty then.
    pub(super) out: SecureOutput,
    /// By how many bytes encryption makes a datagram longer.
    overhead: usize,
    /// Bytes that ENet has sent, before compression and after it.
    collected: (u64, u64),
}

impl Datagrams {
    pub(super) fn new(compression: Compression, layer: Option<Box<dyn SecureLayer>>) -> Self {
        let overhead = layer.as_ref().map_or(0, |layer| layer.overhead().into());
        Self {
            codec: Stage::new(compression),
            plain: Box::new([0; MAX_DATAGRAM]),
            compressed: Box::new([0; MAX_DATAGRAM]),
            associations: layer.map(Associations::new),
            out: SecureOutput::default(),
            overhead,
            collected: (0, 0),
        }
    }

    /// Bytes that ENet has sent, before compression and after it.
    pub(super) const fn bytes_collected(&self) -> (u64, u64) {
        self.collected
    }

    /// What is ready for the socket.
    pub(super) const fn ready(&mut self) -> &mut DatagramBatch {
        &mut self.out.wire
    }

    /// Puts the plain form of a compressed datagram, at most `max_len` bytes, into the scratch memory.
    fn expand(&mut self, datagram: &[u8], header: Header, max_len: usize) -> Result<usize, Dropped> {
        let codec = self.codec.as_mut().ok_or(Dropped::UnexpectedCompression)?;
        let body = datagram.get(header.len()..).ok_or(Dropped::BadCompression)?;
        let plain = self.plain.get_mut(..max_len).ok_or(Dropped::Oversized)?;
        let (start, rest) = plain.split_at_mut_checked(header.len()).ok_or(Dropped::BadCompression)?;
        Header { compressed: false, ..header }.write(&mut Writer::new(start));
        let len = codec.decompress(body, rest).ok_or(Dropped::BadCompression)?;
        Ok(header.len() + len)
    }
}

impl Endpoint {
    /// Takes a datagram that is not encrypted, or not any more.
    pub(super) fn receive_plain(&mut self, from: SocketAddr, datagram: &[u8]) {
        if let Err(reason) = self.take(from, datagram) {
            self.counters.drop_datagram(reason);
        }
    }

    fn take(&mut self, from: SocketAddr, datagram: &[u8]) -> Result<(), Dropped> {
        let Self { host, datagrams, connections, role, .. } = self;
        if datagram.len() > MAX_DATAGRAM {
            return Err(Dropped::Oversized);
        }
        // Where there is no header, the engine says so.
        let header = Header::read(datagram).ok();
        let is_compressed = header.is_some_and(|header| header.compressed);
        if header.is_some_and(|header| header.peer == NO_PEER)
            && let Role::Server { admission, .. } = role
        {
            if !admission.looks_at_stranger() {
                return Err(Dropped::Overload);
            }
            let mut plain = [0; LONGEST_ANSWER];
            let len = if is_compressed {
                let screened = host.screen(from, datagram)?;
                let len = datagrams.expand(datagram, screened.header, screened.max_plain_len)?;
                plain.get_mut(..len).ok_or(Dropped::Oversized)?.copy_from_slice(&datagrams.plain[..len]);
                len
            } else {
                plain.get_mut(..datagram.len()).ok_or(DropReason::Connect)?.copy_from_slice(datagram);
                datagram.len()
            };
            return self.take_stranger(from, &plain[..len]);
        }
        let is_listening = matches!(role, Role::Server { admission, .. } if admission.is_listening());
        let mut sender = None;
        let mut plain = datagram;
        if is_compressed || is_listening {
            let screened = host.screen(from, datagram)?;
            sender = screened.peer;
            if is_compressed {
                let len = datagrams.expand(datagram, screened.header, screened.max_plain_len)?;
                plain = &datagrams.plain[..len];
            }
        }
        let now = self.now;
        // Requests for a connection do not come here.
        let mut judge = |_: &ConnectRequest| nme_enet::Verdict::Ignore;
        let taken = host.handle_datagram(self.told, from, plain, &mut judge);
        (self.counters.ignored_commands, self.counters.evictions) = host.losses_to_quotas();
        taken?;
        if let Some(connection) = header.and_then(|header| connections.by_number_mut(header.peer)) {
            connection.wire.received(datagram.len() + datagrams.overhead);
        }
        if let (Role::Server { admission, .. }, Some(connection)) =
            (role, sender.and_then(|sender| connections.get_mut(sender)))
        {
            admission.hear(now, connection);
            self.refuse_newcomers();
        }
        Ok(())
    }

    /// Tells those who asked for a place that the server is full.
    fn refuse_newcomers(&mut self) {
        while let Role::Server { admission, .. } = &mut self.role
            && let Some(request) = admission.next_refused()
        {
            self.host.refuse(&request);
            self.collect();
            self.datagrams.close_unless_used(self.now, request.from, &self.host);
        }
    }

    /// Takes what ENet wants to send.
    pub(super) fn collect(&mut self) {
        let Datagrams { codec, plain, compressed, associations, out, overhead, collected } =
            &mut self.datagrams;
        while let Some(Transmit { to, peer, datagram }) = self.host.poll_transmit(&mut plain[..]) {
            collected.0 += datagram.len() as u64;
            let datagram = match compress(codec.as_mut(), datagram, &mut compressed[..]) {
                Some(len) => &compressed[..len],
                None => datagram,
            };
            collected.1 += datagram.len() as u64;
            if let Some(connection) = peer.and_then(|peer| self.connections.get_mut(peer)) {
                connection.wire.sent(datagram.len() + *overhead);
            }
            post(associations.as_mut(), self.now, to, datagram, out);
        }
    }
}

/// The compressed form of a plain datagram in `out`, or `None` when it is to go out plain.
fn compress(codec: Option<&mut Stage>, datagram: &[u8], out: &mut [u8]) -> Option<usize> {
    let codec = codec?;
    let header = Header::read(datagram).ok()?;
    let (start, rest) = out.split_at_mut_checked(header.len())?;
    Header { compressed: true, ..header }.write(&mut Writer::new(start));
    let len = codec.compress(datagram.get(header.len()..)?, rest)?;
    Some(header.len() + len)
}

/// MTU of an endpoint's host: with what such a layer adds, or without one with a tag, a datagram is no longer than the MTU of
/// the settings. But ENet has none below 576.
///
/// Clients ask for it. So a server with the largest MTU, which is 3.6's, need not leave room for tags, and grants clients of 3.6
/// what they know.
pub(super) fn mtu(mtu: Mtu, layer: Option<&dyn SecureLayer>, is_server: bool) -> u16 {
    let overhead = match layer {
        Some(layer) => layer.overhead(),
        None if is_server && mtu == Mtu::MAX => 0,
        None => TAG_LEN,
    };
    mtu.get().saturating_sub(overhead).max(Mtu::MIN.get())
}
