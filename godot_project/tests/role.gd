## What a child process runs: `-s res://tests/role.gd -- ROLE [ARGUMENT ...]`.
##
## Adds res://tests/roles/ROLE.gd, a TestRole, to the root as the node "Role".
extends SceneTree

const FOLDER := "res://tests/roles"
const FRAMES_PER_SECOND := 250


func _initialize() -> void:
	Engine.max_fps = FRAMES_PER_SECOND
	var words := OS.get_cmdline_user_args()
	var role: TestRole = load("%s/%s.gd" % [FOLDER, words[0]]).new()
	role.name = "Role"
	role.arguments = words.slice(1)
	root.add_child(role)
