## What programs for both engines need and Godot 3.6 does in another way.
##
## Programs are translated by scripts/godot3_project.py; godot3/portable.gd stands in for this file
## there.
extends RefCounted

const EXTENSION := "res://addons/networked_multiplayer_enet/networked_multiplayer_enet.gdextension"


## The values of all `--name=value` after `--`.
static func words() -> Dictionary:
	var found := {}
	for word in OS.get_cmdline_user_args():
		found[word.get_slice("=", 0).trim_prefix("--")] = word.substr(word.find("=") + 1)
	return found


## A peer of a class, or null if there is none.
static func new_peer(type: String) -> Variant:
	# A project that was never imported does not know its extensions yet.
	if not ClassDB.class_exists(type):
		GDExtensionManager.load_extension(EXTENSION)
	return ClassDB.instantiate(type)


static func file_exists(path: String) -> bool:
	return FileAccess.file_exists(path)


## The text of a file, empty if there is none.
static func read(path: String) -> String:
	return FileAccess.get_file_as_string(path)


## The lines of a file that need not have a length, such as those of /proc; those without words
## are left out.
static func lines(path: String) -> Array:
	var found := []
	var file := FileAccess.open(path, FileAccess.READ)
	while file != null and not file.eof_reached():
		var line := file.get_line()
		if not line.strip_edges().is_empty():
			found.append(line)
	return found


## The names of the folders in a folder.
static func folders(path: String) -> Array:
	return Array(DirAccess.get_directories_at(path))


## Others see the whole file or none.
static func write(path: String, text: String) -> bool:
	var file := FileAccess.open(path + ".part", FileAccess.WRITE)
	if file == null:
		return false
	file.store_string(text)
	file.close()
	return DirAccess.rename_absolute(path + ".part", path) == OK
