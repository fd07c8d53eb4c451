## RPCs in real scene trees: a server, or clients, or one client whose uplink is watched.
##
## Started by scripts/bench with a `role`. godot3/rpc.gd is the same program for Godot 3.6; keep the
## two alike. server: `nodes` RPCs per frame to `clients`. clients: receive those. sender: `nodes`
## RPCs per frame to everybody, once it knows `clients` others and the server. others: a server and
## `clients`, who receive what the sender sends.
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
var state := State.WATCHING
var counts := {"marked": 0}
var units: Array[Unit] = []
var peers: Array[MultiplayerPeer] = []
var marked_sent := 0
var result := {}

var _here := 0


func _initialize() -> void:
	Engine.max_fps = FPS
	# Paths of nodes are known once the root is in the tree.
	process_frame.connect(_open_all, CONNECT_ONE_SHOT)


func _open_all() -> void:
	role = options.text("role")
	_set_multiplayer(root)
	match role:
		"server":
			_open(root, _server(), true)
			state = State.JOINING
		"sender":
			_open(root, _client(), true)
			state = State.JOINING
		"clients":
			_open_clients()
		"others":
			var holder := _holder("server")
			_open(holder, _server(), false)
			get_multiplayer(holder.get_path()).peer_disconnected.connect(_on_left)
			_open_clients()
	options.tell("ready")
	process_frame.connect(_tick)
	probe.begin()


func _tick() -> void:
	probe.frame()
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
	var turns := options.number("arguments") == 3
	for unit in units:
		if turns:
			unit.turn.rpc(place, 0.25, probe.frames)
		else:
			unit.move.rpc(place)
	if marked:
		marked_sent += units.size() * _here


func _wanted() -> int:
	return options.number("clients") + (1 if role == "sender" else 0)


func _enter(next: State) -> void:
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
		peer.close()
	options.tell("done", {"marked_received": counts["marked"]})
	quit(code)


func _on_joined(_id: int) -> void:
	_here += 1


func _on_gone(_id: int) -> void:
	_here -= 1


## The watched sender has left, or the server: nothing more will come. The peer that says so is
## still at work.
func _on_left(_id := 0) -> void:
	if state == State.WATCHING:
		state = State.DRAINING
		_leave.call_deferred(0)


# --- Peers and their scenes --------------------------------------------------------------------


func _server() -> MultiplayerPeer:
	var peer := options.new_peer()
	if peer is OfflineMultiplayerPeer:
		return peer
	if peer.call("create_server", options.number("port"), 64) != OK:
		_fail("create_server")
	return peer


func _client() -> MultiplayerPeer:
	var peer := options.new_peer()
	if peer.call("create_client", "127.0.0.1", options.number("port")) != OK:
		_fail("create_client")
	return peer


func _open_clients() -> void:
	for index in options.number("clients"):
		var holder := _holder("client%d" % index)
		_open(holder, _client(), false)
		get_multiplayer(holder.get_path()).server_disconnected.connect(_on_left)


## A part of the tree that has a MultiplayerAPI of its own.
func _holder(title: String) -> Node:
	var holder := Node.new()
	holder.name = title
	root.add_child(holder)
	_set_multiplayer(holder)
	return holder


## The MultiplayerAPI that is measured. In "inner" the server has one of ours, and the clients the
## engine's.
func _set_multiplayer(holder: Node) -> void:
	var wanted := options.text("multiplayer")
	var api: MultiplayerAPI = SceneMultiplayer.new()
	if wanted == "godot3" or (wanted == "inner" and holder == root):
		api = ClassDB.instantiate("Godot3Multiplayer")
		if wanted == "inner":
			api.set("default_peer_dialect", 2)
	set_multiplayer(api, NodePath() if holder == root else holder.get_path())


func _open(holder: Node, peer: MultiplayerPeer, moves: bool) -> void:
	peers.append(peer)
	var world := Node.new()
	world.name = "World"
	for index in options.number("nodes"):
		var unit := Unit.new()
		unit.name = "Unit%d" % index
		unit.counts = counts
		world.add_child(unit)
		if moves:
			units.append(unit)
	holder.add_child(world)
	var api := get_multiplayer(holder.get_path())
	api.multiplayer_peer = peer
	if moves:
		api.peer_connected.connect(_on_joined)
		api.peer_disconnected.connect(_on_gone)
