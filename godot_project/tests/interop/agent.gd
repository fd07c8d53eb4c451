## Plays one participant of an interop scenario: in Godot 4 with the addon's class, and translated
## for Godot 3.6 with the engine's own.
##
## Started by scripts/interop with `-- --scenario=FILE --participant=NAME`.
extends SceneTree

const CLASS := "NetworkedMultiplayerENet"
const Portable := preload("res://tests/portable.gd")
const BLOCK := 1021
const RESEND_MSEC := 400
const QUESTION_START := [0x0f, 0xfe, 0xff, 113, 117, 101, 114, 121]
const QUESTION_LEN := 1056

var scenario := {}
var me := ""
var steps := []
var reactions := {}
var peer: Variant = null
var is_addon := false
var uses_everything := false
var polling := true
var fetching := true
var active := false
var logging := true
var history := {}
var peers := {}
var distinct := {}
var index := 0
var step_started := 0
var last_burst := -RESEND_MSEC
var bursts := 0
var finished := false


func _initialize() -> void:
	var words := Portable.words()
	me = words["participant"]
	var text := Portable.read(words["scenario"])
	if text.is_empty():
		_fail("the scenario file cannot be read")
		return
	scenario = _whole_numbers(JSON.parse_string(text))
	steps = scenario["participants"][me]["steps"]
	reactions = scenario["participants"][me]["on"]
	peer = Portable.new_peer(CLASS)
	if peer == null:
		_fail("there is no class " + CLASS)
		return
	is_addon = peer.has_method("simulate")
	if is_addon:
		peer.threaded = OS.get_environment("TEST_THREADED") == "1"
	if scenario.has("dtls"):
		_use_dtls(scenario["dtls"])
	peer.peer_connected.connect(_on_peer_connected)
	peer.peer_disconnected.connect(_on_peer_disconnected)
	peer.connection_succeeded.connect(_on_connection_succeeded)
	peer.connection_failed.connect(_on_connection_failed)
	peer.server_disconnected.connect(_on_server_disconnected)
	Engine.max_fps = scenario["fps"]
	step_started = Time.get_ticks_msec()
	process_frame.connect(_tick)


## scripts/dtls plays scenarios with encryption; beside 3.6 stands a program of its own for that.
func _use_dtls(files: Dictionary) -> void:
	var certificate := X509Certificate.new()
	var key := CryptoKey.new()
	if certificate.load(files["certificate"]) != OK or key.load(files["key"]) != OK:
		_fail("the key or the certificate cannot be read")
	peer.use_dtls = true
	peer.set_dtls_certificate(certificate)
	if me == "server":
		peer.set_dtls_key(key)
	peer.dtls_hostname = files["host"]


func _tick() -> void:
	if finished:
		return
	if active and polling:
		peer.poll()
		_drain()
		if uses_everything:
			_look_at_statistics()
	while index < steps.size():
		var step: Dictionary = steps[index]
		if not _run_step(step):
			if Time.get_ticks_msec() - step_started > step.get("within", 20) * 1000:
				_fail("no end of step %d: %s" % [index, JSON.stringify(step).left(300)])
			return
		if finished:
			return
		index += 1
		step_started = Time.get_ticks_msec()
	_leave(0)


# --- The peer's side ------------------------------------------------------------------------------


func _drain() -> void:
	while active and fetching and peer.get_available_packet_count() > 0:
		var from: int = peer.get_packet_peer()
		var channel: int = peer.get_packet_channel()
		var bytes: PackedByteArray = peer.get_packet()
		var last: int = peer.get_last_packet_channel()
		var digest := _md5(bytes)
		distinct["%d %d %s" % [from, channel, digest]] = from
		var event := {"event": "packet", "from": from, "channel": channel}
		event["size"] = bytes.size()
		event["md5"] = digest
		if last != channel:
			event["last_channel"] = last
		_report(event)


func _on_peer_connected(id: int) -> void:
	peers[id] = true
	_happened("peer_connected", id)


func _on_peer_disconnected(id: int) -> void:
	peers.erase(id)
	_happened("peer_disconnected", id)


func _on_connection_succeeded() -> void:
	_happened("connection_succeeded", 0)


func _on_connection_failed() -> void:
	active = false
	_happened("connection_failed", 0)


func _on_server_disconnected() -> void:
	active = false
	_happened("server_disconnected", 0)


func _happened(event: String, id: int) -> void:
	var line := {"event": event}
	if id != 0:
		line["peer"] = id
	_report(line)
	for key: String in [event, "%s %d" % [event, id]]:
		history[key] = history.get(key, 0) + 1
	for step: Dictionary in reactions.get(event, []):
		_run_step(step)


# --- The steps ------------------------------------------------------------------------------------


## Does one step, or one more bit of a waiting step; true when the step is over.
func _run_step(step: Dictionary) -> bool:
	match step["do"]:
		"server", "client":
			_create(step)
		"signal":
			_write_file("signal_" + step["name"], "")
		"await", "wait_peers", "wait_event", "wait_packets", "poll_for":
			return _has_come(step)
		"put":
			return _put(step)
		"kick":
			if is_addon and step.has("why"):
				peer.kick_peer(_id_of(step["peer"]), 7, step["why"])
			else:
				peer.disconnect_peer(_id_of(step["peer"]), step["now"])
		"close":
			active = false
			peer.close_connection()
			peers.clear()
		"set":
			peer.set(step["name"], step["value"])
			_report({"event": "set", "name": step["name"], "value": peer.get(step["name"])})
		"get":
			_report({"event": "get", "name": step["name"], "value": peer.get(step["name"])})
		"call":
			_call_peer(step)
		"fetch":
			fetching = step["value"]
		"block":
			# Without a network thread the other side would take this one for lost.
			if is_addon and peer.threaded:
				OS.delay_msec(step["msec"])
		"freeze":
			polling = false
			# The network thread of a game that hangs is to stop, too.
			if is_addon:
				peer.max_stall_msec = 1
		"everything":
			if is_addon:
				_use_everything()
		"ask":
			_ask(step)
		"mute":
			logging = false
		_:
			_fail("unknown step " + step["do"])
	return true


## Whether what a waiting step waits for has happened.
func _has_come(step: Dictionary) -> bool:
	var come := false
	match step["do"]:
		"await":
			come = _signalled(step["names"])
		"wait_peers":
			come = peers.size() == step["count"]
		"wait_event":
			var key: String = step["event"]
			if step.has("peer"):
				key += " %d" % _id_of(step["peer"])
			come = history.get(key, 0) >= step.get("times", 1)
		"wait_packets":
			come = _packets_from(step.get("from", "")) >= step["count"]
		"poll_for":
			come = Time.get_ticks_msec() - step_started >= step["msec"]
	return come


## Switches everything on that 3.6 does not have and does not notice.
func _use_everything() -> void:
	uses_everything = true
	peer.require_address_proof = peer.ADDRESS_PROOF_ALWAYS
	peer.query_info = {"name": "interop"}
	peer.connect_timeout_msec = 20_000
	peer.set_default_peer_timeout(32, 6000, 30_000)
	peer.max_connections_per_address = 100
	peer.max_packets_per_second = 100_000
	peer.max_bytes_per_second = 100_000_000
	peer.simulate({"delay_msec": 10, "jitter_msec": 5})


func _look_at_statistics() -> void:
	peer.get_statistics()
	for id: int in peer.get_peers():
		peer.get_peer_statistics(id)


## Others keep their ids when this peer comes back, and what it has seen of them belongs to the
## connection before.
func _forget_peers_events() -> void:
	for key: String in history.keys():
		if " " in key:
			history.erase(key)


func _create(step: Dictionary) -> void:
	var port: int = scenario["ports"][step.get("port", 0)]
	var error: int
	_forget_peers_events()
	if step["do"] == "server":
		if is_addon:
			_set_up_server(step)
		error = peer.create_server(port, step.get("max_clients", 32))
	else:
		var own_port := 0
		if step.has("own_port"):
			own_port = scenario["ports"][step["own_port"]]
		error = peer.create_client("127.0.0.1", port, 0, 0, own_port)
	_report({"event": "created", "kind": step["do"], "error": error})
	if error != OK:
		_fail("create_%s answered %d" % [step["do"], error])
		return
	active = true
	var id: int = peer.get_unique_id()
	print("@@ ", JSON.stringify({"event": "id", "id": id}))
	_write_file("id_" + me, str(id))


func _set_up_server(step: Dictionary) -> void:
	if step.get("asks_for_proof", false):
		peer.require_address_proof = peer.ADDRESS_PROOF_ALWAYS
	if step.get("answers", false):
		peer.query_info = {"name": "interop", "numbers": [1, 2]}
	if step.has("max_buffered_bytes"):
		peer.max_buffered_bytes = step["max_buffered_bytes"]


## Sends questions as ENetServerBrowser does, and others like them, from a socket of its own to a
## participant's.
func _ask(step: Dictionary) -> void:
	var port: int = scenario["ports"][0]
	if step.has("peer"):
		port = peer.get_peer_port(_id_of(step["peer"]))
	var udp := PacketPeerUDP.new()
	udp.set_dest_address("127.0.0.1", port)
	for number: int in step["count"]:
		var bytes := PackedByteArray()
		for i in QUESTION_LEN - number % 2:
			bytes.append(QUESTION_START[i] if i < QUESTION_START.size() else 0)
		# Some are answers, and some have another version.
		bytes[9] = number / 2 % 2
		bytes[8] = 1 + number / 4 % 2
		udp.put_packet(bytes)


## A step with "until" is for packets that may be lost: it sends them again, some time apart, until
## every receiver has given its sign.
func _put(step: Dictionary) -> bool:
	if step.has("until"):
		if _signalled(step["until"]):
			_report({"event": "bursts", "count": bursts})
			bursts = 0
			last_burst = -RESEND_MSEC
			return true
		if Time.get_ticks_msec() - last_burst < RESEND_MSEC:
			return false
		last_burst = Time.get_ticks_msec()
		bursts += 1
	peer.transfer_mode = step["mode"]
	peer.transfer_channel = step["channel"]
	peer.set_target_peer(_target_of(step["to"]))
	for packet: Array in step["packets"]:
		var error: int = peer.put_packet(_payload(packet[0], packet[1], packet[2]))
		if error != OK:
			_report({"event": "put_error", "to": step["to"], "size": packet[1], "error": error})
	return not step.has("until")


func _signalled(names: Array) -> bool:
	for name: String in names:
		if not Portable.file_exists(_folder_file("signal_" + name)):
			return false
	return true


func _call_peer(step: Dictionary) -> void:
	var arguments := []
	for argument: Variant in step["arguments"]:
		if argument is Dictionary and argument.has("id"):
			arguments.append(_id_of(argument["id"]))
		elif argument is Dictionary:
			arguments.append(scenario["ports"][argument["port"]])
		else:
			arguments.append(argument)
	var result: Variant = peer.callv(step["method"], arguments)
	if result is PackedByteArray:
		result = result.size()
	var event := {"event": "call", "method": step["method"], "result": result}
	event["arguments"] = step["arguments"]
	_report(event)


func _packets_from(name: String) -> int:
	if name.is_empty():
		return distinct.size()
	return distinct.values().count(_id_of(name))


func _target_of(to: Variant) -> int:
	if to is int:
		return to
	if to == "all":
		return 0
	if to.begins_with("-"):
		return -_id_of(to.trim_prefix("-"))
	return _id_of(to)


func _id_of(name: String) -> int:
	if name == "server":
		return 1
	var text := Portable.read(_folder_file("id_" + name))
	if text.is_empty():
		_fail("nobody knows the id of " + name)
	return text.to_int()


# --- Bytes ----------------------------------------------------------------------------------------


## The same bytes as payload() in scripts/interop/payload.py.
func _payload(kind: String, size: int, number: int) -> PackedByteArray:
	var block := PackedByteArray()
	var length := mini(size, BLOCK)
	block.resize(length)
	var state := (number * 2654435761 + size) & 0x7fffffff
	for i in length:
		state = (state * 1103515245 + 12345) & 0x7fffffff
		var value := (state >> 16) & 0xff
		if kind == "text":
			value = 97 + value % 12
		elif kind == "sparse":
			value = value if value < 8 else 0
		block[i] = value
	if size <= BLOCK:
		return block
	var bytes := PackedByteArray()
	var count := 0
	while bytes.size() < size:
		block[0] = count & 0xff
		block[1] = count >> 8
		bytes.append_array(block)
		count += 1
	bytes.resize(size)
	return bytes


func _md5(bytes: PackedByteArray) -> String:
	var context := HashingContext.new()
	context.start(HashingContext.HASH_MD5)
	if not bytes.is_empty():
		context.update(bytes)
	return context.finish().hex_encode()


## JSON knows floating point numbers only.
func _whole_numbers(value: Variant) -> Variant:
	if value is float and value == floorf(value):
		return int(value)
	if value is Array:
		for i: int in value.size():
			value[i] = _whole_numbers(value[i])
	elif value is Dictionary:
		for key: Variant in value:
			value[key] = _whole_numbers(value[key])
	return value


# --- The runner's side ----------------------------------------------------------------------------


func _report(event: Dictionary) -> void:
	if logging:
		event["msec"] = Time.get_ticks_msec()
		print("@@ ", JSON.stringify(event))


func _fail(reason: String) -> void:
	logging = true
	_report({"event": "failed", "reason": reason})
	_leave(2)


func _leave(code: int) -> void:
	if finished:
		return
	finished = true
	logging = true
	_report({"event": "end"})
	quit(code)


func _folder_file(name: String) -> String:
	return scenario["folder"] + "/" + name


func _write_file(name: String, text: String) -> void:
	if not Portable.write(_folder_file(name), text):
		_fail("the scenario's folder cannot be written")
