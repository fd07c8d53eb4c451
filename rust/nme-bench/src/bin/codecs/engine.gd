## Times what Godot itself makes of datagrams.
##
## Started by `codecs --engine` with a file of lines "KIND HEX". Answers lines "@@ MODE KIND COMPRESS DECOMPRESS
## BYTES": microseconds for one datagram, and the compressed length of all of them together.
extends SceneTree

const MODES := {
	"fastlz": FileAccess.COMPRESSION_FASTLZ,
	"zlib": FileAccess.COMPRESSION_DEFLATE,
	"zstd": FileAccess.COMPRESSION_ZSTD,
}
const ROUNDS := 120
## Datagrams between two looks at the clock, which counts whole microseconds: few enough that some rounds are not
## interrupted. Must divide the number of datagrams.
const FEW := {"fastlz": 64, "zlib": 16, "zstd": 32}


func _initialize() -> void:
	print("@@ version ", Engine.get_version_info().string.get_slice("-", 0))
	var kinds := {}
	for line in FileAccess.get_file_as_string(OS.get_cmdline_user_args()[0]).split("\n", false):
		var words := line.split(" ")
		kinds.get_or_add(words[0], []).append(words[1].hex_decode())
	for mode in MODES:
		for kind in kinds:
			_measure(mode, kind, Array(kinds[kind], TYPE_PACKED_BYTE_ARRAY, "", null))
	quit()


func _measure(mode: String, kind: String, plain: Array[PackedByteArray]) -> void:
	var number: int = MODES[mode]
	var packed: Array[PackedByteArray] = []
	var total := 0
	for bytes in plain:
		var one := bytes.compress(number)
		packed.append(one)
		total += one.size()
		if one.decompress(bytes.size(), number) != bytes:
			printerr("other bytes came back")
	# The loop, a call and a new array: what would be there without compression. A longer slice would cost more
	# than a copy does elsewhere, as slice() goes byte by byte.
	var nothing := _best(plain.size(), 128, func(index: int, end: int) -> void:
		while index < end:
			plain[index].slice(0, 1)
			index += 1)
	var compress := _best(plain.size(), FEW[mode], func(index: int, end: int) -> void:
		while index < end:
			plain[index].compress(number)
			index += 1)
	var decompress := _best(plain.size(), FEW[mode], func(index: int, end: int) -> void:
		while index < end:
			packed[index].decompress(plain[index].size(), number)
			index += 1)
	print("@@ ", mode, " ", kind, " ", compress - nothing, " ", decompress - nothing, " ", total)


## Microseconds for one datagram. Of every few datagrams the best round counts.
func _best(count: int, few: int, call: Callable) -> float:
	var best := PackedInt64Array()
	@warning_ignore("integer_division")
	best.resize(count / few)
	best.fill(1 << 40)
	for _round in ROUNDS:
		for part in best.size():
			var start := Time.get_ticks_usec()
			call.call(part * few, (part + 1) * few)
			best[part] = mini(best[part], Time.get_ticks_usec() - start)
	var sum := 0.0
	for usec in best:
		sum += usec
	return sum / count
