## One of a party: a branch of the tree with a SceneMultiplayer of its own, in this process.
## Notes what that tells, with titles in place of ids.
extends Node

## The class whose peers this member uses.
var kind: StringName
## Untyped, as it is of either class.
var peer: MultiplayerPeer
var api: SceneMultiplayer
## What happened, such as "connected first".
var events: Array[String] = []
## Title by id, shared by the whole party.
var titles: Dictionary
## Called with an id when a peer begins to authenticate.
var on_authenticating := Callable()
## Called with an id and a text when authentication data comes.
var on_auth := Callable()


func set_up(title: String, of_kind: StringName, shared_titles: Dictionary) -> void:
	name = title
	kind = of_kind
	titles = shared_titles
	api = SceneMultiplayer.new()
	get_tree().set_multiplayer(api, get_path())
	for signal_name: String in ["connected_to_server", "connection_failed", "server_disconnected"]:
		api.connect(signal_name, _note.bind(signal_name))
	api.peer_connected.connect(_note_id.bind("connected"))
	api.peer_disconnected.connect(_note_id.bind("disconnected"))
	api.peer_authenticating.connect(_on_authenticating)
	api.peer_authentication_failed.connect(_note_id.bind("failed"))
	api.peer_packet.connect(_on_packet)


func tear_down() -> void:
	api.auth_callback = Callable()
	api.multiplayer_peer = null
	get_tree().set_multiplayer(null, get_path())
	peer = null
	queue_free()


func authenticate(timeout := 3.0) -> void:
	api.auth_callback = _on_auth
	api.auth_timeout = timeout


func serve(port: int) -> Error:
	_make()
	var error: Error = peer.call("create_server", port)
	_use(error)
	return error


func join(port: int) -> Error:
	_make()
	var error: Error = peer.call("create_client", "127.0.0.1", port)
	_use(error)
	return error


func id() -> int:
	return peer.get_unique_id()


func send_auth(to: int, text: String) -> Error:
	return api.send_auth(to, text.to_utf8_buffer())


func put(to: int, text: String) -> Error:
	peer.set_target_peer(to)
	peer.transfer_mode = MultiplayerPeer.TRANSFER_MODE_RELIABLE
	return peer.put_packet(text.to_utf8_buffer())


func seen(event: String) -> int:
	return events.count(event)


## The titles of everybody connected and of everybody who authenticates.
func known() -> Array:
	var all := []
	for ids: PackedInt32Array in [api.get_peers(), api.get_authenticating_peers()]:
		var names := []
		for peer_id in ids:
			names.append(title_of(peer_id))
		names.sort()
		all.append(names)
	return all


func title_of(peer_id: int) -> String:
	return titles.get(peer_id, "nobody")


@rpc("any_peer", "reliable")
func hear(text: String) -> void:
	events.append("heard %s %s" % [title_of(api.get_remote_sender_id()), text])


func _make() -> void:
	peer = ClassDB.instantiate(kind)


func _use(error: Error) -> void:
	if error == OK:
		titles[peer.get_unique_id()] = String(name)
		api.multiplayer_peer = peer


func _note(event: String) -> void:
	events.append(event)


func _note_id(peer_id: int, event: String) -> void:
	events.append("%s %s" % [event, title_of(peer_id)])


func _on_authenticating(peer_id: int) -> void:
	_note_id(peer_id, "authenticating")
	if on_authenticating.is_valid():
		on_authenticating.call(peer_id)


func _on_auth(peer_id: int, data: PackedByteArray) -> void:
	events.append("auth %s %s" % [title_of(peer_id), data.get_string_from_utf8()])
	if on_auth.is_valid():
		on_auth.call(peer_id, data.get_string_from_utf8())


func _on_packet(peer_id: int, packet: PackedByteArray) -> void:
	events.append("packet %s %s" % [title_of(peer_id), packet.get_string_from_utf8()])
