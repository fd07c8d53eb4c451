## Bytes per second of a connection, out of the peer's counters.
class_name ArenaTraffic
extends RefCounted

const PAUSE_MSEC := 500

var sent_per_second := 0.0
var received_per_second := 0.0

var _sent := 0
var _received := 0
var _last_msec := 0


## Call this in every frame.
func update(peer: NetworkedMultiplayerENet) -> void:
	var now := Time.get_ticks_msec()
	if now - _last_msec < PAUSE_MSEC:
		return
	var sent := peer.get_sent_bytes()
	var received := peer.get_received_bytes()
	var seconds := (now - _last_msec) / 1000.0
	# Another connection counts from 0 again.
	sent_per_second = maxf(sent - _sent, 0.0) / seconds
	received_per_second = maxf(received - _received, 0.0) / seconds
	_sent = sent
	_received = received
	_last_msec = now
