## What a puppet's process has in its scene tree besides: scenes, and the values of their nodes.
extends Node

## What happened: a kind such as "spawned", and values.
signal happened(event: Array)

const FOLDER := "res://tests/multiplayer/%s.tscn"


## Adds the arena, where units are spawned.
func open_arena() -> void:
	var arena: Node = load(FOLDER % "arena").instantiate()
	add_child(arena)
	var spawner: MultiplayerSpawner = arena.get_node("Spawner")
	spawner.spawned.connect(func(unit: Node) -> void: happened.emit(["spawned", unit.name]))
	spawner.despawned.connect(func(unit: Node) -> void: happened.emit(["despawned", unit.name]))


func close() -> void:
	for child in get_children():
		remove_child(child)
		child.queue_free()
	if get_tree().current_scene != null:
		get_tree().unload_current_scene()


## Adds a unit; where the authority of the spawner is, the spawner replicates it.
func spawn(unit_name: String, properties: Dictionary) -> void:
	var unit: Node = load(FOLDER % "unit").instantiate()
	unit.name = unit_name
	for property: String in properties:
		unit.set(property, properties[property])
	get_node("Arena/Units").add_child(unit)


func despawn(unit_name: String) -> void:
	get_node("Arena/Units/" + unit_name).free()


func units() -> Array:
	var names := []
	for unit in get_node("Arena/Units").get_children():
		names.append(String(unit.name))
	names.sort()
	return names


func set_value(path: String, property: String, value: Variant) -> void:
	get_node("Arena/" + path).set(property, value)


func value(path: String, property: String) -> Variant:
	var node := get_node_or_null("Arena/" + path)
	return node.get(property) if node != null else null


func give_authority(path: String, id: int) -> void:
	get_node("Arena/" + path).set_multiplayer_authority(id)


func change_scene(scene: String) -> int:
	return get_tree().change_scene_to_file(FOLDER % scene)


## The name of the current scene's root.
func current_scene() -> String:
	var scene := get_tree().current_scene
	return String(scene.name) if scene != null else ""


## Calls `greet` of the current scene on all others.
func greet(text: String) -> void:
	get_tree().current_scene.rpc("greet", text)
