## The longest datagram: what can be set, whom it holds for, and what is told on a path that loses
## long ones.
extends TestSuite

## An MTU of 576 on the path, without the headers of IP and UDP.
const PATH := 548

## Datagrams a second: as many as come.
const RATE := 1e6

var server: NetworkedMultiplayerENet
var client: NetworkedMultiplayerENet
var link: TestNarrowLink
## Of the client that was connected last.
var client_id := 0


func set_up() -> void:
	server = new_peer()
	client = new_peer()
	for peer: NetworkedMultiplayerENet in [server, client]:
		peer.compression_mode = NetworkedMultiplayerENet.COMPRESS_NONE


func poll_all() -> void:
	super()
	if link != null:
		link.poll()


func test_what_is_no_mtu() -> void:
	for mtu: int in [-1, 0, 575, 1393, 65536 + 1000]:
		server.mtu = mtu
		expect_error(["set_mtu", "an MTU of %d is not possible" % mtu, "576 to 1392"])
		check_equal(server.mtu, 1392, "the default")
	for mtu: int in [576, 1000, 1392]:
		server.mtu = mtu
		check_equal(server.mtu, mtu, "a possible one")


func test_the_smaller_mtu_holds_for_both_sides() -> void:
	for mtus: Array[int] in [[580, 1392], [1392, 800], [1392, 1392]] as Array[Array]:
		server.mtu = mtus[0]
		client.mtu = mtus[1]
		await _connect()
		for way: Array in [[server, client], [client, server]]:
			var packet := PackedByteArray()
			packet.resize(20000)
			way[0].put_packet(packet)
			check_equal((await receive(way[1])).size(), packet.size(), "a packet")
		check_equal(link.longest_seen, mini(mtus[0], mtus[1]), "the longest datagram")
		client.close_connection()
		server.close_connection()


func test_a_server_tells_which_client_does_not_get_long_datagrams() -> void:
	await _lose_what_is_long(server)
	var told := ["poll", "client %d" % client_id, "127.0.0.1:", "long datagrams", "set mtu"]
	expect_warning(told)


func test_a_client_finds_out_that_its_long_datagrams_get_lost() -> void:
	await _lose_what_is_long(client)
	expect_warning([])


func _connect() -> void:
	var port := serve(server)
	var own_port := free_port()
	link = TestNarrowLink.new(port, own_port, RATE)
	await join([client], own_port)
	client_id = client.get_unique_id()
	var is_there := func() -> bool: return events(server).has("peer_connected %d" % client_id)
	await wait_until(is_there, 5.0, "the server has its client")


## The path begins to lose what is long; `sender` sends that, and the other side short packets.
func _lose_what_is_long(sender: NetworkedMultiplayerENet) -> void:
	await _connect()
	sender.set_peer_timeout(client_id if sender == server else 1, 32, 1500, 3000)
	link.longest = PATH
	var packet := PackedByteArray()
	packet.resize(3000)
	sender.put_packet(packet)
	for peer: NetworkedMultiplayerENet in [server, client]:
		peer.transfer_channel = 2
		peer.put_packet("short".to_utf8_buffer())
	check_equal((await receive(server)).get_string_from_utf8(), "short", "a short packet")
	check_equal((await receive(client)).get_string_from_utf8(), "short", "a short packet")
	var is_over := func() -> bool: return events(client).has("server_disconnected")
	await wait_until(is_over, 30.0, "the connection ends")
	check_equal(client.get_connection_error(), client.CONNECTION_ERROR_MTU, "why")
	check(client.get_connection_error_text().contains("set mtu"), "what to do")
	await wait_until(func() -> bool: return events(server).size() == 2, 5.0, "the server notices")
