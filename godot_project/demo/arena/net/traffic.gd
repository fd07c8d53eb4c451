## What the network does, out of the peer's statistics: for people, twice a second.
class_name ArenaTraffic
extends RefCounted

const PAUSE_MSEC := 500

var sent_per_second := 0.0
var received_per_second := 0.0
## The connection to the server, or what the server's peers have in common, as a line.
var link := ""

var _before := {}
var _last_msec := 0


## Call this in every frame.
func update(peer: NetworkedMultiplayerENet) -> void:
	var now := Time.get_ticks_msec()
	if now - _last_msec < PAUSE_MSEC:
		return
	var statistics := peer.get_statistics()
	var seconds := (now - _last_msec) / 1000.0
	sent_per_second = _grown(statistics, "wire_bytes_sent") / seconds
	received_per_second = _grown(statistics, "wire_bytes_received") / seconds
	link = _of_server(statistics) if peer.get_unique_id() == 1 else _of_client(peer)
	_before = statistics
	_last_msec = now


func _grown(statistics: Dictionary, key: String) -> float:
	# Another connection counts from 0 again.
	return maxf(statistics[key] - _before.get(key, 0), 0.0)


func _of_client(peer: NetworkedMultiplayerENet) -> String:
	var server := peer.get_peer_statistics(MultiplayerPeer.TARGET_PEER_SERVER)
	if server.is_empty():
		return ""
	return (
		"%.0f ± %.0f ms, %.1f %% lost, %d again"
		% [
			server.round_trip_msec,
			server.round_trip_variance_msec,
			100.0 * maxf(server.loss_in, server.loss_out),
			server.resends,
		]
	)


func _of_server(statistics: Dictionary) -> String:
	return (
		"%d connected, %d sent again, %d dropped"
		% [statistics.peers, statistics.resends, statistics.dropped_datagrams]
	)
