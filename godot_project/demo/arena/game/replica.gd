## What a client knows of the server's world, and where to show the players now.
##
## Snapshots arrive in jerks, and some never. So players are shown a little in the past, between
## the two snapshots around that moment.
class_name ArenaReplica
extends Node

signal welcomed
signal players_changed
signal coin_taken(where: Vector2, id: int)
signal player_hit(where: Vector2, by: int)

## How far in the past, in ticks: enough for one lost snapshot.
const DELAY := 2.5
const REMEMBERED := 12


## What events have told about a player.
class Player:
	extends RefCounted

	var name := ""
	var colour := 0
	var score := 0
	var ping := 0.0


var is_welcome := false
## Player by id.
var players := {}
## Positions by coin.
var coins := {}
## ArenaSnapshot.State by player: where they are shown.
var shown := {}
## The newest ones, in the order of their ticks.
var snapshots: Array[ArenaSnapshot] = []

var _tick := 0.0


func start(messages: ArenaMessages) -> void:
	messages.welcome_received.connect(_on_welcome_received)
	messages.player_joined.connect(_on_player_joined)
	messages.player_left.connect(_on_player_left)
	messages.coin_appeared.connect(_on_coin_appeared)
	messages.coin_taken.connect(_on_coin_taken)
	messages.player_hit.connect(_on_player_hit)
	messages.pings_received.connect(_on_pings_received)
	messages.snapshot_received.connect(_on_snapshot_received)


func clear() -> void:
	is_welcome = false
	players.clear()
	coins.clear()
	shown.clear()
	snapshots.clear()
	players_changed.emit()


## The name of a player, also of one that has not said hello.
func name_of(id: int) -> String:
	return players[id].name if players.has(id) else "peer %d" % id


func newest() -> ArenaSnapshot:
	return snapshots.back() if not snapshots.is_empty() else null


func _process(delta: float) -> void:
	if snapshots.is_empty():
		return
	_advance(delta)
	var second := 0
	while second < snapshots.size() - 1 and snapshots[second].tick < _tick:
		second += 1
	var to := snapshots[second]
	var from := snapshots[maxi(second - 1, 0)]
	var length := maxi(to.tick - from.tick, 1)
	shown = ArenaSnapshot.between(from, to, clampf((_tick - from.tick) / length, 0.0, 1.0))


## Follows the server's clock softly; a large gap is jumped over.
func _advance(delta: float) -> void:
	var wanted := newest().tick - DELAY
	_tick += delta * ArenaWorld.TICKS_PER_SECOND
	if absf(wanted - _tick) > ArenaWorld.TICKS_PER_SECOND / 3.0:
		_tick = wanted
	else:
		_tick = lerpf(_tick, wanted, minf(delta * 4.0, 1.0))


func _on_snapshot_received(bytes: PackedByteArray) -> void:
	var snapshot := ArenaSnapshot.decode(bytes)
	if snapshot == null or not is_welcome:
		return
	# Late ones have nothing to tell any more.
	if not snapshots.is_empty() and snapshot.tick <= newest().tick:
		return
	snapshots.append(snapshot)
	if snapshots.size() > REMEMBERED:
		snapshots.pop_front()


func _on_welcome_received(table: Dictionary, coin_table: Dictionary) -> void:
	clear()
	for id: int in table:
		_add(id, table[id][0], table[id][1], table[id][2])
	coins = coin_table.duplicate()
	is_welcome = true
	players_changed.emit()
	welcomed.emit()


func _on_player_joined(id: int, player_name: String, colour: int) -> void:
	if is_welcome:
		_add(id, player_name, colour, 0)
		players_changed.emit()


func _on_player_left(id: int) -> void:
	players.erase(id)
	players_changed.emit()


func _on_coin_appeared(coin: int, where: Vector2) -> void:
	coins[coin] = where


func _on_coin_taken(coin: int, id: int, score: int) -> void:
	_set_score(id, score)
	if coins.has(coin):
		coin_taken.emit(coins[coin], id)
		coins.erase(coin)


func _on_player_hit(id: int, by: int, score: int) -> void:
	_set_score(id, score)
	if shown.has(id):
		player_hit.emit(shown[id].position, by)


func _on_pings_received(table: Dictionary) -> void:
	for id: int in table:
		if players.has(id):
			players[id].ping = table[id]


func _add(id: int, player_name: String, colour: int, score: int) -> void:
	var player := Player.new()
	player.name = player_name
	player.colour = colour
	player.score = score
	players[id] = player


func _set_score(id: int, score: int) -> void:
	if players.has(id):
		players[id].score = score
		players_changed.emit()
