## The last moments of a connection: what was sent before it ends is run, and kicks inside handlers.
extends "res://tests/multiplayer/parting_suite.gd"


func test_calls_before_a_client_leaves_are_run() -> void:
	for total: int in [50, 400]:
		await begin(2)
		forget_events()
		clients[0].tell("stage.send_many_and_quit", [1, total])
		await check_clean_end(clients[0])
		await happens(server, ["api.peer_disconnected", clients[0].id])
		var leaving := [["rpc.count", clients[0].id, total, true]]
		leaving.append(["api.peer_disconnected", clients[0].id])
		check_equal(without_peer_signals(server), leaving, "all calls, then the end")
		await tear_down()


func test_calls_before_a_graceful_disconnect_are_run() -> void:
	for by_api: bool in [false, true]:
		await begin(2)
		forget_events()
		await ask(server, "stage.send_many_and_disconnect", [clients[0].id, 50, by_api])
		await happens(clients[0], ["api.server_disconnected"], 1, GRACEFUL_SECONDS)
		var leaving := [["rpc.count", 1, 50, true]]
		for other: Actor in [clients[1], server]:
			leaving.append(["api.peer_disconnected", other.id])
		leaving.append(["api.server_disconnected"])
		check_equal(without_peer_signals(clients[0]), leaving, "all calls, then the end")
		for other: Actor in [server, clients[1]]:
			var gone := ["peer.peer_disconnected", clients[0].id]
			await happens(other, gone, 1, GRACEFUL_SECONDS)
		await settle_down()
		await check_peers(server, [clients[1].id])
		await check_status(clients[0], DISCONNECTED)
		check_equal(server.seen(["peer.peer_disconnected"]), 1, "once")
		await tear_down()


func test_kick_inside_a_handler() -> void:
	for force: bool in [true, false]:
		await begin(2)
		forget_events()
		await ask(server, "react", ["rpc.reliable", "stage.disconnect_sender", [force]])
		await ask(clients[0], "stage.send", [1, "reliable", ["bad word"]])
		await happens(clients[0], ["api.server_disconnected"])
		await check_others_lost(clients[0], GRACEFUL_SECONDS)
		check_equal(server.seen(["rpc.reliable", clients[0].id]), 1, "run once")
		await check_status(clients[0], DISCONNECTED)
		await tear_down()


func test_kick_with_calls_still_waiting() -> void:
	await begin(2)
	forget_events()
	await ask(server, "react", ["rpc.reliable", "stage.disconnect_sender", [true]])
	var commands := []
	for number in 20:
		commands.append(["stage.send", [0, "reliable", [number]]])
	await ask(clients[0], "several", [commands])
	await happens(clients[0], ["api.server_disconnected"])
	await check_others_lost(clients[0])
	check_equal(server.seen(["rpc.reliable"]), 1, "nothing of it is run after the kick")


func test_calls_before_the_server_leaves_are_run() -> void:
	for command: Array in [["net.drop", []], ["net.close", []], ["quit", [0]]]:
		await begin(2)
		forget_events()
		server.tell("several", [[["stage.send_many", [ids(clients), 50]], command]])
		for client in clients:
			await happens(client, ["api.server_disconnected"], 1, GRACEFUL_SECONDS)
			var told := without_peer_signals(client)
			check_equal(told[0], ["rpc.count", 1, 50, true], "all calls first")
			check_equal(told[-1], ["api.server_disconnected"], "the end")
			await check_status(client, DISCONNECTED)
		if command[0] == "quit":
			await check_clean_end(server)
		await tear_down()


func test_calls_before_a_client_drops_or_closes_are_run() -> void:
	for command: String in ["net.drop", "net.close"]:
		await begin(2)
		forget_events()
		var targets := [1, clients[1].id]
		clients[0].tell("several", [[["stage.send_many", [targets, 50]], [command, []]]])
		for other: Actor in [server, clients[1]]:
			await happens(other, ["api.peer_disconnected", clients[0].id], 1, GRACEFUL_SECONDS)
			var wanted := [["rpc.count", clients[0].id, 50, true]]
			wanted.append(["api.peer_disconnected", clients[0].id])
			check_equal(without_peer_signals(other), wanted, "%s: calls, the end" % other.title)
		await tear_down()


func test_much_data_before_a_graceful_disconnect_arrives() -> void:
	await begin(1)
	forget_events()
	var commands := []
	var wanted := []
	for number in 16:
		var block := PackedByteArray()
		block.resize(60000)
		block.fill(number)
		commands.append(["stage.send", [clients[0].id, "reliable", [block]]])
		wanted.append(["reliable", 1, Actor.brief(block)])
	commands.append(["net.call_peer", ["disconnect_peer", [clients[0].id]]])
	await ask(server, "several", [commands])
	await happens(clients[0], ["api.server_disconnected"])
	check_history(clients[0], "rpc.", wanted)
	check_equal(clients[0].events[-1], ["api.server_disconnected"], "the end")
	await happens(server, ["api.peer_disconnected"], 1, GRACEFUL_SECONDS)
