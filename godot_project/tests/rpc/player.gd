## A node of the game: the port to Godot 4 of godot3/player.gd, which has the same methods and
## properties.
extends Node

## A property that the other side may set.
var score: Variant = 0:
	set(value):
		score = value
		get_tree().note_set(self, "score", value)
## A property for values of every type.
var any_value: Variant = 0:
	set(value):
		any_value = value
		get_tree().note_set(self, "any_value", value)


func _ready() -> void:
	rpc_config("to_master", {"rpc_mode": MultiplayerAPI.RPC_MODE_ANY_PEER, "godot3": "master"})
	if multiplayer.has_method("rset_config"):
		multiplayer.rset_config(self, "score", MultiplayerAPI.RPC_MODE_ANY_PEER)
		multiplayer.rset_config(self, "any_value", MultiplayerAPI.RPC_MODE_ANY_PEER)


## `remote` in Godot 3.6.
@rpc("any_peer")
func hello(a: Variant = "-", b: Variant = "-", c: Variant = "-", d: Variant = "-") -> void:
	get_tree().note(self, "hello", [a, b, c, d])


## `remotesync` in Godot 3.6.
@rpc("any_peer", "call_local")
func everywhere(a: Variant = "-") -> void:
	get_tree().note(self, "everywhere", [a])


## `puppet` in Godot 3.6.
@rpc("authority")
func from_master(a: Variant = "-") -> void:
	get_tree().note(self, "from_master", [a])


## `puppetsync` in Godot 3.6.
@rpc("authority", "call_local")
func from_master_everywhere(a: Variant = "-") -> void:
	get_tree().note(self, "from_master_everywhere", [a])


## `master` in Godot 3.6, for which Godot 4 has no word.
func to_master(a: Variant = "-") -> void:
	get_tree().note(self, "to_master", [a])


## Godot 3.6 calls it with `rpc_unreliable`.
@rpc("any_peer", "unreliable")
func shout(a: Variant = "-") -> void:
	get_tree().note(self, "shout", [a])


## Godot 3.6 has no such transfer mode for calls, and accepts them.
@rpc("any_peer", "unreliable_ordered")
func stream(a: Variant = "-") -> void:
	get_tree().note(self, "stream", [a])


## Goes out on the second ENet channel.
@rpc("any_peer", "call_remote", "reliable", 2)
func on_channel_2(a: Variant = "-") -> void:
	get_tree().note(self, "on_channel_2", [a])


## Goes out on the fourth ENet channel, if the peer has so many.
@rpc("any_peer", "call_remote", "reliable", 4)
func on_channel_4(a: Variant = "-") -> void:
	get_tree().note(self, "on_channel_4", [a])


## A name outside of ASCII, which scripts of Godot 3.6 can call and not have.
@rpc("any_peer")
# gdlint:ignore = function-name
func grüße(a: Variant = "-") -> void:
	get_tree().note(self, "grüße", [a])


## Nobody may call it.
func private(a: Variant = "-") -> void:
	get_tree().note(self, "private", [a])


## Sends the value back.
@rpc("any_peer")
func echo(id: String, value: Variant) -> void:
	get_tree().note(self, "echo", [id, value])
	rpc_id(multiplayer.get_remote_sender_id(), "echoed", id, value)


## The value came back.
@rpc("any_peer")
func echoed(id: String, value: Variant) -> void:
	get_tree().note(self, "echoed", [id, value])


## Calls while it is called.
@rpc("any_peer")
func nested(a: Variant) -> void:
	get_tree().note(self, "nested", [a])
	rpc("everywhere", "inner")
	get_tree().note(self, "nested", ["after"])


## Wants exactly two arguments.
@rpc("any_peer")
func two(a: Variant, b: Variant) -> void:
	get_tree().note(self, "two", [a, b])


## Everything that the sender has sent before has arrived.
@rpc("any_peer")
func fence(number: int) -> void:
	var sender := multiplayer.get_remote_sender_id()
	get_tree().report({"event": "fence", "number": number, "sender": sender})
