## What the suites of Godot3Multiplayer share: parts of one tree, each with a MultiplayerAPI of its
## own.
extends TestSuite

const Game := preload("res://tests/godot3_multiplayer/game.gd")

var _branches: Array[Node] = []


func tear_down() -> void:
	for branch in _branches:
		var api := api_of(branch)
		if api != get_tree().get_multiplayer():
			api.multiplayer_peer = null
			get_tree().set_multiplayer(null, branch.get_path())
		branch.queue_free()
	await frames(2)


## A part of the tree with an API of its own, which a node "Game" is in.
func add_branch(title: String, api: MultiplayerAPI) -> Node:
	var branch := Node.new()
	branch.name = title
	add_child(branch)
	_branches.append(branch)
	get_tree().set_multiplayer(api, branch.get_path())
	add_game(branch)
	return branch


func add_game(branch: Node, title := "Game") -> Node:
	var node: Node = Game.new()
	node.name = title
	branch.add_child(node)
	return node


func game(branch: Node) -> Node:
	return branch.get_node("Game")


func api_of(branch: Node) -> MultiplayerAPI:
	return get_tree().get_multiplayer(branch.get_path())
