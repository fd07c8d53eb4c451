## The server's side of the game: takes what clients want into the world, and tells them what
## becomes of it.
class_name ArenaServer
extends Node

const BOT_NAMES: Array[String] = [
	"Bolt",
	"Pixel",
	"Rusty",
	"Noodle",
	"Comet",
	"Waffle",
	"Turbo",
	"Mochi",
	"Biscuit",
	"Nova",
	"Gizmo",
	"Pepper",
	"Domino",
	"Ziggy",
	"Truffle",
	"Echo",
]

var world := ArenaWorld.new()

var _messages: ArenaMessages
var _bots := 0
## ArenaBrain by bot.
var _brains := {}
var _is_running := false


func start(messages: ArenaMessages, bots: int) -> void:
	_messages = messages
	_bots = bots
	_messages.hello_received.connect(_on_hello_received)
	_messages.input_received.connect(_on_input_received)
	multiplayer.peer_disconnected.connect(_on_peer_disconnected)
	world.player_joined.connect(_on_player_joined)
	world.player_left.connect(func(id: int) -> void: _messages.tell_left.rpc(id))
	world.coin_appeared.connect(
		func(coin: int, where: Vector2) -> void: _messages.tell_coin.rpc(coin, where)
	)
	world.coin_taken.connect(
		func(coin: int, player: ArenaPlayer) -> void:
			_messages.tell_taken.rpc(coin, player.id, player.score)
	)
	world.player_hit.connect(
		func(player: ArenaPlayer, by: ArenaPlayer) -> void:
			_messages.tell_hit.rpc(player.id, by.id, player.score)
	)
	_is_running = true


## Stops the world, so that everybody ends with the same scores, and says why.
func stop(reason: String) -> void:
	_is_running = false
	_messages.tell_closing.rpc(reason)


## Players without the bots.
func count_humans() -> int:
	return world.players.size() - _brains.size()


func _physics_process(delta: float) -> void:
	# An empty arena costs nothing.
	if not _is_running or world.players.is_empty():
		return
	_move_bots(delta)
	world.step(delta)
	_messages.snapshot.rpc(ArenaSnapshot.encode(world.tick, world.players))


func _on_hello_received(id: int, player_name: String) -> void:
	if world.players.has(id) or not _is_running:
		return
	world.add_player(id, player_name)
	_adjust_bots()


func _on_player_joined(player: ArenaPlayer) -> void:
	# The others have got the rest already. A bot has nobody to welcome.
	_messages.tell_joined.rpc(player.id, player.name, player.colour)
	if player.id > 0:
		_welcome(player.id)


func _welcome(id: int) -> void:
	var table := {}
	for player: ArenaPlayer in world.players.values():
		table[player.id] = [player.name, player.colour, player.score]
	_messages.welcome.rpc_id(id, table, world.coins)


func _on_input_received(id: int, direction: Vector2, dash: bool) -> void:
	if world.players.has(id):
		world.players[id].direction = direction
		world.players[id].wants_dash = dash


func _on_peer_disconnected(id: int) -> void:
	if _is_running:
		world.remove_player(id)
		_adjust_bots()


## Bots keep a lone player company, and one goes for each further player.
func _adjust_bots() -> void:
	var humans := count_humans()
	var wanted := maxi(_bots + 1 - humans, 0) if humans > 0 else 0
	while _brains.size() > wanted:
		var bot: int = _brains.keys().back()
		_brains.erase(bot)
		world.remove_player(bot)
	while _brains.size() < wanted:
		var bot := -1 - _brains.size()
		_brains[bot] = ArenaBrain.new()
		world.add_player(bot, BOT_NAMES[_brains.size() - 1])


func _move_bots(delta: float) -> void:
	for bot: int in _brains:
		var player: ArenaPlayer = world.players[bot]
		var others := []
		for other: ArenaPlayer in world.players.values():
			if other != player:
				others.append(other.position)
		_brains[bot].think(player.position, world.coins.values(), others, delta)
		player.direction = _brains[bot].direction
		player.wants_dash = _brains[bot].wants_dash
