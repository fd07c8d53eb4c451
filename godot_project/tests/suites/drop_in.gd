## Scripts that were written for ENetMultiplayerPeer: the names, arguments and numbers are the same.
extends TestSuite

const ROUND_TRIP := ENetPacketPeer.PEER_ROUND_TRIP_TIME
const TOO_LATE := "the first datagram has left or come"


func test_the_numbers_are_the_engine_s() -> void:
	for type: Array in [
		[&"NetworkedMultiplayerENetPeer", &"ENetPacketPeer"],
		[&"NetworkedMultiplayerENetHost", &"ENetConnection"],
	]:
		for constant in ClassDB.class_get_integer_constant_list(type[0], true):
			var want := ClassDB.class_get_integer_constant(type[1], constant)
			check_equal(ClassDB.class_get_integer_constant(type[0], constant), want, constant)


func test_the_methods_take_what_the_engine_s_take() -> void:
	for type: Array in [
		[&"NetworkedMultiplayerENetPeer", &"ENetPacketPeer"],
		[&"NetworkedMultiplayerENetHost", &"ENetConnection"],
	]:
		for method in ClassDB.class_get_method_list(type[0], true):
			var name: StringName = method["name"]
			if not check(ClassDB.class_has_method(type[1], name), "%s is the engine's" % name):
				continue
			var count := ClassDB.class_get_method_argument_count(type[1], name)
			check_equal(method["args"].size(), count, "arguments of %s" % name)


func test_statistics_of_a_peer() -> void:
	var peers := await connected()
	var server: Variant = peers[1].get_peer(1)
	check(server.get_statistic(ROUND_TRIP) > 0.0, "a round trip")
	check_equal(server.get_statistic(ENetPacketPeer.PEER_PACKET_LOSS), 0.0, "loss")
	check_equal(server.get_statistic(ENetPacketPeer.PEER_PACKET_THROTTLE), 32.0, "throttle")
	server.throttle_configure(4000, 3, 1)
	await frames(3)
	var interval: float = server.get_statistic(ENetPacketPeer.PEER_PACKET_THROTTLE_INTERVAL)
	check_equal(interval, 4000.0, "what was set")
	check_equal(server.get_statistic(14), 0.0, "a number that is none")
	expect_error(["get_statistic", "14"])
	check_equal(server.get_state(), ENetPacketPeer.STATE_CONNECTED, "get_state")
	check_equal(server.get_channels(), 3, "get_channels")
	check_equal(server.get_remote_address(), LOCALHOST, "get_remote_address")
	check_equal(server.get_remote_port(), peers[0].host.get_local_port(), "get_remote_port")
	check(server.is_active(), "is_active")
	server.set_timeout(32, 1000, 2000)
	server.ping_interval(100)
	server.ping_interval(-1)
	expect_error(["ping_interval", "-1"])
	check(peers[0].get_peer(77) == null, "get_peer of nobody")
	expect_error(["get_peer", "77"])


func test_while_a_client_connects() -> void:
	var client := new_peer()
	check_equal(client.create_client(LOCALHOST, free_port()), OK, "create_client")
	var server: Variant = client.get_peer(1)
	check_equal(server.get_state(), ENetPacketPeer.STATE_CONNECTING, "get_state")
	check_equal(server.get_statistic(ROUND_TRIP), 500.0, "ENet's guess, as with the engine's class")
	client.close_connection()
	check_equal(server.get_statistic(ROUND_TRIP), 0.0, "nothing is known")


func test_pings_come_as_often_as_was_said() -> void:
	var peers := await connected()
	peers[1].get_peer(1).ping_interval(50)
	var before: int = peers[1].get_statistics().datagrams_sent
	var many := func() -> bool: return peers[1].get_statistics().datagrams_sent >= before + 10
	var began := Time.get_ticks_msec()
	await wait_until(many, 5.0, "ten datagrams")
	check(Time.get_ticks_msec() - began < 3000, "sooner than ENet's own")


func test_peers_are_disconnected_in_the_engine_s_words() -> void:
	var peers := await connected(3)
	var ids: Array[int] = []
	for client in peers.slice(1):
		ids.append(client.get_unique_id())
	var first: Variant = peers[0].get_peer(ids[0])
	first.peer_disconnect()
	peers[0].get_peer(ids[1]).peer_disconnect_now(5)
	peers[3].get_peer(1).peer_disconnect_later()
	var all_gone := func() -> bool: return peers[0].get_peers().is_empty()
	await wait_until(all_gone, 5.0, "all have left")
	check_equal(first.is_active(), false, "it has left")
	check_equal(first.get_state(), ENetPacketPeer.STATE_DISCONNECTED, "get_state")
	check_equal(first.get_statistic(ROUND_TRIP), 0.0, "nothing is known")


func test_compression_behind_create() -> void:
	var server := new_peer()
	var client := new_peer()
	var port := serve(server)
	server.host.compress(ENetConnection.COMPRESS_ZSTD)
	check_equal(server.host.get_local_port(), port, "the port stays")
	check_equal(client.create_client(LOCALHOST, port), OK, "create_client")
	var id := client.get_unique_id()
	client.get_host().compress(ENetConnection.COMPRESS_ZSTD)
	check_equal(client.get_unique_id(), id, "the id stays")
	await wait_until(
		func() -> bool: return is_connected_peer(client), 5.0, "they understand each other"
	)
	check_equal(client.compression_mode, NetworkedMultiplayerENet.COMPRESS_ZSTD, "the property")
	client.host.compress(ENetConnection.COMPRESS_NONE)
	expect_error(["compress", TOO_LATE])
	client.host.compress(7)
	expect_error(["compress", "COMPRESS_"])
	check(is_connected_peer(client), "the connection goes on")


func test_encryption_behind_create() -> void:
	var crypto := Crypto.new()
	var key := crypto.generate_rsa(2048)
	var certificate := crypto.generate_self_signed_certificate(key, "CN=game.example.com,O=A,C=DE")
	var server := new_peer()
	var client := new_peer()
	var port := serve(server)
	check_equal(
		server.host.dtls_server_setup(TLSOptions.server(key, certificate)), OK, "dtls_server_setup"
	)
	check_equal(client.create_client(LOCALHOST, port), OK, "create_client")
	var options := TLSOptions.client(certificate)
	check_equal(client.host.dtls_client_setup("game.example.com", options), OK, "dtls_client_setup")
	await wait_until(func() -> bool: return is_connected_peer(client), 5.0, "they are connected")
	check_equal([server.use_dtls, client.use_dtls], [true, true], "with encryption")
	var late: Error = client.host.dtls_client_setup("game.example.com", options)
	check_equal(late, ERR_ALREADY_IN_USE, "too late")
	expect_error(["dtls_client_setup", TOO_LATE])
	check_equal(server.host.dtls_server_setup(options), ERR_INVALID_PARAMETER, "a client's options")
	expect_error(["dtls_server_setup", "TLSOptions.server"])


func test_the_host_s_figures() -> void:
	var peers := await connected()
	var host: Variant = peers[1].host
	var sent: float = host.pop_statistic(ENetConnection.HOST_TOTAL_SENT_DATA)
	check(sent > 0.0, "something was sent")
	check(host.pop_statistic(ENetConnection.HOST_TOTAL_SENT_PACKETS) > 0.0, "in datagrams")
	check(host.pop_statistic(ENetConnection.HOST_TOTAL_RECEIVED_DATA) > 0.0, "and received")
	check(host.pop_statistic(ENetConnection.HOST_TOTAL_SENT_DATA) < sent, "it was forgotten")
	check_equal(host.get_max_channels(), 3, "get_max_channels")
	check_equal(host.get_peers().size(), 1, "get_peers")
	check_equal(host.get_peers()[0].get_remote_port(), peers[0].get_local_port(), "the server")
	host.bandwidth_limit(10_000, 10_000)
	host.bandwidth_limit(-1)
	expect_error(["bandwidth_limit", "-1"])
	host.flush()
	peers[0].host.refuse_new_connections(true)
	check(peers[0].refuse_new_connections, "refuse_new_connections")
	host.destroy()
	check_equal(peers[1].get_connection_status(), DISCONNECTED, "destroy")
	check(peers[1].host == null, "no host without a connection")
	check_equal(host.get_local_port(), 0, "the old one is of no use")


func test_a_datagram_to_anybody() -> void:
	var listener := PacketPeerUDP.new()
	var port := free_port()
	check_equal(listener.bind(port, LOCALHOST), OK, "bind")
	var server := new_peer()
	var own_port := serve(server)
	server.host.socket_send(LOCALHOST, port, "knock".to_utf8_buffer())
	var has_come := func() -> bool: return listener.get_available_packet_count() > 0
	await wait_until(has_come, 5.0, "it comes")
	check_equal(listener.get_packet().get_string_from_utf8(), "knock", "the bytes")
	check_equal(listener.get_packet_port(), own_port, "from the server's port")
	server.host.socket_send("nowhere", 0, PackedByteArray([1]))
	expect_error(["socket_send", "nowhere"])
