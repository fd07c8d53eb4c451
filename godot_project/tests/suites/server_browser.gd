# gdlint: disable=max-public-methods
## ENetServerBrowser finds servers, and NetworkedMultiplayerENet.query_info says what they answer.
extends TestSuite

const INFO := {
	"name": 'Grüße "Ω"',
	"map": null,
	"version": 3,
	"big": 1 << 40,
	"speed": 0.1,
	"modes": ["ctf", "dm", [true, false]],
	7: {"nested": {}},
}
## The first 12 bytes of a question of version 1; see the page about queries in nme-core.
const QUESTION_START: Array[int] = [0x0f, 0xfe, 0xff, 113, 117, 101, 114, 121, 1, 0, 0, 0]
const QUESTION_LEN := 1056
const ANSWER_LEN := 32

var browser: ENetServerBrowser
var found: Array[Dictionary] = []
var failed: Array[Array] = []
var finished := 0


func set_up() -> void:
	browser = ENetServerBrowser.new()
	browser.server_found.connect(func(server: Dictionary) -> void: found.append(server))
	browser.query_failed.connect(
		func(address: String, port: int) -> void: failed.append([address, port])
	)
	browser.search_finished.connect(func() -> void: finished += 1)


func tear_down() -> void:
	browser = null


func test_a_server_says_who_plays_and_what_the_game_wants() -> void:
	var server := new_peer()
	server.query_info = INFO
	var port := serve(server, 3)
	await join([new_peer(), new_peer()], port)
	await wait_until(func() -> bool: return events(server).size() == 2, 5.0, "both are in")
	check_equal(browser.query_server(LOCALHOST, port), OK, "query_server")
	check(browser.is_searching(), "it searches")
	await _finish()
	check_equal(failed, [] as Array[Array], "failed")
	if not check_equal(found.size(), 1, "servers"):
		return
	var trip: int = found[0]["round_trip_msec"]
	check(trip >= 0 and trip < 2000, "a round trip of %d ms" % trip)
	found[0].erase("round_trip_msec")
	var wanted := {
		"address": LOCALHOST,
		"port": port,
		"name": INFO["name"],
		"players": 2,
		"max_players": 3,
		"is_full": false,
		"is_refusing": false,
		"use_dtls": false,
		"info": INFO,
	}
	check_equal(found[0], wanted, "the server")
	check(not browser.is_searching(), "it has ended")
	check_equal(events(server).size(), 2, "the server's events")


func test_a_full_and_refusing_server() -> void:
	var server := new_peer()
	server.query_info = {"name": 5}
	var port := serve(server, 1)
	await join([new_peer()], port)
	await wait_until(func() -> bool: return events(server).size() == 1, 5.0, "it is in")
	server.refuse_new_connections = true
	browser.query_server("localhost", port)
	await _finish()
	if check_equal(found.size(), 1, "servers"):
		var server_now := found[0]
		check_equal(server_now["address"], "localhost", "the address as it was asked for")
		check_equal(server_now["is_full"], true, "full")
		check_equal(server_now["is_refusing"], true, "refusing")
		check_equal(server_now["name"], "", "a name that is no text")


func test_who_does_not_answer() -> void:
	var server := new_peer()
	var port := serve(server)
	browser.query_server(LOCALHOST, port, 100)
	browser.query_server("nobody.invalid", 4242, 100)
	browser.query_server(LOCALHOST, free_port(), 100)
	await _finish()
	check_equal(found, [] as Array[Dictionary], "found")
	check_equal(failed.size(), 3, "failed")
	check([LOCALHOST, port] in failed, "the server without query_info")
	check(["nobody.invalid", 4242] in failed, "the name without an address")
	# It answers from now on, and no more later.
	for info: Dictionary in [{"name": "here"}, {}]:
		server.query_info = info
		found.clear()
		browser.query_server(LOCALHOST, port, 10000 if info else 100)
		await _finish()
		check_equal(found.size(), info.size(), "answers")


func test_a_blocked_game_with_a_thread_answers() -> void:
	var server := NetworkedMultiplayerENet.new()
	server.threaded = true
	server.query_info = {"name": "busy"}
	browser.query_server(LOCALHOST, serve(server), 10000)
	while browser.is_searching():
		OS.delay_msec(1)
		browser.poll()
	check_equal(found.size(), 1, "an answer while nobody polls the server")
	check_equal(finished, 1, "search_finished")
	server.close_connection()


func test_what_a_server_says_is_a_copy() -> void:
	var server := new_peer()
	check_equal(server.query_info, {}, "the default")
	var info := {"list": [1]}
	server.query_info = info
	info["list"].append(2)
	server.query_info["list"].append(3)
	check_equal(server.query_info, {"list": [1]}, "query_info")
	var typed: Dictionary[String, int] = {"a": 1}
	server.query_info = typed
	check_equal(server.query_info, {"a": 1}, "of a typed dictionary")
	server.query_info = {&"name": &"text", "typed": Array([1, 2], TYPE_INT, &"", null)}
	check_equal(server.query_info, {"name": "text", "typed": [1, 2]}, "names and typed arrays")


func test_what_cannot_be_said() -> void:
	var server := new_peer()
	server.query_info = {"name": "kept"}
	var endless := {}
	endless["self"] = endless
	var problems := {
		"VECTOR2": {"at": Vector2.ONE},
		"OBJECT": {"object": self},
		"CALLABLE": {"call": set_up},
		"PACKED_BYTE_ARRAY": {"bytes": PackedByteArray([1])},
		"takes 1028 bytes": {"name": "x".repeat(1000)},
		"in each other": endless,
	}
	for problem: String in problems:
		server.query_info = problems[problem]
		expect_error(["set_query_info", problem], problem)
		check_equal(server.query_info, {"name": "kept"}, "still the same")
	endless.clear()
	server.query_info = {"name": "x".repeat(996)}
	check_equal(server.query_info["name"].length(), 996, "the longest")
	var port := serve(server)
	browser.query_server(LOCALHOST, port)
	await _finish()
	check_equal(found.size(), 1, "it is sent")


func test_wrong_calls() -> void:
	for port: int in [0, -1, 65536]:
		check_equal(browser.query_server(LOCALHOST, port), ERR_INVALID_PARAMETER, "query_server")
		expect_error(["ENetServerBrowser.query_server", "port is %d" % port])
		check_equal(browser.discover_servers(port), ERR_INVALID_PARAMETER, "discover_servers")
		expect_error(["ENetServerBrowser.discover_servers", "port is %d" % port])
	for time: int in [0, -1, 60001]:
		check_equal(browser.query_server(LOCALHOST, 1, time), ERR_INVALID_PARAMETER, "the time")
		expect_error(["query_server", "timeout_msec is %d" % time])
	for host: String in ["", "http://example.com", "a b"]:
		check_equal(browser.query_server(host, 1), ERR_CANT_RESOLVE, "the host")
		expect_error(["query_server", "there is no such host"])
	check(not browser.is_searching(), "nothing is asked")
	browser.poll()
	browser.stop()
	check_equal(finished, 0, "search_finished")


func test_too_many_at_once() -> void:
	var port := free_port()
	for i in 1024:
		browser.query_server(LOCALHOST, port, 60000)
	check_equal(browser.query_server(LOCALHOST, port), ERR_BUSY, "one more")
	expect_error(["query_server", "1024 queries are under way"])
	browser.stop()
	check_equal(browser.query_server(LOCALHOST, port, 1), OK, "and again")
	await _finish()
	check_equal(failed.size(), 1, "failed")


func test_many_servers() -> void:
	var ports := {}
	for i in 30:
		var server := new_peer()
		server.query_info = {"name": str(i)}
		var port := serve(server)
		ports[port] = str(i)
		browser.query_server(LOCALHOST, port, 10000)
	await _finish()
	check_equal(found.size(), 30, "servers")
	for server: Dictionary in found:
		check_equal(server["name"], ports[server["port"]], "the name")


func test_servers_of_this_machine_are_discovered() -> void:
	var port := free_port()
	var server := new_peer()
	server.query_info = {"name": "ours"}
	check_equal(server.create_server(port), OK, "create_server")
	check_equal(browser.discover_servers(port, 500), OK, "discover_servers")
	await _finish()
	check_equal(found.size(), 1, "servers, however many ways lead to it")
	if not found.is_empty():
		check(found[0]["address"].is_valid_ip_address(), "an address")
		var client := new_peer()
		client.create_client(found[0]["address"], found[0]["port"])
		await wait_until(is_connected_peer.bind(client), 5.0, "the client connects")


func test_it_goes_on_where_a_handler_asks_anew() -> void:
	var server := new_peer()
	server.query_info = {"name": "here"}
	var port := serve(server)
	var again := func() -> void:
		if finished < 3:
			browser.query_server(LOCALHOST, port)
	browser.search_finished.connect(again)
	browser.query_server(LOCALHOST, port)
	await wait_until(func() -> bool: return finished == 3, 10.0, "three searches")
	await frames(3)
	check_equal(found.size(), 3, "servers")
	browser.search_finished.disconnect(again)


func test_it_ends_when_nobody_has_it() -> void:
	browser.query_server(LOCALHOST, free_port(), 60000)
	var here: WeakRef = weakref(browser)
	browser = null
	check_equal(here.get_ref(), null, "the browser")
	await frames(3)
	check_equal(get_tree().process_frame.get_connections().size(), 0, "what waits for frames")


func test_a_handler_may_drop_it() -> void:
	var server := new_peer()
	server.query_info = {"name": "here"}
	browser.server_found.connect(func(_server: Dictionary) -> void: browser = null)
	browser.query_server(LOCALHOST, serve(server))
	await wait_until(func() -> bool: return browser == null, 5.0, "the handler runs")
	await frames(3)
	check_equal(found.size(), 1, "servers")


func test_in_a_thread_it_is_polled_by_hand() -> void:
	var server := NetworkedMultiplayerENet.new()
	server.threaded = true
	server.query_info = {"name": "here"}
	var port := serve(server)
	var thread := Thread.new()
	thread.start(
		func() -> void:
			browser.query_server(LOCALHOST, port, 10000)
			while browser.is_searching():
				OS.delay_msec(1)
				browser.poll()
	)
	await wait_until(func() -> bool: return not thread.is_alive(), 15.0, "the thread ends")
	thread.wait_to_finish()
	check_equal([found.size(), finished], [1, 1], "signals")
	server.close_connection()


func test_stop() -> void:
	browser.query_server(LOCALHOST, free_port(), 1)
	browser.stop()
	check(not browser.is_searching(), "it has ended")
	await frames(5)
	check_equal([failed.size(), finished], [0, 0], "signals")


func test_an_address_gets_so_many_answers() -> void:
	var server := new_peer()
	server.query_info = {"name": "here"}
	var port := serve(server)
	var udp := _connect_udp(port)
	for i in 200:
		udp.put_packet(_question(i))
	await wait_until(func() -> bool: return udp.get_available_packet_count() >= 50, 5.0, "answers")
	await wait(0.2)
	var count := udp.get_available_packet_count()
	check(count >= 50 and count < 70, "50 at once and 10 a second, not %d" % count)
	await join([new_peer()], port)


func test_an_answer_is_short_and_a_variant() -> void:
	var server := new_peer()
	server.query_info = INFO
	var udp := _connect_udp(serve(server))
	udp.put_packet(_question(0x0123456789))
	await wait_until(func() -> bool: return udp.get_available_packet_count() > 0, 5.0, "an answer")
	var answer := udp.get_packet()
	check(answer.size() <= QUESTION_LEN, "%d bytes" % answer.size())
	check_equal(answer.slice(12, 20), _question(0x0123456789).slice(12, 20), "the nonce")
	check_equal(answer.slice(ANSWER_LEN), var_to_bytes(INFO), "as the engine writes it")


func test_hostile_bytes_to_a_server() -> void:
	var server := new_peer()
	server.query_info = INFO
	var port := serve(server)
	var client := new_peer()
	await join([client], port)
	var udp := _connect_udp(port)
	seed(7)
	for i in 1000:
		var bytes := _question(i)
		bytes[randi() % 12] = randi() % 256
		bytes.resize(randi() % QUESTION_LEN)
		udp.put_packet(bytes)
		if i % 100 == 0:
			await frames(1)
	await wait(0.1)
	check_equal(udp.get_available_packet_count(), 0, "answers")
	server.set_target_peer(client.get_unique_id())
	server.put_packet("still here".to_utf8_buffer())
	check_equal((await receive(client)).get_string_from_utf8(), "still here", "a packet")


func test_hostile_bytes_to_a_browser() -> void:
	var udp := PacketPeerUDP.new()
	var port := free_port()
	check_equal(udp.bind(port, LOCALHOST), OK, "bind")
	browser.query_server(LOCALHOST, port, 1000)
	await wait_until(func() -> bool: return udp.get_available_packet_count() > 0, 5.0, "a question")
	var question := udp.get_packet()
	check_equal(question.size(), QUESTION_LEN, "its length")
	udp.set_dest_address(LOCALHOST, udp.get_packet_port())
	var good := question.slice(0, 20)
	good[9] = 1
	good.resize(ANSWER_LEN)
	seed(8)
	# What is no dictionary of the few types, also where the engine would read it or complain.
	var wrong: Array[PackedByteArray] = [
		PackedByteArray(),
		var_to_bytes("text"),
		var_to_bytes({"at": Vector2.ONE}),
		var_to_bytes({"object": self}),
		var_to_bytes({"name": "x".repeat(2000)}),
		var_to_bytes(INFO).slice(0, -4),
		var_to_bytes(INFO) + PackedByteArray([0, 0, 0, 0]),
	]
	for bytes in wrong:
		udp.put_packet(good + bytes)
	for i in 300:
		var bytes := var_to_bytes(INFO)
		bytes[randi() % 8] = 200 + randi() % 50
		udp.put_packet(good + bytes)
	var stranger := _connect_udp(udp.get_packet_port())
	stranger.put_packet(good + var_to_bytes({"name": "stranger"}))
	await wait(0.1)
	check_equal(found, [] as Array[Dictionary], "found")
	udp.put_packet(good + var_to_bytes({"name": "good"}))
	await _finish()
	check_equal(found.size(), 1, "found")
	if not found.is_empty():
		check_equal(found[0]["name"], "good", "the name")


func test_servers_of_godot_take_no_notice() -> void:
	var server := ENetMultiplayerPeer.new()
	var client := ENetMultiplayerPeer.new()
	var port := free_port()
	check_equal(server.create_server(port), OK, "create_server")
	client.create_client(LOCALHOST, port)
	polled.append_array([server, client])
	await wait_until(is_connected_peer.bind(client), 5.0, "the client connects")
	browser.query_server(LOCALHOST, port, 400)
	browser.discover_servers(port, 400)
	await _finish()
	check_equal(found, [] as Array[Dictionary], "found")
	server.set_target_peer(client.get_unique_id())
	server.put_packet("still here".to_utf8_buffer())
	check_equal((await receive(client)).get_string_from_utf8(), "still here", "a packet")


func test_a_server_with_dtls() -> void:
	var server := new_peer()
	var crypto := Crypto.new()
	var key := crypto.generate_rsa(2048)
	server.use_dtls = true
	server.set_dtls_key(key)
	var certificate := crypto.generate_self_signed_certificate(
		key, "CN=localhost", "20200101000000", "20900101000000"
	)
	server.set_dtls_certificate(certificate)
	server.query_info = {"name": "secret"}
	var port := serve(server)
	browser.query_server(LOCALHOST, port)
	await _finish()
	if check_equal(found.size(), 1, "found"):
		check_equal(found[0]["use_dtls"], true, "use_dtls")
	var client := new_peer()
	client.use_dtls = true
	client.dtls_hostname = "localhost"
	client.set_dtls_certificate(certificate)
	client.create_client(LOCALHOST, port)
	await wait_until(is_connected_peer.bind(client), 10.0, "the client connects")


## Waits for the end of the search.
func _finish() -> void:
	var before := finished
	await wait_until(func() -> bool: return finished > before, 15.0, "search_finished")


func _connect_udp(port: int) -> PacketPeerUDP:
	var udp := PacketPeerUDP.new()
	check_equal(udp.connect_to_host(LOCALHOST, port), OK, "connect_to_host")
	return udp


## A question with this nonce.
func _question(nonce: int) -> PackedByteArray:
	var bytes := PackedByteArray(QUESTION_START)
	for shift in 8:
		bytes.append(nonce >> (56 - 8 * shift) & 0xff)
	bytes.resize(QUESTION_LEN)
	return bytes
