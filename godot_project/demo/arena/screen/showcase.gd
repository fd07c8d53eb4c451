## A game of bots behind the menu: the same server and client as ever, on Godot's offline peer,
## which knows nobody else.
class_name ArenaShowcase
extends Node

const BOTS := 5

var replica := ArenaReplica.new()


func _ready() -> void:
	var messages := ArenaMessages.new()
	var server := ArenaServer.new()
	var controls := ArenaControls.new()
	for node: Node in [messages, replica, server, controls]:
		add_child(node)
	replica.start(messages)
	server.start(messages, BOTS)
	controls.start(messages, replica, true)
	messages.hello.rpc_id(MultiplayerPeer.TARGET_PEER_SERVER, "Rustling")
