## Adds the tab "ENet" to the editor's debugger. The folder is hidden from the engine's file system
## (.gdignore), so that no export takes it along.
@tool
extends EditorPlugin

const Debugger := preload("debugger.gd")

var _debugger := Debugger.new()


func _enter_tree() -> void:
	add_debugger_plugin(_debugger)


func _exit_tree() -> void:
	remove_debugger_plugin(_debugger)
