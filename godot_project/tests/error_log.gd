## Keeps the errors that the engine prints until a test takes them. Needs Godot 4.5.
extends Logger

## Where the last error was placed: function, file and line.
var last_place := []

var _waiting := PackedStringArray()
var _warnings := PackedStringArray()
var _allowed := PackedStringArray()
var _guard := Mutex.new()


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
	var text := code if rationale.is_empty() else "%s (%s)" % [rationale, code]
	if error_type == ERROR_TYPE_WARNING:
		_guard.lock()
		_warnings.append(text)
		_guard.unlock()
		return
	if error_type == ERROR_TYPE_SCRIPT:
		text = "SCRIPT ERROR: %s, in %s (%s:%d)" % [text, function, file, line]
	_guard.lock()
	last_place = [function, file, line]
	if not _is_allowed(text):
		_waiting.append(text)
	_guard.unlock()


## The errors that nobody has taken.
func waiting() -> PackedStringArray:
	_guard.lock()
	var copy := _waiting.duplicate()
	_guard.unlock()
	return copy


## Takes the first error with all these parts; false when there is none.
func take(parts: PackedStringArray) -> bool:
	_guard.lock()
	var index := 0
	while index < _waiting.size() and not _has_all(_waiting[index], parts):
		index += 1
	var found := index < _waiting.size()
	var text := ""
	if found:
		text = _waiting[index]
		_waiting.remove_at(index)
	_guard.unlock()
	if text.begins_with("SCRIPT ERROR: "):
		# scripts/suites.py takes other errors of scripts for failures.
		print("expected ", text.get_slice(", in ", 0))
	return found


## Takes all warnings. They are no failures.
func take_warnings() -> PackedStringArray:
	_guard.lock()
	var warnings := _warnings
	_warnings = PackedStringArray()
	_guard.unlock()
	return warnings


## Forgives errors with this part until the next `reset`.
func allow(part: String) -> void:
	_guard.lock()
	_allowed.append(part)
	for index in range(_waiting.size() - 1, -1, -1):
		if _is_allowed(_waiting[index]):
			_waiting.remove_at(index)
	_guard.unlock()


## Forgets everything, and returns the errors that waited.
func reset() -> PackedStringArray:
	_guard.lock()
	var left := _waiting
	_waiting = PackedStringArray()
	_warnings = PackedStringArray()
	_allowed = PackedStringArray()
	_guard.unlock()
	return left


func _is_allowed(text: String) -> bool:
	for part in _allowed:
		if text.contains(part):
			return true
	return false


func _has_all(text: String, parts: PackedStringArray) -> bool:
	for part in parts:
		if not text.contains(part):
			return false
	return true
