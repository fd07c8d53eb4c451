## Speaks with Agones, which runs game servers in fleets on Kubernetes, by the REST calls of its
## SDK: https://agones.dev/site/docs/guides/client-sdks/rest/
##
## This file needs nothing else of the example: copy it, add it to a server's scene as a node, and
## call `start()`. No call blocks a frame. What Agones does not answer is tried again until it does,
## or until something newer has taken its place: the other end may start after this one. The first
## failure of each call is a warning, all are counted. Outside of a fleet, every call does nothing.
class_name AgonesSdk
extends Node

## Agones has told another state of this game server: "Ready", "Allocated", "Shutdown" and so on.
signal state_changed(state: String)

## Agones sets this variable in its containers.
const PORT_VARIABLE := "AGONES_SDK_HTTP_PORT"
const HOST := "127.0.0.1"
const HEADERS: PackedStringArray = ["Content-Type: application/json"]
const READY := "/ready"
const ALLOCATE := "/allocate"
const RESERVE := "/reserve"
const SHUTDOWN := "/shutdown"
const HEALTH := "/health"
const WATCH := "/watch/gameserver"
## Calls of one kind: each of them takes the place of the others.
const LIFE := [READY, ALLOCATE, RESERVE, SHUTDOWN]

## Seconds between two calls that say that this server is well. The manifest's `periodSeconds` must
## be longer.
var health_period := 2.0
## Seconds that a call may take.
var patience := 5.0
## Seconds until something is tried again.
var pause := 1.0

## What Agones has told last, and nothing before.
var state := ""
## The whole last message of Agones: `object_meta` and `status` with addresses, ports and labels.
var game_server := {}
## Calls that Agones has answered well, and those that it has not.
var answered := 0
var failed := 0

var _port := 0
## Calls that wait, each as [kind, method, path, body]; of a kind only the newest counts. The first
## one is on its way if `_is_calling`.
var _calls: Array[Array] = []
var _is_calling := false
var _caller: HTTPRequest
var _pulse: HTTPRequest
var _retry: Timer
var _has_warned := {}
var _stream := HTTPClient.new()
var _text := PackedByteArray()
## When the stream is opened again, in milliseconds.
var _stream_time := 0


## Begins to tell Agones that this server is well, and to listen. Returns whether this is a fleet.
func start() -> bool:
	_port = OS.get_environment(PORT_VARIABLE).to_int()
	if not is_in_fleet():
		return false
	_caller = _new_request(_on_called)
	_pulse = _new_request(_on_pulse_answered)
	_retry = _new_timer(pause, _call_next)
	_retry.one_shot = true
	_new_timer(health_period, _tell_health).start()
	_tell_health()
	return true


## Whether `start()` has found the port of Agones.
func is_in_fleet() -> bool:
	return _port > 0


## This server can take players, or is free for new ones when a game is over.
func tell_ready() -> void:
	_call(HTTPClient.METHOD_POST, READY)


## This server has players: Agones does not end it when the fleet gets smaller or newer.
func allocate() -> void:
	_call(HTTPClient.METHOD_POST, ALLOCATE)


## Nobody else may have this server for a number of seconds; then it is ready again.
func reserve(seconds: int) -> void:
	_call(HTTPClient.METHOD_POST, RESERVE, {"seconds": str(seconds)})


## How full this server is. The manifest must have a counter of this name.
func set_count(counter: String, count: int, capacity: int) -> void:
	var body := {"count": str(count), "capacity": str(capacity)}
	_call(HTTPClient.METHOD_PATCH, "/v1beta1/counters/" + counter.uri_encode(), body)


## A label that the cluster sees as `agones.dev/sdk-KEY`, for allocators to choose by.
func set_label(key: String, value: String) -> void:
	_call(HTTPClient.METHOD_PUT, "/metadata/label", {"key": key, "value": value})


## This server is done. Await it before the process ends; it takes a number of seconds at most.
## Returns whether Agones has heard it.
func shut_down(seconds := 3.0) -> bool:
	if not is_in_fleet():
		return false
	# What else waits does not matter any more.
	_caller.cancel_request()
	_is_calling = false
	_calls.clear()
	_retry.stop()
	_call(HTTPClient.METHOD_POST, SHUTDOWN)
	var limit := Time.get_ticks_msec() + int(seconds * 1000.0)
	while not _calls.is_empty() and Time.get_ticks_msec() < limit:
		await get_tree().process_frame
	return _calls.is_empty()


func _process(_delta: float) -> void:
	if is_in_fleet():
		_listen()


func _call(method: HTTPClient.Method, path: String, body := {}) -> void:
	if not is_in_fleet():
		return
	# Labels differ by their keys.
	var kind: String = "life" if path in LIFE else path + " " + body.get("key", "")
	for i in range(_calls.size() - 1, 0 if _is_calling else -1, -1):
		if _calls[i][0] == kind:
			_calls.remove_at(i)
	_calls.append([kind, method, path, JSON.stringify(body)])
	if _retry.is_stopped():
		_call_next()


func _call_next() -> void:
	if _is_calling or _calls.is_empty():
		return
	var next := _calls[0]
	_is_calling = true
	var error := _caller.request(_url(next[2]), HEADERS, next[1], next[3])
	if error != OK:
		_on_called(HTTPRequest.RESULT_CANT_CONNECT, 0, [], [])


func _on_called(
	result: int, code: int, _headers: PackedStringArray, _body: PackedByteArray
) -> void:
	_is_calling = false
	var call: Array = _calls.pop_front()
	if _count(call[2], result, code):
		_call_next()
		return
	# To the end of the line, as Agones may take the others, unless a newer one of its kind is there.
	if not _calls.any(func(other: Array) -> bool: return other[0] == call[0]):
		_calls.append(call)
	_retry.start()


func _tell_health() -> void:
	# One that is still on its way will do.
	if _pulse.get_http_client_status() == HTTPClient.STATUS_DISCONNECTED:
		_pulse.request(_url(HEALTH), HEADERS, HTTPClient.METHOD_POST, "{}")


func _on_pulse_answered(
	result: int, code: int, _headers: PackedStringArray, _body: PackedByteArray
) -> void:
	_count(HEALTH, result, code)


func _count(path: String, result: int, code: int) -> bool:
	if result == HTTPRequest.RESULT_SUCCESS and code >= 200 and code < 300:
		answered += 1
		return true
	failed += 1
	if not _has_warned.has(path):
		_has_warned[path] = true
		push_warning("Agones does not answer %s: result %d, HTTP code %d" % [path, result, code])
	return false


func _url(path: String) -> String:
	return "http://%s:%d%s" % [HOST, _port, path]


func _new_request(answer: Callable) -> HTTPRequest:
	var request := HTTPRequest.new()
	request.timeout = patience
	request.request_completed.connect(answer)
	add_child(request)
	return request


func _new_timer(seconds: float, action: Callable) -> Timer:
	var timer := Timer.new()
	timer.wait_time = seconds
	timer.timeout.connect(action)
	add_child(timer)
	return timer


## Reads the stream of Agones: a line of JSON for each change.
func _listen() -> void:
	_stream.poll()
	match _stream.get_status():
		HTTPClient.STATUS_RESOLVING, HTTPClient.STATUS_CONNECTING, HTTPClient.STATUS_REQUESTING:
			pass
		HTTPClient.STATUS_CONNECTED when not _stream.has_response():
			_stream.request(HTTPClient.METHOD_GET, WATCH, HEADERS)
		HTTPClient.STATUS_BODY when _stream.get_response_code() == 200:
			_text.append_array(_stream.read_response_body_chunk())
			_read_lines()
		_:
			_open_stream()


func _open_stream() -> void:
	if Time.get_ticks_msec() < _stream_time:
		return
	_stream_time = Time.get_ticks_msec() + int(pause * 1000.0)
	_text.clear()
	_stream.close()
	_stream.connect_to_host(HOST, _port)


func _read_lines() -> void:
	var end := _text.find("\n".unicode_at(0))
	while end >= 0:
		_on_told(_text.slice(0, end).get_string_from_utf8())
		_text = _text.slice(end + 1)
		end = _text.find("\n".unicode_at(0))


func _on_told(line: String) -> void:
	var message: Variant = JSON.parse_string(line)
	if not message is Dictionary or not message.get("result") is Dictionary:
		return
	game_server = message.result
	var status: Variant = game_server.get("status")
	var told := str(status.get("state", "")) if status is Dictionary else ""
	if told != state:
		state = told
		state_changed.emit(state)
