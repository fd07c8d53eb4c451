## The byte counters tell what was on the wire: every datagram's payload, on both sides.
extends TestSuite

const RELIABLE := MultiplayerPeer.TRANSFER_MODE_RELIABLE
const UNRELIABLE := MultiplayerPeer.TRANSFER_MODE_UNRELIABLE
const SIZE := 1000
## The ids in front of each payload; ENet's own headers come on top.
const HEADER := 8


## Passes datagrams between a client and a server, and counts their bytes.
class Proxy:
	extends Node

	var front := PacketPeerUDP.new()
	var back := PacketPeerUDP.new()
	var from_client := 0
	var from_server := 0

	func _process(_delta: float) -> void:
		while front.get_available_packet_count() > 0:
			var datagram := front.get_packet()
			front.set_dest_address(front.get_packet_ip(), front.get_packet_port())
			from_client += datagram.size()
			back.put_packet(datagram)
		while back.get_available_packet_count() > 0:
			var datagram := back.get_packet()
			from_server += datagram.size()
			front.put_packet(datagram)


func test_a_new_connection_has_counted_nothing() -> void:
	var server := new_peer()
	serve(server)
	check_equal(server.get_sent_bytes(), 0, "sent by a server without clients")
	check_equal(server.get_received_bytes(), 0, "received by a server without clients")
	var client := new_peer()
	check_equal(client.create_client(LOCALHOST, free_port()), OK, "create_client")
	check_equal(client.get_sent_bytes(), 0, "nothing leaves before the end of the frame")
	var has_asked := func() -> bool: return client.get_sent_bytes() > 0
	await wait_until(has_asked, 5.0, "the client has asked for a connection")
	check_equal(client.get_received_bytes(), 0, "nobody has answered")


func test_datagrams_of_strangers_are_counted() -> void:
	var server := new_peer()
	var stranger := PacketPeerUDP.new()
	check_equal(stranger.connect_to_host(LOCALHOST, serve(server)), OK, "connect_to_host")
	check_equal(stranger.put_packet(_noise(SIZE)), OK, "put_packet")
	var counted := func() -> bool: return server.get_received_bytes() == SIZE
	await wait_until(counted, 5.0, "%d bytes" % SIZE)
	check_equal(server.get_sent_bytes(), 0, "no answer")
	server.close_connection()


func test_packets_are_counted_on_both_sides() -> void:
	for mode: int in [RELIABLE, UNRELIABLE]:
		for compression: int in [
			NetworkedMultiplayerENet.COMPRESS_NONE, NetworkedMultiplayerENet.COMPRESS_ZSTD
		]:
			var peers := await _connected(compression)
			var sent := peers[1].get_sent_bytes()
			var received := peers[0].get_received_bytes()
			await _send(peers, mode, _noise(SIZE))
			# Random bytes do not become smaller.
			var least := SIZE + HEADER
			check(peers[1].get_sent_bytes() > sent + least, "the client has sent the packet")
			check(peers[0].get_received_bytes() > received + least, "the server has received it")
			_close(peers)


func test_compression_shows() -> void:
	var peers := await _connected(NetworkedMultiplayerENet.COMPRESS_ZSTD)
	var sent := peers[1].get_sent_bytes()
	var zeros := PackedByteArray()
	zeros.resize(SIZE)
	await _send(peers, UNRELIABLE, zeros)
	var grown := peers[1].get_sent_bytes() - sent
	check(grown > 0 and grown < SIZE / 4, "%d bytes of zeros are %d" % [SIZE, grown])


func test_the_counters_are_the_bytes_of_the_wire() -> void:
	for is_encrypted: bool in [false, true]:
		var server := new_peer()
		var client := new_peer()
		if is_encrypted:
			_encrypt(server, client)
		var proxy := Proxy.new()
		add_child(proxy)
		check_equal(proxy.back.connect_to_host(LOCALHOST, serve(server)), OK, "the proxy's back")
		var port := free_port()
		check_equal(proxy.front.bind(port, LOCALHOST), OK, "the proxy's front")
		await join([client], port)
		await _send([server, client], RELIABLE, _noise(5 * SIZE))
		var nothing_on_the_way := func() -> bool:
			return (
				proxy.from_client == client.get_sent_bytes()
				and proxy.from_client == server.get_received_bytes()
				and proxy.from_server == server.get_sent_bytes()
				and proxy.from_server == client.get_received_bytes()
			)
		await wait_until(nothing_on_the_way, 5.0, "the counters agree with the wire")
		check(proxy.from_client > 5 * SIZE, "the wire has carried the packet")
		_close([server, client])
		proxy.queue_free()


func test_each_connection_counts_from_the_beginning() -> void:
	var peers := await connected()
	await _send(peers, RELIABLE, _noise(SIZE))
	check(peers[1].get_sent_bytes() > SIZE, "before")
	_close(peers)
	serve(peers[1])
	check_equal(peers[1].get_sent_bytes(), 0, "sent by the next connection")
	check_equal(peers[1].get_received_bytes(), 0, "received by the next connection")


## A key of the smallest allowed size is made fastest.
func _encrypt(server: NetworkedMultiplayerENet, client: NetworkedMultiplayerENet) -> void:
	var crypto := Crypto.new()
	var key := crypto.generate_rsa(2048)
	server.use_dtls = true
	server.set_dtls_key(key)
	server.set_dtls_certificate(crypto.generate_self_signed_certificate(key))
	client.use_dtls = true
	client.dtls_verify = false


func _connected(compression: int) -> Array[NetworkedMultiplayerENet]:
	var peers: Array[NetworkedMultiplayerENet] = [new_peer(), new_peer()]
	for peer in peers:
		peer.compression_mode = compression
	await join([peers[1]], serve(peers[0]))
	await wait_until(func() -> bool: return events(peers[0]).size() == 1, 5.0, "it is there")
	return peers


func _send(peers: Array[NetworkedMultiplayerENet], mode: int, bytes: PackedByteArray) -> void:
	peers[1].transfer_mode = mode
	peers[1].set_target_peer(1)
	check_equal(peers[1].put_packet(bytes), OK, "put_packet")
	check_equal(await receive(peers[0]), bytes, "the packet")


func _close(peers: Array[NetworkedMultiplayerENet]) -> void:
	for peer in peers:
		peer.close_connection()


func _noise(size: int) -> PackedByteArray:
	return Crypto.new().generate_random_bytes(size)
