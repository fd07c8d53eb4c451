## Why a client has no connection, without encryption; `dtls` has the other reasons.
extends TestSuite


func test_nobody_is_there() -> void:
	deadline = 45.0
	var client := new_peer()
	check_equal(client.create_client(LOCALHOST, free_port()), OK, "create_client")
	await wait_until(func() -> bool: return not events(client).is_empty(), 40.0, "it fails")
	_check(client, ["connection_failed"], NetworkedMultiplayerENet.CONNECTION_ERROR_TIMED_OUT)


## An attempt is over in the time that was set for it, and no later than with the engine's class.
func test_an_attempt_can_be_shortened() -> void:
	var port := free_port()
	var client := new_peer()
	check_equal(client.create_client(LOCALHOST, port), OK, "create_client")
	client.set_peer_timeout(1, 32, 1000, 2000)
	var stock := ENetMultiplayerPeer.new()
	check_equal(stock.create_client(LOCALHOST, port), OK, "create_client")
	stock.get_peer(1).set_timeout(32, 1000, 2000)
	polled.append(stock)
	var began := Time.get_ticks_msec()
	var ours := [0]
	var both_over := func() -> bool:
		if ours[0] == 0 and not events(client).is_empty():
			ours[0] = Time.get_ticks_msec() - began
		return ours[0] > 0 and stock.get_connection_status() == DISCONNECTED
	await wait_until(both_over, 10.0, "both give up")
	_check(client, ["connection_failed"], NetworkedMultiplayerENet.CONNECTION_ERROR_TIMED_OUT)
	check(ours[0] >= 1900 and ours[0] < 3000, "after %d ms" % ours[0])
	check(ours[0] <= Time.get_ticks_msec() - began, "no later than the engine's own")


func test_the_timeout_of_an_attempt_with_a_name() -> void:
	var client := new_peer()
	check_equal(client.create_client("localhost", free_port()), OK, "create_client")
	client.set_peer_timeout(1, 32, 500, 1000)
	await wait_until(func() -> bool: return not events(client).is_empty(), 5.0, "it fails")
	check_equal(events(client), ["connection_failed"] as Array[String], "signals")


func test_the_server_is_full() -> void:
	var server := new_peer()
	var port := serve(server, 1)
	await join([new_peer()], port)
	var client := new_peer()
	check_equal(client.create_client(LOCALHOST, port), OK, "create_client")
	await wait_until(func() -> bool: return not events(client).is_empty(), 5.0, "it fails")
	_check(client, ["connection_failed"], NetworkedMultiplayerENet.CONNECTION_ERROR_REFUSED)


func test_a_name_without_an_address() -> void:
	var client := new_peer()
	check_equal(client.create_client("no.such.name.invalid", free_port()), OK, "create_client")
	await wait_until(func() -> bool: return not events(client).is_empty(), 15.0, "it fails")
	check_equal(events(client), ["connection_failed"] as Array[String], "signals")
	var error := NetworkedMultiplayerENet.CONNECTION_ERROR_NOT_RESOLVED
	check_equal(client.get_connection_error(), error, "the error")
	# What does not even begin leaves it as it is.
	check_equal(client.create_client(LOCALHOST, -1), ERR_INVALID_PARAMETER, "a wrong port")
	expect_error("port is -1")
	check_equal(client.get_connection_error(), error, "the error")


func test_the_server_ends_it() -> void:
	var peers := await connected(3)
	peers[0].disconnect_peer(peers[1].get_unique_id(), true)
	peers[0].disconnect_peer(peers[2].get_unique_id(), false)
	for client: NetworkedMultiplayerENet in [peers[1], peers[2]]:
		await _check_closed(client)
	peers[0].close_connection()
	await _check_closed(peers[3])
	check_equal(peers[0].get_connection_error(), 0, "of the server")
	await join([peers[3]], serve(peers[0]))
	check_equal(peers[3].get_connection_error(), 0, "forgotten with the next connection")
	peers[3].close_connection()
	check_equal(peers[3].get_connection_error(), 0, "of a client that leaves")


func test_the_server_dies() -> void:
	var server := new_peer(false)
	# It dies when nobody polls it any more.
	server.threaded = false
	var client := new_peer()
	check_equal(client.create_client(LOCALHOST, serve(server)), OK, "create_client")
	var joined := func() -> bool:
		server.poll()
		return is_connected_peer(client)
	await wait_until(joined, 5.0, "connected")
	client.set_peer_timeout(1, 1, 200, 400)
	await wait_until(func() -> bool: return "server_disconnected" in events(client), 15.0, "lost")
	var error := NetworkedMultiplayerENet.CONNECTION_ERROR_LOST
	check_equal(client.get_connection_error(), error, "the error")
	check("did not answer any more" in client.get_connection_error_text(), "the text")
	server.close()


## The server has given it up, and says so when it speaks again.
func test_a_client_that_wakes_up_too_late() -> void:
	var peers := await connected(1, false)
	peers[0].set_peer_timeout(peers[1].get_unique_id(), 1, 200, 400)
	polled.erase(peers[1])
	await wait_until(func() -> bool: return events(peers[0]).size() == 2, 5.0, "it is given up")
	polled.append(peers[1])
	await _check_closed(peers[1])


## In docs/troubleshooting.md: the same class on both sides.
func test_the_engines_own_class_is_no_other_end() -> void:
	var server := new_peer()
	var port := serve(server)
	var stock := ENetMultiplayerPeer.new()
	check_equal(stock.create_client(LOCALHOST, port), OK, "create_client")
	polled.append(stock)
	await wait(1.0)
	check_equal(stock.get_connection_status(), CONNECTING, "with the default compression")
	check_equal(events(server), [] as Array[String], "the server notices nothing")
	polled.erase(stock)
	stock.close()
	server.close_connection()
	server.compression_mode = NetworkedMultiplayerENet.COMPRESS_NONE
	check_equal(stock.create_client(LOCALHOST, serve(server)), OK, "create_client")
	polled.append(stock)
	await wait_until(is_connected_peer.bind(stock), 5.0, "without compression they do connect")
	stock.set_target_peer(1)
	check_equal(stock.put_packet("hello to you".to_utf8_buffer()), OK, "put_packet")
	await wait(0.3)
	check_equal(server.get_available_packet_count(), 0, "packets that make sense")
	stock.close()


func _check_closed(client: NetworkedMultiplayerENet) -> void:
	await wait_until(
		func() -> bool: return events(client)[-1] == "server_disconnected", 5.0, "closed"
	)
	var error := NetworkedMultiplayerENet.CONNECTION_ERROR_CLOSED_BY_SERVER
	check_equal(client.get_connection_error(), error, "the error")


func _check(client: NetworkedMultiplayerENet, signals: Array, error: int) -> void:
	check_equal(events(client), Array(signals, TYPE_STRING, "", null), "the signals")
	check_equal(client.get_connection_error(), error, "the error")
	var text := client.get_connection_error_text()
	check(text.length() > 40 and text[0] == text[0].to_upper() and text.ends_with("."), text)
