## Who may connect: rules about addresses, limits, and the game's own opinion.
extends TestSuite

const REFUSED := NetworkedMultiplayerENet.CONNECTION_ERROR_REFUSED

var server: NetworkedMultiplayerENet
var port := 0
var asked: Array[Array] = []


func set_up() -> void:
	server = new_peer()
	port = serve(server)


func test_connections_of_one_address() -> void:
	server.max_connections_per_address = 2
	var clients: Array[NetworkedMultiplayerENet] = [new_peer(), new_peer()]
	await _join(clients)
	await _check_refused()
	clients[0].close_connection()
	await wait_until(func() -> bool: return _players() == 1, 5.0, "one has left")
	await _join([new_peer()])
	server.max_connections_per_address = 0
	await _join([new_peer()])


func test_addresses_that_are_denied_and_allowed() -> void:
	var player := new_peer()
	await _join([player])
	check_equal(server.deny_address("127.0.0.0/8"), OK, "deny_address")
	await _check_refused()
	check_equal(player.get_connection_status(), CONNECTED, "who is in")
	check_equal(server.allow_address(LOCALHOST), OK, "a smaller range")
	await _join([new_peer()])
	check_equal(server.remove_address_rule(LOCALHOST), OK, "remove_address_rule")
	await _check_refused()
	check_equal(server.remove_address_rule("127.0.0.0/8"), OK, "remove_address_rule")
	await _join([new_peer()])
	server.allow_address("2001:db8::/32")
	await _check_refused()


func test_rules_are_there_for_the_next_server() -> void:
	server.close_connection()
	server.deny_address(LOCALHOST)
	port = serve(server)
	await _check_refused()


func test_what_is_no_address() -> void:
	for method: String in ["allow_address", "deny_address", "remove_address_rule"]:
		for text: String in ["", "localhost", "192.0.2.0/33", "1".repeat(5000)]:
			check_equal(server.call(method, text), ERR_INVALID_PARAMETER, method)
			expect_error([method, "is no IP address"])
	await _join([new_peer()])


func test_connections_in_a_second() -> void:
	server.connection_rate_limit = 1
	var clients: Array[NetworkedMultiplayerENet] = []
	for i in 12:
		clients.append(new_peer())
		check_equal(clients[i].create_client(LOCALHOST, port), OK, "create_client")
	await wait_until(func() -> bool: return _players() == 10, 5.0, "ten at once")
	await frames(5)
	check_equal(_players(), 10, "and no more")
	var are_in := func() -> bool: return clients.all(is_connected_peer)
	await wait_until(are_in, 10.0, "the others later")


func test_the_game_is_asked() -> void:
	server.admission_callback = _admit
	var client := new_peer()
	await _join([client])
	check_equal(asked.size(), 1, "questions")
	check_equal(asked[0][0], LOCALHOST, "the address")
	check_equal(asked[0][1], server.get_peer_port(client.get_unique_id()), "the port")
	check_equal(asked[0][2], client.get_unique_id(), "the id")
	server.admission_callback = func(_address: String, _port: int, _id: int) -> bool: return false
	await _check_refused()
	server.admission_callback = func(_address: String, _port: int, _id: int) -> void: pass
	await _check_refused()
	server.admission_callback = Callable()
	check_equal(server.admission_callback, Callable(), "the default")
	await _join([new_peer()])
	check_equal(asked.size(), 1, "questions")


func test_the_game_closes_the_server_when_it_is_asked() -> void:
	server.admission_callback = func(_address: String, _port: int, _id: int) -> bool:
		server.close_connection()
		check_equal(server.create_server(port), OK, "the next server")
		server.admission_callback = Callable()
		return true
	var client := new_peer()
	client.create_client(LOCALHOST, port)
	await wait_until(is_connected_peer.bind(client), 10.0, "in with a request of its own")
	await wait_until(func() -> bool: return _players() == 1, 5.0, "the server knows")
	check_equal(events(server), ["peer_connected %d" % client.get_unique_id()], "signals")


func _admit(address: String, from_port: int, id: int) -> bool:
	asked.append([address, from_port, id])
	return true


## Connects clients, and waits until the server knows them.
func _join(clients: Array[NetworkedMultiplayerENet]) -> void:
	var players := _players() + clients.size()
	await join(clients, port)
	await wait_until(func() -> bool: return _players() == players, 5.0, "the server knows")


func _check_refused() -> void:
	var client := new_peer()
	var players := _players()
	check_equal(client.create_client(LOCALHOST, port), OK, "create_client")
	var is_over := func() -> bool: return client.get_connection_status() == DISCONNECTED
	await wait_until(is_over, 5.0, "an answer")
	check_equal(events(client), ["connection_failed"], "signals")
	check_equal(client.get_connection_error(), REFUSED, "the reason")
	check_equal(_players(), players, "players")


func _players() -> int:
	var players := 0
	for event: String in events(server):
		players += 1 if event.begins_with("peer_connected") else -1
	return players
