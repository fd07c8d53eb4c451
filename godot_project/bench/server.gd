## A server under test: takes in a crowd of clients, lets it settle, and measures itself.
##
## Started by scripts/bench with `-- --name=value ...`. Godot 3.6 plays it, too, in a
## translation. `levels` are the numbers of clients, one after the other;
## `packets` of `size` bytes go to everybody in each frame. With `api` 1, a SceneMultiplayer stands
## between the server and the peer.
extends SceneTree

enum State { IDLE, JOINING, SETTLING, MEASURING, DRAINING }

const Options := preload("res://bench/options.gd")
const Probe := preload("res://bench/probe.gd")
const FPS := 60
const IDLE_SECONDS := 0.5
const DRAIN_SECONDS := 0.4
const MARK := 1

var options := Options.new()
var probe := Probe.new()
var peer: MultiplayerPeer
var state := State.IDLE
var levels: Array[int] = []
var arrived := 0
var connected := 0
var lost := 0
var result := {}
var marked_sent := 0
var marked_received := 0

var _uses_api := false
var _marking := false
var _joined_at := 0.0
var _drained := 0.0
var _plain: Array[PackedByteArray] = []
var _marked: Array[PackedByteArray] = []


func _initialize() -> void:
	levels = options.numbers("levels")
	# In Godot 3.6 the peer itself does what SceneMultiplayer does in Godot 4.
	_uses_api = options.number("api") == 1 and ClassDB.class_exists("SceneMultiplayer")
	for index in options.number("packets"):
		_plain.append(_payload(index, options.number("size"), 0))
		_marked.append(_payload(index, options.number("size"), MARK))
	peer = options.new_peer()
	var most: int = min(4095, levels.max() + 5)
	var error: int = peer.call("create_server", options.number("port"), most)
	if error != OK:
		options.tell("failed", {"reason": "create_server: %d" % error})
		quit(2)
		return
	if _uses_api:
		var api: Variant = get_multiplayer()
		api.multiplayer_peer = peer
		api.peer_connected.connect(_on_peer_connected)
		api.peer_disconnected.connect(_on_peer_disconnected)
		api.peer_packet.connect(_on_peer_packet)
	else:
		multiplayer_poll = false
		peer.peer_connected.connect(_on_peer_connected)
		peer.peer_disconnected.connect(_on_peer_disconnected)
	Engine.max_fps = FPS
	process_frame.connect(_tick)
	probe.begin()


func _tick() -> void:
	probe.frame()
	if not _uses_api:
		peer.poll()
		while peer.get_available_packet_count() > 0:
			_count(peer.get_packet())
	if state >= State.SETTLING:
		_broadcast()
	match state:
		State.IDLE:
			if probe.elapsed() > IDLE_SECONDS:
				_end_idle()
		State.JOINING:
			if arrived >= levels[0] or probe.elapsed() > options.seconds("join_limit"):
				_end_joining()
		State.SETTLING:
			if probe.elapsed() > options.seconds("settle"):
				_begin_measuring()
		State.MEASURING:
			if probe.elapsed() > _measuring_seconds():
				_end_measuring()
		State.DRAINING:
			if probe.elapsed() > _drained:
				_end_level()


# --- One frame --------------------------------------------------------------------------------


func _broadcast() -> void:
	if _plain.is_empty():
		return
	peer.set_target_peer(MultiplayerPeer.TARGET_PEER_BROADCAST)
	for payload in _marked if _marking else _plain:
		peer.put_packet(payload)
	if _marking:
		marked_sent += connected * _marked.size()


func _count(packet: PackedByteArray) -> void:
	if packet[0] == MARK:
		marked_received += 1


func _on_peer_packet(_from: int, packet: PackedByteArray) -> void:
	_count(packet)


func _on_peer_connected(_id: int) -> void:
	connected += 1
	arrived += 1
	if arrived == levels[0]:
		_joined_at = Time.get_unix_time_from_system()


func _on_peer_disconnected(_id: int) -> void:
	connected -= 1
	lost += 1


# --- From one state to the next ----------------------------------------------------------------


func _end_idle() -> void:
	var idle := probe.end()
	options.tell("ready", {"idle_cpu_nsec": idle["cpu_nsec"] / maxi(1, idle["frames"])})
	_begin_joining()


func _begin_joining() -> void:
	options.tell("want", {"clients": levels[0]})
	state = State.JOINING
	probe.begin()


func _end_joining() -> void:
	var joining := probe.end()
	result = {"clients": levels[0], "joined": arrived}
	result["joined_at"] = _joined_at if arrived >= levels[0] else null
	result["join_cpu_nsec"] = joining["cpu_nsec"]
	result["join_datagrams"] = joining["datagrams"]
	options.tell("send")
	state = State.SETTLING
	probe.begin()


func _begin_measuring() -> void:
	options.tell("begin")
	state = State.MEASURING
	_marking = true
	marked_sent = 0
	probe.begin()


## The last level may be held for longer.
func _measuring_seconds() -> float:
	var last := options.seconds("last_seconds")
	return last if levels.size() == 1 and last > 0.0 else options.seconds("seconds")


func _end_measuring() -> void:
	result.merge(probe.end())
	options.tell("end")
	result["connected"] = connected
	result["lost"] = lost
	_marking = false
	_drained = probe.elapsed() + DRAIN_SECONDS
	state = State.DRAINING


func _end_level() -> void:
	result["marked_sent"] = marked_sent
	result["marked_received"] = marked_received
	options.tell("level", result)
	levels.pop_front()
	if levels.is_empty():
		options.tell("done")
		quit(0)
	else:
		_begin_joining()


## Bytes that compression can do something with, as those of games; no two packets of a frame are
## alike.
static func _payload(index: int, size: int, mark: int) -> PackedByteArray:
	var bytes := PackedByteArray()
	bytes.resize(size)
	bytes.fill(0)
	for i in range(9, size):
		bytes[i] = (i * i + 7 * index) % 61
	bytes[0] = mark
	return bytes
