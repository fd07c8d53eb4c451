# The server of a cave with a dragon, or a hero who comes to it. Nothing in here knows of Godot 4.
extends Node

const HEROES := 2
const PATIENCE_SEC := 60.0

var nickname := "server"
# Peer id -> nickname of everybody else.
var names := {}
var songs := 0


func _ready() -> void:
	Engine.target_fps = 60
	get_tree().connect("network_peer_connected", self, "_on_peer_connected")
	get_tree().connect("network_peer_disconnected", self, "_on_peer_disconnected")
	get_tree().connect("connection_failed", self, "_fail", ["no connection to the server"])
	get_tree().connect("server_disconnected", self, "_fail", ["the server has gone"])
	_open(_argument("--hero="), int(_argument("--port=")))
	get_tree().create_timer(PATIENCE_SEC).connect("timeout", self, "_fail", ["waited too long"])


func _open(hero: String, port: int) -> void:
	var peer := NetworkedMultiplayerENet.new()
	var error: int
	if hero == "":
		error = peer.create_server(port, HEROES)
	else:
		nickname = hero
		error = peer.create_client("127.0.0.1", port)
	if error != OK:
		_fail("error %d" % error)
		return
	get_tree().network_peer = peer
	if hero == "":
		print("the cave is open")


func leave() -> void:
	get_tree().network_peer.close_connection()
	get_tree().network_peer = null
	get_tree().quit()


# Who has called the function that runs.
func caller() -> String:
	return names.get(get_tree().get_rpc_sender_id(), nickname)


# --- Called by others -------------------------------------------------------------------------


remote func introduce(who: String) -> void:
	names[get_tree().get_rpc_sender_id()] = who
	print("<- introduce(%s)" % who)
	if not get_tree().is_network_server() and names.size() == HEROES:
		print("-> challenge() to server")
		$Dragon.rpc_id(1, "challenge")


remote func shout(text: String) -> void:
	print("<- shout(%s) from %s" % [text, caller()])


remotesync func sing(text: String) -> void:
	print("<- sing(%s) from %s" % [text, caller()])
	songs += 1
	if get_tree().is_network_server() and songs == HEROES:
		$Dragon.share_gold()


# --- Signals ----------------------------------------------------------------------------------


func _on_peer_connected(id: int) -> void:
	rpc_id(id, "introduce", nickname)


func _on_peer_disconnected(id: int) -> void:
	names.erase(id)
	if get_tree().is_network_server() and names.empty():
		call_deferred("leave")


func _fail(reason: String) -> void:
	printerr("failed: ", reason)
	get_tree().quit(1)


# Godot 3 has no arguments of the user's own, so they come as --name=value.
func _argument(start: String) -> String:
	for word in OS.get_cmdline_args():
		if word.begins_with(start):
			return word.trim_prefix(start)
	return ""
