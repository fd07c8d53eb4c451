//! What is known of the open connection: `get_statistics`, `get_peer_statistics` and `get_peers`.

use std::net::Ipv4Addr;
use std::time::Duration;

use godot::prelude::*;
use nme_core::admission::Outcome;
use nme_core::relay::ToldFigures;
use nme_core::session::PeerError;
use nme_core::statistics::{ChannelFigures, PeerStatistics, header_bytes, payload_bytes};
use nme_driver::{Connection, ConnectionStatistics};

use crate::class::NetworkedMultiplayerENet;
use crate::error::{self, Inactive};

#[godot_api(secondary)]
impl NetworkedMultiplayerENet {
    /// Returns the ids of the peers that are connected, in ascending order: on a server all clients, on a client the server (1)
    /// and, with [member server_relay], the other clients. Empty when no connection is open.
    ///
    /// ```gdscript
    /// for id in peer.get_peers():
    ///       print("%d is at %s" % [id, peer.get_peer_address(id)])
    /// ```
    #[func]
    fn get_peers(&self) -> PackedInt32Array {
        let peers = self.shared.with_connection(|connection| connection.peers()).unwrap_or_default();
        peers.into_iter().map(|id| id.get()).collect()
    }

    /// Returns what is known of the connection with the peer with this [param id]. Prints an error and returns an empty
    /// [Dictionary] for an id that nobody has. A client knows its own connection, to the server (1). About another client it asks
    /// the server, and returns what that has told last of its own connection with it: [code]relayed[/code], which is
    /// [code]true[/code], and the round trip, jitter and loss below; empty until there is an answer, and where the server is one of
    /// Godot 3.
    ///
    /// Times are in milliseconds, sizes in bytes, and what is counted is counted since the peer has connected:
    ///
    /// - [code]round_trip_msec[/code], [code]round_trip_variance_msec[/code], [code]last_round_trip_msec[/code],
    /// [code]shortest_round_trip_msec[/code] (of the last 10 to 20 seconds), [code]jitter_msec[/code]: how long a packet and its
    /// acknowledgement take, with the frames of both sides;
    /// - [code]loss_out[/code], [code]loss_in[/code]: the part of the datagrams that got lost in the last 10 to 20 seconds, from 0.0
    /// to 1.0, as far as packets show it;
    /// - [code]throttle[/code]: the part of the unreliable packets that is sent, from 0.0 to 1.0, see
    /// [method set_peer_throttle], and [code]packets_throttled[/code];
    /// - [code]packets_sent[/code], [code]packets_received[/code], [code]payload_bytes_sent[/code],
    /// [code]payload_bytes_received[/code]: packets of the game;
    /// - [code]datagrams_sent[/code], [code]datagrams_received[/code], [code]wire_bytes_sent[/code],
    /// [code]wire_bytes_received[/code]: what goes over the wire, with the headers of IP and UDP;
    /// - [code]resends[/code]: how often something reliable was sent again;
    /// - [code]congestion_window_bytes[/code], [code]in_flight_bytes[/code]: how much reliable data may be under way, and is;
    /// - [code]queued_bytes[/code], [code]unacknowledged_bytes[/code], [code]queue_time_msec[/code]: what waits to be sent, that
    /// and what waits for an acknowledgement, and about how long the last of it will wait;
    /// - [code]channels[/code]: an array with a dictionary for each channel in use, with [code]channel[/code],
    /// [code]queued_bytes[/code] and [code]unacknowledged_bytes[/code];
    /// - [code]mtu[/code], [code]last_heard_msec[/code] (ago), [code]connected_msec[/code] (ago);
    /// - [code]remote[/code]: on a client, the same connection as the server sees it, with round trip, jitter and loss; empty
    /// until it has told.
    ///
    /// ```gdscript
    /// var statistics = peer.get_peer_statistics(1)
    /// label.text = "%d ms, %.1f %% lost" % [statistics.round_trip_msec, 100 * statistics.loss_in]
    /// ```
    ///
    /// Nothing is computed before this is called. With [member threaded], the figures can be 5 milliseconds old. See
    /// [code]docs/statistics.md[/code] in the addon.
    #[func]
    fn get_peer_statistics(&self, id: i64) -> VarDictionary {
        let known = self.shared.with_connection(|connection| {
            let statistics = connection.peer_statistics(id);
            let about = match statistics {
                Err(PeerError::Relayed(_)) => id,
                _ => connection.id().get().into(),
            };
            (statistics, connection.told(about))
        });
        match known {
            Some((Ok(Some(statistics)), told)) => {
                let mut answer = peer_dictionary(&statistics);
                answer.set("remote", &told.as_ref().map_or_else(VarDictionary::new, told_dictionary));
                answer
            }
            Some((Ok(None), _)) => VarDictionary::new(),
            Some((Err(PeerError::Relayed(_)), told)) => {
                let mut answer = told.as_ref().map_or_else(VarDictionary::new, told_dictionary);
                if !answer.is_empty() {
                    answer.set("relayed", true);
                }
                answer
            }
            Some((Err(problem), _)) => {
                error::complain("get_peer_statistics", problem);
                VarDictionary::new()
            }
            None => {
                error::complain("get_peer_statistics", Inactive);
                VarDictionary::new()
            }
        }
    }

    /// Returns what is known of the open server or client, or an empty [Dictionary] when no connection is open. All counters
    /// begin when it is created, and include peers that have left:
    ///
    /// - [code]uptime_msec[/code], [code]peers[/code] (connections), [code]network_time_usec[/code]: the time in microseconds that
    /// polls and flushes have taken, in the game's thread or with [member threaded] in the network thread;
    /// - [code]packets_sent[/code], [code]packets_received[/code], [code]payload_bytes_sent[/code],
    /// [code]payload_bytes_received[/code], [code]resends[/code], [code]packets_throttled[/code]: as in
    /// [method get_peer_statistics];
    /// - [code]datagrams_sent[/code], [code]datagrams_received[/code], [code]udp_bytes_sent[/code],
    /// [code]udp_bytes_received[/code], [code]wire_bytes_sent[/code], [code]wire_bytes_received[/code]: the last two with the
    /// headers of IP and UDP, as a hosting bill counts them;
    /// - [code]compression_ratio[/code]: bytes sent by bytes before compression, 1.0 without;
    /// - [code]dropped_datagrams[/code] and [code]dropped_packets[/code], and by reason in
    /// [code]dropped_datagrams_by_reason[/code] and [code]dropped_packets_by_reason[/code];
    /// - [code]connections_by_outcome[/code]: what has become of those who asked for a connection;
    /// - [code]waiting_packets[/code], [code]waiting_bytes[/code]: what the game has not fetched yet;
    /// - [code]socket_errors[/code]: how often the system reported an error instead of sending or receiving.
    ///
    /// ```gdscript
    /// var before = peer.get_statistics()
    /// await get_tree().create_timer(1.0).timeout
    /// var after = peer.get_statistics()
    /// print("%d bytes per second" % (after.wire_bytes_sent - before.wire_bytes_sent))
    /// ```
    #[func]
    fn get_statistics(&self) -> VarDictionary {
        let known = self.shared.with_connection(|connection| {
            (connection.statistics(), connection.waiting_packets(), wire_header_bytes(connection))
        });
        known.map_or_else(VarDictionary::new, |(statistics, waiting_packets, header)| {
            let mut answer = dictionary(&statistics, header);
            answer.set("waiting_packets", waiting_packets as i64);
            answer
        })
    }
}

/// What IP and UDP add to a datagram of this connection. A server for both kinds of addresses has IPv4 clients as a rule.
pub(crate) fn wire_header_bytes(connection: &Connection) -> u64 {
    let address = connection.local_addr();
    header_bytes(if address.ip().is_unspecified() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { address })
}

fn dictionary(statistics: &ConnectionStatistics, header: u64) -> VarDictionary {
    let ConnectionStatistics { endpoint, socket, network_time, age } = statistics;
    let counters = &endpoint.counters;
    let traffic = &endpoint.traffic;
    let plain = endpoint.plain_bytes_sent.max(1);
    let ratio = if endpoint.plain_bytes_sent == 0 {
        1.0
    } else {
        endpoint.compressed_bytes_sent as f64 / plain as f64
    };
    let mut answer = VarDictionary::new();
    let mut set = |key: &str, value: u64| answer.set(key, number(value));
    set("uptime_msec", age.as_millis() as u64);
    set("peers", endpoint.connections as u64);
    set("network_time_usec", network_time.as_micros() as u64);
    set("packets_sent", traffic.packets_sent);
    set("packets_received", traffic.packets_received);
    set("payload_bytes_sent", payload_bytes(traffic.packets_sent, traffic.bytes_sent));
    set("payload_bytes_received", payload_bytes(traffic.packets_received, traffic.bytes_received));
    set("packets_throttled", traffic.packets_throttled);
    set("resends", endpoint.resends);
    set("datagrams_sent", counters.datagrams_sent);
    set("datagrams_received", counters.datagrams_received);
    set("udp_bytes_sent", counters.bytes_sent);
    set("udp_bytes_received", counters.bytes_received);
    set("wire_bytes_sent", endpoint.wire_bytes_sent(header));
    set("wire_bytes_received", endpoint.wire_bytes_received(header));
    set("dropped_datagrams", counters.dropped_datagrams());
    set("dropped_packets", counters.packets_by_reason().map(|(_, count)| count).sum());
    set("waiting_bytes", endpoint.waiting_bytes as u64);
    set("socket_errors", socket.send_errors + socket.receive_errors);
    answer.set("compression_ratio", ratio);
    answer.set("dropped_datagrams_by_reason", &by_name(counters.datagrams_by_reason()));
    answer.set("dropped_packets_by_reason", &by_name(counters.packets_by_reason()));
    let outcomes = Outcome::ALL.map(|outcome| (outcome.name(), endpoint.admission.count(outcome)));
    answer.set("connections_by_outcome", &by_name(outcomes));
    answer
}

fn peer_dictionary(statistics: &PeerStatistics) -> VarDictionary {
    let PeerStatistics { figures, channels, wire, .. } = statistics;
    let traffic = &figures.traffic;
    let mut answer = VarDictionary::new();
    let mut set = |key: &str, value: f64| answer.set(key, value);
    set("round_trip_msec", millis(figures.round_trip));
    set("round_trip_variance_msec", millis(figures.variance));
    set("last_round_trip_msec", millis(figures.last_round_trip));
    set("shortest_round_trip_msec", millis(figures.shortest_round_trip));
    set("jitter_msec", millis(figures.jitter));
    set("loss_out", statistics.loss_outgoing());
    set("loss_in", figures.loss_incoming);
    set("throttle", f64::from(figures.throttle) / f64::from(THROTTLE_PARTS));
    set("queue_time_msec", millis(statistics.queue_time()));
    let mut set = |key: &str, value: u64| answer.set(key, number(value));
    set("packets_sent", traffic.packets_sent);
    set("packets_received", traffic.packets_received);
    set("payload_bytes_sent", payload_bytes(traffic.packets_sent, traffic.bytes_sent));
    set("payload_bytes_received", payload_bytes(traffic.packets_received, traffic.bytes_received));
    set("packets_throttled", traffic.packets_throttled);
    set("datagrams_sent", wire.datagrams_sent);
    set("datagrams_received", wire.datagrams_received);
    set("wire_bytes_sent", statistics.wire_bytes_sent());
    set("wire_bytes_received", statistics.wire_bytes_received());
    set("resends", figures.commands_lost.into());
    set("congestion_window_bytes", figures.window.into());
    set("in_flight_bytes", figures.in_flight.into());
    set("queued_bytes", figures.waiting);
    set("unacknowledged_bytes", figures.waiting + u64::from(figures.in_flight));
    set("mtu", figures.mtu.into());
    set("last_heard_msec", figures.silent_for.as_millis() as u64);
    set("connected_msec", figures.age.as_millis() as u64);
    answer.set("channels", &channels.iter().map(channel_dictionary).collect::<Array<VarDictionary>>());
    answer
}

/// What a server has told of a connection of its own: `loss_out` is of what it sends.
fn told_dictionary(told: &ToldFigures) -> VarDictionary {
    let mut answer = VarDictionary::new();
    answer.set("round_trip_msec", millis(told.round_trip));
    answer.set("round_trip_variance_msec", millis(told.variance));
    answer.set("jitter_msec", millis(told.jitter));
    answer.set("loss_out", told.loss_to());
    answer.set("loss_in", told.loss_from());
    answer
}

fn channel_dictionary(figures: &ChannelFigures) -> VarDictionary {
    let mut answer = VarDictionary::new();
    answer.set("channel", i64::from(figures.channel));
    answer.set("queued_bytes", number(figures.waiting));
    answer.set("unacknowledged_bytes", number(figures.unacknowledged));
    answer
}

/// Those that there are any of.
fn by_name(counts: impl IntoIterator<Item = (&'static str, u64)>) -> VarDictionary {
    let mut answer = VarDictionary::new();
    for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        answer.set(name, number(count));
    }
    answer
}

pub(crate) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Of so many unreliable packets, the throttle counts those that are sent.
const THROTTLE_PARTS: u32 = 32;
