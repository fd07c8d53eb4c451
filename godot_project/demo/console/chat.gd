extends Node
## A chat over RPCs: one server, and clients that reach each other through its relay.

var nickname := ""
## The others: peer id -> nickname.
var members := {}
## Everything that was said here.
var lines := PackedStringArray()


func _ready() -> void:
	multiplayer.peer_connected.connect(_on_peer_connected)
	multiplayer.peer_disconnected.connect(_on_peer_disconnected)
	multiplayer.connection_failed.connect(_on_connection_failed)
	multiplayer.server_disconnected.connect(_on_server_disconnected)


func host(port: int) -> Error:
	var peer := NetworkedMultiplayerENet.new()
	var error := peer.create_server(port)
	if error == OK:
		multiplayer.multiplayer_peer = peer
	return error


func join(address: String, port: int) -> Error:
	var peer := NetworkedMultiplayerENet.new()
	var error := peer.create_client(address, port)
	if error == OK:
		multiplayer.multiplayer_peer = peer
	return error


func leave() -> void:
	multiplayer.multiplayer_peer.close()
	multiplayer.multiplayer_peer = null
	members.clear()


## Called by everybody on everybody they meet, with rpc_id().
@rpc("any_peer", "reliable")
func introduce(who: String) -> void:
	members[multiplayer.get_remote_sender_id()] = who
	print("%s is here" % who)


## For all: say.rpc("Hello!").
@rpc("any_peer", "reliable")
func say(text: String) -> void:
	_write("%s: %s" % [members[multiplayer.get_remote_sender_id()], text])


## For one: whisper.rpc_id(id, "Hello!").
@rpc("any_peer", "reliable")
func whisper(text: String) -> void:
	_write("%s whispers: %s" % [members[multiplayer.get_remote_sender_id()], text])


func _write(line: String) -> void:
	lines.append(line)
	print(line)


func _on_peer_connected(id: int) -> void:
	introduce.rpc_id(id, nickname)


func _on_peer_disconnected(id: int) -> void:
	print("%s has left" % members.get(id, "somebody"))
	members.erase(id)


func _on_connection_failed() -> void:
	print("no connection to the server")


func _on_server_disconnected() -> void:
	print("the server has closed")
