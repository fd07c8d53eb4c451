## The figures of a connection or of a peer in the last minutes.
@tool
extends RefCounted

const SECONDS := 120.0
## Between samples that are further apart the game was stopped, or nobody looked.
const LONGEST_STEP := 3.0
## Counts since the connection was opened. Their figure is the growth in a second.
const COUNTS: Array[String] = [
	"wire_bytes_sent", "wire_bytes_received", "resends", "dropped_datagrams"
]
const GAUGES: Array[String] = [
	"round_trip_msec", "jitter_msec", "loss_out", "loss_in", "queued_bytes"
]

## When the samples were taken, in seconds of the game's clock.
var times := PackedFloat64Array()
## Arrays of the same length, by figure. NAN where a figure is not known.
var figures := {}

var _counts := {}


func _init() -> void:
	for figure in COUNTS + GAUGES:
		figures[figure] = PackedFloat64Array()


func add(time: float, sample: Dictionary) -> void:
	var step := time - times[-1] if not times.is_empty() else 0.0
	times.append(time)
	for figure in GAUGES:
		figures[figure].append(sample.get(figure, NAN))
	for figure in COUNTS:
		var count: float = sample.get(figure, NAN)
		var before: float = _counts.get(figure, NAN)
		figures[figure].append((count - before) / step if step > 0.0 else NAN)
		_counts[figure] = count
	while times[0] < time - SECONDS:
		times.remove_at(0)
		for figure: String in figures:
			figures[figure].remove_at(0)


## The latest value.
func latest(figure: String) -> float:
	return figures[figure][-1] if not times.is_empty() else NAN
