## Keeps what scripts print, and the engine's errors. Needs Godot 4.5.
extends Logger

var _printed: Array[String] = []
var _errors: Array[String] = []
var _guard := Mutex.new()


func _log_message(message: String, error: bool) -> void:
	_guard.lock()
	if not error:
		_printed.append(message.strip_edges(false, true))
	_guard.unlock()


func _log_error(
	function: String,
	file: String,
	line: int,
	code: String,
	rationale: String,
	_editor_notify: bool,
	error_type: int,
	_script_backtraces: Array[ScriptBacktrace]
) -> void:
	if error_type == ERROR_TYPE_WARNING:
		return
	_guard.lock()
	_errors.append("%s%s (%s, %s:%d)" % [rationale, code, function, file, line])
	_guard.unlock()


func printed() -> Array[String]:
	return _copy(_printed)


func errors() -> Array[String]:
	return _copy(_errors)


func clear() -> void:
	_guard.lock()
	_printed = []
	_errors = []
	_guard.unlock()


func _copy(list: Array[String]) -> Array[String]:
	_guard.lock()
	var copy := list.duplicate()
	_guard.unlock()
	return copy
