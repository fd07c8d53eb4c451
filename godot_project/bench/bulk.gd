## A large reliable transfer between two games at 60 frames a second.
##
## Started by scripts/bench with a `role`. sender: keeps up to `window` bytes on their way, in
## packets of `size` bytes. receiver: a server that fetches in each frame, says how much it has, and
## measures.
extends SceneTree

const Options := preload("res://bench/options.gd")
const Probe := preload("res://bench/probe.gd")
const FPS := 60

var options := Options.new()
var probe := Probe.new()
var peer: MultiplayerPeer
var is_receiver := false
var received := 0
var sent := 0
var confirmed := 0
var begun_at := -1

var _payload := PackedByteArray()


func _initialize() -> void:
	Engine.max_fps = FPS
	multiplayer_poll = false
	is_receiver = options.text("role") == "receiver"
	peer = options.new_peer()
	peer.transfer_mode = MultiplayerPeer.TRANSFER_MODE_RELIABLE
	var port := options.number("port")
	var error: Error
	if is_receiver:
		error = peer.call("create_server", port, 1)
	else:
		error = peer.call("create_client", "127.0.0.1", port)
		_payload.resize(options.number("size"))
	if error != OK:
		options.tell("failed", {"reason": error_string(error)})
		quit(2)
		return
	options.tell("ready")
	process_frame.connect(_receive if is_receiver else _send)


func _receive() -> void:
	probe.frame()
	peer.poll()
	var before := received
	while peer.get_available_packet_count() > 0:
		received += peer.get_packet().size()
	if received > before:
		peer.put_packet(var_to_bytes(received))
	if begun_at < 0 and received > 0 and probe.elapsed() > options.seconds("settle"):
		begun_at = received
		probe.begin()
	elif begun_at >= 0 and probe.elapsed() > options.seconds("seconds"):
		var level := probe.end()
		level["received"] = received - begun_at
		level["connected"] = 1
		options.tell("level", level)
		options.tell("done")
		peer.close()
		quit(0)


func _send() -> void:
	peer.poll()
	if peer.get_connection_status() == MultiplayerPeer.CONNECTION_DISCONNECTED:
		options.tell("done")
		quit(0)
		return
	if peer.get_connection_status() != MultiplayerPeer.CONNECTION_CONNECTED:
		return
	while peer.get_available_packet_count() > 0:
		confirmed = bytes_to_var(peer.get_packet())
	peer.set_target_peer(MultiplayerPeer.TARGET_PEER_SERVER)
	while sent - confirmed + _payload.size() <= options.number("window"):
		peer.put_packet(_payload)
		sent += _payload.size()
