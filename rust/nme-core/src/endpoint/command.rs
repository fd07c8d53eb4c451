//! What the game's side asks of the endpoint, as plain values: they can cross to another thread.

use std::net::SocketAddr;
use std::sync::Arc;

use nme_enet::{Packet, PeerHandle, PeerRates};

use super::admission::{AccessChange, AccessList, AddressProof, RateLimit};
use super::backlog::Credit;
use super::{Endpoint, PeerTimeout, Throttle};
use crate::channel::Transfer;
use crate::counters::DroppedPacket;
use crate::peer::PeerId;
use crate::query::QueryInfo;
use crate::relay::Kick;
use crate::session::Bandwidth;

/// Something for the endpoint to do. What is for a peer that has gone meanwhile does nothing.
#[derive(Clone, Debug)]
pub enum Command {
    /// Queues a packet for one peer.
    Send {
        /// Whom the packet goes to; on a client, the server.
        peer: PeerHandle,
        /// How it travels.
        transfer: Transfer,
        /// Its bytes, header included.
        packet: Packet,
    },
    /// Queues a packet for several peers.
    SendToSeveral {
        /// Whom it goes to.
        peers: Arc<[PeerHandle]>,
        /// Who does not get it.
        except: Option<PeerHandle>,
        /// How it travels.
        transfer: Transfer,
        /// Its bytes, header included.
        packet: Packet,
    },
    /// Ends a connection at once. What waits for the peer is sent once, as far as ENet's window lets it.
    DisconnectNow(PeerHandle),
    /// Ends a connection when everything that waits has arrived.
    DisconnectLater(PeerHandle),
    /// The same, and tells a client why before.
    Kick(PeerHandle, Kick),
    /// Drops what a peer sends from now on.
    Ignore(PeerHandle),
    /// Server: exchanges packets with a client and keeps the others from it, until it is admitted.
    KeepApart(PeerId),
    /// Server: the others hear of a client that was kept apart, and it of them.
    Admit(PeerId),
    /// Sets when a silent peer is given up.
    SetTimeout(PeerHandle, PeerTimeout),
    /// Client: sets the timeout of the attempt, and of the connection that it leads to.
    SetAttemptTimeout(PeerTimeout),
    /// Sets how unreliable packets to a peer are dropped.
    SetThrottle(PeerHandle, Throttle),
    /// Sets after how many ms without an acknowledgement a peer is pinged; 0 is ENet's own.
    SetPingInterval(PeerHandle, u32),
    /// Client: asks the server about its connection with this client.
    AskFigures(PeerId),
    /// Sends a datagram that has nothing to do with any connection.
    SendDatagram(SocketAddr, Arc<[u8]>),
    /// Packets that have been reported do not wait any more.
    Credit(Credit),
    /// Counts a packet that the game's side has dropped.
    NoteDropped(DroppedPacket),
    /// The game's answer to the question with this number.
    Answer(u64, bool),
    /// Changes a setting.
    Set(Setting),
}

/// What can be changed of an endpoint at any time.
#[derive(Clone, Debug)]
pub enum Setting {
    /// What all peers together may send to this side, and are sent.
    Bandwidth(Bandwidth),
    /// When each new peer is given up.
    DefaultTimeout(PeerTimeout),
    /// Server: new clients are turned away.
    Refusing(bool),
    /// Server: new clients are kept apart until they are admitted one by one.
    KeepingApart(bool),
    /// Server: when strangers have to prove their address.
    AddressProof(AddressProof),
    /// Server: connections of one address, 0 for no limit.
    AddressLimit(u16),
    /// Server: how many connections of one address may begin.
    RateLimit(RateLimit),
    /// Server: who may connect.
    AccessList(AccessList),
    /// Server: one rule of who may connect.
    AccessChange(AccessChange),
    /// Server: the game is asked about each client.
    Asking(bool),
    /// Server: what it says to those who ask without a connection.
    QueryInfo(Option<QueryInfo>),
    /// Bytes that may wait for the game.
    MaxBuffered(usize),
    /// The largest payload of a packet.
    MaxReceived(usize),
    /// What each peer may send.
    PeerRates(PeerRates),
}

impl Endpoint {
    /// Queues packets for several peers, as a [`Command::SendToSeveral`] for each would. Peer by peer, whose memory is so
    /// fetched once: of hundreds of peers, it does not stay in the processor's cache for the next packet.
    pub fn send_to_several(
        &mut self,
        peers: &[PeerHandle],
        except: Option<PeerHandle>,
        packets: &[(Transfer, Packet)],
    ) {
        for peer in peers.iter().filter(|peer| Some(**peer) != except) {
            for (transfer, packet) in packets {
                self.send(*peer, *transfer, packet);
            }
        }
    }

    /// Does what the game's side asks for.
    #[inline]
    pub fn execute(&mut self, command: Command) {
        match command {
            Command::Send { peer, transfer, packet } => self.send(peer, transfer, &packet),
            Command::SendToSeveral { peers, except, transfer, packet } => {
                self.send_to_several(&peers, except, &[(transfer, packet)]);
            }
            Command::DisconnectNow(peer) => self.disconnect_now(peer),
            Command::DisconnectLater(peer) => self.disconnect_later(peer),
            Command::Kick(peer, kick) => self.kick(peer, &kick),
            Command::Ignore(peer) => self.ignore(peer),
            Command::KeepApart(id) => self.keep_apart(id),
            Command::Admit(id) => self.admit(id),
            Command::SetTimeout(peer, timeout) => self.set_timeout(peer, timeout),
            Command::SetAttemptTimeout(timeout) => self.set_attempt_timeout(timeout),
            Command::SetThrottle(peer, throttle) => self.set_throttle(peer, throttle),
            Command::SetPingInterval(peer, millis) => self.host.set_ping_interval(peer, millis),
            Command::AskFigures(about) => self.ask_figures(about),
            Command::SendDatagram(to, datagram) => self.send_datagram(to, &datagram),
            Command::Credit(credit) => self.take_credit(credit),
            Command::NoteDropped(reason) => self.note_dropped(reason),
            Command::Answer(number, admit) => self.answer_question(number, admit),
            Command::Set(setting) => self.set(setting),
        }
    }

    fn set(&mut self, setting: Setting) {
        match setting {
            Setting::Bandwidth(Bandwidth { incoming, outgoing }) => {
                self.host.set_bandwidth(incoming, outgoing);
            }
            Setting::DefaultTimeout(timeout) => self.default_timeout = Some(timeout),
            Setting::Refusing(refusing) => self.set_refusing(refusing),
            Setting::KeepingApart(apart) => self.set_keeping_apart(apart),
            Setting::AddressProof(proof) => self.set_address_proof(proof),
            Setting::AddressLimit(limit) => self.set_address_limit(limit),
            Setting::RateLimit(limit) => self.set_rate_limit(limit),
            Setting::AccessList(list) => self.set_access_list(list),
            Setting::AccessChange(change) => self.change_access_list(change),
            Setting::Asking(asks) => self.set_asking(asks),
            Setting::QueryInfo(info) => self.set_query_info(info),
            Setting::MaxBuffered(bytes) => self.set_max_buffered(bytes),
            Setting::MaxReceived(bytes) => self.set_max_received(bytes),
            Setting::PeerRates(rates) => self.set_peer_rates(rates),
        }
    }
}
