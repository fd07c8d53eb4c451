# gdlint: disable=max-public-methods
## Encrypted connections: credentials of the engine's Crypto, packets, and every way to fail.
extends TestSuite

const NAME := "game.example.com"
const ANOTHER := "another.example.com"
const NO_COMPRESSION := NetworkedMultiplayerENet.COMPRESS_NONE
const MODES: Array[MultiplayerPeer.TransferMode] = [
	MultiplayerPeer.TRANSFER_MODE_RELIABLE,
	MultiplayerPeer.TRANSFER_MODE_UNRELIABLE_ORDERED,
	MultiplayerPeer.TRANSFER_MODE_UNRELIABLE,
]

static var _key: CryptoKey
static var _certificate: X509Certificate


func set_up() -> void:
	if _key == null:
		_key = Crypto.new().generate_rsa(2048)
		_certificate = _signed(NAME)


func test_a_server_needs_a_key_and_its_certificate() -> void:
	var peer := new_peer()
	peer.use_dtls = true
	_refuse(peer, ["there is no key", "set_dtls_key()"])
	peer.set_dtls_key(_key)
	_refuse(peer, ["there is no certificate", "set_dtls_certificate()"])
	peer.set_dtls_certificate(_certificate)
	peer.set_dtls_key(Crypto.new().generate_rsa(2048))
	_refuse(peer, ["the private key does not belong to the certificate"])
	var weak := Crypto.new().generate_rsa(1024)
	peer.set_dtls_key(weak)
	_refuse(peer, ["the RSA key has 1024 bits"])
	var public := CryptoKey.new()
	check_equal(public.load_from_string(_key.save_to_string(true), true), OK, "the public half")
	peer.set_dtls_key(public)
	_refuse(peer, ["the key is only the public half"])
	peer.use_dtls = false
	check_equal(peer.create_server(free_port()), OK, "without DTLS")
	peer.close_connection()
	peer.use_dtls = true
	peer.set_dtls_key(_key)
	check_equal(peer.create_server(free_port()), OK, "with what belongs together")


func test_a_name_that_no_host_can_have() -> void:
	var client := _client(_certificate, "x".repeat(256))
	check_equal(client.create_client(LOCALHOST, 9), ERR_INVALID_PARAMETER, "256 bytes")
	expect_error(["NetworkedMultiplayerENet.create_client: ", "a name has at most 255 bytes"])
	client.dtls_hostname = "x".repeat(255)
	check_equal(client.create_client(LOCALHOST, 9), OK, "255 bytes")


func test_packets_of_all_sizes_and_modes() -> void:
	var peers := await _connected(1, NO_COMPRESSION)
	for mode in MODES:
		for size: int in [1, 100, 1310, 1318, 1319, 1320, 1346, 1356, 1357, 2640, 60_000]:
			for pair: Array in [[peers[0], peers[1]], [peers[1], peers[0]]]:
				var payload := _noise(size)
				pair[0].transfer_mode = mode
				pair[0].set_target_peer(0)
				check_equal(pair[0].put_packet(payload), OK, "put_packet")
				var got: PackedByteArray = await receive(pair[1])
				check(got == payload, "%d bytes, mode %d" % [size, mode])


func test_a_large_packet_in_each_compression_mode() -> void:
	for mode in 5:
		var peers := await _connected(1, mode)
		var payload := "all the same, ".repeat(20_000).to_utf8_buffer() + _noise(300_000)
		for pair: Array in [[peers[0], peers[1]], [peers[1], peers[0]]]:
			check_equal(pair[0].put_packet(payload), OK, "put_packet")
			check(await receive(pair[1], 10.0) == payload, "compression mode %d" % mode)


func test_clients_see_each_other_through_the_relay() -> void:
	var peers := await _connected(2, NO_COMPRESSION)
	var second := peers[2].get_unique_id()
	await wait_until(
		func() -> bool: return "peer_connected %d" % second in events(peers[1]), 5.0, "known"
	)
	peers[1].set_target_peer(second)
	peers[1].put_packet("hello".to_utf8_buffer())
	check_equal((await receive(peers[2])).get_string_from_utf8(), "hello", "through the relay")
	check_equal(peers[0].get_available_packet_count(), 0, "not for the server")


func test_the_name_is_the_address_unless_there_is_a_hostname() -> void:
	var certificate := _signed(LOCALHOST)
	var port := _serve(new_peer(), certificate)
	var client := _client(certificate)
	check_equal(client.create_client(LOCALHOST, port), OK, "create_client")
	await wait_until(is_connected_peer.bind(client), 5.0, "the address is the name")
	var other := _client(certificate, NAME)
	await _check_failure(
		other, port, NetworkedMultiplayerENet.CONNECTION_ERROR_WRONG_NAME, "dtls_hostname"
	)


func test_a_wrong_name() -> void:
	var port := _serve(new_peer(), _certificate)
	var client := _client(_certificate, ANOTHER)
	await _check_failure(
		client, port, NetworkedMultiplayerENet.CONNECTION_ERROR_WRONG_NAME, "dtls_hostname"
	)
	# The handler may try again at once, and what went wrong is forgotten.
	client.dtls_hostname = NAME
	check_equal(client.create_client(LOCALHOST, port), OK, "create_client")
	check_equal(client.get_connection_error(), 0, "no error")
	await wait_until(is_connected_peer.bind(client), 5.0, "the right name")


func test_an_untrusted_certificate() -> void:
	var port := _serve(new_peer(), _certificate)
	var untrusted := NetworkedMultiplayerENet.CONNECTION_ERROR_UNTRUSTED
	var key := Crypto.new().generate_rsa(2048)
	var another := Crypto.new().generate_self_signed_certificate(key, "CN=" + NAME)
	await _check_failure(_client(another, NAME), port, untrusted, "set_dtls_certificate()")
	# Without one the system decides, and knows nothing of it.
	await _check_failure(_client(null, NAME), port, untrusted, "set_dtls_certificate()")


func test_certificates_of_other_times() -> void:
	var old := _signed(NAME, "20150101000000", "20160101000000")
	var error := NetworkedMultiplayerENet.CONNECTION_ERROR_CERTIFICATE_EXPIRED
	await _check_failure(_client(old, NAME), _serve(new_peer(), old), error, "expired")
	var new := _signed(NAME, "20450101000000", "20480101000000")
	error = NetworkedMultiplayerENet.CONNECTION_ERROR_CERTIFICATE_NOT_YET_VALID
	await _check_failure(_client(new, NAME), _serve(new_peer(), new), error, "not valid yet")


func test_without_verification_any_certificate_will_do() -> void:
	var port := _serve(new_peer(), _signed(NAME, "20150101000000", "20160101000000"))
	var client := _client(null, ANOTHER)
	client.dtls_verify = false
	await join([client], port)
	check_equal(
		events(client), ["peer_connected 1", "connection_succeeded"] as Array[String], "signals"
	)


func test_both_sides_need_dtls() -> void:
	deadline = 60.0
	var server := new_peer()
	var port := _serve(server, _certificate)
	var plain_server := new_peer()
	var plain_port := serve(plain_server)
	var plain := new_peer()
	check_equal(plain.create_client(LOCALHOST, port), OK, "create_client")
	var encrypted := _client(_certificate, NAME)
	check_equal(encrypted.create_client(LOCALHOST, plain_port), OK, "create_client")
	await wait(1.0)
	check_equal(plain.get_connection_status(), CONNECTING, "without DTLS")
	check_equal(encrypted.get_connection_status(), CONNECTING, "without a DTLS server")
	var failed: Array[String] = ["connection_failed"]
	var over := func() -> bool: return events(plain) == failed and events(encrypted) == failed
	await wait_until(over, 45.0, "both fail")
	check_equal(
		plain.get_connection_error(), NetworkedMultiplayerENet.CONNECTION_ERROR_TIMED_OUT, "plain"
	)
	var error := NetworkedMultiplayerENet.CONNECTION_ERROR_HANDSHAKE_TIMED_OUT
	check_equal(encrypted.get_connection_error(), error, "encrypted")
	check_equal(events(server) + events(plain_server), [] as Array[String], "the servers")


func test_full_and_refusing_servers_say_so() -> void:
	var server := new_peer()
	var port := _serve(server, _certificate, 1)
	await join([_client(_certificate, NAME)], port)
	var refused := NetworkedMultiplayerENet.CONNECTION_ERROR_REFUSED
	await _check_failure(_client(_certificate, NAME), port, refused, "takes no more clients")
	var other := new_peer()
	port = _serve(other, _certificate)
	other.refuse_new_connections = true
	await _check_failure(_client(_certificate, NAME), port, refused, "takes no more clients")
	other.refuse_new_connections = false
	await join([_client(_certificate, NAME)], port)


func test_the_end_of_a_connection() -> void:
	var peers := await _connected(3, NO_COMPRESSION)
	var closed := NetworkedMultiplayerENet.CONNECTION_ERROR_CLOSED_BY_SERVER
	var last := func(peer: NetworkedMultiplayerENet) -> String: return events(peer)[-1]
	var left := "peer_disconnected %d"
	var kicked := peers[1].get_unique_id()
	peers[0].set_target_peer(kicked)
	peers[0].put_packet("goodbye".to_utf8_buffer())
	peers[0].disconnect_peer(kicked)
	check_equal((await receive(peers[1])).get_string_from_utf8(), "goodbye", "what came before")
	await wait_until(
		func() -> bool: return last.call(peers[0]) == left % kicked, 5.0, "the server knows"
	)
	await wait_until(
		func() -> bool: return last.call(peers[1]) == "server_disconnected", 5.0, "kicked"
	)
	check_equal(peers[1].get_connection_error(), closed, "of the one that was kicked")
	var leaving := peers[2].get_unique_id()
	peers[2].close_connection()
	check_equal(peers[2].get_connection_error(), 0, "of the one that left")
	await wait_until(func() -> bool: return last.call(peers[0]) == left % leaving, 5.0, "it left")
	peers[0].close_connection()
	await wait_until(
		func() -> bool: return last.call(peers[3]) == "server_disconnected", 5.0, "closed"
	)
	check_equal(peers[3].get_connection_error(), closed, "of the last one")
	check_equal(peers[0].get_connection_error(), 0, "of the server")


func test_a_client_can_come_back_from_the_same_port() -> void:
	var server := new_peer()
	var port := _serve(server, _certificate)
	var local := free_port()
	for attempt in 3:
		var client := _client(_certificate, NAME)
		check_equal(client.create_client(LOCALHOST, port, 0, 0, local), OK, "create_client")
		await wait_until(is_connected_peer.bind(client), 5.0, "connected")
		var id := client.get_unique_id()
		var there := "peer_connected %d" % id
		await wait_until(func() -> bool: return there in events(server), 5.0, "known")
		client.close_connection()


func test_the_settings_of_an_open_connection_stay() -> void:
	for peer in await _connected(1, NO_COMPRESSION):
		peer.use_dtls = false
		expect_error(["set_dtls_enabled", "call close_connection() first"])
		peer.dtls_verify = false
		expect_error("set_dtls_verify_enabled")
		peer.dtls_hostname = ANOTHER
		expect_error("set_dtls_hostname")
		peer.set_dtls_key(null)
		expect_error("set_dtls_key")
		peer.set_dtls_certificate(null)
		expect_error("set_dtls_certificate")
		check_equal(peer.use_dtls, true, "use_dtls")
		check_equal(peer.dtls_verify, true, "dtls_verify")


## A certificate for the key of all servers here.
func _signed(
	common_name: String, first := "20200101000000", last := "20400101000000"
) -> X509Certificate:
	return Crypto.new().generate_self_signed_certificate(_key, "CN=" + common_name, first, last)


func _serve(
	server: NetworkedMultiplayerENet, certificate: X509Certificate, max_clients := 32
) -> int:
	server.use_dtls = true
	server.set_dtls_key(_key)
	server.set_dtls_certificate(certificate)
	return serve(server, max_clients)


func _client(certificate: X509Certificate, hostname := "") -> NetworkedMultiplayerENet:
	var client := new_peer()
	client.use_dtls = true
	client.dtls_hostname = hostname
	client.set_dtls_certificate(certificate)
	return client


## A server and connected clients of it: the server comes first.
func _connected(clients: int, compression_mode: int) -> Array[NetworkedMultiplayerENet]:
	var server := new_peer()
	var others: Array[NetworkedMultiplayerENet] = []
	for i in clients:
		others.append(_client(_certificate, NAME))
	var all: Array[NetworkedMultiplayerENet] = [server]
	all.append_array(others)
	for peer in all:
		peer.compression_mode = compression_mode
	await join(others, _serve(server, _certificate))
	await wait_until(func() -> bool: return events(server).size() == clients, 5.0, "all are there")
	return all


func _refuse(peer: NetworkedMultiplayerENet, parts: Array) -> void:
	check_equal(peer.create_server(free_port()), ERR_INVALID_PARAMETER, "%s" % [parts])
	parts.append("NetworkedMultiplayerENet.create_server: ")
	expect_error(parts)
	expect_no_error("%s" % [parts])
	check_equal(peer.get_connection_status(), DISCONNECTED, "no server")


## The client's attempt fails with this error, whose text has this part.
func _check_failure(client: NetworkedMultiplayerENet, port: int, error: int, part: String) -> void:
	check_equal(client.create_client(LOCALHOST, port), OK, "create_client")
	var heard: Array[int] = []
	client.connection_failed.connect(
		func() -> void: heard.append(client.get_connection_error()), CONNECT_ONE_SHOT
	)
	await wait_until(func() -> bool: return not heard.is_empty(), 8.0, "connection_failed")
	check_equal(heard, [error] as Array[int], "the error that the handler sees")
	check_equal(client.get_connection_error(), error, "the error behind it")
	check(part in client.get_connection_error_text(), client.get_connection_error_text())
	check_equal(client.get_connection_status(), DISCONNECTED, "the status")
	check_equal(events(client), ["connection_failed"] as Array[String], "the signals")


func _noise(size: int) -> PackedByteArray:
	return Crypto.new().generate_random_bytes(size)
