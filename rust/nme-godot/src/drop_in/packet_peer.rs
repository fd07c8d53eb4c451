//! A peer as `ENetPacketPeer` has it.

use godot::prelude::*;
use nme_core::session::Status;
use nme_core::statistics::PeerStatistics;
use nme_driver::Connection;

use super::Owner;
use crate::connection::DEFAULT_WAIT;
use crate::error;

/// The connection with one peer, with the methods, arguments and numbers of [ENetPacketPeer].
///
/// [method NetworkedMultiplayerENet.get_peer] makes it. It is for scripts that were written for [ENetMultiplayerPeer], and do not write
/// down the type; constants of [ENetPacketPeer] can be used. When the peer has left, [method is_active] is false and the other methods do
/// nothing.
#[derive(GodotClass)]
#[class(no_init, base=RefCounted)]
pub(crate) struct NetworkedMultiplayerENetPeer {
    owner: Owner,
    id: i64,
}

#[godot_api]
impl NetworkedMultiplayerENetPeer {
    /// The part of the reliable packets that got lost, in parts of 65536.
    #[constant]
    const PEER_PACKET_LOSS: i32 = 0;
    /// Not measured: 0.
    #[constant]
    const PEER_PACKET_LOSS_VARIANCE: i32 = 1;
    /// Not measured: 0.
    #[constant]
    const PEER_PACKET_LOSS_EPOCH: i32 = 2;
    /// How long a packet and its acknowledgement take, smoothed, in milliseconds; 500 while a client still connects.
    #[constant]
    const PEER_ROUND_TRIP_TIME: i32 = 3;
    /// How much that varies, in milliseconds.
    #[constant]
    const PEER_ROUND_TRIP_TIME_VARIANCE: i32 = 4;
    /// The last one that was measured, in milliseconds.
    #[constant]
    const PEER_LAST_ROUND_TRIP_TIME: i32 = 5;
    /// How much one round trip differs from the next, in milliseconds.
    #[constant]
    const PEER_LAST_ROUND_TRIP_TIME_VARIANCE: i32 = 6;
    /// Of 32 unreliable packets, how many are sent.
    #[constant]
    const PEER_PACKET_THROTTLE: i32 = 7;
    /// 32: all.
    #[constant]
    const PEER_PACKET_THROTTLE_LIMIT: i32 = 8;
    /// Not measured: 0.
    #[constant]
    const PEER_PACKET_THROTTLE_COUNTER: i32 = 9;
    /// Not measured: 0.
    #[constant]
    const PEER_PACKET_THROTTLE_EPOCH: i32 = 10;
    /// See [method NetworkedMultiplayerENet.set_peer_throttle].
    #[constant]
    const PEER_PACKET_THROTTLE_ACCELERATION: i32 = 11;
    /// See [method NetworkedMultiplayerENet.set_peer_throttle].
    #[constant]
    const PEER_PACKET_THROTTLE_DECELERATION: i32 = 12;
    /// See [method NetworkedMultiplayerENet.set_peer_throttle].
    #[constant]
    const PEER_PACKET_THROTTLE_INTERVAL: i32 = 13;
    /// It has left.
    #[constant]
    const STATE_DISCONNECTED: i32 = 0;
    /// The attempt to connect goes on.
    #[constant]
    const STATE_CONNECTING: i32 = 1;
    /// It is connected.
    #[constant]
    const STATE_CONNECTED: i32 = 5;
    /// What [constant PEER_PACKET_LOSS] is a part of.
    #[constant]
    const PACKET_LOSS_SCALE: i32 = 65536;
    /// What [constant PEER_PACKET_THROTTLE] is a part of.
    #[constant]
    const PACKET_THROTTLE_SCALE: i32 = 32;

    /// Returns one of the [code]PEER_*[/code] figures. [method NetworkedMultiplayerENet.get_peer_statistics] has more of them.
    #[func]
    fn get_statistic(&self, statistic: i64) -> f64 {
        if !(0..=i64::from(Self::PEER_PACKET_THROTTLE_INTERVAL)).contains(&statistic) {
            complain("get_statistic", format!("{statistic} is no figure; use one of the constants PEER_*"));
            return 0.0;
        }
        let known = self.owner.with(|connection| connection.peer_statistics(self.id).ok().flatten());
        match known.flatten() {
            Some(known) => figure(&known, statistic as i32),
            None if self.get_state() == Self::STATE_CONNECTING => guess(statistic as i32),
            None => 0.0,
        }
    }

    /// As [method NetworkedMultiplayerENet.set_peer_timeout].
    #[func]
    fn set_timeout(&self, timeout: i64, timeout_min: i64, timeout_max: i64) {
        self.change("set_timeout", |connection| {
            connection.set_peer_timeout(self.id, timeout, timeout_min, timeout_max)
        });
    }

    /// As [method NetworkedMultiplayerENet.set_peer_throttle].
    #[func]
    fn throttle_configure(&self, interval: i64, acceleration: i64, deceleration: i64) {
        self.change("throttle_configure", |connection| {
            connection.set_peer_throttle(self.id, interval, acceleration, deceleration)
        });
    }

    /// Sets after how many milliseconds without an acknowledgement the peer is pinged, from 0 to 4294967295; 0 is ENet's own, 500.
    #[func]
    fn ping_interval(&self, ping_interval: i64) {
        let Ok(millis) = u32::try_from(ping_interval) else {
            let problem = format!("{ping_interval} ms are not possible; use 0 to 4294967295");
            return complain("ping_interval", problem);
        };
        self.change("ping_interval", |connection| connection.set_ping_interval(self.id, millis));
    }

    /// Disconnects the peer when it has got everything, as [method NetworkedMultiplayerENet.disconnect_peer] does. On a client, leaves the
    /// server. [param data] is not sent: [method NetworkedMultiplayerENet.kick_peer] sends a reason.
    #[func]
    fn peer_disconnect(&self, #[opt(default = 0)] data: i64) {
        let _ = data;
        self.disconnect(false);
    }

    /// The same as [method peer_disconnect].
    #[func]
    fn peer_disconnect_later(&self, #[opt(default = 0)] data: i64) {
        let _ = data;
        self.disconnect(false);
    }

    /// Disconnects the peer at once. On a client, closes the connection. [param data] is not sent.
    #[func]
    fn peer_disconnect_now(&self, #[opt(default = 0)] data: i64) {
        let _ = data;
        self.disconnect(true);
    }

    /// The same as [method peer_disconnect_now]: the peer is told, in contrast to [method ENetPacketPeer.reset].
    #[func]
    fn reset(&self) {
        self.disconnect(true);
    }

    /// As [method NetworkedMultiplayerENet.get_peer_address].
    #[func]
    fn get_remote_address(&self) -> GString {
        let address = self.owner.with(|connection| connection.peer_address(self.id).ok()).flatten();
        address.map_or_else(GString::new, |address| GString::from(&address.ip().to_string()))
    }

    /// As [method NetworkedMultiplayerENet.get_peer_port].
    #[func]
    fn get_remote_port(&self) -> i64 {
        let address = self.owner.with(|connection| connection.peer_address(self.id).ok()).flatten();
        address.map_or(0, |address| address.port().into())
    }

    /// Returns [constant STATE_CONNECTED], [constant STATE_CONNECTING] or [constant STATE_DISCONNECTED].
    #[func]
    fn get_state(&self) -> i32 {
        let state = self.owner.with(|connection| {
            if connection.status() == Status::Connecting {
                Self::STATE_CONNECTING
            } else if connection.peer_address(self.id).is_ok() {
                Self::STATE_CONNECTED
            } else {
                Self::STATE_DISCONNECTED
            }
        });
        state.unwrap_or(Self::STATE_DISCONNECTED)
    }

    /// Returns how many channels the connection has: see [member NetworkedMultiplayerENet.channel_count].
    #[func]
    fn get_channels(&self) -> i64 {
        let channels = self.owner.with(|connection| connection.channels(self.id).ok()).flatten();
        channels.map_or(0, i64::from)
    }

    /// Returns whether the peer is connected, or the attempt to connect goes on.
    #[func]
    fn is_active(&self) -> bool {
        self.get_state() != Self::STATE_DISCONNECTED
    }
}

impl NetworkedMultiplayerENetPeer {
    pub(super) fn of(owner: Owner, id: i64) -> Gd<Self> {
        Gd::from_object(Self { owner, id })
    }

    fn change<E: std::fmt::Display>(
        &self,
        call: &str,
        change: impl FnOnce(&mut Connection) -> Result<(), E>,
    ) {
        if let Some(Err(problem)) = self.owner.with(change) {
            complain(call, problem);
        }
    }

    fn disconnect(&self, now: bool) {
        let (Some(object), Some(shared)) = (self.owner.object(), self.owner.shared()) else { return };
        if !shared.lock().is_client() {
            shared.disconnect(self.id, now, || object);
        } else if now || shared.with_connection(|connection| connection.leave()) != Some(true) {
            shared.shut(DEFAULT_WAIT, || object);
        }
    }
}

fn figure(known: &PeerStatistics, which: i32) -> f64 {
    let figures = &known.figures;
    let millis = |time: std::time::Duration| time.as_secs_f64() * 1000.0;
    let [interval, acceleration, deceleration] = figures.throttle_settings;
    match which {
        0 => known.loss_outgoing() * f64::from(NetworkedMultiplayerENetPeer::PACKET_LOSS_SCALE),
        3 => millis(figures.round_trip),
        4 => millis(figures.variance),
        5 => millis(figures.last_round_trip),
        6 => millis(figures.jitter),
        7 => figures.throttle.into(),
        8 => f64::from(NetworkedMultiplayerENetPeer::PACKET_THROTTLE_SCALE),
        11 => acceleration.into(),
        12 => deceleration.into(),
        13 => interval.into(),
        _ => 0.0,
    }
}

/// What ENet takes for granted as long as nothing is known.
const fn guess(which: i32) -> f64 {
    match which {
        NetworkedMultiplayerENetPeer::PEER_ROUND_TRIP_TIME
        | NetworkedMultiplayerENetPeer::PEER_LAST_ROUND_TRIP_TIME => 500.0,
        NetworkedMultiplayerENetPeer::PEER_PACKET_THROTTLE
        | NetworkedMultiplayerENetPeer::PEER_PACKET_THROTTLE_LIMIT => 32.0,
        _ => 0.0,
    }
}

fn complain(call: &str, problem: impl std::fmt::Display) {
    error::complain_of("NetworkedMultiplayerENetPeer", call, problem);
}
