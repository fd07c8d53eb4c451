## Why connections end: kicks with a reason, `closed`, and timeouts.
extends TestSuite

const KICK_TEXT := "Kein Platz mehr, tut uns leid"


func test_a_kicked_client_knows_why() -> void:
	var peers := await connected()
	var id := peers[1].get_unique_id()
	var reasons: Array[int] = []
	peers[0].peer_disconnected.connect(
		func(_id: int) -> void: reasons.append(peers[0].get_peer_disconnect_reason())
	)
	var seen: Array = []
	peers[1].server_disconnected.connect(
		func() -> void: seen.append([peers[1].get_kick_code(), peers[1].get_kick_text()])
	)
	peers[0].set_target_peer(id)
	peers[0].put_packet("the last word".to_utf8_buffer())
	check_equal(peers[0].kick_peer(id, 42, KICK_TEXT), OK, "kick_peer")
	check_equal(
		(await receive(peers[1])).get_string_from_utf8(), "the last word", "what came first"
	)
	await wait_until(func() -> bool: return not seen.is_empty(), 5.0, "it is told")
	await wait_until(func() -> bool: return not reasons.is_empty(), 5.0, "it has left")
	check_equal(seen, [[42, KICK_TEXT]], "code and text in the handler")
	check_equal(reasons, [NetworkedMultiplayerENet.DISCONNECT_REASON_KICKED] as Array[int], "why")
	var error := peers[1].get_connection_error()
	check_equal(error, NetworkedMultiplayerENet.CONNECTION_ERROR_KICKED, "the error")
	check(KICK_TEXT in peers[1].get_connection_error_text(), "the text of the error")
	_let_go(peers)


func test_the_next_connection_knows_nothing_of_it() -> void:
	var peers := await connected()
	check_equal(peers[0].kick_peer(peers[1].get_unique_id()), OK, "kick_peer")
	var is_over := func() -> bool: return peers[1].get_connection_status() == DISCONNECTED
	await wait_until(is_over, 5.0, "it is out")
	check_equal(peers[1].get_kick_text(), "", "no text")
	serve(peers[1])
	check_equal(peers[1].get_connection_error(), 0, "no error")
	check_equal(peers[1].get_peer_disconnect_reason(), 0, "nobody has left")


func test_what_cannot_be_kicked_is_an_error() -> void:
	var peers := await connected()
	check_equal(peers[1].kick_peer(1), ERR_INVALID_PARAMETER, "by a client")
	expect_error(["kick_peer", "only a server"])
	check_equal(peers[0].kick_peer(77), ERR_INVALID_PARAMETER, "an unknown id")
	expect_error(["kick_peer", "77"])
	var id := peers[1].get_unique_id()
	check_equal(peers[0].kick_peer(id, 1 << 40), ERR_INVALID_PARAMETER, "a code")
	expect_error(["kick_peer", "2147483647"])
	check_equal(peers[0].kick_peer(id, 0, "x".repeat(1025)), ERR_INVALID_PARAMETER, "a text")
	expect_error(["kick_peer", "1025 bytes"])
	check_equal(new_peer(false).kick_peer(1), ERR_UNCONFIGURED, "without a connection")
	expect_error(["kick_peer", "no connection is open"])
	await frames(5)
	check(is_connected_peer(peers[1]), "nobody was kicked")


func test_each_way_to_leave_has_its_reason() -> void:
	var peers := await connected(3)
	var reasons := {}
	peers[0].peer_disconnected.connect(
		func(id: int) -> void: reasons[id] = peers[0].get_peer_disconnect_reason()
	)
	var ids: Array[int] = []
	for client in peers.slice(1):
		ids.append(client.get_unique_id())
	peers[1].close_connection()
	peers[0].disconnect_peer(ids[1])
	await wait_until(func() -> bool: return reasons.size() == 2, 5.0, "two have left")
	peers[0].disconnect_peer(ids[2], true)
	check_equal(reasons[ids[0]], NetworkedMultiplayerENet.DISCONNECT_REASON_LEFT, "by itself")
	var disconnected := NetworkedMultiplayerENet.DISCONNECT_REASON_DISCONNECTED
	check_equal(reasons[ids[1]], disconnected, "by the server")
	check_equal(reasons[ids[2]], disconnected, "by the server, at once")
	_let_go(peers)


func test_closed_comes_once_and_last() -> void:
	var peers := await connected()
	var closed: Array[String] = []
	for index in 2:
		peers[index].closed.connect(
			func() -> void: closed.append("%d: %s" % [index, ", ".join(events(peers[index]))])
		)
	peers[0].close_connection()
	check_equal(closed.size(), 1, "the server is closed")
	peers[0].close_connection()
	check_equal(closed.size(), 1, "once")
	await wait_until(func() -> bool: return closed.size() == 2, 5.0, "the client is closed")
	check(closed[1].ends_with("server_disconnected"), "behind the others: %s" % closed[1])
	await frames(5)
	check_equal(closed.size(), 2, "no more than that")
	_let_go(peers)


func test_a_handler_of_closed_may_open_the_next_connection() -> void:
	var peer := new_peer()
	var port := serve(peer)
	var opened: Array[int] = []
	peer.closed.connect(func() -> void: opened.append(peer.create_server(port)), CONNECT_ONE_SHOT)
	peer.close_connection()
	check_equal(opened, [OK] as Array[int], "create_server")
	check(is_connected_peer(peer), "it is open again")


func test_an_attempt_takes_no_longer_than_it_may() -> void:
	var client := new_peer()
	client.connect_timeout_msec = 700
	var began := Time.get_ticks_msec()
	check_equal(client.create_client(LOCALHOST, free_port()), OK, "create_client")
	await wait_until(func() -> bool: return not events(client).is_empty(), 5.0, "it fails")
	var took := Time.get_ticks_msec() - began
	check(took >= 690 and took < 3000, "after %d ms" % took)
	var error := client.get_connection_error()
	check_equal(error, NetworkedMultiplayerENet.CONNECTION_ERROR_TIMED_OUT, "the error")
	client.connect_timeout_msec = -1
	expect_error(["set_connect_timeout_msec", "-1 ms"])
	check_equal(client.connect_timeout_msec, 700, "it stays as it is")


func test_a_timeout_for_all_is_there_before_they_come() -> void:
	var server := new_peer()
	server.set_default_peer_timeout(32, 500, 1000)
	var client := new_peer(false)
	check_equal(client.create_client(LOCALHOST, serve(server)), OK, "create_client")
	polled.append(client)
	await wait_until(func() -> bool: return is_connected_peer(client), 5.0, "it is in")
	server.set_default_peer_timeout(2, 1, 3)
	expect_error(["set_default_peer_timeout"])
	if client.threaded:
		# Its thread would go on to answer.
		return
	polled.erase(client)
	var began := Time.get_ticks_msec()
	var has_left := func() -> bool: return server.get_peers().is_empty()
	await wait_until(has_left, 5.0, "it is given up")
	var took := Time.get_ticks_msec() - began
	check(took < 3000, "after %d ms" % took)
	var reason := server.get_peer_disconnect_reason()
	check_equal(reason, NetworkedMultiplayerENet.DISCONNECT_REASON_LOST, "why")


## Ends the handlers of a test, which hold the peers that hold them.
func _let_go(peers: Array[NetworkedMultiplayerENet]) -> void:
	for peer in peers:
		for name: StringName in [&"peer_disconnected", &"server_disconnected", &"closed"]:
			for connection in peer.get_signal_connection_list(name):
				peer.disconnect(name, connection["callable"])
