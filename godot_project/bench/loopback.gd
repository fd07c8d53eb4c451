## A server and a client in one process, free running: what a packet costs from put_packet to
## get_packet.
##
## Started by scripts/bench. Godot 3.6 plays it, too, in a translation.
extends SceneTree

const Options := preload("res://bench/options.gd")
const Probe := preload("res://bench/probe.gd")
const CONNECT_MSEC := 10000
const WARM_SECONDS := 0.2

var options := Options.new()
var probe := Probe.new()
var server: MultiplayerPeer
var client: MultiplayerPeer
var payload := PackedByteArray()


func _initialize() -> void:
	payload.resize(options.number("size"))
	payload.fill(0)
	server = options.new_peer()
	client = options.new_peer()
	var port := options.number("port")
	var errors: Array = [server.call("create_server", port, 4)]
	errors.append(client.call("create_client", "127.0.0.1", port))
	if errors != [OK, OK] or not _connect():
		options.tell("failed", {"reason": "no connection within this process, %s" % [errors]})
		quit(2)
		return
	client.set_target_peer(MultiplayerPeer.TARGET_PEER_SERVER)
	var cases := []
	for mode: String in ["unreliable", "reliable"]:
		for count in options.numbers("counts"):
			cases.append(_measure(mode, count))
	var level := {"cases": cases}
	if ClassDB.class_exists("OfflineMultiplayerPeer"):
		level["floor"] = _floor()
	options.tell("level", level)
	options.tell("done")
	quit(0)


func _connect() -> bool:
	var limit := Time.get_ticks_msec() + CONNECT_MSEC
	while Time.get_ticks_msec() < limit:
		server.poll()
		client.poll()
		if client.get_connection_status() == MultiplayerPeer.CONNECTION_CONNECTED:
			return true
		OS.delay_msec(1)
	return false


func _measure(mode: String, count: int) -> Dictionary:
	var modes := {
		"unreliable": MultiplayerPeer.TRANSFER_MODE_UNRELIABLE,
		"reliable": MultiplayerPeer.TRANSFER_MODE_RELIABLE,
	}
	client.transfer_mode = modes[mode]
	_run(count, WARM_SECONDS)
	probe.begin()
	var counts := _run(count, options.seconds("seconds"))
	var measured := probe.end()
	measured["mode"] = mode
	measured["count"] = count
	measured["sent"] = counts[0]
	measured["received"] = counts[1]
	return measured


## Packets sent and received.
func _run(count: int, seconds: float) -> Array[int]:
	var sent := 0
	var received := 0
	var limit := Time.get_ticks_usec() + int(seconds * 1e6)
	while Time.get_ticks_usec() < limit:
		for i in count:
			client.put_packet(payload)
		client.poll()
		server.poll()
		while server.get_available_packet_count() > 0:
			server.get_packet()
			received += 1
		sent += count
	return [sent, received]


## Nanoseconds of processor time per packet that the calls of `_run` cost in GDScript, without a
## network.
func _floor() -> float:
	var offline: MultiplayerPeer = ClassDB.instantiate("OfflineMultiplayerPeer")
	var began := Probe.cpu_nsec()
	var count := 200000
	var received := 0
	for i in count:
		offline.put_packet(payload)
	while received < count:
		offline.get_available_packet_count()
		payload.duplicate()
		received += 1
	return float(Probe.cpu_nsec() - began) / count
