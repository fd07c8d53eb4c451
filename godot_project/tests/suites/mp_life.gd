## How connections begin and end: each signal once, in order, on every side, and what stays behind.
extends "res://tests/multiplayer/parting_suite.gd"

## For set_peer_timeout: lost after about a second.
const IMPATIENT := [2, 300, 900]
## A server that refuses new clients can tell so only after ENet's handshake.
const TAKEN_AND_PUT_OUT := [
	["connected_to_server"],
	["peer_connected", 1],
	["peer_disconnected", 1],
	["server_disconnected"],
]


func test_order_of_the_signals_of_a_connection() -> void:
	await begin(2)
	check_history(server, "api.", joined(clients))
	check_history(clients[0], "api.", [["connected_to_server"]] + joined([server, clients[1]]))
	check_history(clients[1], "api.", [["connected_to_server"]] + joined([server, clients[0]]))
	var on_the_peer := [["peer_connected", 1], ["connection_succeeded"]]
	check_equal(clients[0].history("peer.").slice(0, 2), on_the_peer, "signals of the peer")
	await check_peers(server, ids(clients))
	await check_peers(clients[0], [1, clients[1].id])


func test_client_leaves() -> void:
	for command: String in ["net.drop", "net.close"]:
		await begin(2)
		forget_events()
		await ask(clients[0], command)
		await check_others_lost(clients[0], GRACEFUL_SECONDS)
		# Who closes by itself hears only what the MultiplayerAPI makes of the status.
		await settle_down()
		var heard := [] if command == "net.drop" else [["server_disconnected"]]
		check_history(clients[0], "api.", heard)
		check_history(clients[0], "peer.", [])
		await check_status(clients[0], DISCONNECTED)
		await tear_down()


func test_client_is_killed() -> void:
	await begin(2)
	forget_events()
	await ask(server, "net.call_peer", ["set_peer_timeout", [clients[0].id] + IMPATIENT])
	clients[0].stop()
	await check_others_lost(clients[0])


func test_server_closes() -> void:
	var port: int = 0
	for command: String in ["net.drop", "net.close"]:
		port = await begin(2)
		forget_events()
		await ask(server, command)
		await check_server_lost()
		await tear_down()


func test_server_is_killed_and_the_peers_are_used_again() -> void:
	var port: int = await begin(2)
	forget_events()
	for client in clients:
		await ask(client, "net.call_peer", ["set_peer_timeout", [1] + IMPATIENT])
	server.stop()
	await check_server_lost()
	await tear_down_dead()
	# The same port, a new server; one client with its old object, one with a new one.
	await cast(2)
	check_equal(await ask(server, "net.create_server", [port]), OK, "create_server")
	server.id = 1
	await enter(clients[0], port, {}, true)
	await enter(clients[1], port, {}, false)
	await ask(server, "stage.send", [0, "echo", ["back"]])
	for client in clients:
		await happens(client, ["rpc.echo", 1, "back"])
		await happens(server, ["rpc.reliable", client.id, "back"])


func test_reconnect_with_the_same_and_with_new_objects() -> void:
	var port: int = await begin(1)
	var seen_ids := {}
	for round_number in 6:
		var client := clients[0]
		seen_ids[client.id] = true
		forget_events()
		await ask(client, "net.close" if round_number % 2 == 0 else "net.drop")
		await happens(server, ["api.peer_disconnected", client.id])
		await enter(client, port, {}, round_number % 2 == 0)
		await happens(server, ["api.peer_connected", client.id])
		await ask(server, "stage.send", [client.id, "echo", [round_number]])
		await happens(server, ["rpc.reliable", client.id, round_number])
		await check_peers(server, [client.id])
	check_equal(seen_ids.size(), 6, "a new id for each connection")


func test_same_object_is_server_then_client() -> void:
	await begin(1)
	await ask(server, "net.close")
	await happens(clients[0], ["api.server_disconnected"])
	var port := free_port()
	check_equal(await ask(clients[0], "net.create_server", [port, {}]), OK, "create_server")
	check_equal(await ask(server, "net.create_client", [port, {}, true]), OK, "create_client")
	await happens(server, ["api.connected_to_server"])
	await happens(clients[0], ["api.peer_connected"], 2)
	await ask(server, "stage.send", [1, "reliable", ["turned round"]])
	await happens(clients[0], ["rpc.reliable"])


func test_full_server() -> void:
	await cast(3)
	var port := free_port()
	check_equal(await ask(server, "net.create_server", [port, {}, 2]), OK, "create_server")
	await enter(clients[0], port)
	await enter(clients[1], port)
	await check_turned_away(clients[2], port, [["connection_failed"]])
	check_equal(server.seen(["api.peer_connected"]), 2, "the server hears of two")
	# A place that becomes free is given again.
	await ask(clients[0], "net.drop")
	await happens(server, ["api.peer_disconnected", clients[0].id])
	await enter(clients[2], port, {}, true)
	await happens(clients[1], ["api.peer_connected", clients[2].id])
	await check_peers(server, [clients[1].id, clients[2].id])


func test_refuse_new_connections() -> void:
	var port: int = await begin(2)
	await cast(3)
	for setter: String in ["net.set_api", "net.set_peer"]:
		await ask(server, setter, ["refuse_new_connections", true])
		await check_turned_away(clients[2], port, TAKEN_AND_PUT_OUT)
		await ask(clients[0], "stage.send", [0, "reliable", [setter]])
		await happens(server, ["rpc.reliable", clients[0].id, setter])
		await happens(clients[1], ["rpc.reliable", clients[0].id, setter])
		await ask(server, setter, ["refuse_new_connections", false])
	check_equal(server.seen(["api.peer_connected"]), 2, "the server hears of two")
	check_equal(clients[0].seen(["api.peer_connected"]), 2, "a client hears of two")
	await enter(clients[2], port)
	await happens(clients[0], ["api.peer_connected", clients[2].id])


func test_attempt_is_dropped_before_it_succeeds() -> void:
	await cast(1)
	var port := free_port()
	check_equal(await ask(clients[0], "net.create_client", [port]), OK, "create_client")
	await check_status(clients[0], CONNECTING)
	await ask(clients[0], "net.drop")
	await check_status(clients[0], DISCONNECTED)
	check_equal(await ask(clients[0], "net.create_client", [port]), OK, "create_client again")
	check_equal(await ask(server, "net.create_server", [port]), OK, "create_server")
	await happens(clients[0], ["api.connected_to_server"])
	check_equal(clients[0].seen(["api.connection_failed"]), 0, "no failure")


## Who has connected, as a history tells it.
func joined(others: Array) -> Array:
	return others.map(func(actor: Actor) -> Array: return ["peer_connected", actor.id])


## The server has gone: every client loses all its peers, the server last.
func check_server_lost() -> void:
	for client in clients:
		await happens(client, ["api.server_disconnected"], 1, LOST_SECONDS)
	for client in clients:
		await ask(client, "net.state")
		# The other client may have gone with the server, or by the server's word just before.
		var others := clients.filter(func(actor: Actor) -> bool: return actor != client)
		var lost := []
		for other: Actor in others + [server]:
			lost.append(["peer_disconnected", other.id])
		lost.append(["server_disconnected"])
		check_history(client, "api.", lost)
		check_history(client, "peer.", lost)
		await check_peers(client, [])
		await check_status(client, DISCONNECTED)


## An attempt that the server turns down: what the client sees.
func check_turned_away(client: Actor, port: int, wanted: Array) -> void:
	client.events.clear()
	check_equal(await ask(client, "net.create_client", [port]), OK, "create_client")
	var over := func() -> bool:
		return client.seen(["api.connection_failed"]) + client.seen(["api.server_disconnected"]) > 0
	await wait_until(over, GRACEFUL_SECONDS, "the attempt ends at once")
	await settle_down()
	check_history(client, "api.", wanted)
	await check_status(client, DISCONNECTED)
	client.events.clear()


func tear_down_dead() -> void:
	for actor in everyone():
		if not actor.is_running():
			_troupe.erase(actor)
