# RPCs in real scene trees of Godot 3.6: a server, or clients, or one client whose uplink is watched.
# ../rpc.gd is the same program for Godot 4, and says what the roles are; keep the two alike.
extends SceneTree

enum State { JOINING, SETTLING, MEASURING, DRAINING, WATCHING }

const Options := preload("res://bench/options.gd")
const Probe := preload("res://bench/probe.gd")
const Unit := preload("res://bench/unit.gd")
const FPS := 60
const DRAIN_SECONDS := 0.4
const FORGOTTEN_SECONDS := 120.0

var options := Options.new()
var probe := Probe.new()
var role := ""
var state: int = State.WATCHING
var counts := {"marked": 0}
var units := []
var peers := []
# The APIs that the tree does not poll.
var apis := []
var marked_sent := 0
var result := {}

var _here := 0


func _initialize() -> void:
	Engine.target_fps = FPS
	role = options.text("role")
	match role:
		"server":
			_open(root, _server(), multiplayer)
			state = State.JOINING
		"sender":
			_open(root, _client(), multiplayer)
			state = State.JOINING
		"clients":
			_open_clients()
		"others":
			var api := MultiplayerAPI.new()
			_open(_holder("server", api), _server(), api)
			api.connect("network_peer_disconnected", self, "_on_left")
			_open_clients()
	options.tell("ready")
	connect("idle_frame", self, "_tick")
	probe.begin()


func _tick() -> void:
	probe.frame()
	for api in apis:
		if api.network_peer != null:
			api.poll()
	if state == State.SETTLING or state == State.MEASURING:
		_move_all(state == State.MEASURING)
	match state:
		State.JOINING:
			if probe.elapsed() > options.seconds("join_limit"):
				_fail("%d of %d peers after the time to join" % [_here, _wanted()])
			elif _here >= _wanted():
				_enter(State.SETTLING)
		State.SETTLING:
			if probe.elapsed() > options.seconds("settle"):
				options.tell("begin")
				_enter(State.MEASURING)
		State.MEASURING:
			if probe.elapsed() > options.seconds("seconds"):
				result = probe.end()
				options.tell("end")
				_enter(State.DRAINING)
		State.DRAINING:
			if probe.elapsed() > DRAIN_SECONDS:
				_end()
		State.WATCHING:
			if probe.elapsed() > FORGOTTEN_SECONDS:
				_fail("nobody has come to an end")


func _move_all(marked: bool) -> void:
	var place := Vector3(Unit.MARK if marked else 0.0, probe.frames * 0.25, 3.0)
	for unit in units:
		unit.rpc_unreliable("move", place)
	if marked:
		marked_sent += units.size() * _here


func _wanted() -> int:
	return options.number("clients") + (1 if role == "sender" else 0)


func _enter(next: int) -> void:
	state = next
	probe.begin()


func _end() -> void:
	result["clients"] = _here
	result["connected"] = _here
	result["marked_sent"] = marked_sent
	options.tell("level", result)
	_leave(0)


func _fail(reason: String) -> void:
	options.tell("failed", {"reason": reason})
	_leave(2)


func _leave(code: int) -> void:
	for peer in peers:
		peer.close_connection()
	options.tell("done", {"marked_received": counts["marked"]})
	quit(code)


func _on_joined(_id: int) -> void:
	_here += 1


func _on_gone(_id: int) -> void:
	_here -= 1


# The watched sender has left, or the server: nothing more will come. The peer that says so is still at work.
func _on_left(_id := 0) -> void:
	if state == State.WATCHING:
		state = State.DRAINING
		call_deferred("_leave", 0)


# --- Peers and their scenes -----------------------------------------------------------------------


func _server() -> NetworkedMultiplayerENet:
	var peer: NetworkedMultiplayerENet = options.new_peer()
	if peer.create_server(options.number("port"), 64) != OK:
		_fail("create_server")
	return peer


func _client() -> NetworkedMultiplayerENet:
	var peer: NetworkedMultiplayerENet = options.new_peer()
	if peer.create_client("127.0.0.1", options.number("port")) != OK:
		_fail("create_client")
	return peer


func _open_clients() -> void:
	for index in options.number("clients"):
		var api := MultiplayerAPI.new()
		_open(_holder("client%d" % index, api), _client(), api)
		api.connect("server_disconnected", self, "_on_left")


# A part of the tree that has a MultiplayerAPI of its own.
func _holder(title: String, api: MultiplayerAPI) -> Node:
	var holder := Node.new()
	holder.name = title
	root.add_child(holder)
	api.set_root_node(holder)
	apis.append(api)
	return holder


func _open(holder: Node, peer: NetworkedMultiplayerENet, api: MultiplayerAPI) -> void:
	var moves := holder == root
	peers.append(peer)
	var world := Node.new()
	world.name = "World"
	for index in options.number("nodes"):
		var unit := Unit.new()
		unit.name = "Unit%d" % index
		unit.counts = counts
		unit.custom_multiplayer = null if moves else api
		world.add_child(unit)
		if moves:
			units.append(unit)
	holder.add_child(world)
	api.network_peer = peer
	if moves:
		api.connect("network_peer_connected", self, "_on_joined")
		api.connect("network_peer_disconnected", self, "_on_gone")
