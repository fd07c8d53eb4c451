## What a client that plays by itself says: it greets each player, and boasts now and then.
class_name ArenaChatter
extends Node

const GREETING := "Hi, I am %s!"
const BOASTS: Array[String] = [
	"%d coins already!", "%d coins. Catch me!", "Who has more than %d?", "%d, and counting."
]
const BOAST_STEP := 5

var _messages: ArenaMessages
var _replica: ArenaReplica
var _name := ""
var _greeted := {}
var _best := 0


func start(messages: ArenaMessages, replica: ArenaReplica, player_name: String) -> void:
	_messages = messages
	_replica = replica
	_name = player_name
	replica.players_changed.connect(_greet)
	multiplayer.peer_connected.connect(func(_id: int) -> void: _greet())
	replica.players_changed.connect(_boast)


## A client can send to another as soon as it has heard of both: the server's event that somebody
## plays, and the relay's news that it is connected. They come on different channels, in any order.
func _greet() -> void:
	for id: int in _replica.players:
		if id in multiplayer.get_peers() and not _greeted.has(id):
			_greeted[id] = true
			_messages.say.rpc_id(id, GREETING % _name)


func _boast() -> void:
	var id := multiplayer.get_unique_id()
	if not _replica.players.has(id):
		return
	var score: int = _replica.players[id].score
	if score >= _best + BOAST_STEP:
		_best = score
		_messages.say.rpc(BOASTS.pick_random() % score)
