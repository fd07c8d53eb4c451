# A server and a client in one process of Godot 3.6, free running: what a packet costs from put_packet to get_packet.
# ../loopback.gd is the same program for Godot 4; keep the two alike.
extends SceneTree

const Options := preload("res://options.gd")
const Probe := preload("res://probe.gd")
const CONNECT_MSEC := 10000
const WARM_SECONDS := 0.2

var options := Options.new()
var probe := Probe.new()
var server: NetworkedMultiplayerENet
var client: NetworkedMultiplayerENet
var payload := PoolByteArray()


func _initialize() -> void:
	payload.resize(options.number("size"))
	payload.fill(0)
	server = options.new_peer()
	client = options.new_peer()
	var port: int = options.number("port")
	var errors := [server.create_server(port, 4)]
	errors.append(client.create_client("127.0.0.1", port))
	if errors != [OK, OK] or not _connect():
		options.tell("failed", {"reason": "no connection within this process, %s" % [errors]})
		quit(2)
		return
	client.set_target_peer(NetworkedMultiplayerPeer.TARGET_PEER_SERVER)
	var cases := []
	for mode in ["unreliable", "reliable"]:
		for count in options.numbers("counts"):
			cases.append(_measure(mode, count))
	options.tell("level", {"cases": cases})
	options.tell("done")
	quit(0)


func _connect() -> bool:
	var limit := OS.get_ticks_msec() + CONNECT_MSEC
	while OS.get_ticks_msec() < limit:
		server.poll()
		client.poll()
		if client.get_connection_status() == NetworkedMultiplayerPeer.CONNECTION_CONNECTED:
			return true
		OS.delay_msec(1)
	return false


func _measure(mode: String, count: int) -> Dictionary:
	var modes := {
		"unreliable": NetworkedMultiplayerPeer.TRANSFER_MODE_UNRELIABLE,
		"reliable": NetworkedMultiplayerPeer.TRANSFER_MODE_RELIABLE,
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


# Packets sent and received.
func _run(count: int, seconds: float) -> Array:
	var sent := 0
	var received := 0
	var limit := OS.get_ticks_usec() + int(seconds * 1e6)
	while OS.get_ticks_usec() < limit:
		for i in count:
			client.put_packet(payload)
		client.poll()
		server.poll()
		while server.get_available_packet_count() > 0:
			server.get_packet()
			received += 1
		sent += count
	return [sent, received]
