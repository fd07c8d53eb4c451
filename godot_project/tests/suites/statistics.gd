## What is told of an open connection, beside what the wire and the game know.
extends TestSuite

const RELIABLE := MultiplayerPeer.TRANSFER_MODE_RELIABLE
const UNRELIABLE := MultiplayerPeer.TRANSFER_MODE_UNRELIABLE
const HEADERS := 28

const KEYS: Array[String] = [
	"compression_ratio",
	"connections_by_outcome",
	"datagrams_received",
	"datagrams_sent",
	"dropped_datagrams",
	"dropped_datagrams_by_reason",
	"dropped_packets",
	"dropped_packets_by_reason",
	"network_time_usec",
	"packets_received",
	"packets_sent",
	"packets_throttled",
	"payload_bytes_received",
	"payload_bytes_sent",
	"peers",
	"resends",
	"socket_errors",
	"udp_bytes_received",
	"udp_bytes_sent",
	"uptime_msec",
	"waiting_bytes",
	"waiting_packets",
	"wire_bytes_received",
	"wire_bytes_sent",
]
const PEER_KEYS: Array[String] = [
	"channels",
	"congestion_window_bytes",
	"connected_msec",
	"datagrams_received",
	"datagrams_sent",
	"in_flight_bytes",
	"jitter_msec",
	"last_heard_msec",
	"last_round_trip_msec",
	"loss_in",
	"loss_out",
	"mtu",
	"packets_received",
	"packets_sent",
	"packets_throttled",
	"payload_bytes_received",
	"payload_bytes_sent",
	"queue_time_msec",
	"queued_bytes",
	"remote",
	"resends",
	"round_trip_msec",
	"round_trip_variance_msec",
	"shortest_round_trip_msec",
	"throttle",
	"unacknowledged_bytes",
	"wire_bytes_received",
	"wire_bytes_sent",
]


func test_the_keys_are_the_documented_ones() -> void:
	var peers := await connected()
	check_equal(_sorted(peers[0].get_statistics()), KEYS, "of the connection")
	var id := peers[1].get_unique_id()
	check_equal(_sorted(peers[0].get_peer_statistics(id)), PEER_KEYS, "of a peer")
	check_equal(_sorted(peers[1].get_peer_statistics(1)), PEER_KEYS, "of the server")


func test_without_a_connection_there_is_nothing() -> void:
	var peer := new_peer()
	check_equal(peer.get_statistics(), {}, "get_statistics")
	check_equal(peer.get_peers(), PackedInt32Array(), "get_peers")
	expect_no_error("that is no mistake")
	check_equal(peer.get_peer_statistics(1), {}, "get_peer_statistics")
	expect_error(["get_peer_statistics", "no connection is open"])
	serve(peer)
	check_equal(peer.get_peer_statistics(77), {}, "get_peer_statistics")
	expect_error(["get_peer_statistics", "77"])


func test_other_clients_are_behind_the_server() -> void:
	var peers := await connected(2)
	var other := peers[2].get_unique_id()
	await wait_until(
		func() -> bool: return other in peers[1].get_peers(), 5.0, "the clients know each other"
	)
	var ids := PackedInt32Array([1, other])
	check_equal(peers[1].get_peers(), ids, "peers of a client")
	var clients := PackedInt32Array([peers[1].get_unique_id(), other])
	clients.sort()
	check_equal(peers[0].get_peers(), clients, "peers of the server")
	check_equal(peers[1].get_peer_statistics(other), {}, "nothing is known yet")
	var is_told := func() -> bool: return not peers[1].get_peer_statistics(other).is_empty()
	await wait_until(is_told, 5.0, "the server tells")
	var told := peers[1].get_peer_statistics(other)
	check(told.relayed and told.round_trip_msec > 0.0, "a round trip: %s" % told)
	check_equal(told.loss_in, 0.0, "no loss")
	# The own connection, seen from the other side.
	var has_remote := func() -> bool: return not peers[1].get_peer_statistics(1).remote.is_empty()
	await wait_until(has_remote, 5.0, "the server tells of this one, too")
	check(peers[1].get_peer_statistics(1).remote.round_trip_msec > 0.0, "a round trip")
	expect_no_error("nobody has made a mistake")


func test_packets_and_bytes_are_those_of_the_game() -> void:
	var peers := await connected()
	var id := peers[1].get_unique_id()
	var before := peers[0].get_peer_statistics(id)
	var whole := peers[0].get_statistics()
	for mode: int in [RELIABLE, UNRELIABLE]:
		for _number in 10:
			await _send(peers, mode, 1000)
	await _current(peers[0])
	var after := peers[0].get_peer_statistics(id)
	var received: int = after.packets_received - before.packets_received
	check_equal(received, 20, "packets")
	var payload: int = after.payload_bytes_received - before.payload_bytes_received
	check_equal(payload, 20_000, "bytes")
	check(after.wire_bytes_received - before.wire_bytes_received > 20 * (1000 + HEADERS), "wire")
	var whole_after := peers[0].get_statistics()
	var whole_received: int = whole_after.packets_received - whole.packets_received
	check_equal(whole_received, 20, "packets of all")
	check(after.last_heard_msec < 1000, "it was heard just now")
	check(after.connected_msec <= whole_after.uptime_msec, "it came later")


func test_the_bytes_of_the_wire_are_the_socket_s() -> void:
	var peers := await connected()
	# What came before the connection stood is not its own.
	await _current(peers[1])
	var before := _own_and_server_s_traffic(peers[1])
	await _send(peers, RELIABLE, 5000)
	# That the figures become those of the socket is what is waited for.
	await _current(peers[1])
	var client := peers[1].get_statistics()
	check(client.udp_bytes_sent > 5000, "sent: %s" % client)
	for way: String in ["sent", "received"]:
		var headers: int = client["wire_bytes_" + way] - client["udp_bytes_" + way]
		check_equal(headers, HEADERS * client["datagrams_" + way], "IPv4 and UDP: " + way)
	# A client has one peer: all that it sends goes there.
	var is_same := func() -> bool:
		var after := _own_and_server_s_traffic(peers[1])
		return after[0] - before[0] == after[1] - before[1]
	await wait_until(is_same, 5.0, "the traffic with the server is that of the client")


func test_a_round_trip_is_that_of_the_frames() -> void:
	var peers := await connected()
	for _number in 20:
		await _send(peers, RELIABLE, 100)
	for statistics: Dictionary in [
		peers[0].get_peer_statistics(peers[1].get_unique_id()), peers[1].get_peer_statistics(1)
	]:
		check(statistics.round_trip_msec > 0.0, "there is one: %s" % statistics)
		check(statistics.round_trip_msec < 400.0, "it was measured: %s" % statistics)
		check(statistics.shortest_round_trip_msec <= statistics.round_trip_msec, "the shortest")
		check_equal(statistics.loss_in, 0.0, "loss of what comes in")
		check_equal(statistics.throttle, 1.0, "everything is sent")


func test_what_is_dropped_is_counted_by_reason() -> void:
	var server := new_peer()
	var stranger := PacketPeerUDP.new()
	check_equal(stranger.connect_to_host(LOCALHOST, serve(server)), OK, "connect_to_host")
	check_equal(stranger.put_packet("?".to_utf8_buffer()), OK, "put_packet")
	var counted := func() -> bool: return server.get_statistics().dropped_datagrams == 1
	await wait_until(counted, 5.0, "a datagram of one byte is counted")
	var reasons: Dictionary = server.get_statistics().dropped_datagrams_by_reason
	check_equal(reasons, {"too_short": 1}, "the reason")


func test_what_has_become_of_requests_is_counted() -> void:
	var peers := await connected()
	var outcomes: Dictionary = peers[0].get_statistics().connections_by_outcome
	check_equal(outcomes, {"accepted": 1}, "one client is in")
	check_equal(peers[0].get_statistics().peers, 1, "and connected")


func test_compression_shows() -> void:
	var peers := await connected()
	var zeros := PackedByteArray()
	zeros.resize(50_000)
	peers[1].transfer_mode = RELIABLE
	check_equal(peers[1].put_packet(zeros), OK, "put_packet")
	await receive(peers[0])
	await _current(peers[1])
	var ratio: float = peers[1].get_statistics().compression_ratio
	check(ratio < 0.5, "zeros become smaller: %f" % ratio)


func test_what_waits_for_the_game_shows() -> void:
	var peers := await connected()
	peers[1].transfer_mode = MultiplayerPeer.TRANSFER_MODE_RELIABLE
	for _number in 3:
		peers[1].put_packet(PackedByteArray([1, 2, 3]))
	var waits := func() -> bool: return peers[0].get_available_packet_count() == 3
	await wait_until(waits, 5.0, "they have come")
	await _current(peers[0])
	var statistics := peers[0].get_statistics()
	check_equal(statistics.waiting_packets, 3, "packets")
	check(statistics.waiting_bytes > 3 * 3, "bytes")
	check(statistics.network_time_usec > 0, "time was spent")


func test_a_peer_is_known_as_soon_as_it_has_come() -> void:
	var server := new_peer()
	var known: Array[bool] = []
	server.peer_connected.connect(
		func(_id: int) -> void:
			for id in server.get_peers():
				known.append(server.get_peer_statistics(id).has("round_trip_msec"))
	)
	var port := serve(server)
	await join([new_peer(), new_peer(), new_peer()], port)
	await wait_until(func() -> bool: return known.size() == 6, 5.0, "1, then 2, then 3 peers")
	check_equal(known.count(true), 6, "all are known")
	server.peer_connected.disconnect(server.peer_connected.get_connections()[-1]["callable"])


func _send(peers: Array[NetworkedMultiplayerENet], mode: int, size: int) -> void:
	# These do not become smaller.
	var payload := Crypto.new().generate_random_bytes(size)
	peers[1].transfer_mode = mode as MultiplayerPeer.TransferMode
	check_equal(peers[1].put_packet(payload), OK, "put_packet")
	check_equal((await receive(peers[0])).size(), size, "what arrives")


## A busy network thread answers late, and until then the last figures are told: waits for new ones.
func _current(peer: NetworkedMultiplayerENet) -> void:
	var is_current := func() -> bool:
		var told := peer.get_statistics()
		return (
			told.udp_bytes_sent == peer.get_sent_bytes()
			and told.udp_bytes_received == peer.get_received_bytes()
		)
	await wait_until(is_current, 5.0, "the figures are those of now")


## What the client, and its connection with the server, have counted.
func _own_and_server_s_traffic(client: NetworkedMultiplayerENet) -> Array[Vector4i]:
	var counted: Array[Vector4i] = []
	for told: Dictionary in [client.get_statistics(), client.get_peer_statistics(1)]:
		counted.append(
			Vector4i(
				told.wire_bytes_sent,
				told.datagrams_sent,
				told.wire_bytes_received,
				told.datagrams_received
			)
		)
	return counted


func _sorted(dictionary: Dictionary) -> Array[String]:
	var keys: Array[String] = []
	keys.assign(dictionary.keys())
	keys.sort()
	return keys
