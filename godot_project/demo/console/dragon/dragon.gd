extends Node
## The dragon. Its authority is the server; heroes have puppets of it: godot3/dragon.gd, ported.

const DAMAGE := 4
const SHARE := 50
## `master func`, for which `@rpc` has no word.
const MASTER := {"rpc_mode": MultiplayerAPI.RPC_MODE_ANY_PEER, "godot3": "master"}

var health := 10:
	set = _set_health
## Ids of the heroes; the first one strikes next.
var turns: Array[int] = []

@onready var api: Godot3Multiplayer = multiplayer
@onready var cave := get_parent()


func _ready() -> void:
	rpc_config(&"challenge", MASTER)
	rpc_config(&"hit", MASTER)
	api.rset_config(self, &"health", Godot3Multiplayer.RPC_MODE_PUPPET)


# --- At the master ----------------------------------------------------------------------------


func challenge() -> void:
	print("<- challenge() from %s" % cave.caller())
	turns.append(multiplayer.get_remote_sender_id())
	if turns.size() == cave.HEROES:
		turns.sort_custom(_has_turn_before)
		_next_turn()


func hit(damage: int, where: String) -> void:
	print("<- hit(%d, %s) from %s" % [damage, where, cave.caller()])
	health = maxi(0, health - damage)
	print("-> health = %d to all" % health)
	api.rset(self, &"health", health)
	if health > 0:
		turns.push_back(turns.pop_front())
		_next_turn()
	else:
		print("-> fall(%s) to all" % cave.caller())
		fall.rpc(cave.caller())


func _next_turn() -> void:
	print("-> your_turn() to %s" % cave.names[turns[0]])
	your_turn.rpc_id(turns[0])


func share_gold() -> void:
	var shares := {}
	for id in turns:
		shares[cave.names[id]] = SHARE
	print("-> go_home(gold) to all")
	go_home.rpc(shares)


func _has_turn_before(first: int, second: int) -> bool:
	return cave.names[first] < cave.names[second]


# --- At the puppets ---------------------------------------------------------------------------

@rpc("authority", "reliable")
func your_turn() -> void:
	print("<- your_turn() from %s" % cave.caller())
	print("-> shout(For the gold!) to all")
	cave.shout.rpc("For the gold!")
	print("-> hit(%d, sword) to server" % DAMAGE)
	hit.rpc_id(1, DAMAGE, "sword")


@rpc("authority", "call_local", "reliable")
func fall(by: String) -> void:
	print("<- fall(%s) from %s" % [by, cave.caller()])
	if not is_multiplayer_authority():
		print("-> sing(The dragon is dead) to all")
		cave.sing.rpc("The dragon is dead")


@rpc("authority", "reliable")
func go_home(gold: Dictionary) -> void:
	print("<- go_home(%d gold) from %s" % [gold[cave.nickname], cave.caller()])
	cave.leave.call_deferred()


func _set_health(value: int) -> void:
	health = value
	if not is_multiplayer_authority():
		print("<- health = %d" % health)
