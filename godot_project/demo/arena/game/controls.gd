## Sends the server what this player wants: from the keyboard, or from a brain.
class_name ArenaControls
extends Node

## False while the player types.
var is_enabled := true

var _messages: ArenaMessages
var _replica: ArenaReplica
var _brain: ArenaBrain


func _ready() -> void:
	set_physics_process(false)


func start(messages: ArenaMessages, replica: ArenaReplica, is_bot: bool) -> void:
	_messages = messages
	_replica = replica
	if is_bot:
		_brain = ArenaBrain.new()
	set_physics_process(true)


func _physics_process(delta: float) -> void:
	if not _replica.is_welcome:
		return
	if _brain == null:
		_send(_keys(), is_enabled and Input.is_physical_key_pressed(KEY_SPACE))
		return
	_think(delta)
	_send(_brain.direction, _brain.wants_dash)


## The server has these in every tick, so that a lost one does no harm.
func _send(direction: Vector2, dash: bool) -> void:
	_messages.send_input.rpc_id(MultiplayerPeer.TARGET_PEER_SERVER, direction, dash)


func _keys() -> Vector2:
	if not is_enabled:
		return Vector2.ZERO
	var x := _axis([KEY_LEFT, KEY_A], [KEY_RIGHT, KEY_D])
	return Vector2(x, _axis([KEY_UP, KEY_W], [KEY_DOWN, KEY_S])).limit_length()


func _axis(less: Array[Key], more: Array[Key]) -> float:
	return float(more.any(_is_pressed)) - float(less.any(_is_pressed))


## The place on the keyboard counts, so that WASD works with other layouts, too.
func _is_pressed(key: Key) -> bool:
	return Input.is_physical_key_pressed(key)


func _think(delta: float) -> void:
	var me: ArenaSnapshot.State = _replica.shown.get(multiplayer.get_unique_id())
	if me == null:
		return
	var others := []
	for state: ArenaSnapshot.State in _replica.shown.values():
		if state != me:
			others.append(state.position)
	_brain.think(me.position, _replica.coins.values(), others, delta)
