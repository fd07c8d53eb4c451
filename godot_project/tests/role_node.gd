## Base of the scripts in tests/roles, which child processes run.
class_name TestRole
extends Node

## Seconds after which a forgotten child ends by itself, with exit code 3.
const LIFETIME := 60.0

## What the suite gave to start_child.
var arguments := PackedStringArray()


func _enter_tree() -> void:
	get_tree().create_timer(LIFETIME).timeout.connect(get_tree().quit.bind(3))


## Prints a line for the suite's wait_for_line.
func say(line: String) -> void:
	print(line)


## Ends the process.
func end(code := 0) -> void:
	get_tree().quit(code)
