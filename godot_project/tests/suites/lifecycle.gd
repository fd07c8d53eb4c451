# gdlint: disable=max-public-methods
## Handlers that call back into the peer, peers that are freed, and peers used again.
##
## The peers are polled here, not by the framework: the members hold the only references.
extends TestSuite

## What a signal's handler does with its own peer.
const ACTIONS: Array[String] = [
	"close", "close twice", "serve", "connect", "put", "kick", "poll", "drop", "close and drop"
]

var server: NetworkedMultiplayerENet
var client: NetworkedMultiplayerENet
var port := 0
## How often the handler under test has run.
var handled := 0

var _blocker: NetworkedMultiplayerENet


func set_up() -> void:
	deadline = 60.0


func test_server_peer_connected() -> void:
	for action in ACTIONS:
		_make_pair()
		server.peer_connected.connect(_act_once.bind("server", action).unbind(1))
		await _until_handled("peer_connected: " + action)
		_check_outcome("server", action)
		await _settle()


func test_server_peer_disconnected() -> void:
	for action in ACTIONS:
		await _make_connected_pair()
		server.peer_disconnected.connect(_act_once.bind("server", action).unbind(1))
		client.close_connection()
		await _until_handled("peer_disconnected: " + action)
		_check_outcome("server", action)
		await _settle()


func test_server_peer_disconnected_inside_disconnect_peer() -> void:
	for action in ACTIONS:
		await _make_connected_pair()
		server.peer_disconnected.connect(_act_once.bind("server", action).unbind(1))
		server.disconnect_peer(client.get_unique_id(), true)
		check_equal(handled, 1, "the handler runs inside the call: " + action)
		_check_outcome("server", action)
		await _settle()


func test_client_peer_connected() -> void:
	for action in ACTIONS:
		_make_pair()
		client.peer_connected.connect(_act_once.bind("client", action).unbind(1))
		await _until_handled("peer_connected: " + action)
		_check_outcome("client", action)
		await _settle()


func test_client_connection_succeeded() -> void:
	for action in ACTIONS:
		_make_pair()
		client.connection_succeeded.connect(_act_once.bind("client", action))
		await _until_handled("connection_succeeded: " + action)
		_check_outcome("client", action)
		await _settle()


func test_client_peer_disconnected() -> void:
	for action in ACTIONS:
		await _make_connected_pair()
		client.peer_disconnected.connect(_act_once.bind("client", action).unbind(1))
		server.close_connection()
		await _until_handled("peer_disconnected: " + action)
		_check_lost("client", action)
		await _settle()


func test_client_server_disconnected() -> void:
	for action in ACTIONS:
		await _make_connected_pair()
		client.server_disconnected.connect(_act_once.bind("client", action))
		server.close_connection()
		await _until_handled("server_disconnected: " + action)
		_check_lost("client", action)
		await _settle()


func test_client_connection_failed() -> void:
	for action in ACTIONS:
		_make_hopeless_client()
		client.connection_failed.connect(_act_once.bind("client", action))
		await _until_handled("connection_failed: " + action)
		_check_lost("client", action)
		await _settle()


## A handler that replaces the connection must not get the events of the old one.
func test_events_of_a_connection_end_with_it() -> void:
	var peers := await connected(3)
	var host := peers[0]
	peers[1].close_connection()
	peers[2].close_connection()
	peers[3].close_connection()
	var seen := events(host)
	seen.clear()
	host.peer_disconnected.connect(host.close_connection.unbind(1))
	var left := func() -> bool: return not seen.is_empty()
	await wait_until(left, 5.0, "the first client has left")
	await frames(3)
	check_equal(seen.size(), 1, "signals: %s" % [seen])
	host.peer_disconnected.disconnect(host.close_connection.unbind(1))


func test_the_last_reference_goes_with_events_still_waiting() -> void:
	server = new_peer(false)
	port = serve(server)
	var guests: Array[NetworkedMultiplayerENet] = [new_peer(), new_peer(), new_peer()]
	for guest in guests:
		guest.create_client(LOCALHOST, port)
	var complete := func() -> bool:
		server.poll()
		return events(server).size() == 3
	await wait_until(complete, 5.0, "three clients")
	for guest in guests:
		guest.close_connection()
	server.peer_disconnected.connect(_act_once.bind("server", "drop").unbind(1))
	await _until_handled("the server is dropped")
	check(server == null, "the server is gone")
	await frames(3)
	var successor := new_peer()
	check_equal(successor.create_server(port), OK, "its port is free after the frame")


func test_a_welcome_inside_peer_connected() -> void:
	var peers := await connected()
	server = peers[0]
	server.peer_connected.connect(_welcome)
	var guests: Array[NetworkedMultiplayerENet] = [new_peer(), new_peer(), new_peer()]
	await join(guests, peers[1].get_peer_port(1))
	for guest in guests:
		var text := (await receive(guest)).get_string_from_utf8()
		check_equal(text, "welcome %d" % guest.get_unique_id(), "its own welcome")


func test_a_kick_inside_peer_connected() -> void:
	for now: bool in [true, false]:
		server = new_peer()
		port = serve(server)
		server.peer_connected.connect(_kick.bind(now))
		var guests: Array[NetworkedMultiplayerENet] = [new_peer(), new_peer()]
		for guest in guests:
			check_equal(guest.create_client(LOCALHOST, port), OK, "create_client")
		var over := func() -> bool: return events(server).size() == 4
		await wait_until(over, 5.0, "both come and go, now: %s" % now)
		for guest in guests:
			var lost := func() -> bool: return guest.get_connection_status() == DISCONNECTED
			await wait_until(lost, 5.0, "a client hears of it")
			check_equal(events(guest).back(), "server_disconnected", "its last signal")
		await frames(10)
		check_equal(events(server).size(), 4, "signals: %s" % [events(server)])
		server.close_connection()


func test_a_kick_of_others_inside_peer_disconnected() -> void:
	var peers := await connected(3)
	server = peers[0]
	var others: Array[int] = [peers[2].get_unique_id(), peers[3].get_unique_id()]
	server.peer_disconnected.connect(_kick_these.bind(others).unbind(1))
	peers[1].close_connection()
	var over := func() -> bool: return events(server).size() == 6
	await wait_until(over, 5.0, "all have left")
	await frames(10)
	check_equal(events(server).size(), 6, "signals: %s" % [events(server)])
	for guest: NetworkedMultiplayerENet in [peers[2], peers[3]]:
		check_equal(guest.get_connection_status(), DISCONNECTED, "a kicked client")


func test_a_packet_that_waits_when_its_sender_leaves() -> void:
	var peers := await connected()
	peers[1].set_target_peer(1)
	check_equal(peers[1].put_packet("last words".to_utf8_buffer()), OK, "put_packet")
	peers[1].close_connection()
	check_equal((await receive(peers[0])).get_string_from_utf8(), "last words", "the packet")
	var left := func() -> bool: return events(peers[0]).size() == 2
	await wait_until(left, 5.0, "then the peer leaves")


func test_a_freed_server_says_goodbye() -> void:
	await _make_connected_pair()
	server = null
	await _wait_for_status("client", DISCONNECTED, 1.0)
	check_equal(events(client).slice(-2), ["peer_disconnected 1", "server_disconnected"], "signals")


func test_a_freed_client_says_goodbye() -> void:
	await _make_connected_pair()
	var id := client.get_unique_id()
	client = null
	var left := func() -> bool:
		server.poll()
		return events(server).back() == "peer_disconnected %d" % id
	await wait_until(left, 1.0, "the server hears of it at once")


func test_a_freed_attempt() -> void:
	_make_pair()
	client = null
	for i in 5:
		server.poll()
		await get_tree().process_frame
	check_equal(server.get_connection_status(), CONNECTED, "the server goes on")


func test_again_after_close() -> void:
	await _make_connected_pair()
	for round_number in 5:
		client.close_connection()
		check_equal(client.get_connection_status(), DISCONNECTED, "the status")
		check_equal(client.create_client(LOCALHOST, port), OK, "create_client again")
		await _wait_for_status("client", CONNECTED)
	client.close_connection()
	server.close_connection()
	check_equal(client.create_server(port), OK, "the client becomes a server")
	check_equal(client.get_unique_id(), 1, "its id")
	check_equal(server.create_client(LOCALHOST, port), OK, "the server becomes a client")
	check(server.get_unique_id() > 1, "its id")
	await _wait_for_status("server", CONNECTED)


func test_again_after_a_failed_attempt() -> void:
	_make_hopeless_client()
	await _wait_for_status("client", DISCONNECTED)
	check_equal(events(client), ["connection_failed"] as Array[String], "signals")
	_blocker.close_connection()
	server.poll()
	check_equal(client.create_client(LOCALHOST, port), OK, "create_client again")
	await _wait_for_status("client", CONNECTED)


func test_again_after_a_lost_server() -> void:
	await _make_connected_pair()
	server.close_connection()
	await _wait_for_status("client", DISCONNECTED)
	check_equal(server.create_server(port), OK, "the server comes back")
	check_equal(client.create_client(LOCALHOST, port), OK, "create_client again")
	await _wait_for_status("client", CONNECTED)


func test_a_new_id_for_each_connection() -> void:
	var ids := {}
	client = new_peer(false)
	for round_number in 50:
		check_equal(client.create_client(LOCALHOST, 9), OK, "create_client")
		ids[client.get_unique_id()] = true
		check(client.get_unique_id() >= 2, "an id of a client")
		client.close_connection()
	check(ids.size() >= 49, "random ids: %d of 50 are different" % ids.size())


func test_refusing_ends_with_the_connection() -> void:
	server = new_peer(false)
	server.refuse_new_connections = true
	check_equal(server.create_server(free_port()), OK, "create_server")
	check_equal(server.refuse_new_connections, false, "refuse_new_connections")


func test_polling_only_one_side() -> void:
	await _make_connected_pair()
	for number in 200:
		client.put_packet("x".to_utf8_buffer())
		client.poll()
	check_equal(client.get_connection_status(), CONNECTED, "the client")
	var reads := func() -> bool:
		server.poll()
		return server.get_available_packet_count() > 0
	await wait_until(reads, 5.0, "the server reads them later")


func test_several_servers_in_one_process() -> void:
	var pairs: Array = []
	for number in 4:
		pairs.append(await connected())
	for number in 4:
		pairs[number][1].put_packet(("to %d" % number).to_utf8_buffer())
	for number in 4:
		var packet: PackedByteArray = await receive(pairs[number][0])
		check_equal(packet.get_string_from_utf8(), "to %d" % number, "each has its own client")


func test_a_script_class_on_top() -> void:
	var script := GDScript.new()
	script.source_code = "extends NetworkedMultiplayerENet\n\n\nvar mine := 5\n"
	check_equal(script.reload(), OK, "a script that extends the class")
	server = script.new()
	check_equal(server.create_server(free_port()), OK, "create_server")
	check_equal(server.get("mine"), 5, "a member of the script")
	server.poll()


## 200 rounds of create, connect and close leave nothing behind.
func test_objects_do_not_pile_up() -> void:
	await _many_rounds(20)
	var before := Performance.get_monitor(Performance.OBJECT_COUNT)
	var memory := Performance.get_monitor(Performance.MEMORY_STATIC)
	await _many_rounds(200)
	var after := Performance.get_monitor(Performance.OBJECT_COUNT)
	check(after < before + 20, "objects: %d, then %d" % [before, after])
	var growth := Performance.get_monitor(Performance.MEMORY_STATIC) - memory
	check(growth < 100_000.0, "the engine's memory: %d bytes more" % growth)


## In another process: a SceneTree that never has a frame.
func test_before_the_first_frame() -> void:
	var child := start_main_loop("res://tests/roles/no_tree.gd")
	check_equal(await wait_for_line(child, "connected:"), "true", "without a tree")
	check_equal(await wait_for_line(child, "packet:"), "hello", "a packet")
	check_equal(await wait_for_line(child, "dropped:"), "true", "the last reference in a handler")
	check_equal(await wait_for_end(child), 0, "the exit code")


## In another process: open connections when the engine quits.
func test_quit_with_open_connections() -> void:
	var child := start_child("open_at_end")
	await wait_for_line(child, "open")
	check_equal(await wait_for_end(child), 0, "the exit code")


func _many_rounds(count: int) -> void:
	for round_number in count:
		var host := TestPeer.make()
		var guest := TestPeer.make()
		var own_port := free_port() if round_number % 50 == 0 or port == 0 else port
		port = own_port
		host.create_server(own_port)
		guest.create_client(LOCALHOST, own_port)
		# With threads on a busy machine, it takes as long as they have to wait for their turn.
		for i in 5000:
			host.poll()
			guest.poll()
			if guest.get_connection_status() == CONNECTED:
				break
			OS.delay_usec(200)
		guest.put_packet("x".to_utf8_buffer())
		host.poll()
		if round_number % 2 == 0:
			host.close_connection()
			guest.close_connection()
	check(true, "rounds")
	await get_tree().process_frame


## A server and a client that has just begun to connect.
func _make_pair() -> void:
	handled = 0
	server = new_peer(false)
	client = new_peer(false)
	port = serve(server)
	check_equal(client.create_client(LOCALHOST, port), OK, "create_client")


## A server that is full, and a client that it cannot take.
func _make_hopeless_client() -> void:
	handled = 0
	server = new_peer(false)
	client = new_peer(false)
	_blocker = new_peer(false)
	port = serve(server, 1)
	check_equal(_blocker.create_client(LOCALHOST, port), OK, "create_client")
	for i in 1000:
		server.poll()
		_blocker.poll()
		if is_connected_peer(_blocker) and not events(server).is_empty():
			break
		OS.delay_usec(200)
	check(is_connected_peer(_blocker), "the server is full")
	check_equal(client.create_client(LOCALHOST, port), OK, "create_client")


func _make_connected_pair() -> void:
	_make_pair()
	await _wait_for_status("client", CONNECTED)
	var known := func() -> bool:
		_poll_both()
		return events(server).size() == 1
	await wait_until(known, 5.0, "the server has its client")


func _wait_for_status(whose: String, status: int, seconds := 5.0) -> void:
	var reached := func() -> bool:
		_poll_both()
		return (get(whose) as MultiplayerPeer).get_connection_status() == status
	await wait_until(reached, seconds, "status %d of the %s" % [status, whose])


func _until_handled(what: String) -> void:
	var done := func() -> bool:
		_poll_both()
		return handled > 0
	await wait_until(done, 5.0, what)


## The members are used directly: nothing else may hold the peers during a poll.
func _poll_both() -> void:
	# A server is full only while those in its slots answer.
	if _blocker != null and _blocker.get_connection_status() != DISCONNECTED:
		_blocker.poll()
	if server != null and server.get_connection_status() != DISCONNECTED:
		server.poll()
	if client != null and client.get_connection_status() != DISCONNECTED:
		client.poll()


func _act_once(whose: String, action: String) -> void:
	handled += 1
	if handled == 1:
		_act(whose, action)


func _act(whose: String, action: String) -> void:
	var peer: NetworkedMultiplayerENet = get(whose)
	match action:
		"close":
			peer.close_connection()
		"close twice":
			peer.close_connection()
			peer.close_connection()
		"serve":
			peer.close_connection()
			check_equal(peer.create_server(free_port()), OK, "create_server in a handler")
		"connect":
			peer.close_connection()
			check_equal(
				peer.create_client(LOCALHOST, free_port()), OK, "create_client in a handler"
			)
		"put":
			var status := peer.get_connection_status()
			var want := OK if status == CONNECTED else ERR_UNCONFIGURED
			check_equal(peer.put_packet("x".to_utf8_buffer()), want, "put_packet in a handler")
			if want != OK:
				expect_error("put_packet")
		"kick":
			_kick_all(peer)
		"poll":
			var open := peer.get_connection_status() != DISCONNECTED
			peer.poll()
			if not open:
				expect_error("poll")
		"drop":
			set(whose, null)
		"close and drop":
			peer.close_connection()
			set(whose, null)


func _welcome(id: int) -> void:
	server.set_target_peer(id)
	check_equal(server.put_packet(("welcome %d" % id).to_utf8_buffer()), OK, "put_packet")


func _kick(id: int, now: bool) -> void:
	server.disconnect_peer(id, now)


## Empties the list first: each kick calls this handler again.
func _kick_these(ids: Array[int]) -> void:
	while not ids.is_empty():
		server.disconnect_peer(ids.pop_back(), true)


func _kick_all(peer: NetworkedMultiplayerENet) -> void:
	var other := client if peer == server else server
	allow_errors("disconnect_peer")
	var id := 1 if other.get_connection_status() == DISCONNECTED else other.get_unique_id()
	peer.disconnect_peer(id, true)


## The state of a peer that was connected when the handler ran.
func _check_outcome(whose: String, action: String) -> void:
	match action:
		"close", "close twice":
			_check_status(whose, DISCONNECTED, action)
		"serve":
			_check_status(whose, CONNECTED, action)
			check_equal((get(whose) as MultiplayerPeer).get_unique_id(), 1, "the id: " + action)
		"connect":
			_check_status(whose, CONNECTING, action)
		"put", "poll", "kick":
			_check_status(whose, CONNECTED, action)
		"drop", "close and drop":
			check(get(whose) == null, action)


## The state of a client that had lost its connection when the handler ran.
func _check_lost(whose: String, action: String) -> void:
	if action in ["put", "poll", "kick"]:
		_check_status(whose, DISCONNECTED, action)
	else:
		_check_outcome(whose, action)


func _check_status(whose: String, want: int, action: String) -> void:
	var peer: MultiplayerPeer = get(whose)
	check_equal(peer.get_connection_status() as int, want, "the %s's status: %s" % [whose, action])


## Some more frames, in which a wrong state would crash or print, and the end of both peers.
func _settle() -> void:
	for i in 5:
		_poll_both()
		await get_tree().process_frame
	check_equal(handled, 1, "the handler ran once")
	server = null
	client = null
