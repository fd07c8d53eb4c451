## Another engine process that plays a role; TestSuite.start_child makes one.
class_name TestChild
extends RefCounted

## Names the engine to start where the running one cannot be: its processor is emulated.
const ENGINE_VARIABLE := "TEST_ENGINE"
const BLOCK := 4096
## The exit code of one that was killed.
const KILLED := 137

## Which script of tests/roles it runs.
var role := ""
## The lines it has printed and nobody has taken yet.
var lines := PackedStringArray()

var _pid := -1
var _pipes: Array[FileAccess] = []
var _rests: Array[PackedByteArray] = [PackedByteArray(), PackedByteArray()]
var _error_lines := PackedStringArray()
var _all_lines := PackedStringArray()
var _expected := PackedStringArray()
var _exit_code := -1


func _init(role_name: String, main_loop: String, arguments: PackedStringArray) -> void:
	role = role_name
	var words := ["--headless", "--path", ProjectSettings.globalize_path("res://")]
	words.append_array(["-s", main_loop, "--"])
	words.append_array(arguments)
	var engine := OS.get_environment(ENGINE_VARIABLE)
	var program := OS.get_executable_path() if engine.is_empty() else engine
	var started := OS.execute_with_pipe(program, words, false)
	if not started.is_empty():
		_pid = started["pid"]
		_pipes = [started["stdio"], started["stderr"]]


func is_started() -> bool:
	return _pid > 0


func is_running() -> bool:
	if _pid > 0 and _exit_code < 0 and not OS.is_process_running(_pid):
		_exit_code = OS.get_process_exit_code(_pid)
		_read()
	return _pid > 0 and _exit_code < 0


## Its exit code, or -1 while it runs.
func exit_code() -> int:
	return -1 if is_running() else _exit_code


## Whether a line begins like this.
func has_line(beginning: String) -> bool:
	_read()
	return _index_of(beginning) >= 0


## Takes the first line that begins like this out of `lines`; returns what follows the beginning.
func take_line(beginning: String) -> String:
	var index := _index_of(beginning)
	if index < 0:
		return ""
	var line := lines[index]
	lines.remove_at(index)
	return line.trim_prefix(beginning).strip_edges()


## Expects it to print an engine error with this part; other errors fail the test.
func expect_error(part: String) -> void:
	_expected.append(part)


## Ends the process by force, as a crash would.
func stop() -> void:
	if is_running():
		OS.kill(_pid)
		_exit_code = KILLED
	_read()
	for pipe in _pipes:
		pipe.close()
	_pipes.clear()


## Everything it has printed.
func transcript() -> String:
	return "%s printed:\n  %s" % [role, "\n  ".join(_all_lines + _error_lines)]


## Errors that nobody expected, and expected ones that never came.
func problems() -> PackedStringArray:
	var found := PackedStringArray()
	for line in _error_lines:
		if line.contains("ERROR:") and not _is_expected(line):
			found.append(line)
	for part in _expected:
		if not "\n".join(_error_lines).contains(part):
			found.append('no error with "%s"' % part)
	return found


func _is_expected(line: String) -> bool:
	for part in _expected:
		if line.contains(part):
			return true
	return false


func _index_of(beginning: String) -> int:
	for index in lines.size():
		if lines[index].begins_with(beginning):
			return index
	return -1


func _read() -> void:
	for index in _pipes.size():
		var fresh := _read_lines(index)
		if index == 0:
			lines.append_array(fresh)
			_all_lines.append_array(fresh)
		else:
			_error_lines.append_array(fresh)


func _read_lines(index: int) -> PackedStringArray:
	while true:
		var block := _pipes[index].get_buffer(BLOCK)
		if block.is_empty():
			break
		_rests[index].append_array(block)
	var fresh := PackedStringArray()
	var end := _rests[index].find(10)
	while end >= 0:
		fresh.append(_rests[index].slice(0, end).get_string_from_utf8().strip_edges(false, true))
		_rests[index] = _rests[index].slice(end + 1)
		end = _rests[index].find(10)
	return fresh
