# A node of the game, as a studio has it in Godot 3.6; ../player.gd is its port to Godot 4.
extends Node

remote var score = 0 setget set_score
remote var any_value = 0 setget set_any_value


func set_score(value) -> void:
	score = value
	get_tree().note_set(self, "score", value)


func set_any_value(value) -> void:
	any_value = value
	get_tree().note_set(self, "any_value", value)


remote func hello(a = "-", b = "-", c = "-", d = "-"):
	get_tree().note(self, "hello", [a, b, c, d])


remotesync func everywhere(a = "-"):
	get_tree().note(self, "everywhere", [a])


puppet func from_master(a = "-"):
	get_tree().note(self, "from_master", [a])


puppetsync func from_master_everywhere(a = "-"):
	get_tree().note(self, "from_master_everywhere", [a])


master func to_master(a = "-"):
	get_tree().note(self, "to_master", [a])


remote func shout(a = "-"):
	get_tree().note(self, "shout", [a])


remote func stream(a = "-"):
	get_tree().note(self, "stream", [a])


remote func on_channel_2(a = "-"):
	get_tree().note(self, "on_channel_2", [a])


remote func on_channel_4(a = "-"):
	get_tree().note(self, "on_channel_4", [a])


# No keyword: nobody may call it.
func private(a = "-"):
	get_tree().note(self, "private", [a])


# There is no such method in ../player.gd.
remote func only_in_3(a = "-"):
	get_tree().note(self, "only_in_3", [a])


remote func echo(name, value):
	get_tree().note(self, "echo", [name, value])
	rpc_id(get_tree().get_rpc_sender_id(), "echoed", name, value)


remote func echoed(name, value):
	get_tree().note(self, "echoed", [name, value])


# Calls while it is called.
remote func nested(a):
	get_tree().note(self, "nested", [a])
	rpc("everywhere", "inner")
	get_tree().note(self, "nested", ["after"])


remote func two(a, b):
	get_tree().note(self, "two", [a, b])


remote func fence(number):
	get_tree().report({"event": "fence", "number": number, "sender": get_tree().get_rpc_sender_id()})
