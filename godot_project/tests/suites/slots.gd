## Who gets a slot of a full server, beside the engine's own class.
extends TestSuite

## A killed client is given up after 5 to 10 s, and its successor asks each few seconds.
const PATIENCE := 25.0


func test_a_killed_client_that_starts_again_gets_in() -> void:
	deadline = 60.0
	var stock := ENetMultiplayerPeer.new()
	var stock_port := free_port()
	check_equal(stock.create_server(stock_port, 1), OK, "the engine's own")
	polled.append(stock)
	var dtls := _dtls_server()
	var ports := {
		"ours": PackedStringArray([serve(new_peer(), 1)]),
		"stock": PackedStringArray([stock_port]),
		"ours with DTLS": PackedStringArray([serve(dtls, 1), "dtls"]),
	}
	var first := {}
	for title: String in ports:
		first[title] = _start(title, ports[title])
	for title: String in ports:
		await wait_for_line(first[title], "is in", 15.0)
	await wait(0.5)
	for title: String in ports:
		first[title].stop()
	var killed := Time.get_ticks_msec()
	await wait(1.0)
	var second := {}
	for title: String in ports:
		second[title] = _start(title, ports[title])
	var seconds := {}
	var all_in := func() -> bool:
		for title: String in second:
			if not seconds.has(title) and second[title].has_line("is in"):
				seconds[title] = (Time.get_ticks_msec() - killed) / 1000.0
		return seconds.size() == second.size()
	await wait_until(all_in, PATIENCE, "all get in")
	for title: String in second:
		check(not second[title].has_line("failed"), "%s is not told that it is full" % title)
	print("in after: ", seconds)


func test_a_newcomer_is_told_while_all_answer() -> void:
	var server := new_peer()
	var port := serve(server, 2)
	await join([new_peer(), new_peer()], port)
	await wait(1.0)
	var late := new_peer()
	check_equal(late.create_client(LOCALHOST, port), OK, "create_client")
	await wait_until(func() -> bool: return not events(late).is_empty(), 1.0, "it is told")
	check_equal(events(late), ["connection_failed"] as Array[String], "signals")
	var error := NetworkedMultiplayerENet.CONNECTION_ERROR_REFUSED
	check_equal(late.get_connection_error(), error, "the error")


func _start(title: String, arguments: PackedStringArray) -> TestChild:
	return start_child("knock", PackedStringArray([title.get_slice(" ", 0)]) + arguments)


func _dtls_server() -> NetworkedMultiplayerENet:
	var crypto := Crypto.new()
	var key := crypto.generate_rsa(2048)
	var server := new_peer()
	server.use_dtls = true
	server.set_dtls_key(key)
	server.set_dtls_certificate(crypto.generate_self_signed_certificate(key))
	return server
