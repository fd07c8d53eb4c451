# What programs for both engines need and Godot 4 does in another way; stands in for ../portable.gd.
extends Reference


# The values of all `--name=value`.
static func words() -> Dictionary:
	var found := {}
	for word in OS.get_cmdline_args():
		if word.begins_with("--") and "=" in word:
			found[word.get_slice("=", 0).trim_prefix("--")] = word.substr(word.find("=") + 1)
	return found


# A peer of a class, or null if there is none.
static func new_peer(type: String):
	return ClassDB.instance(type)


static func file_exists(path: String) -> bool:
	return File.new().file_exists(path)


# The text of a file, empty if there is none.
static func read(path: String) -> String:
	var file := File.new()
	return file.get_as_text() if file.open(path, File.READ) == OK else ""


# The lines of a file that need not have a length; those without words are left out.
static func lines(path: String) -> Array:
	var found := []
	var file := File.new()
	if file.open(path, File.READ) == OK:
		while not file.eof_reached():
			var line := file.get_line()
			if line.strip_edges() != "":
				found.append(line)
	return found


# The names of the folders in a folder.
static func folders(path: String) -> Array:
	var found := []
	var folder := Directory.new()
	if folder.open(path) == OK and folder.list_dir_begin(true) == OK:
		var name := folder.get_next()
		while name != "":
			if folder.current_is_dir():
				found.append(name)
			name = folder.get_next()
	return found


# Others see the whole file or none.
static func write(path: String, text: String) -> bool:
	var file := File.new()
	if file.open(path + ".part", File.WRITE) != OK:
		return false
	file.store_string(text)
	file.close()
	return Directory.new().rename(path + ".part", path) == OK
