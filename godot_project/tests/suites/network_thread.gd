## What a thread of its own does for a connection: it goes on while the game does not poll. All else
## is as without, which the other suites show: they run in both ways.
extends TestSuite

const RELIABLE := MultiplayerPeer.TRANSFER_MODE_RELIABLE
const UNRELIABLE := MultiplayerPeer.TRANSFER_MODE_UNRELIABLE
const MIB := 1 << 20

var server: NetworkedMultiplayerENet


func set_up() -> void:
	server = _threaded()


func test_it_is_chosen_before_a_connection_is_opened() -> void:
	var peer := NetworkedMultiplayerENet.new()
	peer.threaded = true
	check_equal(peer.threaded, true, "the property")
	serve(peer)
	peer.threaded = false
	expect_error(["set_threaded", "cannot be changed while a connection is open"])
	check_equal(peer.threaded, true, "the property of an open server")


func test_nobody_is_lost_while_the_game_is_blocked() -> void:
	var client := await _join()
	server.set_peer_timeout(client.get_unique_id(), 1, 300, 600)
	client.set_peer_timeout(1, 1, 300, 600)
	client.set_target_peer(1)
	client.put_packet("before".to_utf8_buffer())
	client.flush()
	OS.delay_msec(3000)
	server.poll()
	client.poll()
	check(is_connected_peer(client), "the client is there")
	check_equal(events(server).size(), 1, "the server has heard of one client, and of nobody's end")
	check_equal(received_texts(server), ["before"], "what came meanwhile")
	client.put_packet("after".to_utf8_buffer())
	check_equal((await receive(server)).get_string_from_utf8(), "after", "what comes later")


func test_a_relay_does_not_wait_for_the_server_s_game() -> void:
	var clients: Array[NetworkedMultiplayerENet] = [await _join(), await _join()]
	var knows := func() -> bool: return events(clients[0]).size() == 3
	await wait_until(knows, 5.0, "the clients know each other")
	polled.erase(server)
	for number in 10:
		clients[0].set_target_peer(clients[1].get_unique_id())
		clients[0].put_packet(str(number).to_utf8_buffer())
		check_equal((await receive(clients[1])).get_string_from_utf8(), str(number), "a packet")
	# A new client and one that leaves, too.
	var third := await _join(false)
	var sees := func() -> bool:
		return "peer_connected %d" % third.get_unique_id() in events(clients[0])
	await wait_until(sees, 5.0, "a new client is introduced")
	third.close()
	var misses := func() -> bool: return events(clients[0]).back().begins_with("peer_disconnected")
	await wait_until(misses, 5.0, "that it has left is told")
	polled.append(server)
	await wait_until(
		func() -> bool: return events(server).size() == 4, 5.0, "the server hears of all"
	)


func test_a_game_that_hangs_for_good_is_given_up() -> void:
	var client := await _join()
	client.set_peer_timeout(1, 1, 300, 600)
	server.max_stall_msec = 200
	polled.erase(server)
	var is_lost := func() -> bool: return client.get_connection_status() == DISCONNECTED
	await wait_until(is_lost, 10.0, "the server is given up")
	check_equal(
		client.get_connection_error(), NetworkedMultiplayerENet.CONNECTION_ERROR_LOST, "the reason"
	)


func test_unreliable_packets_go_oldest_first_when_the_game_does_not_poll() -> void:
	server.max_buffered_bytes = MIB
	var client := await _join()
	client.set_target_peer(1)
	client.transfer_mode = UNRELIABLE
	polled.erase(server)
	var packet := PackedByteArray()
	packet.resize(1000)
	for number in 3000:
		packet.encode_u32(0, number)
		client.put_packet(packet)
		if number % 100 == 99:
			await frames(1)
	await wait(0.2)
	server.poll()
	var numbers: Array[int] = []
	while server.get_available_packet_count() > 0:
		numbers.append(server.get_packet().decode_u32(0))
	check(numbers.size() * 1192 < MIB, "%d packets waited" % numbers.size())
	check(numbers.size() > 100, "%d packets waited" % numbers.size())
	check_equal(numbers.back(), 2999, "the last one")
	var sorted := numbers.duplicate()
	sorted.sort()
	check_equal(numbers, sorted, "their order")


func test_reliable_packets_wait_until_the_game_polls() -> void:
	server.max_buffered_bytes = MIB
	var client := await _join()
	client.set_target_peer(1)
	polled.erase(server)
	var packet := PackedByteArray()
	packet.resize(10_000)
	for number in 400:
		packet.encode_u32(0, number)
		client.put_packet(packet)
	await wait(1.5)
	polled.append(server)
	var numbers: Array[int] = []
	var all_are_there := func() -> bool:
		while server.get_available_packet_count() > 0:
			numbers.append(server.get_packet().decode_u32(0))
		return numbers.size() == 400
	await wait_until(all_are_there, 15.0, "all packets")
	check_equal(numbers, range(400), "their order")
	check(is_connected_peer(client), "the client is there")


func test_a_closed_connection_leaves_nothing_behind() -> void:
	deadline = 60.0
	var port := free_port()
	var threads := _count("/proc/self/task")
	var files := _count("/proc/self/fd")
	for round_number in 1000:
		var host := _threaded(false)
		var guest := _threaded(false)
		if not check_equal(host.create_server(port), OK, "the port in round %d" % round_number):
			return
		check_equal(guest.create_client(LOCALHOST, port), OK, "create_client")
		if round_number % 20 == 0:
			for i in 2000:
				host.poll()
				guest.poll()
				if is_connected_peer(guest):
					break
				OS.delay_usec(100)
			check(is_connected_peer(guest), "connected in round %d" % round_number)
			host.put_packet("under load".to_utf8_buffer())
			guest.put_packet("under load".to_utf8_buffer())
		match round_number % 3:
			0:
				host.close_connection()
				guest.close_connection()
			1:
				guest.close_connection()
				host.close_connection()
			2:
				# The last reference ends both.
				pass
	# Fewer are right: what an earlier test had opened may end meanwhile. And a thread that has given
	# its port back may be in its last steps.
	var no_more_threads := func() -> bool: return _count("/proc/self/task") <= threads
	await wait_until(no_more_threads, 5.0, "as many threads as before")
	var no_more_files := func() -> bool: return _count("/proc/self/fd") <= files
	await wait_until(no_more_files, 5.0, "as many descriptors as before")


func test_freeing_a_peer_takes_no_time() -> void:
	await _join()
	var clients: Array[NetworkedMultiplayerENet] = []
	for i in 10:
		clients.append(await _join())
	polled.clear()
	var began := Time.get_ticks_msec()
	clients.clear()
	server = null
	var took := Time.get_ticks_msec() - began
	check(took < 100, "%d ms" % took)


func test_a_child_process_does_not_keep_the_port() -> void:
	if OS.get_name() != "Linux":
		return
	var port := serve(server)
	var child := OS.create_process("sleep", ["20"])
	var runs := func() -> bool:
		var output := []
		OS.execute("cat", ["/proc/%d/comm" % child], output)
		return "sleep" in output[0]
	await wait_until(runs, 5.0, "a process of its own, no copy of this one any more")
	server.close_connection()
	check_equal(server.create_server(port), OK, "the port is free")
	OS.kill(child)


func test_no_event_of_an_old_connection_reaches_the_new_one() -> void:
	var port := serve(server)
	for round_number in 20:
		var client := _threaded(false)
		check_equal(client.create_client(LOCALHOST, port), OK, "create_client")
		# The network threads bring them together, and the server's game has not heard of it.
		OS.delay_msec(5)
		server.close_connection()
		server.create_server(port)
		server.poll()
		client.close()
		check_equal(events(server), [] as Array[String], "events in round %d" % round_number)


func _threaded(is_polled := true) -> NetworkedMultiplayerENet:
	var peer := new_peer(is_polled)
	peer.threaded = true
	return peer


func _join(is_polled := true) -> NetworkedMultiplayerENet:
	var port := server.get_local_port() if is_connected_peer(server) else serve(server)
	var client := _threaded(true)
	check_equal(client.create_client(LOCALHOST, port), OK, "create_client")
	var is_there := func() -> bool:
		var id := client.get_unique_id()
		var is_known := "peer_connected %d" % id in events(server) or not server in polled
		return is_connected_peer(client) and is_known
	await wait_until(is_there, 5.0, "connected")
	if not is_polled:
		polled.erase(client)
	return client


## Entries of a folder of the system; 0 where there is none.
func _count(folder: String) -> int:
	var output := []
	if (
		OS.get_name() != "Linux"
		or OS.execute("ls", [folder.replace("self", str(OS.get_process_id()))], output) != 0
	):
		return 0
	return output[0].split("\n", false).size()
