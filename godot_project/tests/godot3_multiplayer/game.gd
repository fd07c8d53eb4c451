## A node with RPCs of all kinds, for the suite `godot3_multiplayer`: it notes who has called what.
extends Node

signal called(method: String)

var calls: Array = []
var score := 0:
	set(value):
		score = value
		calls.append(["set score", multiplayer.get_remote_sender_id(), value])
## What to do at the next call, before it is noted.
var reaction := Callable()


func note(method: String, arguments: Array) -> void:
	if reaction.is_valid():
		var react := reaction
		reaction = Callable()
		react.call()
	calls.append(
		[method, multiplayer.get_remote_sender_id() if is_inside_tree() else -1, arguments]
	)
	called.emit(method)


@rpc("any_peer")
func from_all(a: Variant = null, b: Variant = null, c: Variant = null) -> void:
	note("from_all", [a, b, c])


@rpc("any_peer", "call_local")
func from_all_here(value: Variant = null) -> void:
	note("from_all_here", [value])


@rpc("authority")
func from_authority(value: Variant = null) -> void:
	note("from_authority", [value])


@rpc("any_peer")
func typed_array(values: Array[int]) -> void:
	note("typed_array", [values])


@rpc("any_peer")
func typed_names(values: Array[StringName]) -> void:
	note("typed_names", [values])


@rpc("any_peer")
func wide(ints: PackedInt64Array, floats: PackedFloat64Array) -> void:
	note("wide", [ints, floats])


@rpc("any_peer")
func one_int(value: int) -> void:
	note("one_int", [value])


@rpc("any_peer")
func asks_back(value: int) -> void:
	note("asks_back", [value])
	from_all.rpc_id(multiplayer.get_remote_sender_id(), value + 1)
	from_all_here.rpc(value)
	note("asks_back again", [value])


func for_the_master(value: Variant = null) -> void:
	note("for_the_master", [value])


func configured(value: Variant = null) -> void:
	note("configured", [value])


func not_configured(value: Variant = null) -> void:
	note("not_configured", [value])
