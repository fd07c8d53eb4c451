## Runs suites without a window: `-s res://tests/runner.gd -- [SUITE ...]`.
##
## A suite is a file of res://tests/suites, named without its ending; without names, all are run.
## `SUITE.test_name` runs one test. The exit code is 0 only when everything has passed.
extends SceneTree

const FOLDER := "res://tests/suites"
const FRAMES_PER_SECOND := 250

var _passed := 0
var _failed := 0
var _error_log: RefCounted


func _initialize() -> void:
	Engine.max_fps = FRAMES_PER_SECOND
	if ClassDB.class_exists(&"Logger"):
		_error_log = load("res://tests/error_log.gd").new()
		OS.call(&"add_logger", _error_log)
	print("tests begin")
	_run_all()


func _run_all() -> void:
	await process_frame
	var words := OS.get_cmdline_user_args()
	for word in _all_suites() if words.is_empty() else words:
		await _run_suite(word.get_slice(".", 0), word.get_slice(".", 1) if "." in word else "")
	print("%d passed, %d failed" % [_passed, _failed])
	if _error_log != null:
		OS.call(&"remove_logger", _error_log)
		_error_log = null
	quit(0 if _failed == 0 and _passed > 0 else 1)


func _all_suites() -> PackedStringArray:
	var names := PackedStringArray()
	for file in DirAccess.get_files_at(FOLDER):
		if file.get_extension() == "gd":
			names.append(file.get_basename())
	return names


func _run_suite(suite_name: String, only: String) -> void:
	var path := "%s/%s.gd" % [FOLDER, suite_name]
	var script: GDScript = load(path) if ResourceLoader.exists(path) else null
	if script == null or not script.can_instantiate():
		_report(suite_name, "load", PackedStringArray(["%s is no suite that can be loaded" % path]))
		return
	var found := false
	for method in script.get_script_method_list():
		var test: String = method["name"]
		if not test.begins_with("test_") or (not only.is_empty() and test != only):
			continue
		found = true
		if not await _run_test(suite_name, script, test):
			_report(suite_name, "after_" + test, PackedStringArray(["not run: a test never ended"]))
			return
	if not found:
		_report(suite_name, only, PackedStringArray(["there is no such test"]))


## False when the test never ended, so that its leftovers could disturb others.
func _run_test(suite_name: String, script: GDScript, test: String) -> bool:
	var suite: TestSuite = script.new()
	suite.name = suite_name
	suite.error_log = _error_log
	root.add_child(suite)
	var began := Time.get_ticks_msec()
	var state := {"ended": false}
	_call_test(suite, test, state)
	while not state["ended"] and Time.get_ticks_msec() - began < _deadline(suite) * 1000.0:
		await process_frame
	if not state["ended"]:
		suite.fail("not ended after %.0f s" % _deadline(suite))
	elif suite.checks == 0:
		suite.fail("it has checked nothing")
	suite.clean_up()
	var problems := suite.failures.duplicate()
	if state["ended"]:
		suite.queue_free()
		suite = null
		await process_frame
		await process_frame
	for text in _error_log.reset() if _error_log != null else PackedStringArray():
		problems.append("unexpected error: " + text)
	_report(suite_name, test, problems)
	return state["ended"]


func _deadline(suite: TestSuite) -> float:
	return suite.deadline * TestSuite.slowness


func _call_test(suite: TestSuite, test: String, state: Dictionary) -> void:
	@warning_ignore("redundant_await")
	await suite.set_up()
	await suite.call(test)
	@warning_ignore("redundant_await")
	await suite.tear_down()
	state["ended"] = true


func _report(suite_name: String, test: String, problems: PackedStringArray) -> void:
	if problems.is_empty():
		_passed += 1
		print("ok %s.%s" % [suite_name, test])
		return
	_failed += 1
	for problem in problems:
		print("FAILED %s.%s: %s" % [suite_name, test, problem])
