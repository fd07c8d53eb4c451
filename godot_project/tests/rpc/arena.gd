## A node with a spawner, and a synchronizer in each thing that it spawns, which Godot 3.6 has not.
extends Node


## What the spawner makes.
class Thing:
	extends Node
	## A property that the synchronizer keeps the same everywhere.
	var level := 0


var _spawner := MultiplayerSpawner.new()


func _ready() -> void:
	_spawner.name = "Spawner"
	_spawner.spawn_function = _make
	add_child(_spawner)
	_spawner.spawn_path = NodePath("..")


## Makes a thing of this name, here and at the clients.
func spawn(id: String) -> void:
	_spawner.spawn(id)


## Frees it, here and at the clients.
func remove(id: String) -> void:
	get_node(id).free()


func _make(id: Variant) -> Node:
	var thing := Thing.new()
	thing.name = str(id)
	var synchronizer := MultiplayerSynchronizer.new()
	synchronizer.name = "Synchronizer"
	synchronizer.replication_config = SceneReplicationConfig.new()
	synchronizer.replication_config.add_property(NodePath(".:level"))
	thing.add_child(synchronizer)
	return thing
