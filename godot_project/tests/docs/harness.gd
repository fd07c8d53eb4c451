## Runs the examples of a page: `-s res://harness.gd -- PORT CASE ...`.
##
## Each case is a script that scripts/docs/examples.py wrote.
## A line `@@ ok CASE` or `@@ FAILED CASE: problem` tells how each went.
extends SceneTree

const MORE_FRAMES := 5
## Of an example that sets the MultiplayerAPI of the whole tree.
const OF_TREE := "tree"


## The nodes of an example, and of those it joins, share this parent.
class Stage:
	extends Node

	var log: Object

	func get_printed() -> Array[String]:
		return log.printed()

	## A node with a MultiplayerAPI of its own.
	func new_branch(api := MultiplayerAPI.create_default_interface()) -> Node:
		var branch := Node.new()
		branch.name = "Branch%d" % get_child_count()
		add_child(branch)
		get_tree().set_multiplayer(api, branch.get_path())
		return branch

	func branch_for(case: Node) -> Node:
		return new_branch(new_api(case))

	## One of the class that the example asks for.
	func new_api(case: Node) -> MultiplayerAPI:
		var wanted: String = case.get_meta("multiplayer", "")
		if wanted in ["", OF_TREE]:
			return MultiplayerAPI.create_default_interface()
		return ClassDB.instantiate(wanted)


var _log: Object
var _stage: Stage


func _initialize() -> void:
	_log = load("res://output_log.gd").new()
	OS.call(&"add_logger", _log)
	_run_all.call_deferred()


func _run_all() -> void:
	var words := OS.get_cmdline_user_args()
	var port := int(words[0])
	var running: Array[Node] = []
	for word in words.slice(1):
		_log.clear()
		var script: GDScript = load("res://%s.gd" % word)
		if script == null or not script.can_instantiate():
			_tell(word, ["it has errors: %s" % [_log.errors()]])
			continue
		var case: Node = script.new()
		if not case.has_meta("joins"):
			await _stop(running)
			_stage = Stage.new()
			_stage.name = "Stage"
			_stage.log = _log
			root.add_child(_stage)
		case.port = port
		_stage.add_child(case)
		if case.get_meta("multiplayer", "") != OF_TREE:
			set_multiplayer(_stage.new_api(case), case.get_path())
		running.append(case)
		var problems: Array = await case.run()
		for frame in MORE_FRAMES:
			for each in running:
				await each.step()
		_tell(word, problems + _wrong_output(case))
	await _stop(running)
	OS.call(&"remove_logger", _log)
	_log = null
	quit()


func _wrong_output(case: Node) -> Array:
	var problems := []
	var all: String = "\n".join(_log.printed())
	for text: String in case.get_meta("prints", []):
		if not text in all:
			problems.append('it does not print "%s", but "%s"' % [text, all])
	var errors: Array = _log.errors()
	for part: String in case.get_meta("errors", []):
		var found := errors.filter(func(text: String) -> bool: return part in text)
		if found.is_empty():
			problems.append('no error says "%s", but %s' % [part, errors])
		errors = errors.filter(func(text: String) -> bool: return not text in found)
	return problems + errors


func _stop(running: Array[Node]) -> void:
	for case in running:
		case.stop()
	running.clear()
	set_multiplayer(MultiplayerAPI.create_default_interface())
	if _stage != null:
		_stage.queue_free()
		_stage = null
		await process_frame
		await process_frame


func _tell(word: String, problems: Array) -> void:
	if problems.is_empty():
		print("@@ ok ", word)
	var told := {}
	for problem: String in problems:
		if not told.has(problem):
			print("@@ FAILED %s: %s" % [word, problem.replace("\n", " | ")])
		told[problem] = true
