## Prints what happens, for the server's log; with --log also what the tests compare.
class_name ArenaReporter
extends Node

## Ticks between two lines about the positions.
const STATE_PAUSE := 10

## Whether it also prints where everybody is.
var tells_states := false

var _connection: ArenaConnection
var _replica: ArenaReplica
var _server: ArenaServer
var _last_tick := 0


func start(connection: ArenaConnection, messages: ArenaMessages, replica: ArenaReplica) -> void:
	_connection = connection
	_replica = replica
	messages.chat_received.connect(
		func(id: int, text: String) -> void: print("chat %d %s" % [id, text])
	)
	messages.closing_received.connect(_on_closing_received)


func start_server(server: ArenaServer) -> void:
	_server = server
	server.world.player_joined.connect(
		func(player: ArenaPlayer) -> void: print("joined %d %s" % [player.id, player.name])
	)
	server.world.player_left.connect(func(id: int) -> void: print("left %d" % id))
	if tells_states:
		server.world.coin_taken.connect(
			func(_coin: int, player: ArenaPlayer) -> void: print("taken %d" % player.id)
		)


func _physics_process(_delta: float) -> void:
	if not tells_states:
		return
	if _server != null:
		_tell_state(_server.world.tick, _server.world.players)
		return
	for snapshot in _replica.snapshots:
		if snapshot.tick > _last_tick:
			_tell_state(snapshot.tick, snapshot.states)


func _tell_state(tick: int, states: Dictionary) -> void:
	if tick <= _last_tick:
		return
	_last_tick = tick
	if tick % STATE_PAUSE != 0:
		return
	var words := PackedStringArray()
	for id: int in states:
		words.append("%d:%.2f,%.2f" % [id, states[id].position.x, states[id].position.y])
	print("state %d %s" % [tick, " ".join(words)])


## At the server's end everybody knows the same.
func _on_closing_received(reason: String) -> void:
	print("closing: ", reason)
	var scores := PackedStringArray()
	var players: Dictionary = _server.world.players if _server != null else _replica.players
	for id: int in players:
		scores.append("%d=%d" % [id, players[id].score])
	print("scores ", " ".join(scores))
	for id: int in _replica.players:
		print("ping %d %.2f" % [id, _replica.players[id].ping])
	var peer := _connection.peer
	print("bytes %d %d" % [peer.get_sent_bytes(), peer.get_received_bytes()])
