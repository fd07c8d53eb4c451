## A dedicated server in a fleet: tells Agones when it is ready, has players, is empty or ends.
class_name ArenaFleet
extends Node

## Agones takes this server down.
signal ending

## As in the manifests of demo/server/agones.
const COUNTER := "players"

var _agones := AgonesSdk.new()
var _server: ArenaServer
var _capacity := 0
var _players := 0
var _idle := Timer.new()


## Does nothing where there is no Agones.
func start(server: ArenaServer, options: ArenaOptions) -> void:
	_server = server
	_capacity = options.max_clients
	_idle.wait_time = options.empty_seconds
	_idle.one_shot = true
	_idle.timeout.connect(_agones.tell_ready)
	add_child(_idle)
	add_child(_agones)
	if not _agones.start():
		return
	_agones.state_changed.connect(_on_state_changed)
	server.world.player_joined.connect(func(_player: ArenaPlayer) -> void: _look())
	server.world.player_left.connect(func(_id: int) -> void: _look())
	_agones.set_count(COUNTER, 0, _capacity)
	_agones.tell_ready()


## Nobody comes any more, so an empty server is not ready again.
func stop_offering() -> void:
	_idle.timeout.disconnect(_agones.tell_ready)


## Await it before the process ends.
func end() -> void:
	await _agones.shut_down()


## Players make this server an allocated one, also those whom no allocator has sent.
func _look() -> void:
	var players := _server.count_humans()
	if players == _players:
		return
	if _players == 0:
		_agones.allocate()
		_idle.stop()
	elif players == 0:
		_idle.start()
	_players = players
	_agones.set_count(COUNTER, players, _capacity)


func _on_state_changed(state: String) -> void:
	print("fleet: ", state)
	if state == "Allocated" and _players == 0:
		# Those whom the allocator sends may never come.
		_idle.start()
	elif state == "Shutdown":
		ending.emit()
