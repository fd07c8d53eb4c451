# gdlint: disable=max-public-methods
## Raw packets between peers of one process.
extends TestSuite

const RELIABLE := MultiplayerPeer.TRANSFER_MODE_RELIABLE
const ORDERED := MultiplayerPeer.TRANSFER_MODE_UNRELIABLE_ORDERED
const UNRELIABLE := MultiplayerPeer.TRANSFER_MODE_UNRELIABLE
const MODES: Array[MultiplayerPeer.TransferMode] = [UNRELIABLE, ORDERED, RELIABLE]
const DEFAULT_CHANNELS := {UNRELIABLE: 2, ORDERED: 2, RELIABLE: 1}

var server: NetworkedMultiplayerENet
var first: NetworkedMultiplayerENet
var second: NetworkedMultiplayerENet


func set_up() -> void:
	var peers := await connected(2)
	server = peers[0]
	first = peers[1]
	second = peers[2]


func test_modes_and_their_channels() -> void:
	for pair: Array in [[server, first], [first, server], [first, second]]:
		var from: NetworkedMultiplayerENet = pair[0]
		var to: NetworkedMultiplayerENet = pair[1]
		from.set_target_peer(to.get_unique_id())
		for mode in MODES:
			from.transfer_mode = mode
			check_equal(from.put_packet(_bytes("mode %d" % mode)), OK, "put_packet")
			await _expect(to, from, "mode %d" % mode, DEFAULT_CHANNELS[mode])


func test_the_mode_of_a_received_packet() -> void:
	server.set_target_peer(first.get_unique_id())
	for mode in MODES:
		server.transfer_mode = mode
		check_equal(server.put_packet(_bytes("x")), OK, "put_packet")
		await wait_until(_has_packets.bind(first, 1), 5.0, "a packet")
		check_equal(first.get_packet_mode(), mode, "get_packet_mode()")
		first.get_packet()


func test_always_ordered() -> void:
	first.set_target_peer(1)
	first.always_ordered = true
	first.transfer_mode = UNRELIABLE
	for number in 20:
		check_equal(first.put_packet(_bytes(str(number))), OK, "put_packet")
	await wait_until(_has_packets.bind(server, 20), 5.0, "20 packets")
	var wanted: Array[String] = []
	for number in 20:
		wanted.append(str(number))
	check_equal(received_texts(server), wanted, "the order")


## SceneMultiplayer sets the channel of each of its packets, and never takes it back.
func test_the_channel_of_an_rpc_ends_with_its_frame() -> void:
	var host := new_peer()
	var port := serve(host)
	var api := SceneMultiplayer.new()
	api.multiplayer_peer = host
	var guest := new_peer()
	await join([guest], port)
	await wait_until(func() -> bool: return events(host).size() == 1, 5.0, "the host has it")
	var id := guest.get_unique_id()
	check_equal(api.send_bytes(_bytes("rpc"), id, RELIABLE, 2), OK, "send_bytes")
	await frames(1)
	host.set_target_peer(id)
	check_equal(host.put_packet(_bytes("own")), OK, "put_packet")
	var channels := {}
	var fetch := func() -> bool:
		while guest.get_available_packet_count() > 0:
			var channel := guest.get_packet_channel()
			channels[guest.get_packet().get_string_from_ascii().right(3)] = channel
		return channels.has("rpc") and channels.has("own")
	await wait_until(fetch, 5.0, "both packets")
	check_equal([channels.get("rpc"), channels.get("own")], [2, 1], "channels")
	api.multiplayer_peer = null


func test_the_transfer_channel() -> void:
	first.set_target_peer(1)
	for channel: int in [1, 2, -1]:
		first.transfer_channel = channel
		for mode in MODES:
			first.transfer_mode = mode
			check_equal(first.put_packet(_bytes("x")), OK, "put_packet")
			var want: int = DEFAULT_CHANNELS[mode] if channel < 0 else channel
			await _expect(server, first, "x", want)


func test_many_channels() -> void:
	var host := new_peer()
	host.channel_count = 255
	var guest := new_peer()
	guest.channel_count = 255
	await join([guest], serve(host))
	guest.set_target_peer(1)
	for channel: int in [1, 3, 100, 254]:
		guest.transfer_channel = channel
		check_equal(guest.put_packet(_bytes("on %d" % channel)), OK, "put_packet")
		await _expect(host, guest, "on %d" % channel, channel)


## The server has 5 channels, and the connection the 3 of the client.
func test_a_channel_that_was_not_agreed() -> void:
	var host := new_peer()
	host.channel_count = 5
	var guest := new_peer()
	var other := new_peer()
	other.channel_count = 5
	await join([guest, other], serve(host))
	await wait_until(func() -> bool: return events(host).size() == 2, 5.0, "both are known")
	host.transfer_channel = 3
	var id := guest.get_unique_id()
	host.set_target_peer(id)
	check_equal(host.put_packet(_bytes("to one")), ERR_INVALID_PARAMETER, "put_packet")
	var remedy := "channel_count is 5 here, and 3 with that peer"
	expect_error(["put_packet", "channel 3", "peer %d" % id, remedy])
	# Of a packet for all, those get it who can.
	host.set_target_peer(0)
	check_equal(host.put_packet(_bytes("to all")), ERR_INVALID_PARAMETER, "put_packet")
	expect_error(["put_packet", "peer %d:" % id, remedy])
	check_equal(await receive(other), _bytes("to all"), "the other's")
	host.set_target_peer(-id)
	check_equal(host.put_packet(_bytes("to the other")), OK, "put_packet")
	check_equal(await receive(other), _bytes("to the other"), "the other's")
	# What the server cannot pass on is said once, there.
	await wait_until(
		func() -> bool: return events(other).has("peer_connected %d" % id), 5.0, "the relay"
	)
	expect_warning([])
	other.transfer_channel = 4
	other.set_target_peer(id)
	for i in 3:
		check_equal(other.put_packet(_bytes("across")), OK, "put_packet")
	await wait(0.3)
	check_equal(guest.get_available_packet_count(), 0, "nothing has come")
	expect_warning(["poll", "channel 4", "client %d" % id, "has agreed on 3 channels"])


## A script sees this class's own transfer_channel, whatever the variable's type.
func test_the_channel_through_the_base_class() -> void:
	var base: MultiplayerPeer = first
	base.set_target_peer(1)
	base.transfer_mode = RELIABLE
	check_equal(base.transfer_channel, -1, "the property")
	base.transfer_channel = 2
	check_equal(first.transfer_channel, 2, "the property, seen from the class")
	check_equal(base.put_packet(_bytes("property")), OK, "put_packet")
	await _expect(server, first, "property", 2)
	first.transfer_channel = -1
	check_equal(base.transfer_channel, -1, "the property, seen from the base")
	check_equal(base.put_packet(_bytes("default")), OK, "put_packet")
	await _expect(server, first, "default", 1)


## What SceneMultiplayer does for an RPC with a channel.
func test_the_channel_of_one_rpc() -> void:
	var base: MultiplayerPeer = first
	base.set_target_peer(1)
	first.transfer_channel = 1
	base.set_transfer_channel(2)
	check_equal(first.transfer_channel, 1, "the property stays")
	check_equal(base.put_packet(_bytes("rpc")), OK, "put_packet")
	await _expect(server, first, "rpc", 2)
	base.set_transfer_channel(0)
	check_equal(base.put_packet(_bytes("property")), OK, "put_packet")
	await _expect(server, first, "property", 1)


func test_disconnect_through_the_base_class() -> void:
	var base: MultiplayerPeer = server
	var id := first.get_unique_id()
	base.disconnect_peer(id, true)
	check_equal(events(server).back(), "peer_disconnected %d" % id, "at once")
	id = second.get_unique_id()
	base.disconnect_peer(id)
	var left := func() -> bool: return events(server).back() == "peer_disconnected %d" % id
	await wait_until(left, 5.0, "later")


## SceneMultiplayer has a client leave in this way when authentication fails.
func test_a_client_leaves_through_the_base_class() -> void:
	var base: MultiplayerPeer = first
	var id := first.get_unique_id()
	base.disconnect_peer(1)
	check_equal(base.get_connection_status(), CONNECTED, "until the server knows")
	var left := func() -> bool: return events(server).back() == "peer_disconnected %d" % id
	await wait_until(left, 5.0, "the server hears of it")
	var over := func() -> bool: return events(first).back() == "server_disconnected"
	await wait_until(over, 5.0, "the client has left")
	check_equal(base.get_connection_status(), DISCONNECTED, "the client's status")
	check_equal(first.get_connection_error(), 0, "nothing is an error")


func test_a_client_leaves_at_once_through_the_base_class() -> void:
	var base: MultiplayerPeer = first
	var id := first.get_unique_id()
	base.disconnect_peer(1, true)
	check_equal(base.get_connection_status(), DISCONNECTED, "the client's status")
	var left := func() -> bool: return events(server).back() == "peer_disconnected %d" % id
	await wait_until(left, 5.0, "the server hears of it")


func test_targets_of_the_server() -> void:
	_send(server, 0, "all")
	_send(server, first.get_unique_id(), "first")
	_send(server, -first.get_unique_id(), "not first")
	await wait_until(_has_packets.bind(first, 2), 5.0, "2 packets")
	await wait_until(_has_packets.bind(second, 2), 5.0, "2 packets")
	await frames(5)
	check_equal(received_texts(first), ["all", "first"] as Array[String], "the first client")
	check_equal(received_texts(second), ["all", "not first"] as Array[String], "the second")


func test_targets_of_a_client() -> void:
	_send(first, 0, "all")
	_send(first, 1, "server")
	_send(first, -1, "not server")
	_send(first, second.get_unique_id(), "second")
	_send(first, -second.get_unique_id(), "not second")
	await wait_until(_has_packets.bind(server, 3), 5.0, "3 packets")
	await wait_until(_has_packets.bind(second, 3), 5.0, "3 packets")
	await frames(5)
	check_equal(
		received_texts(server), ["all", "server", "not second"] as Array[String], "the server"
	)
	check_equal(
		received_texts(second), ["all", "not server", "second"] as Array[String], "the second"
	)
	check_equal(received_texts(first), [] as Array[String], "nothing comes back")


func test_the_source_of_relayed_packets() -> void:
	_send(first, second.get_unique_id(), "hello")
	await wait_until(_has_packets.bind(second, 1), 5.0, "a packet")
	check_equal(second.get_packet_peer(), first.get_unique_id(), "get_packet_peer()")
	second.get_packet()


func test_without_relay() -> void:
	var host := new_peer()
	host.server_relay = false
	var port := serve(host)
	var guests: Array[NetworkedMultiplayerENet] = [new_peer(), new_peer()]
	await join(guests, port)
	await frames(10)
	for guest in guests:
		check_equal(
			events(guest), ["peer_connected 1", "connection_succeeded"] as Array[String], "signals"
		)
		guest.set_target_peer(0)
		check_equal(guest.put_packet(_bytes("all")), OK, "put_packet")
	await wait_until(_has_packets.bind(host, 2), 5.0, "the server's packets")
	await frames(10)
	for guest in guests:
		check_equal(guest.get_available_packet_count(), 0, "nothing for clients")
	guests[0].set_target_peer(guests[1].get_unique_id())
	check_equal(guests[0].put_packet(_bytes("x")), ERR_INVALID_PARAMETER, "an unknown client")
	expect_error(["put_packet", str(guests[1].get_unique_id())])


func test_the_relay_is_the_servers_choice() -> void:
	var guests: Array[NetworkedMultiplayerENet] = [new_peer(), new_peer()]
	for guest in guests:
		guest.server_relay = false
	await join(guests, serve(new_peer()))
	var id := guests[1].get_unique_id()
	var known := func() -> bool: return "peer_connected %d" % id in events(guests[0])
	await wait_until(known, 5.0, "the clients know each other")
	_send(guests[0], id, "hello")
	check_equal((await receive(guests[1])).get_string_from_utf8(), "hello", "through the server")


func test_facts_before_and_after_get_packet() -> void:
	first.transfer_channel = 2
	_send(first, 1, "one")
	first.transfer_channel = 1
	_send(first, 1, "two")
	await wait_until(_has_packets.bind(server, 2), 5.0, "2 packets")
	for text: String in ["one", "two"] if server.get_packet_channel() == 2 else ["two", "one"]:
		var channel := 2 if text == "one" else 1
		check_equal(server.get_packet_peer(), first.get_unique_id(), "get_packet_peer()")
		check_equal(server.get_packet_channel(), channel, "get_packet_channel()")
		check_equal(server.get_packet().get_string_from_utf8(), text, "get_packet()")
		check_equal(server.get_packet_error(), OK, "get_packet_error()")
		check_equal(server.get_last_packet_channel(), channel, "get_last_packet_channel()")
	check_equal(server.get_available_packet_count(), 0, "get_available_packet_count()")


func test_the_last_channel_outlives_a_poll() -> void:
	_send(first, 1, "one")
	await receive(server)
	await frames(3)
	check_equal(server.get_last_packet_channel(), 1, "get_last_packet_channel()")


func test_the_last_channel_is_of_this_connection() -> void:
	_send(first, 1, "one")
	await receive(server)
	server.close_connection()
	serve(server)
	check_equal(server.get_last_packet_channel(), -1, "get_last_packet_channel()")
	expect_error(["get_last_packet_channel", "no packet has been fetched"])


func test_a_fetched_packet_is_ours() -> void:
	_send(first, 1, "first")
	_send(first, 1, "second")
	await wait_until(_has_packets.bind(server, 2), 5.0, "2 packets")
	var one := server.get_packet()
	var two := server.get_packet()
	await frames(3)
	server.close_connection()
	check_equal(one.get_string_from_utf8(), "first", "after the next packet, a poll and close")
	one[0] = 70
	check_equal(one.get_string_from_utf8(), "First", "it can be changed")
	check_equal(two.get_string_from_utf8(), "second", "the other one")


func test_packets_wait_over_polls() -> void:
	for number in 5:
		_send(first, 1, str(number))
	await wait_until(_has_packets.bind(server, 5), 5.0, "5 packets")
	await frames(10)
	check_equal(server.get_available_packet_count(), 5, "nothing is lost")
	check_equal(received_texts(server), ["0", "1", "2", "3", "4"] as Array[String], "the order")


func test_sizes() -> void:
	for mode in MODES:
		for size: int in [1, 7, 8, 255, 1300, 1372, 1392, 1393, 1400, 4096, 30000]:
			await _check_size(size, mode)


func test_large_packets() -> void:
	deadline = 60.0
	for size: int in [65536, 100_000, 1 << 20]:
		await _check_size(size, RELIABLE)


func test_a_packet_of_0_bytes() -> void:
	first.set_target_peer(1)
	check_equal(first.put_packet(PackedByteArray()), OK, "put_packet")
	_send(first, 1, "next")
	await wait_until(_has_packets.bind(server, 1), 5.0, "a packet")
	check_equal(received_texts(server), ["next"] as Array[String], "0 bytes are not sent")


func test_bytes_are_kept() -> void:
	var every := PackedByteArray()
	for value in 256:
		every.append(value)
	first.set_target_peer(1)
	check_equal(first.put_packet(every), OK, "put_packet")
	check_equal(await receive(server), every, "all values of a byte")


func test_variants() -> void:
	var values: Array = [
		42, -1.5, "text", Vector3(1, 2, 3), [1, "two", null], {"key": [true]}, &"name", null
	]
	first.set_target_peer(1)
	for value: Variant in values:
		check_equal(first.put_var(value), OK, "put_var")
		await wait_until(_has_packets.bind(server, 1), 5.0, "a packet")
		check_equal(server.get_var(), value, "get_var")


func test_objects_in_variants() -> void:
	var object := Resource.new()
	object.resource_name = "sent"
	first.set_target_peer(1)
	check_equal(first.put_var(object, true), OK, "put_var")
	await wait_until(_has_packets.bind(server, 1), 5.0, "a packet")
	var got: Variant = server.get_var(true)
	check(got is Resource and got.resource_name == "sent", "a whole object: %s" % got)


func test_large_variants() -> void:
	var bytes := PackedByteArray()
	bytes.resize(100_000)
	bytes.fill(7)
	first.set_target_peer(1)
	check_equal(first.put_var(bytes), OK, "put_var")
	await wait_until(_has_packets.bind(server, 1), 5.0, "a packet")
	check_equal(server.get_var(), bytes, "get_var")


func test_the_encode_buffer() -> void:
	first.encode_buffer_max_size = 2048
	check_equal(first.encode_buffer_max_size, 2048, "encode_buffer_max_size")
	first.set_target_peer(1)
	var bytes := PackedByteArray()
	bytes.resize(5000)
	allow_errors("encode_buffer_max_size")
	check_equal(first.put_var(bytes), ERR_OUT_OF_MEMORY, "put_var beyond it")
	check_equal(first.put_var(1), OK, "put_var below it")
	await wait_until(_has_packets.bind(server, 1), 5.0, "a packet")
	check_equal(server.get_var(), 1, "get_var")


func test_many_packets_in_order() -> void:
	var wanted: Array[String] = []
	for number in 1000:
		_send(first, 1, str(number))
		wanted.append(str(number))
	await wait_until(_has_packets.bind(server, 1000), 10.0, "1000 packets")
	check_equal(received_texts(server), wanted, "the order")


func test_the_server_answers_inside_its_loop() -> void:
	for number in 10:
		_send(first, 1, str(number))
		var text := (await receive(server)).get_string_from_utf8()
		_send(server, first.get_unique_id(), "re " + text)
		check_equal((await receive(first)).get_string_from_utf8(), "re %d" % number, "an echo")


func test_after_close() -> void:
	_send(first, 1, "lost")
	await wait_until(_has_packets.bind(server, 1), 5.0, "a packet")
	server.close_connection()
	check_equal(server.get_available_packet_count(), 0, "get_available_packet_count()")
	check_equal(server.put_packet(_bytes("x")), ERR_UNCONFIGURED, "put_packet")
	expect_error(["put_packet", "create_server()"])


func test_a_target_that_has_left() -> void:
	var id := second.get_unique_id()
	second.close_connection()
	var told := func() -> bool:
		var event := "peer_disconnected %d" % id
		return events(first).has(event) and events(server).has(event)
	await wait_until(told, 5.0, "the others hear of it")
	for peer: NetworkedMultiplayerENet in [server, first]:
		peer.set_target_peer(id)
		check_equal(peer.put_packet(_bytes("x")), ERR_INVALID_PARAMETER, "put_packet")
		expect_error(["put_packet", str(id)])


func test_nobody_is_there() -> void:
	var host := new_peer()
	serve(host)
	check_equal(host.put_packet(_bytes("x")), OK, "put_packet to everybody")
	await frames(3)
	check_equal(host.get_connection_status(), CONNECTED, "the status")


func test_target_and_mode_outlive_a_connection() -> void:
	first.set_target_peer(1)
	first.transfer_mode = UNRELIABLE
	first.transfer_channel = 2
	first.close_connection()
	check_equal(first.transfer_mode, UNRELIABLE, "transfer_mode")
	check_equal(first.transfer_channel, 2, "transfer_channel")


func _check_size(size: int, mode: MultiplayerPeer.TransferMode) -> void:
	var bytes := PackedByteArray()
	bytes.resize(size)
	for index in mini(size, 512):
		bytes[index] = index * 7 % 251
	bytes[size - 1] = 255
	first.set_target_peer(1)
	first.transfer_mode = mode
	check_equal(first.put_packet(bytes), OK, "put_packet of %d bytes" % size)
	check_equal(await receive(server, 20.0), bytes, "%d bytes in mode %d" % [size, mode])


func _expect(
	to: NetworkedMultiplayerENet, from: NetworkedMultiplayerENet, text: String, channel: int
) -> void:
	await wait_until(_has_packets.bind(to, 1), 5.0, "a packet")
	if to.get_available_packet_count() == 0:
		return
	check_equal(to.get_packet_peer(), from.get_unique_id(), "the sender")
	check_equal(to.get_packet_channel(), channel, 'the channel of "%s"' % text)
	check_equal(to.get_packet().get_string_from_utf8(), text, "the packet")
	check_equal(to.get_last_packet_channel(), channel, "the last channel")


func _send(from: NetworkedMultiplayerENet, target: int, text: String) -> void:
	from.set_target_peer(target)
	check_equal(from.put_packet(_bytes(text)), OK, "put_packet")


func _has_packets(peer: MultiplayerPeer, count: int) -> bool:
	return peer.get_available_packet_count() >= count


func _bytes(text: String) -> PackedByteArray:
	return text.to_utf8_buffer()
