## Clients among each other through the server's relay, bursts, and a client that stands still.
extends "res://tests/multiplayer/puppet_suite.gd"

const BURST := 2000


func test_clients_see_and_reach_each_other() -> void:
	await begin(3)
	for actor in everyone():
		await check_peers(actor, ids(everyone_but(actor)))
	for sender in clients:
		for target in clients:
			if sender != target:
				await ask(sender, "stage.send", [target.id, "reliable", [sender.title]])
				await happens(target, ["rpc.reliable", sender.id, sender.title])
	await settle_down()
	check_equal(server.seen(["rpc.reliable"]), 0, "the server runs none of them")
	for client in clients:
		check_equal(client.seen(["rpc.reliable"]), 2, "each runs its own two")


func test_without_relay_only_the_server_is_there() -> void:
	await begin(2, {"server_relay": false})
	await settle_down()
	await check_peers(server, ids(clients))
	for client in clients:
		await check_peers(client, [1])
		check_equal(client.seen(["api.peer_connected"]), 1, "only the server connects")
	clients[0].expect_error("unknown peer ID")
	await ask(clients[0], "stage.send", [clients[1].id, "reliable", ["never"]])
	clients[0].expect_error("no peer has the id of target %d" % clients[1].id)
	await ask(clients[0], "net.call_peer", ["set_target_peer", [clients[1].id]])
	var answer_to_raw: Variant = await ask(
		clients[0], "net.call_peer", ["put_packet", ["x".to_ascii_buffer()]]
	)
	check_equal(answer_to_raw, ERR_INVALID_PARAMETER, "put_packet for another client")
	await ask(clients[0], "stage.send", [0, "reliable", ["all"]])
	await happens(server, ["rpc.reliable", clients[0].id, "all"])
	await ask(server, "stage.send", [0, "reliable", ["from the server"]])
	for client in clients:
		await happens(client, ["rpc.reliable", 1, "from the server"])
	await settle_down()
	check_equal(clients[1].seen(["rpc.reliable"]), 1, "no client reaches another")
	await ask(clients[0], "net.drop")
	await happens(server, ["api.peer_disconnected", clients[0].id])
	await settle_down()
	check_equal(clients[1].seen(["api.peer_disconnected"]), 0, "a leaving client is no news")


func test_late_joiner_hears_of_all() -> void:
	var port: int = await begin(1)
	await cast(3)
	for index: int in [1, 2]:
		await enter(clients[index], port)
	for actor in everyone():
		for other in everyone_but(actor):
			await happens(actor, ["api.peer_connected", other.id])
		await settle_down(1)
		await check_peers(actor, ids(everyone_but(actor)))
		check_equal(actor.seen(["api.peer_connected"]), 3, "each once")
	# The server is the first peer that a client hears of.
	for client in clients:
		check_equal(client.history("api.")[0], ["connected_to_server"], "first")
		check_equal(client.history("api.")[1], ["peer_connected", 1], "second")


func test_burst_from_clients_to_each_other() -> void:
	await begin(2)
	for pair: Array in [[clients[0], clients[1]], [clients[1], clients[0]]]:
		pair[0].tell("stage.send_many", [[pair[1].id], BURST])
	for pair: Array in [[clients[0], clients[1]], [clients[1], clients[0]]]:
		await happens(pair[1], ["rpc.count", pair[0].id, BURST, true])
	await ask(server, "stage.send_many", [ids(clients), BURST])
	for client in clients:
		await happens(client, ["rpc.count", 1, BURST, true])
	for actor in everyone():
		await check_peers(actor, ids(everyone_but(actor)))
		check_equal(actor.seen(["api.peer_disconnected"]), 0, "nobody is lost")


func test_frozen_client_recovers() -> void:
	await begin(2)
	var freezing := clients[0].tell("freeze", [2000])
	await ask(clients[1], "stage.send_many", [[clients[0].id, 1], 300])
	await happens(server, ["rpc.count", clients[1].id, 300, true])
	await ask(server, "stage.send_many", [[clients[0].id], 300])
	check(not clients[0].has_answer(freezing), "it stands still")
	await answer(clients[0], freezing)
	await happens(clients[0], ["rpc.count", clients[1].id, 300, true])
	await happens(clients[0], ["rpc.count", 1, 300, true])
	await ask(clients[0], "stage.send", [0, "reliable", ["awake"]])
	for other: Actor in [server, clients[1]]:
		await happens(other, ["rpc.reliable", clients[0].id, "awake"])
	for actor in everyone():
		check_equal(actor.seen(["api.peer_disconnected"]), 0, "nobody is lost")


func test_frozen_server_recovers() -> void:
	await begin(2)
	var freezing := server.tell("freeze", [1500])
	await ask(clients[0], "stage.send_many", [[clients[1].id, 1], 500])
	check(not server.has_answer(freezing), "it stands still")
	await answer(server, freezing)
	for other: Actor in [server, clients[1]]:
		await happens(other, ["rpc.count", clients[0].id, 500, true])
	for actor in everyone():
		check_equal(actor.seen(["api.peer_disconnected"]), 0, "nobody is lost")
