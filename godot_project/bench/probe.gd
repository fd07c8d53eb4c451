## Measures a stretch of frames: processor time and datagrams as the system counts them.
extends RefCounted

const Portable := preload("res://tests/portable.gd")

## A frame is late that begins so long after the one before (1.2 frames of 60 Hz).
const LATE_USEC := 20000

var frames := 0

var _late := 0
var _last := 0
var _began := 0
var _cpu := 0
var _process := 0
var _network := {}


func begin() -> void:
	frames = 0
	_late = 0
	_network = network()
	_began = Time.get_ticks_usec()
	_last = _began
	_cpu = cpu_nsec()
	_process = process_nsec()


## Counts a frame; to be called once in each, always at the same place.
func frame() -> void:
	var now := Time.get_ticks_usec()
	frames += 1
	if now - _last > LATE_USEC:
		_late += 1
	_last = now


func elapsed() -> float:
	return (Time.get_ticks_usec() - _began) / 1e6


## What was measured since `begin`.
func end() -> Dictionary:
	var result := {"cpu_nsec": cpu_nsec() - _cpu, "seconds": elapsed()}
	result["process_nsec"] = process_nsec() - _process
	result["frames"] = frames
	result["late_frames"] = _late
	var after := network()
	for counter: String in after:
		result[counter] = after[counter] - _network[counter]
	return result


## Processor time of the main thread, the kernel's share included.
static func cpu_nsec() -> int:
	return _run_time("/proc/self/schedstat")


## Processor time of all threads that there are.
static func process_nsec() -> int:
	var sum := 0
	for thread: String in Portable.folders("/proc/self/task"):
		sum += _run_time("/proc/self/task/%s/schedstat" % thread)
	return sum


static func _run_time(path: String) -> int:
	for line: String in Portable.lines(path):
		return int(line.get_slice(" ", 0))
	return 0


## Counters of the network namespace, which holds the benchmark's traffic alone.
static func network() -> Dictionary:
	var counters := {"datagrams": 0, "receive_drops": 0, "bytes": 0}
	var names := []
	for words: Array in _table("/proc/net/snmp"):
		if words[0] != "Udp:":
			continue
		if names.is_empty():
			names = words
			continue
		counters["datagrams"] = int(words[names.find("OutDatagrams")])
		counters["receive_drops"] = int(words[names.find("RcvbufErrors")])
	for words: Array in _table("/proc/net/dev"):
		if words[0] == "lo:":
			counters["bytes"] = int(words[9])
	return counters


## The words of each line.
static func _table(path: String) -> Array:
	var found := []
	for line: String in Portable.lines(path):
		found.append(Array(line.split(" ", false)))
	return found
