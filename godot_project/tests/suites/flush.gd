## When packets leave: together at the end of the frame, with a poll, or at once.
##
## The other side is polled by hand, so that it shows what has left so far: datagrams over loopback
## arrive while they are sent.
extends TestSuite

const RELIABLE := MultiplayerPeer.TRANSFER_MODE_RELIABLE
const UNRELIABLE := MultiplayerPeer.TRANSFER_MODE_UNRELIABLE

## For how long a test puts more than a link carries, and how many packets a frame.
const FLOOD_FRAMES := 300
const FLOOD_PACKETS := 4

## Where games put packets.
const WAYS: Array[String] = [
	"_process",
	"_physics_process",
	"process_frame",
	"physics_frame",
	"a timer",
	"a tween",
	"a deferred call",
	"a deferred call of a deferred call",
	"a signal of a timer node",
]

var server: NetworkedMultiplayerENet
var client: NetworkedMultiplayerENet
var port := 0
var _texts: Array[String] = []


## Calls something once, from one of the places where games work.
class Once:
	extends Node

	var in_process := Callable()
	var in_physics_process := Callable()

	func _process(_delta: float) -> void:
		if in_process.is_valid():
			in_process.call()
		in_process = Callable()

	func _physics_process(_delta: float) -> void:
		if in_physics_process.is_valid():
			in_physics_process.call()
		in_physics_process = Callable()


## Counts the datagrams between a client and a server.
class Proxy:
	extends Node

	var front := PacketPeerUDP.new()
	var back := PacketPeerUDP.new()
	var from_client := 0

	func carry() -> void:
		while front.get_available_packet_count() > 0:
			var datagram := front.get_packet()
			front.set_dest_address(front.get_packet_ip(), front.get_packet_port())
			from_client += 1
			back.put_packet(datagram)
		while back.get_available_packet_count() > 0:
			front.put_packet(back.get_packet())

	func _process(_delta: float) -> void:
		carry()


func set_up() -> void:
	server = new_peer()
	client = new_peer()
	port = serve(server)
	await join([client], port)
	await wait_until(func() -> bool: return events(server).size() == 1, 5.0, "the server has it")
	client.set_target_peer(1)
	await frames(3)
	# From here on, only what a test does itself sends.
	polled.clear()


func tear_down() -> void:
	if client != null:
		client.close()
	server.close()


func test_the_mode() -> void:
	var peer := TestPeer.make()
	check_equal(peer.flush_mode, NetworkedMultiplayerENet.FLUSH_PER_FRAME, "the default")
	peer.flush_mode = NetworkedMultiplayerENet.FLUSH_EACH_PUT
	check_equal(peer.flush_mode, NetworkedMultiplayerENet.FLUSH_EACH_PUT, "the mode")
	peer.flush_mode = 2
	expect_error(["set_flush_mode", "FLUSH_"])
	check_equal(peer.flush_mode, NetworkedMultiplayerENet.FLUSH_EACH_PUT, "the mode")
	var names := ClassDB.class_get_enum_constants("NetworkedMultiplayerENet", "FlushMode")
	check_equal(names, PackedStringArray(["FLUSH_PER_FRAME", "FLUSH_EACH_PUT"]), "the enum")
	peer.flush()
	expect_error(["flush", "no connection is open"])


func test_packets_wait_for_the_end_of_the_frame() -> void:
	_put("one")
	_put("two")
	check_equal(_arrived(), [], "before the end of the frame")
	await get_tree().process_frame
	_check_arrived(["one", "two"], "in the next frame")


func test_packets_leave_in_the_frame_in_which_they_were_put() -> void:
	var once := Once.new()
	add_child(once)
	for way in WAYS:
		for repetition in 3:
			var put_in := [-1]
			var put := func() -> void:
				put_in[0] = Engine.get_process_frames()
				_put(way)
			_call_by(way, once, put)
			for i in 100:
				if put_in[0] >= 0 and put_in[0] != Engine.get_process_frames():
					break
				await get_tree().process_frame
			check_equal(Engine.get_process_frames() - put_in[0], 1, "frames from put to look")
			_check_arrived([way], way)


func _call_by(way: String, once: Once, put: Callable) -> void:
	match way:
		"_process":
			once.in_process = put
		"_physics_process":
			once.in_physics_process = put
		"process_frame":
			get_tree().process_frame.connect(put, CONNECT_ONE_SHOT)
		"physics_frame":
			get_tree().physics_frame.connect(put, CONNECT_ONE_SHOT)
		"a timer":
			get_tree().create_timer(0.0).timeout.connect(put)
		"a tween":
			create_tween().tween_callback(put)
		"a deferred call":
			put.call_deferred()
		"a deferred call of a deferred call":
			(func() -> void: put.call_deferred()).call_deferred()
		"a signal of a timer node":
			var timer := Timer.new()
			timer.one_shot = true
			once.add_child(timer)
			timer.timeout.connect(put)
			timer.start(0.001)


func test_a_put_in_a_handler_leaves_with_its_poll() -> void:
	var guest := new_peer()
	server.peer_connected.connect(
		func(id: int) -> void:
			server.set_target_peer(id)
			_put_from(server, "welcome")
	)
	check_equal(guest.create_client(LOCALHOST, port), OK, "create_client")
	var is_there := func() -> bool: return guest.get_available_packet_count() > 0
	await wait_until(func() -> bool: return _poll_server() and is_there.call(), 5.0, "a packet")
	check_equal(received_texts(guest), ["welcome"], "the packet")


func test_a_poll_sends() -> void:
	_put("polled")
	client.poll()
	_check_arrived(["polled"], "behind the poll")


func test_flush_sends() -> void:
	_put("flushed")
	client.flush()
	_check_arrived(["flushed"], "behind flush()")
	client.flush()
	await get_tree().process_frame
	check_equal(_arrived(), [], "later")


func test_each_put_sends() -> void:
	client.flush_mode = NetworkedMultiplayerENet.FLUSH_EACH_PUT
	for number in 3:
		_put(str(number))
		_check_arrived([str(number)], "behind put_packet()")
	client.flush_mode = NetworkedMultiplayerENet.FLUSH_PER_FRAME
	_put("late")
	check_equal(_arrived(), [], "before the end of the frame")
	client.flush_mode = NetworkedMultiplayerENet.FLUSH_EACH_PUT
	_check_arrived(["late"], "behind the change of the mode")


func test_a_full_datagram_leaves_before_the_end_of_the_frame() -> void:
	if TestPeer.is_threaded() or slowness > 1:
		# All of it leaves at the end of the frame, or after 5 ms: emulated, putting it takes as long.
		return
	for number in 33:
		_put("%02d" % number)
	check_equal(_arrived().size(), 32, "what fits into a datagram")
	client.flush()
	_check_arrived(["32"], "the rest")
	client.transfer_mode = UNRELIABLE
	for number in 15:
		_put("x".repeat(100))
	check_equal(_arrived().size(), 11, "what fits into the MTU")
	client.flush()
	check_equal(_arrived().size(), 4, "the rest")


func test_closing_sends() -> void:
	_put("last words")
	client.close_connection()
	_check_arrived(["last words"], "behind close_connection()")


func test_disconnecting_sends() -> void:
	var id := client.get_unique_id()
	for now: bool in [true, false]:
		server.set_target_peer(id)
		_put_from(server, "last words")
		server.disconnect_peer(id, now)
		var is_there := func() -> bool:
			client.poll()
			return client.get_available_packet_count() > 0
		_wait_for_thread(is_there)
		check_equal(received_texts(client), ["last words"], "behind disconnect_peer()")
		polled.append_array([server, client])
		var is_gone := func() -> bool: return client.get_connection_status() == DISCONNECTED
		await wait_until(is_gone, 5.0, "the client is disconnected")
		polled.clear()
		if now:
			polled.append(server)
			polled.append(client)
			await join([client], port)
			id = client.get_unique_id()
			await wait_until(func() -> bool: return server_knows(id), 5.0, "the server knows")
			polled.clear()


func test_a_freed_peer_sends_and_leaves_nothing_behind() -> void:
	_put("last words")
	client = null
	_check_arrived(["last words"], "behind the end of the peer")
	for i in 3:
		await get_tree().process_frame
	expect_no_error("the scheduled flush")


func test_a_peer_closed_and_opened_again_in_one_frame_still_sends() -> void:
	_put("old")
	client.close_connection()
	polled.append_array([server, client])
	await join([client], port)
	polled.clear()
	client.set_target_peer(1)
	_put("new")
	await get_tree().process_frame
	await get_tree().process_frame
	_check_arrived(["old", "new"], "both")


## Work between the packets of a frame holds none of them up for long; nor with the engine's class.
func test_a_frame_that_works_between_packets_sends_meanwhile() -> void:
	var stock_server := ENetMultiplayerPeer.new()
	var stock := ENetMultiplayerPeer.new()
	var stock_port := free_port()
	check_equal(stock_server.create_server(stock_port), OK, "create_server")
	check_equal(stock.create_client(LOCALHOST, stock_port), OK, "create_client")
	polled.append_array([stock_server, stock])
	await wait_until(is_connected_peer.bind(stock), 5.0, "connected")
	polled.clear()
	stock.set_target_peer(1)
	for pair: Array in [[client, server], [stock, stock_server]]:
		var frame := Engine.get_process_frames()
		for number in 5:
			check_equal(pair[0].put_packet(str(number).to_utf8_buffer()), OK, "put_packet")
			OS.delay_msec(6)
		# One of the engine's own reads one packet.
		for i in 5:
			pair[1].poll()
		var arrived: int = pair[1].get_available_packet_count()
		check(arrived >= 4, "%s: %d packets have arrived" % [pair[0].get_class(), arrived])
		check_equal(Engine.get_process_frames(), frame, "the frame")
	await frames(2)
	_check_count(5, "packets of our class")
	# A poll is a call, too: what waits leaves before the poll's handlers work.
	var guest := new_peer(false)
	_put("first")
	var seen: Array[String] = []
	client.peer_connected.connect(
		func(_id: int) -> void:
			OS.delay_msec(6)
			seen.append_array(_arrived())
	)
	OS.delay_msec(6)
	check_equal(guest.create_client(LOCALHOST, port), OK, "create_client")
	for i in 200:
		guest.poll()
		server.poll()
		if not seen.is_empty() or server.get_available_packet_count() > 0:
			break
		client.poll()
		OS.delay_msec(1)
	seen.append_array(_arrived())
	check_equal(seen, ["first"], "with the poll")
	guest.close()
	stock.close()
	stock_server.close()


## The clock is not looked at for each of many quick ones, but of those that follow a pause.
func test_behind_quick_packets_the_next_one_sends() -> void:
	for number in 16:
		_put(str(number))
	# The coarse clock goes on every 10 ms at the least.
	OS.delay_msec(11)
	_put("late")
	_check_count(17, "packets")


func test_the_packets_of_a_frame_share_datagrams() -> void:
	var proxy := Proxy.new()
	check_equal(proxy.front.bind(free_port()), OK, "bind")
	check_equal(proxy.back.connect_to_host(LOCALHOST, port), OK, "connect_to_host")
	add_child(proxy)
	var guest := new_peer()
	polled.append(server)
	await join([guest], proxy.front.get_local_port())
	await wait(0.2)
	guest.set_target_peer(1)
	var modes := [NetworkedMultiplayerENet.FLUSH_PER_FRAME, NetworkedMultiplayerENet.FLUSH_EACH_PUT]
	for mode: int in modes:
		guest.flush_mode = mode
		guest.transfer_mode = UNRELIABLE
		var before := proxy.from_client
		for number in 60:
			_put_from(guest, "%02d" % number)
		# Only the deferred flush: nobody is polled.
		polled.clear()
		await get_tree().process_frame
		_check_count(60, "packets", proxy.carry)
		var datagrams := proxy.from_client - before
		if mode == NetworkedMultiplayerENet.FLUSH_PER_FRAME and slowness > 1:
			# What was put for 5 ms does not wait for the end of the frame.
			check(datagrams < 60, "%d datagrams of 60 packets in a frame" % datagrams)
		elif mode == NetworkedMultiplayerENet.FLUSH_PER_FRAME:
			check_equal(datagrams, 2, "datagrams of 60 packets in a frame")
		else:
			check_equal(datagrams, 60, "datagrams of 60 packets")
		polled.append_array([server, guest])
		await frames(2)
	guest.close()


func test_the_throttle() -> void:
	var id := client.get_unique_id()
	server.set_peer_throttle(id, 1000, 4, 2)
	client.set_peer_throttle(1, 5000, 2, 0)
	expect_no_error("set_peer_throttle")
	server.set_peer_throttle(77, 1000, 4, 2)
	expect_error(["set_peer_throttle", "77"])
	server.set_peer_throttle(id, -1, 4, 2)
	expect_error(["set_peer_throttle", "-1"])
	polled.append_array([server, client])
	await wait(0.2)
	check_equal(client.get_connection_status(), CONNECTED, "status")
	var peer := TestPeer.make()
	peer.set_peer_throttle(1, 5000, 2, 2)
	expect_error(["set_peer_throttle", "no connection is open"])


## On a link that carries too little, the throttle drops unreliable packets, unless its deceleration
## is 0.
func test_what_the_throttle_drops() -> void:
	deadline = 40.0
	var arrived: Array[int] = []
	for deceleration: int in [32, 0]:
		arrived.append(await _arrived_over_a_narrow_link(deceleration))
	check_equal(arrived[1], FLOOD_FRAMES * FLOOD_PACKETS, "packets without deceleration")
	check(arrived[0] < arrived[1] * 3 / 4, "%d of %d came with deceleration" % arrived)


## Puts more for a while than a link carries, and counts what arrives once its queue has gone.
func _arrived_over_a_narrow_link(deceleration: int) -> int:
	var sender := new_peer(false)
	var link_port := free_port()
	# Half of what is put.
	var link := TestNarrowLink.new(port, link_port, FLOOD_PACKETS * 30)
	check_equal(sender.create_client(LOCALHOST, link_port), OK, "create_client")
	var pass_on := func() -> bool:
		link.poll()
		server.poll()
		sender.poll()
		return is_connected_peer(sender)
	await wait_until(pass_on, 5.0, "a connection over the link")
	sender.set_peer_throttle(1, 1000, 2, deceleration)
	sender.set_peer_timeout(1, 60000, 60000, 60000)
	received_texts(server)
	var noise := PackedByteArray()
	noise.resize(1000)
	var count := 0
	for frame in FLOOD_FRAMES + 60:
		if frame < FLOOD_FRAMES:
			sender.transfer_mode = UNRELIABLE
			for i in FLOOD_PACKETS:
				sender.put_packet(noise)
			sender.transfer_mode = RELIABLE
			sender.put_packet("a round trip".to_utf8_buffer())
		else:
			link.datagrams_per_second = 1e5
		pass_on.call()
		while server.get_available_packet_count() > 0:
			count += int(server.get_packet().size() == noise.size())
		await get_tree().process_frame
	sender.close_connection()
	return count


func server_knows(id: int) -> bool:
	return events(server).count("peer_connected %d" % id) > 0


func _put(text: String) -> void:
	_put_from(client, text)


func _put_from(peer: NetworkedMultiplayerENet, text: String) -> void:
	check_equal(peer.put_packet(text.to_utf8_buffer()), OK, "put_packet")


## What the server has got so far.
func _arrived() -> Array[String]:
	server.poll()
	return received_texts(server)


func _check_arrived(expected: Array, what: String) -> void:
	_check_count(expected.size(), what)
	check_equal(_texts, expected, what)


## Checks how many packets the server has got. Without network threads they have arrived by now.
func _check_count(count: int, what: String, between := Callable()) -> void:
	_texts.clear()
	var are_there := func() -> bool:
		if between.is_valid():
			between.call()
		_texts.append_array(_arrived())
		return _texts.size() >= count
	_wait_for_thread(are_there)
	check_equal(_texts.size(), count, what)


## Calls until it is true, in this frame; without network threads, once.
func _wait_for_thread(is_so: Callable) -> void:
	var end := Time.get_ticks_msec() + 2000
	while not is_so.call() and TestPeer.is_threaded() and Time.get_ticks_msec() < end:
		OS.delay_usec(200)


func _poll_server() -> bool:
	server.poll()
	return true
