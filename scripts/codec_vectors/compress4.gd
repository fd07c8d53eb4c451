## Compresses every payload with Godot 4's own code, or checks what another encoder made.
##
## compress3.gd is the same program for Godot 3; keep the two alike.
## Started by scripts/codec_vectors with `-- --payloads=FILE` or `-- --check=FILE`.
extends SceneTree

const MODES := {
	"fastlz": FileAccess.COMPRESSION_FASTLZ,
	"zlib": FileAccess.COMPRESSION_DEFLATE,
	"zstd": FileAccess.COMPRESSION_ZSTD,
}


func _initialize() -> void:
	for word in OS.get_cmdline_user_args():
		if word.begins_with("--payloads="):
			_compress(_lines(word.trim_prefix("--payloads=")))
		elif word.begins_with("--check="):
			_check(_lines(word.trim_prefix("--check=")))
	quit()


## Lines of "NAME HEX".
func _compress(lines: Array) -> void:
	for line in lines:
		for mode in MODES:
			print("@@ ", mode, " ", line[0], " ", line[1].hex_decode().compress(MODES[mode]).hex_encode())


## Lines of "MODE NAME PLAIN_HEX COMPRESSED_HEX".
func _check(lines: Array) -> void:
	for line in lines:
		var plain: PackedByteArray = line[2].hex_decode()
		var same: bool = line[3].hex_decode().decompress(plain.size(), MODES[line[0]]) == plain
		print("@@ ", line[0], " ", line[1], " ", "same" if same else "DIFFERENT")


func _lines(path: String) -> Array:
	var lines := []
	for line in FileAccess.get_file_as_string(path).split("\n", false):
		lines.append(line.split(" "))
	return lines
