## An example of the documentation and what it needs around it.
##
## scripts/docs/examples.py writes a subclass for each.
extends Node

const LOCALHOST := "127.0.0.1"
const SECONDS := 15.0
const CONNECTED := MultiplayerPeer.CONNECTION_CONNECTED
const DISCONNECTED := MultiplayerPeer.CONNECTION_DISCONNECTED

var port := 0
## The peer that the example uses or makes. Not always of our class: some examples show another.
var peer: Variant
## The other end of its connection, played by the harness.
var other: NetworkedMultiplayerENet
## The client's id.
var id := 0
## The example as a node, when it is a script, and a second one of it.
var node: Node
var guest: Node
## What the other end has received, as text and as [sender, channel, mode].
var packets: Array[String] = []
var details: Array[Array] = []
## Signals of the other end, such as "peer_connected 1".
var events: Array[String] = []
## What was printed so far.
var printed: Array[String] = []

var _problems: Array[String] = []
## Clients besides those of the example.
var _clients: Array[NetworkedMultiplayerENet] = []


## Overridden: the example, when it is made of statements.
func example() -> void:
	pass


## Overridden: how the peers are set up before they connect.
func before() -> void:
	pass


## Overridden: what is called on the nodes when the example is a script.
func call_node() -> void:
	pass


func call_guest() -> void:
	pass


## Overridden: what is done behind the example.
func then() -> void:
	pass


## Overridden: what must come true.
func expected() -> bool:
	return true


func with() -> String:
	return ""


## Where the script of the example is, when it is one.
func script_path() -> String:
	return ""


## Runs everything; the problems.
func run() -> Array[String]:
	match with():
		"server", "joined":
			peer = NetworkedMultiplayerENet.new()
			_new_other()
			before()
			_check(other.create_server(port) == OK, "the other end is a server")
		"pair":
			peer = NetworkedMultiplayerENet.new()
			_new_other()
			before()
			_check(peer.create_server(port) == OK, "a server")
			_check(other.create_client(LOCALHOST, port) == OK, "the other end is a client")
	if with() == "joined":
		_check(peer.create_client(LOCALHOST, port) == OK, "a client")
	if with() in ["pair", "joined"]:
		await _until(_is_joined, "both are connected")
		id = other.get_unique_id() if with() == "pair" else peer.get_unique_id()
		events.clear()
	if script_path().is_empty():
		@warning_ignore("redundant_await")
		await example()
	elif not await _run_script():
		return _problems
	if with() == "client":
		_new_other()
		before()
		_check(other.create_client(LOCALHOST, port) == OK, "the other end is a client")
	@warning_ignore("redundant_await")
	await then()
	await _until(expected, "what is expected comes true")
	return _problems


## Ends what the example has left, so that its port is free.
func stop() -> void:
	for api in [multiplayer, guest.multiplayer if guest != null else null]:
		if api != null and api.multiplayer_peer is NetworkedMultiplayerENet:
			api.multiplayer_peer.close()
			api.multiplayer_peer = null
	for each: Variant in [peer, other] + _clients:
		if each is MultiplayerPeer:
			each.close()


## Makes `node` a server and `guest` a client of it; returns when each knows the other.
func connect_nodes() -> void:
	peer = NetworkedMultiplayerENet.new()
	_check(peer.create_server(port) == OK, "a server")
	node.multiplayer.multiplayer_peer = peer
	_join(guest.multiplayer)
	id = guest.multiplayer.get_unique_id()
	await _until(
		func() -> bool:
			return id in node.multiplayer.get_peers() and 1 in guest.multiplayer.get_peers(),
		"both nodes are connected"
	)


## A client of the example's server with this MultiplayerAPI.
func join_with(api: MultiplayerAPI) -> void:
	get_parent().new_branch(api)
	_join(api)


## A key that is pressed.
func key(code: Key) -> InputEventKey:
	var event := InputEventKey.new()
	event.keycode = code
	event.pressed = true
	return event


## Adds nodes along a path; the last one.
func add_nodes(parent: Node, path: String) -> Node3D:
	for part in path.split("/"):
		var child := Node3D.new()
		child.name = part
		parent.add_child(child)
		parent = child
	return parent


func _join(api: MultiplayerAPI) -> void:
	var client := NetworkedMultiplayerENet.new()
	_check(client.create_client(LOCALHOST, port) == OK, "a client")
	api.multiplayer_peer = client
	_clients.append(client)


## Lets a frame go by.
func step() -> void:
	if other != null and other.get_connection_status() != DISCONNECTED:
		other.poll()
		while other.get_available_packet_count() > 0:
			details.append(
				[other.get_packet_peer(), other.get_packet_channel(), other.get_packet_mode()]
			)
			packets.append(other.get_packet().get_string_from_utf8())
	var is_polled: bool = peer != null and peer == multiplayer.multiplayer_peer
	if peer != null and not is_polled and peer.get_connection_status() != DISCONNECTED:
		peer.poll()
	printed = get_parent().get_printed()
	await get_tree().process_frame


func _run_script() -> bool:
	var script: GDScript = load(script_path())
	if script == null or not script.can_instantiate():
		_check(false, "the example has errors")
		return false
	node = script.new()
	node.name = "Game"
	add_child(node)
	@warning_ignore("redundant_await")
	await call_node()
	if has_meta("guest"):
		guest = script.new()
		guest.name = "Game"
		get_parent().branch_for(self).add_child(guest)
		@warning_ignore("redundant_await")
		await call_guest()
	if peer == null and multiplayer.multiplayer_peer is NetworkedMultiplayerENet:
		peer = multiplayer.multiplayer_peer
	return true


func _new_other() -> void:
	other = NetworkedMultiplayerENet.new()
	other.peer_connected.connect(func(who: int) -> void: events.append("peer_connected %d" % who))
	other.peer_disconnected.connect(
		func(who: int) -> void: events.append("peer_disconnected %d" % who)
	)
	for name_of_signal: String in [
		"connection_succeeded", "connection_failed", "server_disconnected"
	]:
		other.connect(name_of_signal, func() -> void: events.append(name_of_signal))


func _is_joined() -> bool:
	return (
		peer.get_connection_status() == CONNECTED
		and other.get_connection_status() == CONNECTED
		and events.any(func(event: String) -> bool: return event.begins_with("peer_connected"))
	)


func _until(condition: Callable, what: String) -> void:
	var limit := Time.get_ticks_msec() + int(SECONDS * 1000.0)
	while not condition.call():
		if Time.get_ticks_msec() > limit:
			_check(false, "%s: not within %.0f s" % [what, SECONDS])
			return
		await step()


func _check(condition: bool, what: String) -> void:
	if not condition:
		_problems.append(what)
