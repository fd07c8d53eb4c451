## The rules of the game: collect coins; dash into others, and they drop some of theirs.
##
## It runs on the server only, and knows nothing of the network: it takes directions, and emits
## signals.
class_name ArenaWorld
extends RefCounted

signal player_joined(player: ArenaPlayer)
signal player_left(id: int)
signal coin_appeared(coin: int, where: Vector2)
signal coin_taken(coin: int, player: ArenaPlayer)
signal player_hit(player: ArenaPlayer, by: ArenaPlayer)

const TICKS_PER_SECOND := 30
const SIZE := Vector2(840.0, 600.0)
const COIN_RADIUS := 10.0
## Seconds between two coins for each player, and how many may lie around.
const COIN_PAUSE := 1.6
const COINS := 18
## What a player who is hit drops at most.
const LOOT := 3
const COLOURS := 8

static var pillars: Array[Vector3] = [
	Vector3(210.0, 165.0, 34.0),
	Vector3(630.0, 165.0, 34.0),
	Vector3(420.0, 300.0, 52.0),
	Vector3(210.0, 435.0, 34.0),
	Vector3(630.0, 435.0, 34.0),
]

var tick := 0
## ArenaPlayer by id. Bots have negative ids, as no peer has those.
var players := {}
## Positions by coin.
var coins := {}

var _last_coin := 0
var _coin_wait := 0.0


func add_player(id: int, name: String) -> void:
	var player := ArenaPlayer.new()
	player.id = id
	player.name = name if name != "" else "Player"
	player.colour = _free_colour()
	player.position = _free_place()
	players[id] = player
	player_joined.emit(player)


func remove_player(id: int) -> void:
	if players.erase(id):
		player_left.emit(id)


func step(delta: float) -> void:
	tick += 1
	for player: ArenaPlayer in players.values():
		player.move(delta)
	_part_players()
	for player: ArenaPlayer in players.values():
		_keep_inside(player)
		_collect(player)
	_coin_wait -= delta
	if _coin_wait <= 0.0 and coins.size() < COINS and not players.is_empty():
		_coin_wait = COIN_PAUSE / players.size()
		_add_coin(_free_place())


func _part_players() -> void:
	var list := players.values()
	for i in list.size():
		for k in range(i + 1, list.size()):
			_part(list[i], list[k])


## Two players in one place: each gives way by half, and a dash is a hit.
func _part(first: ArenaPlayer, second: ArenaPlayer) -> void:
	var between := second.position - first.position
	var overlap := 2.0 * ArenaPlayer.RADIUS - between.length()
	if overlap <= 0.0:
		return
	var away := between.normalized() if between != Vector2.ZERO else Vector2.RIGHT
	first.position -= away * overlap * 0.5
	second.position += away * overlap * 0.5
	if first.is_dashing() and not second.is_dashing():
		_hit(second, first, away)
	elif second.is_dashing() and not first.is_dashing():
		_hit(first, second, -away)


func _hit(player: ArenaPlayer, by: ArenaPlayer, away: Vector2) -> void:
	if player.safe_left > 0.0:
		return
	player.be_hit(away)
	by.dash_left = 0.0
	by.velocity = Vector2.ZERO
	var dropped := mini(LOOT, player.score)
	player.score -= dropped
	player_hit.emit(player, by)
	for i in dropped:
		var where := player.position + Vector2.from_angle(randf() * TAU) * randf_range(45.0, 80.0)
		_add_coin(_pushed_out(where, COIN_RADIUS))


func _keep_inside(player: ArenaPlayer) -> void:
	player.position = _pushed_out(player.position, ArenaPlayer.RADIUS)


## The nearest place in the arena for something round.
func _pushed_out(place: Vector2, radius: float) -> Vector2:
	for pillar in pillars:
		var centre := Vector2(pillar.x, pillar.y)
		var least := pillar.z + radius
		if place.distance_to(centre) < least:
			var away := (place - centre).normalized()
			place = centre + (away if away != Vector2.ZERO else Vector2.UP) * least
	var margin := Vector2(radius, radius)
	return place.clamp(margin, SIZE - margin)


func _collect(player: ArenaPlayer) -> void:
	if player.is_stunned():
		return
	var reach := ArenaPlayer.RADIUS + COIN_RADIUS
	for coin: int in coins.keys():
		if player.position.distance_to(coins[coin]) < reach:
			coins.erase(coin)
			player.score += 1
			coin_taken.emit(coin, player)


func _add_coin(where: Vector2) -> void:
	_last_coin += 1
	coins[_last_coin] = where
	coin_appeared.emit(_last_coin, where)


func _free_place() -> Vector2:
	var margin := ArenaPlayer.RADIUS * 2.0
	var x := randf_range(margin, SIZE.x - margin)
	var y := randf_range(margin, SIZE.y - margin)
	return _pushed_out(Vector2(x, y), ArenaPlayer.RADIUS * 1.5)


func _free_colour() -> int:
	var used := {}
	for player: ArenaPlayer in players.values():
		used[player.colour] = true
	for colour in COLOURS:
		if not used.has(colour):
			return colour
	return players.size() % COLOURS
