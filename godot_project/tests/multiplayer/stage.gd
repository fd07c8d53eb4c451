## The node with the RPCs. Every call is noted with its sender and its arguments.
extends Node

## What happened: a kind such as "rpc.reliable", the sender, and values.
signal happened(event: Array)

## Longer arguments are noted as their size and MD5.
const LONGEST_NOTED := 256

var _counted := {}


## Calls one of the methods below on others (or on one).
func send(target: int, method: String, values: Array) -> int:
	if target == 0:
		return callv("rpc", [method] + values)
	return callv("rpc_id", [target, method] + values)


## Calls `count` many times in this frame.
func send_many(targets: Array, total: int) -> void:
	for number in total:
		for target: int in targets:
			send(target, "count", [number, total])


func send_many_and_quit(target: int, total: int) -> void:
	send_many([target], total)
	get_tree().quit()


func send_many_and_disconnect(target: int, total: int, by_api: bool) -> void:
	send_many([target], total)
	if by_api:
		(multiplayer as SceneMultiplayer).disconnect_peer(target)
	else:
		multiplayer.multiplayer_peer.disconnect_peer(target)


func disconnect_sender(force: bool) -> void:
	multiplayer.multiplayer_peer.disconnect_peer(multiplayer.get_remote_sender_id(), force)


## The numbers that have come from a peer.
func counted(id: int) -> Array:
	return _counted.get(id, [])


func forget() -> void:
	_counted.clear()
	set_multiplayer_authority(1)


static func brief(value: Variant) -> Variant:
	if value is PackedByteArray and value.size() > LONGEST_NOTED:
		var context := HashingContext.new()
		context.start(HashingContext.HASH_MD5)
		context.update(value)
		return "%d bytes %s" % [value.size(), context.finish().hex_encode()]
	if value is String and value.length() > LONGEST_NOTED:
		return "%d characters %s" % [value.length(), value.md5_text()]
	return value


@rpc("any_peer", "call_remote", "reliable")
func reliable(value: Variant) -> void:
	_note("reliable", value)


@rpc("any_peer", "call_remote", "unreliable")
func unreliable(value: Variant) -> void:
	_note("unreliable", value)


@rpc("any_peer", "call_remote", "unreliable_ordered")
func ordered(value: Variant) -> void:
	_note("ordered", value)


@rpc("any_peer", "call_remote", "reliable", 1)
func reliable_1(value: Variant) -> void:
	_note("reliable_1", value)


@rpc("any_peer", "call_remote", "reliable", 3)
func reliable_3(value: Variant) -> void:
	_note("reliable_3", value)


@rpc("any_peer", "call_remote", "unreliable", 3)
func unreliable_3(value: Variant) -> void:
	_note("unreliable_3", value)


@rpc("any_peer", "call_remote", "unreliable_ordered", 4)
func ordered_4(value: Variant) -> void:
	_note("ordered_4", value)


@rpc("any_peer", "call_remote", "reliable", 6)
func reliable_6(value: Variant) -> void:
	_note("reliable_6", value)


@rpc("any_peer", "call_local", "reliable", 4)
func local_too(value: Variant) -> void:
	_note("local_too", value)


@rpc("any_peer", "call_local", "reliable", 2)
func local_too_2(value: Variant) -> void:
	_note("local_too_2", value)


@rpc("authority", "call_remote", "reliable")
func by_authority(value: Variant) -> void:
	_note("by_authority", value)


@rpc("any_peer", "call_remote", "reliable")
func echo(value: Variant) -> void:
	_note("echo", value)
	reliable.rpc_id(multiplayer.get_remote_sender_id(), value)


## Only the last of `total` calls is noted: with how many have come, and whether all are in order.
@rpc("any_peer", "call_remote", "reliable")
func count(number: int, total: int) -> void:
	var sender := multiplayer.get_remote_sender_id()
	var numbers: Array = _counted.get_or_add(sender, [])
	numbers.append(number)
	if number == total - 1:
		happened.emit(["rpc.count", sender, numbers.size(), numbers == range(total)])


func _note(method: String, value: Variant) -> void:
	happened.emit(["rpc." + method, multiplayer.get_remote_sender_id(), brief(value)])
