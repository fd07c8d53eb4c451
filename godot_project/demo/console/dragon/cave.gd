extends Node
## The server of a cave with a dragon, or a hero who comes to it: godot3/cave.gd, ported.
## Godot3Multiplayer lets it play with the old game. `scripts/demo.py rpc` starts all processes.

const HEROES := 2
const PATIENCE_SEC := 60.0

var nickname := "server"
## Peer id -> nickname of everybody else.
var names := {}
var songs := 0


## Before any script connects to the signals of `multiplayer`.
func _enter_tree() -> void:
	get_tree().set_multiplayer(Godot3Multiplayer.new())


func _ready() -> void:
	Engine.max_fps = 60
	multiplayer.peer_connected.connect(_on_peer_connected)
	multiplayer.peer_disconnected.connect(_on_peer_disconnected)
	multiplayer.connection_failed.connect(_fail.bind("no connection to the server"))
	multiplayer.server_disconnected.connect(_fail.bind("the server has gone"))
	_open(_argument("--hero="), _argument("--port=").to_int())
	get_tree().create_timer(PATIENCE_SEC).timeout.connect(_fail.bind("waited too long"))


func _open(hero: String, port: int) -> void:
	var peer := NetworkedMultiplayerENet.new()
	var error: Error
	if hero.is_empty():
		error = peer.create_server(port, HEROES)
	else:
		nickname = hero
		error = peer.create_client("127.0.0.1", port)
	if error != OK:
		_fail(error_string(error))
		return
	multiplayer.multiplayer_peer = peer
	if hero.is_empty():
		print("the cave is open")


func leave() -> void:
	multiplayer.multiplayer_peer.close()
	multiplayer.multiplayer_peer = null
	get_tree().quit()


## Who has called the function that runs.
func caller() -> String:
	return names.get(multiplayer.get_remote_sender_id(), nickname)


# --- Called by others -------------------------------------------------------------------------

@rpc("any_peer", "reliable")
func introduce(who: String) -> void:
	names[multiplayer.get_remote_sender_id()] = who
	print("<- introduce(%s)" % who)
	if not multiplayer.is_server() and names.size() == HEROES:
		print("-> challenge() to server")
		$Dragon.challenge.rpc_id(1)


@rpc("any_peer", "reliable")
func shout(text: String) -> void:
	print("<- shout(%s) from %s" % [text, caller()])


@rpc("any_peer", "call_local", "reliable")
func sing(text: String) -> void:
	print("<- sing(%s) from %s" % [text, caller()])
	songs += 1
	if multiplayer.is_server() and songs == HEROES:
		$Dragon.share_gold()


# --- Signals ----------------------------------------------------------------------------------


func _on_peer_connected(id: int) -> void:
	introduce.rpc_id(id, nickname)


func _on_peer_disconnected(id: int) -> void:
	names.erase(id)
	if multiplayer.is_server() and names.is_empty():
		leave.call_deferred()


func _fail(reason: String) -> void:
	printerr("failed: ", reason)
	get_tree().quit(1)


func _argument(start: String) -> String:
	for word in OS.get_cmdline_user_args():
		if word.begins_with(start):
			return word.trim_prefix(start)
	return ""
