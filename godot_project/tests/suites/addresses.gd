# gdlint: disable=max-public-methods
## IPv4, IPv6, host names, ports and bind addresses.
extends TestSuite

const LOCALHOST_6 := "::1"
## Another address of the loopback device, where the system has one.
const SECOND_LOCALHOST := "127.0.0.2"


func test_ipv4() -> void:
	await _check_address(LOCALHOST, LOCALHOST)


func test_ipv6() -> void:
	await _check_address(LOCALHOST_6, LOCALHOST_6)


func test_ipv6_written_in_full() -> void:
	await _check_address("0:0:0:0:0:0:0:1", LOCALHOST_6)


func test_ipv4_inside_ipv6() -> void:
	await _check_address("::ffff:127.0.0.1", LOCALHOST)


func test_both_families_on_one_server() -> void:
	var server := new_peer()
	var port := serve(server)
	var four := new_peer()
	await join([four], port, LOCALHOST)
	var six := new_peer()
	await join([six], port, LOCALHOST_6)
	await wait_until(func() -> bool: return events(server).size() == 2, 5.0, "two clients")
	check_equal(server.get_peer_address(four.get_unique_id()), LOCALHOST, "the IPv4 client")
	check_equal(server.get_peer_address(six.get_unique_id()), LOCALHOST_6, "the IPv6 client")
	four.set_target_peer(six.get_unique_id())
	check_equal(four.put_packet("over".to_utf8_buffer()), OK, "put_packet")
	check_equal((await receive(six)).get_string_from_utf8(), "over", "from IPv4 to IPv6")


func test_localhost_by_name() -> void:
	var server := new_peer()
	var port := serve(server)
	var client := new_peer()
	_timed(client.create_client.bind("localhost", port), [OK])
	await wait_until(is_connected_peer.bind(client), 5.0, "the client connects")
	var address := client.get_peer_address(1)
	check(address in [LOCALHOST, LOCALHOST_6], "the server's address: " + address)


func test_a_name_that_does_not_exist() -> void:
	var client := new_peer()
	var call := client.create_client.bind("no-such-host.invalid", free_port())
	_timed(call, [OK])
	check_equal(client.get_connection_status(), CONNECTING, "the status")
	var failed := func() -> bool: return not events(client).is_empty()
	await wait_until(failed, 18.0, "the attempt ends")
	check_equal(events(client), ["connection_failed"] as Array[String], "signals")
	check_equal(client.get_connection_status(), DISCONNECTED, "the status at the end")


func test_a_search_can_be_given_up() -> void:
	for round_number in 20:
		var client := TestPeer.make()
		var answer := client.create_client("no-such-host-%d.invalid" % round_number, 9)
		check_equal(answer, OK, "create_client")
		client.close_connection()
		check_equal(client.get_connection_status(), DISCONNECTED, "the status")


func test_client_port() -> void:
	var server := new_peer()
	var port := serve(server)
	var client := new_peer()
	var client_port := free_port()
	check_equal(client.create_client(LOCALHOST, port, 0, 0, client_port), OK, "create_client")
	await wait_until(is_connected_peer.bind(client), 5.0, "the client connects")
	await wait_until(func() -> bool: return events(server).size() == 1, 5.0, "the server knows")
	check_equal(server.get_peer_port(client.get_unique_id()), client_port, "the client's port")
	check_equal(client.get_peer_port(1), port, "the server's port")


func test_client_port_in_use() -> void:
	var probe := PacketPeerUDP.new()
	check_equal(probe.bind(0), OK, "another program has a port")
	var port := probe.get_local_port()
	var client := new_peer()
	check_equal(client.create_client(LOCALHOST, 9, 0, 0, port), ERR_CANT_CREATE, "create_client")
	expect_error(["create_client", str(port), "in use"])
	check_equal(client.get_connection_status(), DISCONNECTED, "the status")


func test_server_port_in_use() -> void:
	var probe := PacketPeerUDP.new()
	check_equal(probe.bind(0), OK, "another program has a port")
	var port := probe.get_local_port()
	var server := new_peer()
	check_equal(server.create_server(port), ERR_CANT_CREATE, "create_server")
	expect_error(["create_server", str(port), "in use"])
	probe.close()
	check_equal(server.create_server(port), OK, "when the port is free")


func test_a_port_is_free_at_once_after_close() -> void:
	var server := new_peer()
	var port := serve(server)
	for round_number in 20:
		server.close_connection()
		check_equal(server.create_server(port), OK, "the same port again")


func test_port_0() -> void:
	var servers: Array[NetworkedMultiplayerENet] = [new_peer(), new_peer()]
	for server in servers:
		check_equal(server.create_server(0), OK, "a server on any port")
		check_equal(server.get_connection_status(), CONNECTED, "the status")
	var client := new_peer()
	check_equal(client.create_client(LOCALHOST, 0), OK, "a client of port 0")
	check_equal(client.get_connection_status(), CONNECTING, "the status")
	await frames(20)
	check(client.get_connection_status() != CONNECTED, "nobody is there")


func test_the_local_port() -> void:
	var peer := new_peer()
	check_equal(peer.get_local_port(), 0, "without a connection")
	expect_error(["get_local_port", "call create_server() or create_client() first"])
	check_equal(peer.create_server(0), OK, "create_server")
	var port := peer.get_local_port()
	check(port > 0 and port < 65536, "port %d" % port)
	var client := new_peer()
	check_equal(client.create_client(LOCALHOST, port), OK, "create_client")
	var client_port := client.get_local_port()
	check(client_port > 0 and client_port != port, "the client's port while it connects")
	await wait_until(is_connected_peer.bind(client), 5.0, "the client connects")
	check_equal(client.get_peer_port(1), port, "the server's port, seen from the client")
	await wait_until(func() -> bool: return events(peer).size() == 1, 5.0, "the server knows")
	check_equal(client.get_local_port(), client_port, "the client's port")
	check_equal(peer.get_peer_port(client.get_unique_id()), client_port, "as the server sees it")
	peer.close_connection()
	check_equal(peer.create_server(port), OK, "a server on a port that is chosen")
	check_equal(peer.get_local_port(), port, "that port")


## As with the engine's own class, the server is known while the client connects.
func test_the_server_of_an_attempt() -> void:
	var client := new_peer()
	var port := free_port()
	check_equal(client.create_client(LOCALHOST, port), OK, "create_client")
	check_equal(client.get_peer_address(1), LOCALHOST, "its address")
	check_equal(client.get_peer_port(1), port, "its port")
	var stock := ENetMultiplayerPeer.new()
	check_equal(stock.create_client(LOCALHOST, port), OK, "create_client")
	check_equal(stock.get_peer(1).get_remote_address(), LOCALHOST, "its address")
	check_equal(stock.get_peer(1).get_remote_port(), port, "its port")
	stock.close()


func test_server_bind_address() -> void:
	var server := new_peer()
	server.set_bind_ip(LOCALHOST)
	var port := serve(server)
	if _has_second_localhost():
		var other := new_peer()
		other.set_bind_ip(SECOND_LOCALHOST)
		check_equal(other.create_server(port), OK, "the same port of another address")
	var client := new_peer()
	await join([client], port)
	check_equal(client.get_peer_address(1), LOCALHOST, "the server's address")


func test_server_bind_address_6() -> void:
	var server := new_peer()
	server.set_bind_ip(LOCALHOST_6)
	var port := serve(server)
	var client := new_peer()
	await join([client], port, LOCALHOST_6)
	check_equal(client.get_peer_address(1), LOCALHOST_6, "the server's address")


func test_client_bind_address() -> void:
	var server := new_peer()
	var port := serve(server)
	var own := SECOND_LOCALHOST if _has_second_localhost() else LOCALHOST
	var client := new_peer()
	client.set_bind_ip(own)
	await join([client], port)
	await wait_until(func() -> bool: return events(server).size() == 1, 5.0, "the server knows")
	check_equal(server.get_peer_address(client.get_unique_id()), own, "the client's address")


func test_a_bind_address_of_the_wrong_family() -> void:
	var client := new_peer()
	client.set_bind_ip(LOCALHOST)
	var answer := client.create_client(LOCALHOST_6, free_port())
	check_equal(answer, ERR_CANT_RESOLVE, "an IPv6 server from an IPv4 address")
	expect_error(["create_client", "no address of the IP family"])
	client.set_bind_ip("*")
	check_equal(client.create_client(LOCALHOST_6, free_port()), OK, "from any address")


func test_bind_addresses_of_other_machines() -> void:
	for address: String in ["203.0.113.7", "2001:db8::7"]:
		var peer := new_peer()
		peer.set_bind_ip(address)
		check_equal(peer.create_server(free_port()), ERR_INVALID_PARAMETER, "create_server")
		expect_error(["create_server", address])
		var answer := peer.create_client(LOCALHOST, free_port())
		check_equal(answer, ERR_CANT_CREATE, "create_client")
		expect_error(["create_client", address])


func test_nobody_listens() -> void:
	var client := new_peer()
	_timed(client.create_client.bind(LOCALHOST, free_port()), [OK])
	await wait(0.5)
	check_equal(client.get_connection_status(), CONNECTING, "still trying")
	check_equal(events(client), [] as Array[String], "no signal yet")
	client.close_connection()
	await frames(3)
	check_equal(events(client), [] as Array[String], "no signal from close_connection")


func test_a_server_that_comes_late() -> void:
	var port := free_port()
	var client := new_peer()
	check_equal(client.create_client(LOCALHOST, port), OK, "create_client")
	await wait(0.3)
	var server := new_peer()
	check_equal(server.create_server(port), OK, "create_server")
	await wait_until(is_connected_peer.bind(client), 8.0, "the client connects")


func _check_address(to: String, shown: String) -> void:
	var server := new_peer()
	var port := serve(server)
	var client := new_peer()
	_timed(client.create_client.bind(to, port), [OK])
	check_equal(client.get_connection_status(), CONNECTING, "the status on return")
	await wait_until(is_connected_peer.bind(client), 5.0, "the client connects to " + to)
	await wait_until(func() -> bool: return events(server).size() == 1, 5.0, "the server knows")
	var id := client.get_unique_id()
	check_equal(server.get_peer_address(id), shown, "the client's address")
	check_equal(client.get_peer_address(1), shown, "the server's address")
	check_equal(client.get_peer_port(1), port, "the server's port")
	check(server.get_peer_port(id) > 0, "the client's port")
	check(server.get_peer_port(id) != port, "the client has a port of its own")


## Makes a call that must not hold the game up; one of `wanted` is its answer.
func _timed(call: Callable, wanted: Array[Error]) -> Error:
	var began := Time.get_ticks_usec()
	var answer: Error = call.call()
	var msec := (Time.get_ticks_usec() - began) / 1000.0
	print("%s%s: %.1f ms" % [call.get_method(), call.get_bound_arguments(), msec])
	check(msec < 1000.0, "%s returns soon, not after %.0f ms" % [call.get_method(), msec])
	check(answer in wanted, "%s answers %d" % [call.get_method(), answer])
	return answer


func _has_second_localhost() -> bool:
	var probe := PacketPeerUDP.new()
	return OS.get_name() == "Linux" and probe.bind(0, SECOND_LOCALHOST) == OK
