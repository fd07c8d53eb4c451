//! Looks into datagrams as strictly as [`Host`](crate::Host) does, for another engine behind the same interface.

use std::net::SocketAddr;

use crate::config::Config;
use crate::host::ConnectRequest;
use crate::reason::DropReason;
use crate::rules::Rules;
pub use crate::wire::Header;
use crate::wire::{
    Body, CONNECT_DATAGRAM_LEN, CONTROL_CHANNEL, Command, CommandList, HEADER_LEN, Handshake, MIN_MTU,
    Writer, code, fixed_len,
};

/// A connect request with its header, in bytes.
pub const CONNECT_LEN: usize = CONNECT_DATAGRAM_LEN;

/// A disconnect that wants no answer, with its header, in bytes.
pub const REFUSAL_LEN: usize = HEADER_LEN + fixed_len(code::DISCONNECT_UNSEQUENCED);

/// A connect request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    pub(crate) handshake: Handshake,
    pub(crate) data: u32,
    sent_time: u16,
}

impl Request {
    /// Reads a datagram without a peer. The fields may still be senseless: see [`Self::check`].
    pub fn read(datagram: &[u8], header: &Header) -> Result<Self, DropReason> {
        let list = CommandList::read(datagram, header)?;
        let [(command, _)] = list.as_slice() else { return Err(DropReason::Connect) };
        let Body::Connect { handshake, data } = command.body else { return Err(DropReason::Connect) };
        if command.channel != CONTROL_CHANNEL || header.session != 0 {
            return Err(DropReason::Connect);
        }
        let sent_time = header.sent_time.ok_or(DropReason::MissingSentTime)?;
        Ok(Self { handshake, data, sent_time })
    }

    /// Refuses what no ENet could have asked of a host with this configuration.
    pub fn check(&self, config: &Config) -> Result<(), DropReason> {
        let is_sane = crate::host::is_sane(&self.handshake, config);
        if is_sane && config.accepts_connections { Ok(()) } else { Err(DropReason::Connect) }
    }

    /// What an [`Admission`](crate::Admission) judges.
    #[must_use]
    pub const fn describe(&self, from: SocketAddr, is_full: bool) -> ConnectRequest {
        ConnectRequest {
            from,
            connect_id: self.handshake.connect_id,
            peer: self.handshake.peer,
            sent_time: self.sent_time,
            // Checked ones have 255 at most.
            channels: self.handshake.channels as u8,
            data: self.data,
            is_full,
        }
    }

    /// The datagram that tells its sender that it gets no place.
    #[must_use]
    pub fn refusal(&self) -> [u8; REFUSAL_LEN] {
        refusal(self.handshake.peer, self.handshake.connect_id)
    }
}

/// The datagram that tells a client that it gets no place; `peer` is the client's number for us, `connect_id` that of its request.
#[must_use]
pub fn refusal(peer: u16, connect_id: u32) -> [u8; REFUSAL_LEN] {
    let (header, command) = crate::host::refusal(peer, connect_id);
    let mut bytes = [0; REFUSAL_LEN];
    let mut out = Writer::new(&mut bytes);
    header.write(&mut out);
    command.write(&mut out);
    bytes
}

/// What both sides of a connection have agreed on.
#[derive(Clone, Copy, Debug)]
pub struct Agreed<'a> {
    /// Largest datagram, in bytes.
    pub mtu: u16,
    /// Largest packet, in bytes.
    pub max_packet: usize,
    /// Channels.
    pub channels: u8,
    /// Our own request, while it is not answered.
    pub asked: Option<&'a Request>,
}

/// Checks a datagram of a connection to its end. Returns the value of the disconnect in it, if there is one.
///
/// An answer must grant all channels that were asked for.
pub fn check(datagram: &[u8], header: &Header, agreed: &Agreed<'_>) -> Result<Option<u32>, DropReason> {
    let list = CommandList::read(datagram, header)?;
    let commands = || list.as_slice().iter().map(|(command, _)| command);
    let is_proof = |command: &Command| command.code == code::PROBE;
    let rules = Rules::new(agreed.mtu, agreed.max_packet);
    let mut goodbye = None;
    for command in commands() {
        rules.check(command, header, agreed.channels.into())?;
        match (command.body, agreed.asked) {
            (Body::Verify { handshake }, Some(request)) if !is_answer(request, &handshake) => {
                return Err(DropReason::Verify);
            }
            (Body::Disconnect { data }, _) => goodbye = goodbye.or(Some(data)),
            _ => {}
        }
    }
    let is_opening = |request: &Request| match commands().next().map(|first| first.body) {
        Some(Body::Disconnect { data }) => data == request.handshake.connect_id,
        first => matches!(first, Some(Body::Verify { .. })),
    };
    match agreed.asked {
        Some(request) if commands().all(is_proof) || is_opening(request) => Ok(goodbye),
        Some(_) => Err(DropReason::Unconnected),
        None if commands().any(|command| command.code == code::PROBE) => Err(DropReason::UnknownCommand),
        None => Ok(goodbye),
    }
}

fn is_answer(request: &Request, answer: &Handshake) -> bool {
    let asked = &request.handshake;
    crate::host::grants(asked, answer, MIN_MTU) && answer.channels == asked.channels
}
