# Greets the demo's packet server and its clients from Godot 3.6, and leaves when all have answered.
extends Node

const OTHERS := 3
const PAUSE_SEC := 1.5
const PATIENCE_SEC := 60.0

var nickname := "carol"
var address := "127.0.0.1"
var port := 4242
var peer := NetworkedMultiplayerENet.new()
var others := []
var answers := 0


func _ready() -> void:
	Engine.target_fps = 60
	_read_arguments()
	peer.connect("peer_connected", self, "_on_peer_connected")
	peer.connect("peer_disconnected", self, "_on_peer_disconnected")
	if peer.create_client(address, port + 1) != OK:
		_end(1)
	yield(get_tree().create_timer(PATIENCE_SEC), "timeout")
	printerr("failed: waited too long")
	_end(1)


func _process(_delta: float) -> void:
	if peer.get_connection_status() == NetworkedMultiplayerPeer.CONNECTION_DISCONNECTED:
		return
	peer.poll()
	while peer.get_available_packet_count() > 0:
		var from := peer.get_packet_peer()
		var text := peer.get_packet().get_string_from_utf8()
		_on_packet_received(from, text)


func _on_peer_connected(id: int) -> void:
	others.append(id)
	print("peer %d is here" % id)
	if others.size() == OTHERS:
		peer.set_target_peer(NetworkedMultiplayerPeer.TARGET_PEER_BROADCAST)
		peer.put_packet(("Hello from %s in Godot %s" % [nickname, _version()]).to_utf8())


func _on_peer_disconnected(id: int) -> void:
	others.erase(id)
	print("peer %d has left" % id)


func _on_packet_received(from: int, text: String) -> void:
	print("packet from peer %d: %s" % [from, text])
	answers += 1
	if answers == OTHERS:
		yield(get_tree().create_timer(PAUSE_SEC), "timeout")
		_end(0)


func _end(code: int) -> void:
	peer.close_connection()
	get_tree().quit(code)


# Godot 3 has no arguments of the user's own, so they come as --name=value.
func _read_arguments() -> void:
	for word in OS.get_cmdline_args():
		var value: String = word.get_slice("=", 1)
		if word.begins_with("--guest="):
			nickname = value
		elif word.begins_with("--address="):
			address = value
		elif word.begins_with("--port="):
			port = int(value)


func _version() -> String:
	var version := Engine.get_version_info()
	return "%d.%d.%d" % [version.major, version.minor, version.patch]
