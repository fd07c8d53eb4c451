## The root of a scene that the tests change to; calls go to the scene's own node.
extends Node

@rpc("any_peer", "call_remote", "reliable")
func greet(text: String) -> void:
	var world := get_node("/root/Role/World")
	var sender := multiplayer.get_remote_sender_id()
	world.emit_signal("happened", ["rpc.greet", sender, name, text])
