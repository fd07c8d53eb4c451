# gdlint: disable=max-public-methods
## Peers in threads: one at a time, several at once, and handlers that wait for another thread.
extends TestSuite

## What depends on chance or time; of these, only the type is compared.
const VARYING: PackedStringArray = [
	"generate_unique_id",
	"get_unique_id",
	"get_peer_port",
	"get_local_port",
	"get_peers",
	"get_statistics",
	"get_peer_statistics",
]
const RELIABLE := MultiplayerPeer.TRANSFER_MODE_RELIABLE
const OURS := &"NetworkedMultiplayerENet"
const STOCK := &"ENetMultiplayerPeer"
## Every error of ours begins so; one in these tests is as good as on the main thread.
const OUR_ERRORS := "NetworkedMultiplayerENet."
const SENDERS := 3
const PACKETS := 2000
## Above one datagram: such packets travel in parts.
const LONG_PACKET := 4000
## What the calls of a test take when nothing waits for anything.
const SOON_MSEC := 5000

var _threads: Array[Thread] = []


## What a handler has seen, in whatever thread.
class Notes:
	extends RefCounted

	var lines := PackedStringArray()
	var thread_ids := {}
	## A handler has begun while another one was running.
	var has_overlapped := false
	var _inside := false
	var _guard := Mutex.new()

	func watch(peer: MultiplayerPeer, delay_msec := 0) -> void:
		peer.peer_connected.connect(_note.bind("connected", delay_msec))
		peer.peer_disconnected.connect(_note.bind("disconnected", delay_msec))

	func size() -> int:
		return copy().size()

	func copy() -> PackedStringArray:
		_guard.lock()
		var all := lines.duplicate()
		_guard.unlock()
		return all

	func _note(id: int, what: String, delay_msec: int) -> void:
		_guard.lock()
		has_overlapped = has_overlapped or _inside
		_inside = true
		lines.append("%s %d" % [what, id])
		thread_ids[OS.get_thread_caller_id()] = true
		_guard.unlock()
		OS.delay_msec(delay_msec)
		_inside = false


## Something for threads to do until it is told to stop.
class Loop:
	extends RefCounted

	var rounds := 0
	var _stopped := false
	var _thread := Thread.new()

	func start(work: Callable) -> void:
		_thread.start(_run.bind(work))

	func stop() -> void:
		_stopped = true
		_thread.wait_to_finish()

	func _run(work: Callable) -> void:
		while not _stopped:
			work.call()
			rounds += 1
			OS.delay_msec(1)


func set_up() -> void:
	deadline = 60.0


func tear_down() -> void:
	for thread in _threads:
		thread.wait_to_finish()


func test_a_peer_lives_and_ends_in_a_thread() -> void:
	for kind: StringName in [STOCK, OURS]:
		var said: String = await _in_a_thread(_live.bind(kind, free_port()))
		check_equal(said, "server hears hello, 1 has gone", kind)


func test_every_method_answers_in_a_thread_as_on_the_main_thread() -> void:
	allow_errors(OUR_ERRORS)
	# Godot's own, of get_var() without a packet and of a buffer of one byte.
	allow_errors('Condition "err != OK"')
	allow_errors("Max encode buffer")
	for state: String in ["closed", "server", "client"]:
		var here := await _peer_in(state)
		var there := await _peer_in(state)
		var wanted := _call_everything(here)
		var got: Dictionary = await _in_a_thread(_call_everything.bind(there))
		check(wanted.size() > 60, "calls: %d" % wanted.size())
		check_equal(got, wanted, state)


func test_every_property_is_set_in_a_thread() -> void:
	var peer := new_peer(false)
	var values := {
		"always_ordered": true,
		"channel_count": 7,
		"compression_mode": 4,
		"connection_rate_limit": 3,
		"dtls_hostname": "name",
		"dtls_verify": false,
		"flush_mode": 1,
		"max_connections_per_address": 2,
		"mtu": 576,
		"max_buffered_bytes": 2097152,
		"max_bytes_per_second": 1000000,
		"max_packet_size": 65536,
		"max_packets_per_second": 10000,
		"require_address_proof": 1,
		"require_datagram_tags": true,
		"server_relay": false,
		"transfer_channel": 5,
		"use_dtls": true,
		"transfer_mode": 0,
		"refuse_new_connections": true,
	}
	var set_all := func() -> Dictionary:
		for property: String in values:
			peer.set(property, values[property])
		return _values_of(peer, values.keys())
	check_equal(await _in_a_thread(set_all), values, "in the thread")
	check_equal(_values_of(peer, values.keys()), values, "on the main thread")


func test_signals_come_in_the_thread_that_polls() -> void:
	for kind: StringName in [STOCK, OURS]:
		var server := _new(kind)
		var port := free_port()
		check_equal(server.call("create_server", port, 4), OK, "create_server")
		var notes := Notes.new()
		notes.watch(server)
		var poll := Loop.new()
		poll.start(server.poll)
		var client := _new(kind)
		client.call("create_client", LOCALHOST, port)
		polled.append(client)
		await wait_until(func() -> bool: return notes.size() == 1, 5.0, "the client connects")
		client.close()
		await wait_until(func() -> bool: return notes.size() == 2, 5.0, "the client leaves")
		poll.stop()
		check_equal(notes.thread_ids.size(), 1, "threads")
		check(not notes.thread_ids.has(OS.get_main_thread_id()), "not the main thread")
		server.close()


func test_packets_of_several_threads_arrive_each_in_order() -> void:
	var peers := await connected()
	var client := peers[1]
	client.set_target_peer(1)
	client.transfer_mode = RELIABLE
	for sender in SENDERS:
		_start(_put_numbers.bind(client, sender, PACKETS))
	var next := {}
	var mixed_up: Array[String] = []
	var all_there := func() -> bool:
		for text in received_texts(peers[0]):
			var parts := text.split_floats(" ")
			var wanted: int = next.get(int(parts[0]), 0)
			if int(parts[1]) != wanted:
				mixed_up.append("%s, not %d" % [text, wanted])
			next[int(parts[0])] = int(parts[1]) + 1
		return next.values().count(PACKETS) == SENDERS
	await wait_until(all_there, 20.0, "everything arrives")
	check_equal(mixed_up, [] as Array[String], "out of order")


func test_a_server_is_used_while_a_thread_polls_it() -> void:
	var server := new_peer(false)
	var port := serve(server)
	var notes := Notes.new()
	notes.watch(server)
	server.transfer_mode = RELIABLE
	var poll := Loop.new()
	poll.start(server.poll)
	var guests: Array[NetworkedMultiplayerENet] = [new_peer(), new_peer(), new_peer(), new_peer()]
	await join(guests, port)
	await wait_until(func() -> bool: return notes.size() == 4, 5.0, "four clients")
	var put := Loop.new()
	put.start(func() -> void: server.put_packet("news".to_utf8_buffer()))
	var count := Loop.new()
	count.start(func() -> int: return server.get_sent_bytes() + server.get_available_packet_count())
	for guest in guests:
		var text := (await receive(guest)).get_string_from_utf8()
		check_equal(text, "news", "a packet of the thread")
	for guest in guests:
		server.disconnect_peer(guest.get_unique_id())
	await wait_until(func() -> bool: return notes.size() == 8, 5.0, "four have left")
	for loop: Loop in [put, count, poll]:
		loop.stop()
		check(loop.rounds > 0, "each thread has worked")
	check_equal(notes.thread_ids.size(), 1, "all signals in one thread: %s" % [notes.lines])
	check(not notes.thread_ids.has(OS.get_main_thread_id()), "and that is not the main thread")
	_check_each_comes_before_it_goes(notes.copy(), 4)


## Nobody is in `poll`: the signal is there when the call returns.
func test_a_thread_disconnects_while_nobody_polls() -> void:
	var peers := await connected()
	var id := peers[1].get_unique_id()
	var notes := Notes.new()
	notes.watch(peers[0])
	polled.clear()
	var work := func() -> int:
		peers[0].disconnect_peer(id, true)
		return notes.size()
	var thread := Thread.new()
	thread.start(work)
	check_equal(thread.wait_to_finish(), 1, "signals during the call")
	check(not notes.thread_ids.has(OS.get_main_thread_id()), "in the thread that has called")


## One of them polls, and the others return: signals neither overlap nor overtake.
func test_several_threads_poll_at_once() -> void:
	var server := new_peer(false)
	var port := serve(server)
	var notes := Notes.new()
	notes.watch(server, 3)
	var loops: Array[Loop] = [Loop.new(), Loop.new(), Loop.new()]
	for loop in loops:
		loop.start(server.poll)
	var guests: Array[NetworkedMultiplayerENet] = []
	for i in 8:
		guests.append(new_peer())
		guests[i].create_client(LOCALHOST, port)
	await wait_until(func() -> bool: return notes.size() >= 8, 10.0, "eight clients")
	await wait_until(func() -> bool: return guests.all(is_connected_peer), 5.0, "connected")
	for guest in guests:
		guest.close_connection()
	await wait_until(func() -> bool: return notes.size() >= 16, 10.0, "all have left")
	for loop in loops:
		loop.stop()
		check(loop.rounds > 0, "each thread has polled")
	check(not notes.has_overlapped, "one handler at a time")
	_check_each_comes_before_it_goes(notes.copy(), 8)


func test_a_handler_waits_for_a_thread_that_calls_the_peer() -> void:
	for kind: StringName in [STOCK, OURS]:
		var server := _new(kind)
		var port := free_port()
		check_equal(server.call("create_server", port, 4), OK, "create_server")
		var outcomes: Array[String] = []
		var ask := func(id: int) -> void:
			server.set_target_peer(id)
			var done := Semaphore.new()
			_start(
				func() -> void:
					server.put_packet("hello".to_utf8_buffer())
					if server.get_unique_id() == 1 and server.get_available_packet_count() == 0:
						done.post()
			)
			outcomes.append("done" if _comes_soon(done) else "never")
		server.peer_connected.connect(ask)
		polled.append(server)
		var client := _new(kind)
		client.call("create_client", LOCALHOST, port)
		polled.append(client)
		await receive(client)
		check_equal(outcomes, ["done"] as Array[String], kind)


## As on the main thread, a handler's thread may end the connection and begin the next one.
func test_a_handler_waits_for_a_thread_that_replaces_the_connection() -> void:
	for action: String in ["close", "disconnect", "poll", "serve", "flush"]:
		var server := new_peer()
		var port := serve(server)
		var next_port := free_port()
		var answers: Array[int] = []
		var act := func(id: int, done: Semaphore) -> void:
			match action:
				"close":
					server.close()
				"disconnect":
					server.disconnect_peer(id, true)
				"poll":
					server.poll()
				"serve":
					server.close_connection()
					answers.append(server.create_server(next_port))
				"flush":
					server.put_packet("hello".to_utf8_buffer())
					server.flush()
			done.post()
		var handle := func(id: int) -> void:
			var done := Semaphore.new()
			_start(act.bind(id, done))
			check(_comes_soon(done), action + " does not wait for the handler")
		server.peer_connected.connect(handle)
		var client := new_peer()
		client.create_client(LOCALHOST, port)
		var client_id := client.get_unique_id()
		await wait_until(func() -> bool: return not events(server).is_empty(), 5.0, action)
		var wanted: Array[String] = ["peer_connected %d" % client_id]
		if action == "disconnect":
			# The thread that polls tells of it.
			wanted.append("peer_disconnected %d" % client_id)
		await frames(2)
		check_equal(events(server), wanted, action)
		var answer := PackedInt32Array(answers)
		check_equal(answer, PackedInt32Array([OK] if action == "serve" else []), "create_server")
		client.close()
		server.close()


func test_the_last_reference_goes_in_a_thread() -> void:
	var peers := await connected()
	var client := peers[1]
	var port := client.get_peer_port(1)
	var holder := {"peer": peers[0]}
	polled.erase(peers[0])
	peers.clear()
	for connection: Dictionary in holder["peer"].get_incoming_connections():
		connection["signal"].disconnect(connection["callable"])
	await _in_a_thread(func() -> void: holder.clear())
	var lost := func() -> bool: return "server_disconnected" in events(client)
	await wait_until(lost, 5.0, "the client is told")
	check_equal(new_peer().create_server(port), OK, "its port is free")


func test_packets_put_in_a_thread_leave_with_the_frame() -> void:
	var peers := await connected()
	var client := peers[1]
	polled.erase(client)
	client.set_target_peer(1)
	for round_number in 3:
		var put := func() -> int: return client.put_packet("hello".to_utf8_buffer())
		check_equal(await _in_a_thread(put), OK, "put_packet")
		var packet := await receive(peers[0])
		check_equal(packet.get_string_from_utf8(), "hello", "without a poll")
	polled.append(client)


func test_packets_are_fetched_by_several_threads() -> void:
	allow_errors("get_packet: no packet is waiting")
	var peers := await connected()
	var server := peers[0]
	var client := peers[1]
	client.set_target_peer(1)
	var seen := {}
	var guard := Mutex.new()
	var fetch := func() -> void:
		while server.get_available_packet_count() > 0:
			var packet := server.get_packet()
			if packet.is_empty():
				continue
			var number := packet.decode_u32(0)
			packet.remove_at(0)
			var is_whole := packet.size() == LONG_PACKET - 1
			is_whole = is_whole and packet.count(number % 251) >= LONG_PACKET - 4
			guard.lock()
			seen[number] = "whole" if is_whole and not seen.has(number) else "broken"
			guard.unlock()
	var loops: Array[Loop] = [Loop.new(), Loop.new(), Loop.new()]
	for loop in loops:
		loop.start(fetch)
	for number in 600:
		var packet := PackedByteArray()
		packet.resize(LONG_PACKET)
		packet.fill(number % 251)
		packet.encode_u32(0, number)
		client.put_packet(packet)
		if number % 20 == 0:
			await frames(1)
	var all_are_fetched := func() -> bool:
		guard.lock()
		var count := seen.size()
		guard.unlock()
		return count == 600
	await wait_until(all_are_fetched, 10.0, "all are fetched")
	for loop in loops:
		loop.stop()
	check_equal(seen.values().count("whole"), 600, "each of them once, and whole")


func test_one_of_two_threads_creates_the_server() -> void:
	for attempt in 20:
		allow_errors("create_server: a connection is open already")
		var server := new_peer(false)
		var answers: Array[int] = [-1, -1]
		var ports: Array[int] = [free_port(), free_port()]
		var pair: Array[Thread] = []
		for i in 2:
			var create := func() -> void: answers[i] = server.create_server(ports[i])
			pair.append(_start(create))
		for thread in pair:
			await wait_until(func() -> bool: return not thread.is_alive(), 5.0, "an answer")
		answers.sort()
		check_equal(answers, [OK, ERR_ALREADY_IN_USE] as Array[int], "create_server")
		server.close()


func test_a_key_is_read_in_a_thread() -> void:
	var crypto := Crypto.new()
	var key := crypto.generate_rsa(2048)
	var certificate := crypto.generate_self_signed_certificate(key, "CN=localhost")
	var server := new_peer()
	var client := new_peer()
	for peer: NetworkedMultiplayerENet in [server, client]:
		peer.use_dtls = true
		peer.dtls_hostname = "localhost"
		peer.set_dtls_certificate(certificate)
	var open := func(port: int) -> PackedInt32Array:
		server.set_dtls_key(key)
		var answers: Array[int] = [server.create_server(port)]
		answers.append(client.create_client(LOCALHOST, port))
		return PackedInt32Array(answers)
	var opened: PackedInt32Array = await _in_a_thread(open.bind(free_port()))
	check_equal(opened, PackedInt32Array([OK, OK]), "create_server, create_client")
	await wait_until(is_connected_peer.bind(client), 5.0, "the client connects")


## What the engine calls while a method runs may call the peer again: here it is an error that is
## printed. Needs Godot 4.5.
func test_a_logger_may_call_the_peer() -> void:
	if error_log == null:
		check(true, "no loggers")
		return
	var script := GDScript.new()
	script.source_code = (
		"extends Logger\nvar work: Callable\n"
		+ "func _log_error(_a, _b, _c, text, _d, _e, _f, _g):\n"
		+ '\tif text.contains("no connection is open") or text.contains("cannot be changed"):\n'
		+ "\t\twork.call()\n"
	)
	script.reload()
	var logger: RefCounted = script.new()
	var peer := new_peer(false)
	var calls: Array[int] = [0]
	var work := func() -> void:
		calls[0] += 1
		peer.always_ordered = not peer.always_ordered
		peer.get_connection_status()
		peer.set_target_peer(calls[0])
	logger.set("work", work)
	OS.call(&"add_logger", logger)
	peer.flush()
	peer.put_packet("hello".to_utf8_buffer())
	peer.poll()
	peer.disconnect_peer(2)
	serve(peer)
	peer.use_dtls = true
	OS.call(&"remove_logger", logger)
	logger.set("work", Callable())
	for method: String in ["flush", "put_packet", "poll", "disconnect_peer", "set_dtls_enabled"]:
		expect_error(method + ": ")
	check_equal(calls[0], 5, "errors that the logger has heard of")
	check(peer.always_ordered, "an odd number of changes")


# Helpers


func _new(kind: StringName) -> MultiplayerPeer:
	return ClassDB.instantiate(kind)


## Runs in a thread and waits for the answer; polls meanwhile.
func _in_a_thread(work: Callable) -> Variant:
	var thread := _start(work)
	await wait_until(func() -> bool: return not thread.is_alive(), 20.0, "the thread ends")
	_threads.erase(thread)
	return thread.wait_to_finish()


func _start(work: Callable) -> Thread:
	var thread := Thread.new()
	check_equal(thread.start(work), OK, "a thread")
	_threads.append(thread)
	return thread


func _comes_soon(done: Semaphore) -> bool:
	var limit := Time.get_ticks_msec() + SOON_MSEC
	while Time.get_ticks_msec() < limit:
		if done.try_wait():
			return true
		OS.delay_msec(1)
	return false


## A server and a client, from their first to their last moment, in the thread that calls.
static func _live(kind: StringName, port: int) -> String:
	var server: MultiplayerPeer = ClassDB.instantiate(kind)
	var client: MultiplayerPeer = ClassDB.instantiate(kind)
	if server.call("create_server", port, 4) != OK:
		return "no server"
	if client.call("create_client", LOCALHOST, port) != OK:
		return "no client"
	var said := PackedStringArray()
	client.peer_disconnected.connect(func(id: int) -> void: said.append("%d has gone" % id))
	client.set_target_peer(1)
	var has_put := false
	var limit := Time.get_ticks_msec() + SOON_MSEC
	while said.size() < 2 and Time.get_ticks_msec() < limit:
		client.poll()
		if client.get_connection_status() == CONNECTED and not has_put:
			has_put = client.put_packet("hello".to_utf8_buffer()) == OK
		if server != null:
			server.poll()
			if server.get_available_packet_count() > 0:
				said.append("server hears " + server.get_packet().get_string_from_utf8())
				server.close()
				server = null
		OS.delay_msec(1)
	return ", ".join(said)


func _peer_in(state: String) -> NetworkedMultiplayerENet:
	if state == "closed":
		return new_peer(false)
	var peers := await connected()
	var peer := peers[0] if state == "server" else peers[1]
	polled.erase(peer)
	return peer


## What each method of the class, of MultiplayerPeer and of PacketPeer answers, with values that
## suit the types of its arguments. What differs from peer to peer is told by its type.
func _call_everything(peer: NetworkedMultiplayerENet) -> Dictionary:
	var answers := {}
	for of_class: StringName in [OURS, &"MultiplayerPeer", &"PacketPeer"]:
		for method in ClassDB.class_get_method_list(of_class, true):
			var method_name: String = method["name"]
			if method_name.begins_with("_"):
				continue
			var arguments: Array = method["args"].map(_value_for)
			var answer: Variant = peer.callv(method_name, arguments)
			var varies := method_name.ends_with("_bytes") or method_name.begins_with("create_")
			# Each call makes an object of its own, as long as the peer is open; which calls come before
			# close() differs from build to build.
			if varies or method_name in VARYING or answer is Object:
				answer = type_string(typeof(answer))
			answers["%s.%s" % [of_class, method_name]] = answer
	return answers


static func _value_for(argument: Dictionary) -> Variant:
	match argument["type"]:
		TYPE_BOOL:
			return true
		TYPE_INT:
			return 1
		TYPE_STRING:
			return LOCALHOST
		TYPE_PACKED_BYTE_ARRAY:
			return PackedByteArray([1, 2, 3])
		TYPE_DICTIONARY:
			return {}
		TYPE_CALLABLE:
			return Callable()
	return null


static func _values_of(peer: NetworkedMultiplayerENet, properties: Array) -> Dictionary:
	var values := {}
	for property: String in properties:
		values[property] = peer.get(property)
	return values


static func _put_numbers(peer: MultiplayerPeer, sender: int, count: int) -> void:
	for number in count:
		peer.put_packet(("%d %d" % [sender, number]).to_utf8_buffer())


func _check_each_comes_before_it_goes(lines: PackedStringArray, count: int) -> void:
	var ids := {}
	for line in lines:
		var id := line.get_slice(" ", 1)
		var wanted := "disconnected" if ids.get(id) == "connected" else "connected"
		check_equal(line.get_slice(" ", 0), wanted, "the order for %s in %s" % [id, lines])
		ids[id] = wanted
	check_equal(ids.size(), count, "peers")
	check_equal(lines.size(), 2 * count, "signals")
