## Who gets a place on a server: requests for a connection with invented addresses get none.
extends TestSuite

const PLACES := 8
const FORGED := 64

var server: NetworkedMultiplayerENet
var port := 0
var strangers: Array[PacketPeerUDP] = []


func set_up() -> void:
	server = new_peer()
	port = serve(server, PLACES)
	for i in FORGED:
		var stranger := PacketPeerUDP.new()
		stranger.connect_to_host(LOCALHOST, port)
		strangers.append(stranger)


func test_forged_requests_keep_nobody_out() -> void:
	_forge()
	await frames(5)
	check_equal(events(server).size(), 0, "the server's signals")
	var client := new_peer()
	await join([client], port)
	_forge()
	await frames(5)
	client.put_packet("still here".to_utf8_buffer())
	check_equal((await receive(server)).get_string_from_utf8(), "still here", "a packet")


func test_who_has_to_prove_its_address_is_sent_less_than_it_sent() -> void:
	server.require_address_proof = NetworkedMultiplayerENet.ADDRESS_PROOF_ALWAYS
	var sent := 0
	for i in 4:
		sent += _forge()
		await wait(0.6)
	var received := 0
	for stranger in strangers:
		while stranger.get_available_packet_count() > 0:
			received += stranger.get_packet().size()
	check(received > 0, "a challenge")
	check(received < sent / 2, "%d bytes for %d" % [received, sent])
	check_equal(events(server).size(), 0, "the server's signals")


func test_every_place_is_there_for_who_proves_its_address() -> void:
	server.require_address_proof = NetworkedMultiplayerENet.ADDRESS_PROOF_ALWAYS
	var clients: Array[NetworkedMultiplayerENet] = []
	for i in PLACES:
		_forge()
		clients.append(new_peer())
	await join(clients, port)
	check_equal(server.get_peer_address(clients[0].get_unique_id()), LOCALHOST, "an address")


func test_a_kind_of_proof_that_there_is_not() -> void:
	server.require_address_proof = 3
	expect_error(["set_require_address_proof", "ADDRESS_PROOF_"])
	check_equal(server.require_address_proof, server.ADDRESS_PROOF_AUTO, "the default")


## Requests of clients that never answer; the bytes that were sent.
func _forge() -> int:
	var sent := 0
	for i in strangers.size():
		var request := _connect_request(i + 1000)
		strangers[i].put_packet(request)
		sent += request.size()
	return sent


## ENet's connect request of a client with this id.
func _connect_request(id: int) -> PackedByteArray:
	var stream := StreamPeerBuffer.new()
	stream.big_endian = true
	stream.put_u16(0x8fff)
	stream.put_u16(id)
	stream.put_u32(0x82ff0001)
	stream.put_u32(0x0000ffff)
	for word: int in [1392, 65536, 3, 0, 0, 5000, 2, 2, id * 7919, id]:
		stream.put_u32(word)
	return stream.data_array
