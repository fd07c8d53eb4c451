# The dragon. Its master is the server; heroes have puppets of it.
extends Node

const DAMAGE := 4
const SHARE := 50

puppet var health := 10 setget _set_health
# Ids of the heroes; the first one strikes next.
var turns := []

onready var cave := get_parent()


# --- At the master ----------------------------------------------------------------------------


master func challenge() -> void:
	print("<- challenge() from %s" % cave.caller())
	turns.append(get_tree().get_rpc_sender_id())
	if turns.size() == cave.HEROES:
		turns.sort_custom(self, "_has_turn_before")
		_next_turn()


master func hit(damage: int, where: String) -> void:
	print("<- hit(%d, %s) from %s" % [damage, where, cave.caller()])
	health = int(max(0, health - damage))
	print("-> health = %d to all" % health)
	rset("health", health)
	if health > 0:
		turns.push_back(turns.pop_front())
		_next_turn()
	else:
		print("-> fall(%s) to all" % cave.caller())
		rpc("fall", cave.caller())


func _next_turn() -> void:
	print("-> your_turn() to %s" % cave.names[turns[0]])
	rpc_id(turns[0], "your_turn")


func share_gold() -> void:
	var shares := {}
	for id in turns:
		shares[cave.names[id]] = SHARE
	print("-> go_home(gold) to all")
	rpc("go_home", shares)


func _has_turn_before(first: int, second: int) -> bool:
	return cave.names[first] < cave.names[second]


# --- At the puppets ---------------------------------------------------------------------------


puppet func your_turn() -> void:
	print("<- your_turn() from %s" % cave.caller())
	print("-> shout(For the gold!) to all")
	cave.rpc("shout", "For the gold!")
	print("-> hit(%d, sword) to server" % DAMAGE)
	rpc_id(1, "hit", DAMAGE, "sword")


puppetsync func fall(by: String) -> void:
	print("<- fall(%s) from %s" % [by, cave.caller()])
	if not is_network_master():
		print("-> sing(The dragon is dead) to all")
		cave.rpc("sing", "The dragon is dead")


puppet func go_home(gold: Dictionary) -> void:
	print("<- go_home(%d gold) from %s" % [gold[cave.nickname], cave.caller()])
	cave.call_deferred("leave")


func _set_health(value: int) -> void:
	health = value
	print("<- health = %d" % health)
