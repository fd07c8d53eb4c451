# gdlint: disable=max-public-methods
## How connections end, and how they do not come about.
extends TestSuite

const RANGE_CODER := NetworkedMultiplayerENet.COMPRESS_RANGE_CODER
const FASTLZ := NetworkedMultiplayerENet.COMPRESS_FASTLZ
const ZLIB := NetworkedMultiplayerENet.COMPRESS_ZLIB
const ZSTD := NetworkedMultiplayerENet.COMPRESS_ZSTD
const NO_COMPRESSION := NetworkedMultiplayerENet.COMPRESS_NONE


func test_the_order_of_signals() -> void:
	var peers := await connected(2)
	var first := peers[1].get_unique_id()
	var second := peers[2].get_unique_id()
	var here: Array[String] = ["peer_connected 1", "connection_succeeded"]
	_check_events(peers[0], ["peer_connected %d" % first, "peer_connected %d" % second])
	await _wait_for_event(peers[1], "peer_connected %d" % second)
	await _wait_for_event(peers[2], "peer_connected %d" % first)
	_check_events(peers[1], here + ["peer_connected %d" % second])
	_check_events(peers[2], here + ["peer_connected %d" % first])


func test_kick_now() -> void:
	var peers := await connected(2)
	var id := peers[1].get_unique_id()
	peers[0].disconnect_peer(id, true)
	check_equal(events(peers[0]).back(), "peer_disconnected %d" % id, "inside the call")
	await _wait_for_status(peers[1], DISCONNECTED, 1.0)
	var other := peers[2].get_unique_id()
	await _wait_for_event(peers[2], "peer_disconnected %d" % id)
	check_equal(
		events(peers[1]).slice(-3),
		["peer_disconnected %d" % other, "peer_disconnected 1", "server_disconnected"],
		"signals of the kicked client"
	)
	await frames(20)
	check_equal(events(peers[0]).count("peer_disconnected %d" % id), 1, "only one signal")
	peers[0].set_target_peer(id)
	check_equal(peers[0].put_packet(PackedByteArray([1])), ERR_INVALID_PARAMETER, "it is gone")
	expect_error(["put_packet", str(id)])


## The engine's own class tells nobody on the server. In docs/coming_from_enet_multiplayer_peer.md.
func test_kick_now_beside_the_engines_own_class() -> void:
	for kind: StringName in [&"ENetMultiplayerPeer", &"NetworkedMultiplayerENet"]:
		var server: MultiplayerPeer = ClassDB.instantiate(kind)
		var client: MultiplayerPeer = ClassDB.instantiate(kind)
		var port := free_port()
		var there: Array[int] = []
		var gone: Array[int] = []
		server.peer_connected.connect(there.append)
		server.peer_disconnected.connect(gone.append)
		check_equal(server.call("create_server", port), OK, "create_server")
		check_equal(client.call("create_client", LOCALHOST, port), OK, "create_client")
		polled.assign([server, client])
		await wait_until(func() -> bool: return there.size() == 1, 5.0, "%s: connected" % kind)
		server.disconnect_peer(there[0], true)
		var told := gone.size()
		await frames(20)
		check_equal([told, gone.size()], [0, 0] if kind.begins_with("ENet") else [1, 1], kind)
		polled.clear()
		client.close()
		server.close()


func test_kick_now_forgets_its_packets() -> void:
	var peers := await connected(2)
	for client: NetworkedMultiplayerENet in [peers[1], peers[2]]:
		client.set_target_peer(1)
		client.put_packet(str(client.get_unique_id()).to_utf8_buffer())
	await wait_until(_has_packets.bind(peers[0], 2), 5.0, "2 packets")
	peers[0].disconnect_peer(peers[1].get_unique_id(), true)
	var rest: Array[String] = [str(peers[2].get_unique_id())]
	check_equal(received_texts(peers[0]), rest, "only the packet of the one that stays")


func test_kick_later() -> void:
	var peers := await connected()
	var id := peers[1].get_unique_id()
	var wanted: Array[String] = []
	for number in 300:
		var text := "%d %s" % [number, "x".repeat(500)]
		wanted.append(text)
		peers[0].put_packet(text.to_utf8_buffer())
	peers[0].disconnect_peer(id)
	check_equal(events(peers[0]).size(), 1, "no signal inside the call")
	var got: Array[String] = []
	var over := func() -> bool:
		got.append_array(received_texts(peers[1]))
		return peers[1].get_connection_status() == DISCONNECTED
	await wait_until(over, 10.0, "the client leaves")
	check_equal(got.size(), wanted.size(), "packets")
	check(got == wanted, "the packets are right")
	await _wait_for_event(peers[0], "peer_disconnected %d" % id)
	check_equal(
		events(peers[1]).slice(-2), ["peer_disconnected 1", "server_disconnected"], "signals"
	)
	check_equal(events(peers[0]).size(), 2, "the server's signals")


func test_kick_twice() -> void:
	var peers := await connected()
	var id := peers[1].get_unique_id()
	peers[0].disconnect_peer(id)
	peers[0].disconnect_peer(id, true)
	check_equal(events(peers[0]).back(), "peer_disconnected %d" % id, "now after later")
	await frames(20)
	check_equal(events(peers[0]).size(), 2, "only one signal")
	peers[0].disconnect_peer(id)
	expect_error(["disconnect_peer", str(id)])


func test_server_close() -> void:
	var peers := await connected(3)
	var before := events(peers[0]).duplicate()
	peers[0].close_connection()
	check_equal(peers[0].get_connection_status(), DISCONNECTED, "at once")
	for client: NetworkedMultiplayerENet in peers.slice(1):
		await _wait_for_status(client, DISCONNECTED, 1.0)
		check_equal(events(client).back(), "server_disconnected", "the last signal")
		check_equal(events(client).slice(-2)[0], "peer_disconnected 1", "the one before")
		check_equal(events(client).size(), 8, "signals: %s" % [events(client)])
	check_equal(events(peers[0]), before, "no signals of the server")


func test_client_close() -> void:
	var peers := await connected(2)
	await _wait_for_event(peers[2], "peer_connected %d" % peers[1].get_unique_id())
	var id := peers[1].get_unique_id()
	var before := events(peers[1]).duplicate()
	peers[1].close_connection()
	await _wait_for_event(peers[0], "peer_disconnected %d" % id)
	await _wait_for_event(peers[2], "peer_disconnected %d" % id)
	await frames(5)
	check_equal(events(peers[1]), before, "no signals of the client")
	check_equal(peers[2].get_connection_status(), CONNECTED, "the other one stays")


func test_client_close_without_relay() -> void:
	var server := new_peer()
	server.server_relay = false
	var clients: Array[NetworkedMultiplayerENet] = [new_peer(), new_peer()]
	await join(clients, serve(server))
	await wait_until(func() -> bool: return events(server).size() == 2, 5.0, "both are there")
	clients[0].close_connection()
	await wait_until(func() -> bool: return events(server).size() == 3, 5.0, "one is gone")
	await frames(10)
	_check_events(clients[1], ["peer_connected 1", "connection_succeeded"])


func test_client_close_while_connecting() -> void:
	var server := new_peer()
	var client := new_peer()
	check_equal(client.create_client(LOCALHOST, serve(server)), OK, "create_client")
	client.close_connection()
	await wait(0.3)
	_check_events(client, [])
	check_equal(server.get_connection_status(), CONNECTED, "the server goes on")


func test_close_waits_only_for_what_is_to_be_sent() -> void:
	for wait_usec: int in [5_000_000, 2147483648, 9223372036854775807]:
		var peers := await connected()
		for i in 100:
			peers[0].put_packet("bye".to_utf8_buffer())
		var took := _msec(peers[0].close_connection.bind(wait_usec))
		if not check(took < 1500, "close_connection(%d) has taken %d ms" % [wait_usec, took]):
			return
		await _wait_for_event(peers[1], "server_disconnected", 5.0)


func test_reliable_packets_before_close() -> void:
	var peers := await connected()
	for number in 10:
		peers[1].put_packet(str(number).to_utf8_buffer())
	peers[1].close_connection()
	await wait_until(_has_packets.bind(peers[0], 10), 5.0, "10 packets")
	check_equal(received_texts(peers[0]).size(), 10, "all before the end")


func test_timeout_of_a_client() -> void:
	var peers := await connected(1, false)
	var id := peers[1].get_unique_id()
	peers[0].set_peer_timeout(id, 1, 50, 300)
	polled.erase(peers[1])
	await _wait_for_event(peers[0], "peer_disconnected %d" % id, 4.0)
	check_equal(peers[0].get_connection_status(), CONNECTED, "the server goes on")
	polled.append(peers[1])


func test_timeout_of_the_server() -> void:
	var peers := await connected(1, false)
	peers[1].set_peer_timeout(1, 1, 50, 300)
	polled.erase(peers[0])
	await _wait_for_status(peers[1], DISCONNECTED, 4.0)
	check_equal(
		events(peers[1]).slice(-2), ["peer_disconnected 1", "server_disconnected"], "signals"
	)
	polled.append(peers[0])


func test_no_timeout_by_default() -> void:
	var peers := await connected()
	polled.erase(peers[1])
	await wait(2.0)
	polled.append(peers[1])
	await frames(10)
	check_equal(events(peers[0]).size(), 1, "the client may sleep for 2 s")
	check_equal(peers[1].get_connection_status(), CONNECTED, "the client")


func test_refusing() -> void:
	var peers := await connected()
	var port := peers[1].get_peer_port(1)
	peers[0].refuse_new_connections = true
	check_equal(peers[0].refuse_new_connections, true, "refuse_new_connections")
	var late := new_peer()
	check_equal(late.create_client(LOCALHOST, port), OK, "create_client")
	await _wait_for_status(late, DISCONNECTED, 2.0)
	check(
		events(late).back() in ["connection_failed", "server_disconnected"],
		"it hears of it: %s" % [events(late)]
	)
	check_equal(events(peers[0]).size(), 1, "the server's signals")
	check_equal(peers[1].get_connection_status(), CONNECTED, "the first client stays")
	peers[0].refuse_new_connections = false
	await join([late], port)


func test_max_clients() -> void:
	var server := new_peer()
	var port := serve(server, 2)
	var clients: Array[NetworkedMultiplayerENet] = [new_peer(), new_peer()]
	await join(clients, port)
	var late := new_peer()
	var began := Time.get_ticks_msec()
	check_equal(late.create_client(LOCALHOST, port), OK, "create_client")
	await _wait_for_status(late, DISCONNECTED, 2.0)
	_check_events(late, ["connection_failed"])
	print("full: connection_failed after %d ms" % (Time.get_ticks_msec() - began))
	check_equal(events(server).size(), 2, "the server's signals")
	clients[0].close_connection()
	await wait_until(func() -> bool: return events(server).size() == 3, 5.0, "a free place")
	await join([late], port)


## One client leaves and another one comes while the server looks elsewhere.
func test_a_place_that_is_free_again_in_the_same_poll() -> void:
	var server := new_peer()
	var port := serve(server, 1)
	var first := new_peer()
	await join([first], port)
	await wait_until(func() -> bool: return events(server).size() == 1, 5.0, "the server is full")
	first.close_connection()
	var second := new_peer()
	check_equal(second.create_client(LOCALHOST, port), OK, "create_client")
	await _wait_for_status(second, CONNECTED, 3.0)
	_check_events(second, ["peer_connected 1", "connection_succeeded"])


func test_many_clients() -> void:
	deadline = 60.0
	var server := new_peer()
	var port := serve(server, 100)
	var clients: Array[NetworkedMultiplayerENet] = []
	for number in 60:
		clients.append(new_peer())
		check_equal(clients.back().create_client(LOCALHOST, port), OK, "create_client")
	var full := func() -> bool:
		var has_all := func(each: NetworkedMultiplayerENet) -> bool:
			return events(each).size() == 61
		return events(server).size() == 60 and clients.all(has_all)
	await wait_until(full, 20.0, "everybody knows everybody")
	server.put_packet("all".to_utf8_buffer())
	for client in clients:
		check_equal((await receive(client)).get_string_from_utf8(), "all", "a packet for all")


func test_compression() -> void:
	for mode: int in [NO_COMPRESSION, RANGE_CODER, FASTLZ, ZLIB, ZSTD]:
		var server := new_peer()
		var client := new_peer()
		server.compression_mode = mode
		client.compression_mode = mode
		await join([client], serve(server))
		for size: int in [1, 50, 1000, 20000]:
			var bytes := "compress me ".repeat(size).to_utf8_buffer()
			check_equal(client.put_packet(bytes), OK, "put_packet")
			check_equal(await receive(server), bytes, "mode %d, %d bytes" % [mode, bytes.size()])


func test_compression_that_differs() -> void:
	var modes: Array = [[NO_COMPRESSION, RANGE_CODER], [RANGE_CODER, NO_COMPRESSION]]
	for pair: Array in modes:
		var server := new_peer()
		server.compression_mode = pair[0]
		var client := new_peer()
		client.compression_mode = pair[1]
		check_equal(client.create_client(LOCALHOST, serve(server)), OK, "create_client")
		await wait(2.0)
		check(client.get_connection_status() != CONNECTED, "the client is not connected")
		check(not "connection_succeeded" in events(client), "%s" % [events(client)])
		_check_events(server, [])


func test_compression_is_read_when_the_connection_begins() -> void:
	var peers := await connected()
	var port := peers[1].get_peer_port(1)
	peers[0].compression_mode = NO_COMPRESSION
	peers[1].compression_mode = NO_COMPRESSION
	var text := "again and again and again and again"
	peers[1].put_packet(text.to_utf8_buffer())
	check_equal((await receive(peers[0])).get_string_from_utf8(), text, "the old mode still holds")
	var late := new_peer()
	await join([late], port)


func test_bandwidth_limits() -> void:
	for limits: Array in [[0, 0], [50_000, 50_000], [4294967295, 4294967295], [100_000, 0]]:
		var server := new_peer()
		var port := free_port()
		check_equal(server.create_server(port, 4, limits[0], limits[1]), OK, "create_server")
		var client := new_peer()
		var answer := client.create_client(LOCALHOST, port, limits[0], limits[1])
		check_equal(answer, OK, "create_client")
		await wait_until(is_connected_peer.bind(client), 5.0, "connected with %s" % [limits])
		var bytes := PackedByteArray()
		bytes.resize(10_000)
		check_equal(client.put_packet(bytes), OK, "put_packet")
		check_equal(await receive(server), bytes, "a packet with %s" % [limits])


func test_channel_counts_that_differ() -> void:
	var server := new_peer()
	server.channel_count = 10
	var client := new_peer()
	client.channel_count = 4
	await join([client], serve(server))
	client.transfer_channel = 3
	check_equal(client.put_packet("up".to_utf8_buffer()), OK, "put_packet")
	await wait_until(_has_packets.bind(server, 1), 5.0, "a packet")
	check_equal(server.get_packet_channel(), 3, "the channel")
	server.transfer_channel = 3
	check_equal(server.put_packet("down".to_utf8_buffer()), OK, "put_packet")
	check_equal((await receive(client)).get_string_from_utf8(), "down", "the packet")


func test_a_stranger_cannot_disturb() -> void:
	var peers := await connected()
	var stranger := PacketPeerUDP.new()
	stranger.set_dest_address(LOCALHOST, peers[1].get_peer_port(1))
	for size in 200:
		stranger.put_packet(PackedByteArray([size % 256]) + _noise(size))
	await frames(10)
	check_equal(events(peers[0]).size(), 1, "the server's signals")
	peers[1].put_packet("still here".to_utf8_buffer())
	check_equal((await receive(peers[0])).get_string_from_utf8(), "still here", "a packet")


func test_a_process_that_crashes() -> void:
	var server := new_peer()
	var port := serve(server)
	var child := start_child("client", [str(port)])
	var id := (await wait_for_line(child, "connected")).to_int()
	await wait_until(func() -> bool: return events(server).size() == 1, 5.0, "the client is here")
	server.set_peer_timeout(id, 1, 50, 300)
	child.stop()
	await _wait_for_event(server, "peer_disconnected %d" % id, 4.0)


func test_a_process_that_quits() -> void:
	var server := new_peer()
	var port := serve(server)
	var child := start_child("client", [str(port), "quit"])
	var id := (await wait_for_line(child, "connected")).to_int()
	check_equal(await wait_for_end(child), 0, "the exit code")
	await _wait_for_event(server, "peer_disconnected %d" % id, 1.0)


func _wait_for_status(peer: MultiplayerPeer, status: int, seconds := 5.0) -> void:
	var reached := func() -> bool: return peer.get_connection_status() == status
	await wait_until(reached, seconds, "status %d" % status)


func _wait_for_event(peer: NetworkedMultiplayerENet, event: String, seconds := 5.0) -> void:
	await wait_until(func() -> bool: return event in events(peer), seconds, event)


func _check_events(peer: NetworkedMultiplayerENet, wanted: Array) -> void:
	check_equal(Array(events(peer)), wanted, "signals")


func _has_packets(peer: MultiplayerPeer, count: int) -> bool:
	return peer.get_available_packet_count() >= count


func _msec(call: Callable) -> float:
	var began := Time.get_ticks_usec()
	call.call()
	return (Time.get_ticks_usec() - began) / 1000.0


func _noise(size: int) -> PackedByteArray:
	var random := RandomNumberGenerator.new()
	random.seed = size
	var bytes := PackedByteArray()
	for index in size:
		bytes.append(random.randi() % 256)
	return bytes
