## What each peer may send, and what may wait for a game that does not fetch its packets.
extends TestSuite

const MIB := 1048576
const RELIABLE := MultiplayerPeer.TRANSFER_MODE_RELIABLE
const UNRELIABLE := MultiplayerPeer.TRANSFER_MODE_UNRELIABLE

## Name, default, values that are taken, and values that are not.
const PROPERTIES := [
	["max_buffered_bytes", 64 * MIB, [MIB, 4294967295], [0, MIB - 1, 4294967296, -1]],
	["max_bytes_per_second", 0, [1, 4294967295, 0], [-1, 4294967296]],
	["max_packet_size", 16 * MIB, [1, 16 * MIB], [0, 16 * MIB + 1, -1]],
	["max_packets_per_second", 0, [1, 4294967295, 0], [-1, 4294967296]],
]


func test_each_limit_has_a_default_and_a_range() -> void:
	var peer := new_peer(false)
	for property: Array in PROPERTIES:
		var member: String = property[0]
		check_equal(peer.get(member), property[1], member + " by default")
		for value: int in property[2]:
			peer.set(member, value)
			check_equal(peer.get(member), value, member)
		var last: int = peer.get(member)
		for value: int in property[3]:
			peer.set(member, value)
			expect_error(["set_" + member, member, str(value)])
			check_equal(peer.get(member), last, member + " after an error")


func test_a_sender_of_reliable_packets_waits_for_a_game_that_does_not_fetch() -> void:
	var peers := await connected(2)
	var server := peers[0]
	server.max_buffered_bytes = MIB
	var packet := PackedByteArray()
	packet.resize(10_000)
	for i in 400:
		packet.encode_u32(0, i)
		peers[1].put_packet(packet)
	# Half of what may wait is shared, and a single sender has half of that.
	var has_come := func() -> bool: return server.get_available_packet_count() >= MIB / 4 / 10_300
	await wait_until(has_come, 10.0, "the first packets")
	peers[2].put_packet("still here".to_utf8_buffer())
	await wait(1.0)
	check(
		server.get_available_packet_count() < MIB / 10_000,
		"%d packets" % server.get_available_packet_count()
	)
	var numbers: Array[int] = []
	var texts: Array[String] = []
	var fetch := func() -> bool:
		while server.get_available_packet_count() > 0:
			var from := server.get_packet_peer()
			var got := server.get_packet()
			if from == peers[1].get_unique_id():
				numbers.append(got.decode_u32(0))
			else:
				texts.append(got.get_string_from_utf8())
		return numbers.size() == 400
	await wait_until(fetch, 20.0, "all packets")
	check_equal(numbers, Array(range(400), TYPE_INT, "", null), "the packets in order")
	check_equal(texts, Array(["still here"], TYPE_STRING, "", null), "the other client's packet")


func test_of_unreliable_packets_the_newest_wait() -> void:
	var peers := await connected()
	peers[0].max_buffered_bytes = MIB
	peers[1].transfer_mode = UNRELIABLE
	var packet := PackedByteArray()
	packet.resize(1000)
	for frame in 60:
		for i in 20:
			packet.encode_u32(0, frame * 20 + i)
			peers[1].put_packet(packet)
		await frames(1)
	peers[1].transfer_mode = RELIABLE
	var count := peers[0].get_available_packet_count()
	check(count > 100 and count < MIB / 2 / 1000, "%d packets" % count)
	var last := [-1]
	var last_is_new := func() -> bool:
		while peers[0].get_available_packet_count() > 0:
			last[0] = peers[0].get_packet().decode_u32(0)
		return last[0] > 60 * 20 - 20
	# With network threads those of the last frame may still be on their way.
	await wait_until(last_is_new, 5.0, "a packet of the last frame")


func test_who_sends_a_larger_packet_is_disconnected_alone() -> void:
	var peers := await connected(2)
	peers[0].max_packet_size = 50_000
	var packet := PackedByteArray()
	packet.resize(50_000)
	peers[1].put_packet(packet)
	check_equal((await receive(peers[0])).size(), 50_000, "a packet as large as the limit")
	packet.resize(50_001)
	peers[1].put_packet(packet)
	await _is_cut_off(peers, "max_packet_size")


func test_who_sends_too_many_packets_is_disconnected_alone() -> void:
	var peers := await connected(2)
	peers[0].max_packets_per_second = 50
	for i in 700:
		peers[1].put_packet(("%d" % i).to_utf8_buffer())
	await _is_cut_off(peers, "max_packets_per_second")


func test_who_sends_too_many_bytes_is_disconnected_alone() -> void:
	var peers := await connected(2)
	peers[0].max_bytes_per_second = 10_000
	var packet := PackedByteArray()
	packet.resize(110_000)
	peers[1].put_packet(packet)
	await _is_cut_off(peers, "max_bytes_per_second")


func test_limits_of_the_last_connection_are_those_of_the_next() -> void:
	var server := new_peer()
	server.max_packet_size = 10
	var port := serve(server)
	var client := new_peer()
	await join([client], port)
	client.put_packet("0123456789A".to_utf8_buffer())
	var has_left := func() -> bool: return not is_connected_peer(client)
	await wait_until(has_left, 5.0, "the client's end")
	expect_warning(["max_packet_size"])


## The first client has been disconnected for this limit, and the second one goes on.
func _is_cut_off(peers: Array[NetworkedMultiplayerENet], limit: String) -> void:
	var id := peers[1].get_unique_id()
	var has_left := func() -> bool: return not is_connected_peer(peers[1])
	await wait_until(has_left, 5.0, "the client's end")
	# It comes behind the packets that are there to be fetched.
	var is_told := func() -> bool: return events(peers[0]).back() == "peer_disconnected %d" % id
	await wait_until(is_told, 5.0, "the server's signal")
	expect_warning(["poll", str(id), limit])
	while peers[0].get_available_packet_count() > 0:
		peers[0].get_packet()
	peers[2].put_packet("still here".to_utf8_buffer())
	check_equal(
		(await receive(peers[0])).get_string_from_utf8(), "still here", "the other client's packet"
	)
