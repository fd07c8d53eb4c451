## A puppet's peer, and everything that its MultiplayerAPI tells.
extends Node

## What happened: a kind such as "api.peer_connected" or "peer.server_disconnected", and values.
signal happened(event: Array)

var peer: NetworkedMultiplayerENet

var _watching := false


func _ready() -> void:
	for signal_name: String in ["connected_to_server", "connection_failed", "server_disconnected"]:
		multiplayer.connect(signal_name, _note.bind("api." + signal_name))
	multiplayer.peer_connected.connect(_note_id.bind("api.peer_connected"))
	multiplayer.peer_disconnected.connect(_note_id.bind("api.peer_disconnected"))
	var api := multiplayer as SceneMultiplayer
	api.peer_authenticating.connect(_note_id.bind("api.peer_authenticating"))
	api.peer_authentication_failed.connect(_note_id.bind("api.peer_authentication_failed"))
	api.peer_packet.connect(_on_packet)


func _process(_delta: float) -> void:
	if _watching and is_instance_valid(peer):
		peer.poll()
		if peer.get_available_packet_count() > 0:
			var what := [peer.get_packet_channel(), peer.get_packet_mode()]
			happened.emit(["packet", peer.get_packet_peer()] + what)
		multiplayer.poll()


## Opens a server. `settings` are properties of the peer.
func create_server(port: int, settings := {}, max_clients := 32, same_peer := false) -> int:
	_make(settings, same_peer)
	return _use(peer.create_server(port, max_clients))


## Begins to connect, with a new peer or with the one it has.
func create_client(port: int, settings := {}, same_peer := false) -> int:
	_make(settings, same_peer)
	return _use(peer.create_client("127.0.0.1", port))


## As a game does in a handler: nothing refers to the peer any more.
func drop() -> void:
	peer = null
	multiplayer.multiplayer_peer = null


## Closes the connection with a method of the peer's own.
func close() -> void:
	if peer != null:
		peer.close_connection()


func replace_by_client(port: int) -> void:
	peer = TestPeer.make()
	_use(peer.create_client("127.0.0.1", port))


func replace_by_server(port: int) -> void:
	peer = TestPeer.make()
	_use(peer.create_server(port))


## Back to where a fresh process is.
func reset() -> void:
	watch_packets(false)
	drop()
	var api := multiplayer as SceneMultiplayer
	api.auth_callback = Callable()
	api.auth_timeout = 3.0
	get_parent().call("forget_reactions")


## What the game can ask about the connection.
func state() -> Dictionary:
	var result := {"status": MultiplayerPeer.CONNECTION_DISCONNECTED, "peers": [], "id": 0}
	if multiplayer.multiplayer_peer != null:
		result["status"] = multiplayer.multiplayer_peer.get_connection_status()
		var peers := Array(multiplayer.get_peers())
		peers.sort()
		result["peers"] = peers
		if result["status"] != MultiplayerPeer.CONNECTION_DISCONNECTED:
			result["id"] = multiplayer.get_unique_id()
			result["is_server"] = multiplayer.is_server()
	return result


func call_peer(method: String, values := []) -> Variant:
	return peer.callv(method, values)


func set_peer(property: String, value: Variant) -> void:
	peer.set(property, value)


func call_api(method: String, values := []) -> Variant:
	return multiplayer.callv(method, values)


func set_api(property: String, value: Variant) -> void:
	multiplayer.set(property, value)


## Notes the channel and mode of packets before the MultiplayerAPI gets them.
func watch_packets(on: bool) -> void:
	_watching = on
	get_tree().multiplayer_poll = not on


## The peer's id as an object, to ask later whether it is gone.
func object_id() -> int:
	return peer.get_instance_id() if peer != null else 0


func is_object_alive(id: int) -> bool:
	return is_instance_id_valid(id)


## Answers authentication: sends `secret`, and accepts who sends `wanted`; others are disconnected,
## or left waiting without `refuses`.
func use_auth(secret: String, wanted: String, refuses := true, timeout := 3.0) -> void:
	var api := multiplayer as SceneMultiplayer
	api.auth_timeout = timeout
	api.auth_callback = _on_auth.bind(wanted, refuses)
	for connection in api.peer_authenticating.get_connections():
		if connection["callable"].get_method() == &"_send_secret":
			api.peer_authenticating.disconnect(connection["callable"])
	if not secret.is_empty():
		api.peer_authenticating.connect(_send_secret.bind(secret))


func _send_secret(id: int, secret: String) -> void:
	var api := multiplayer as SceneMultiplayer
	api.send_auth(id, secret.to_utf8_buffer())


func _on_auth(id: int, data: PackedByteArray, wanted: String, refuses: bool) -> void:
	var api := multiplayer as SceneMultiplayer
	happened.emit(["auth", id, data.get_string_from_utf8()])
	if data.get_string_from_utf8() == wanted:
		api.complete_auth(id)
	elif refuses:
		api.disconnect_peer(id)


func _make(settings: Dictionary, same_peer: bool) -> void:
	if not same_peer or peer == null:
		peer = TestPeer.make()
		for name: String in ["connection_succeeded", "connection_failed", "server_disconnected"]:
			peer.connect(name, _note.bind("peer." + name))
		peer.peer_connected.connect(_note_id.bind("peer.peer_connected"))
		peer.peer_disconnected.connect(_note_id.bind("peer.peer_disconnected"))
	for property: String in settings:
		peer.set(property, settings[property])


func _use(error: int) -> int:
	if error == OK:
		multiplayer.multiplayer_peer = peer
	return error


func _note(kind: String) -> void:
	happened.emit([kind])


func _note_id(id: int, kind: String) -> void:
	happened.emit([kind, id])


func _on_packet(id: int, packet: PackedByteArray) -> void:
	happened.emit(["api.peer_packet", id, packet])
