## A process of the multiplayer tests. It does what the suite's process asks for, and tells it all
## that happens. The arguments are the suite's TCP port and the puppet's name.
##
## A command is "net.METHOD", "stage.METHOD" or "world.METHOD": a method of one of its children.
extends TestRole

const Link := preload("res://tests/multiplayer/link.gd")
const Net := preload("res://tests/multiplayer/net.gd")
const Stage := preload("res://tests/multiplayer/stage.gd")
const World := preload("res://tests/multiplayer/world.gd")
const FORGOTTEN_SECONDS := 170.0
const NO_LINK := 4

var _link := Link.new()
var _reactions := {}


func _enter_tree() -> void:
	get_tree().create_timer(FORGOTTEN_SECONDS).timeout.connect(end.bind(3))
	_add(Net.new(), "Net")
	_add(Stage.new(), "Stage")
	_add(World.new(), "World")
	if not _link.connect_to(arguments[0].to_int()):
		end(NO_LINK)
	_link.send(["hello", arguments[1]])


func _process(_delta: float) -> void:
	for message in _link.receive():
		_obey(message)
	if not _link.is_open():
		end(0)


## Does something inside the handler of the next event of a kind.
func react(kind: String, command: String, values: Array) -> void:
	_reactions[kind] = [command, values]


func forget_reactions() -> void:
	_reactions.clear()


func quit(code: int) -> void:
	end(code)


## Several commands in one frame.
func several(commands: Array) -> Array:
	var results := []
	for command: Array in commands:
		results.append(_perform(command[0], command[1]))
	return results


## Blocks the whole process.
func freeze(msec: int) -> void:
	OS.delay_msec(msec)


func _add(part: Node, part_name: String) -> void:
	part.name = part_name
	part.connect("happened", _on_happened)
	add_child(part)


func _obey(message: Array) -> void:
	var result: Variant = await _perform(message[1], message[2])
	_link.send(["answer", message[0], result])


func _perform(command: String, values: Array) -> Variant:
	if not "." in command:
		return callv(command, values)
	var part := get_node(command.get_slice(".", 0).to_pascal_case())
	return part.callv(command.get_slice(".", 1), values)


func _on_happened(event: Array) -> void:
	_link.send(["event", event])
	var reaction: Array = _reactions.get(event[0], [])
	if not reaction.is_empty():
		_reactions.erase(event[0])
		_perform(reaction[0], reaction[1])
