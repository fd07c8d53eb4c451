## SceneMultiplayer's authentication: accepted, refused, and never finished.
extends "res://tests/multiplayer/puppet_suite.gd"

const SHORT := 0.7


func test_both_sides_complete() -> void:
	var port: int = await serve_with_auth()
	await cast(3)
	for index in 2:
		await ask(clients[index], "net.use_auth", ["from %d" % index, "welcome"])
	await ask(server, "net.use_auth", ["welcome", "from 0"])
	await enter(clients[0], port)
	await happens(server, ["api.peer_connected", clients[0].id])
	check_history(
		server,
		"",
		[
			["peer.peer_connected", clients[0].id],
			["api.peer_authenticating", clients[0].id],
			["auth", clients[0].id, "from 0"],
			["api.peer_connected", clients[0].id],
		]
	)
	check_history(
		clients[0],
		"",
		[
			["peer.peer_connected", 1],
			["api.peer_authenticating", 1],
			["peer.connection_succeeded"],
			["auth", 1, "welcome"],
			["api.connected_to_server"],
			["api.peer_connected", 1],
		]
	)
	await ask(clients[0], "stage.send", [1, "echo", ["let in"]])
	await happens(clients[0], ["rpc.reliable", 1, "let in"])
	await check_peers(server, [clients[0].id])
	await check_peers(clients[0], [1])


func test_clients_accept_each_other_behind_the_relay() -> void:
	# As with the engine's own class, whom the server has let in is in.
	var port: int = await serve_with_auth()
	await cast(2)
	for actor in everyone():
		await ask(actor, "net.use_auth", ["word", "word"])
	for client in clients:
		await enter(client, port)
	for client in clients:
		await happens(server, ["auth", client.id, "word"])
		await happens(client, ["auth", 1, "word"])
		check_equal(client.seen(["api.peer_authenticating"]), 1, "the server only")
	for actor in everyone():
		for other in everyone_but(actor):
			await happens(actor, ["api.peer_connected", other.id])
		await check_peers(actor, ids(everyone_but(actor)))
		check_equal(actor.seen(["api.peer_authentication_failed"]), 0, "nobody fails")
	await ask(clients[0], "stage.send", [clients[1].id, "echo", ["between clients"]])
	await happens(clients[0], ["rpc.reliable", clients[1].id, "between clients"])


func test_refused_in_the_callback() -> void:
	var port: int = await serve_with_auth()
	await ask(server, "net.use_auth", ["welcome", "password"])
	await ask(clients[0], "net.use_auth", ["guess", "welcome"])
	check_equal(await ask(clients[0], "net.create_client", [port]), OK, "create_client")
	await happens(clients[0], ["peer.server_disconnected"], 1, 3.0)
	await happens(server, ["peer.peer_disconnected"], 1, 3.0)
	await settle_down()
	check_equal(server.seen(["auth"]), 1, "asked once")
	check_equal(server.seen(["api.peer_connected"]), 0, "it never was in")
	check_equal(clients[0].seen(["api.connected_to_server"]), 0, "nor here")
	check_equal(clients[0].seen(["api.peer_authentication_failed", 1]), 1, "the client hears it")
	await check_peers(server, [])
	await check_status(clients[0], DISCONNECTED)
	# The same client may try again, with the right word.
	await ask(clients[0], "net.use_auth", ["password", "welcome"])
	await enter(clients[0], port, {}, true)
	await happens(server, ["api.peer_connected", clients[0].id])


func test_timeout_on_the_server() -> void:
	var port: int = await serve_with_auth()
	await ask(server, "net.use_auth", ["", "password", true, SHORT])
	check_equal(await ask(clients[0], "net.create_client", [port]), OK, "create_client")
	await happens(server, ["api.peer_authenticating"])
	var asked: Array = server.history("api.peer_authenticating")[0]
	await happens(server, ["api.peer_authentication_failed", asked[1]], 1, SHORT + 3.0)
	await happens(clients[0], ["api.server_disconnected"], 1, 3.0)
	await happens(server, ["peer.peer_disconnected", asked[1]], 1, 3.0)
	await settle_down()
	check_equal(server.seen(["api.peer_authentication_failed"]), 1, "once")
	check_equal(server.seen(["api.peer_connected"]), 0, "never connected")
	await check_peers(server, [])
	await check_status(clients[0], DISCONNECTED)


func test_client_that_leaves_while_it_authenticates() -> void:
	var port: int = await serve_with_auth()
	await ask(server, "net.use_auth", ["", "password"])
	check_equal(await ask(clients[0], "net.create_client", [port]), OK, "create_client")
	await happens(server, ["api.peer_authenticating"])
	await ask(clients[0], "net.drop")
	await happens(server, ["api.peer_authentication_failed"], 1, 3.0)
	await settle_down()
	check_equal(server.seen(["api.peer_disconnected"]), 0, "it never was connected")
	check_equal(server.seen(["api.peer_authentication_failed"]), 1, "once")


func test_timeout_on_the_client() -> void:
	var port: int = await serve_with_auth()
	await ask(clients[0], "net.use_auth", ["", "welcome", true, SHORT])
	check_equal(await ask(clients[0], "net.create_client", [port]), OK, "create_client")
	await happens(clients[0], ["api.peer_authenticating", 1])
	await happens(clients[0], ["api.peer_authentication_failed", 1], 1, SHORT + 3.0)
	await happens(clients[0], ["api.server_disconnected"], 1, 3.0)
	await happens(server, ["api.peer_disconnected"], 1, 3.0)
	await settle_down()
	check_equal(clients[0].seen(["api.connected_to_server"]), 0, "never connected")
	await check_status(clients[0], DISCONNECTED)
	await check_peers(server, [])


func test_refused_by_the_client() -> void:
	var port: int = await serve_with_auth()
	await ask(server, "net.use_auth", ["impostor", "password"])
	await ask(clients[0], "net.use_auth", ["password", "welcome"])
	check_equal(await ask(clients[0], "net.create_client", [port]), OK, "create_client")
	await happens(clients[0], ["auth", 1, "impostor"])
	await happens(clients[0], ["api.server_disconnected"], 1, 3.0)
	await happens(server, ["peer.peer_disconnected"], 1, 3.0)
	await settle_down()
	check_equal(clients[0].seen(["api.connected_to_server"]), 0, "never connected")
	await check_status(clients[0], DISCONNECTED)
	await check_peers(server, [])
	await ask(clients[0], "net.use_auth", ["password", "impostor"])
	await enter(clients[0], port, {}, true)


## A server and one client process, the server waiting.
func serve_with_auth() -> int:
	await cast(1)
	var port := free_port()
	check_equal(await ask(server, "net.create_server", [port]), OK, "create_server")
	server.id = 1
	return port
