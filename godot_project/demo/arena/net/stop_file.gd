## Tells when a file appears, and removes it: how a script outside ends the server.
##
## Godot gives scripts no signals such as SIGTERM; they end the process at once.
## demo/server/serve.sh turns them into such a file.
class_name ArenaStopFile
extends Node

signal appeared

const PAUSE := 0.2

var _path := ""


func watch(path: String) -> void:
	_path = path
	var timer := Timer.new()
	timer.wait_time = PAUSE
	timer.timeout.connect(_look)
	add_child(timer)
	timer.start()


func _look() -> void:
	if _path != "" and FileAccess.file_exists(_path):
		DirAccess.remove_absolute(_path)
		_path = ""
		appeared.emit()
