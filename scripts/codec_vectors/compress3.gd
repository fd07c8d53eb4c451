# Compresses every payload with Godot 3's own code, or checks what another encoder made.
# compress4.gd is the same program for Godot 4; keep the two alike.
# Started by scripts/codec_vectors with --payloads=FILE or --check=FILE.
extends SceneTree

const MODES := {"fastlz": File.COMPRESSION_FASTLZ, "zlib": File.COMPRESSION_DEFLATE, "zstd": File.COMPRESSION_ZSTD}


func _initialize() -> void:
	for word in OS.get_cmdline_args():
		if word.begins_with("--payloads="):
			_compress(_lines(word.trim_prefix("--payloads=")))
		elif word.begins_with("--check="):
			_check(_lines(word.trim_prefix("--check=")))
	quit()


# Lines of "NAME HEX".
func _compress(lines: Array) -> void:
	for line in lines:
		for mode in MODES:
			print("@@ ", mode, " ", line[0], " ", _bytes(line[1]).compress(MODES[mode]).hex_encode())


# Lines of "MODE NAME PLAIN_HEX COMPRESSED_HEX".
func _check(lines: Array) -> void:
	for line in lines:
		var plain := _bytes(line[2])
		var same: bool = _bytes(line[3]).decompress(plain.size(), MODES[line[0]]) == plain
		print("@@ ", line[0], " ", line[1], " ", "same" if same else "DIFFERENT")


func _lines(path: String) -> Array:
	var file := File.new()
	if file.open(path, File.READ) != OK:
		return []
	var lines := []
	for line in file.get_as_text().split("\n", false):
		lines.append(line.split(" "))
	return lines


func _bytes(text: String) -> PoolByteArray:
	var bytes := PoolByteArray()
	bytes.resize(text.length() / 2)
	for i in bytes.size():
		bytes[i] = ("0x" + text.substr(2 * i, 2)).hex_to_int()
	return bytes
