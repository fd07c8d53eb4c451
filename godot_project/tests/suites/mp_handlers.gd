## What games do inside handlers: the peer is dropped, closed or replaced, and the tree is quit.
extends "res://tests/multiplayer/puppet_suite.gd"

## Where on a client a handler may run: while it connects, on calls, and when the server leaves.
const CONNECTING_MOMENTS := [
	"peer.peer_connected",
	"api.connected_to_server",
	"api.peer_connected",
	"peer.connection_succeeded",
]
const CALL_MOMENTS := ["rpc.reliable", "api.peer_packet"]
const LAST_MOMENTS := [
	"peer.peer_disconnected",
	"api.peer_disconnected",
	"peer.server_disconnected",
	"api.server_disconnected",
]
const SERVER_MOMENTS := [
	"peer.peer_connected",
	"api.peer_connected",
	"rpc.reliable",
	"api.peer_packet",
	"peer.peer_disconnected",
	"api.peer_disconnected",
]
## What comes when a handler of the peer's signal drops or closes the peer: the MultiplayerAPI's own
## handler of that signal runs behind it, and asks for the id. It takes the id for connected, too.
const API_TOO_LATE := ["No multiplayer peer is assigned", "get_unique_id: no connection is open"]


func test_client_drops_the_peer() -> void:
	await each_client_moment("net.drop", [])


func test_client_closes_the_peer() -> void:
	await each_client_moment("net.close", [])


func test_client_replaces_the_peer_by_another_connection() -> void:
	await cast(3)
	var port := free_port()
	check_equal(await ask(clients[1], "net.create_server", [port]), OK, "the other server")
	for moment: String in CONNECTING_MOMENTS + CALL_MOMENTS + LAST_MOMENTS:
		await play(clients[0], moment, "net.replace_by_client", [port])
		await happens(clients[1], ["api.peer_connected"])
		await ask(clients[1], "stage.send", [0, "reliable", [moment]])
		await happens(clients[0], ["rpc.reliable", 1, moment])
		await check_peers(clients[0], [1])
		await ask(clients[0], "net.drop")
		await happens(clients[1], ["api.peer_disconnected"])
		clients[1].events.clear()


func test_client_opens_a_server_with_the_same_object() -> void:
	# As a game does that goes on by itself when the server has gone.
	await cast(2)
	for moment: String in ["peer.server_disconnected", "api.server_disconnected"]:
		var port := free_port()
		await play(clients[0], moment, "net.create_server", [port, {}, 32, true])
		await happens(clients[0], [moment])
		await enter(clients[1], port)
		await happens(clients[0], ["api.peer_connected", clients[1].id])
		await ask(clients[1], "stage.send", [1, "echo", [moment]])
		await happens(clients[1], ["rpc.reliable", 1, moment])


func test_place_of_a_client_that_leaves_at_once_is_free() -> void:
	await cast(2)
	var port := free_port()
	check_equal(await ask(server, "net.create_server", [port, {}, 1]), OK, "create_server")
	for moment: String in CONNECTING_MOMENTS:
		for command: String in ["net.drop", "net.close"]:
			API_TOO_LATE.map(clients[0].allow_error)
			clients[0].events.clear()
			await ask(clients[0], "react", [moment, command, []])
			check_equal(await ask(clients[0], "net.create_client", [port]), OK, "create_client")
			await happens(clients[0], [moment])
			await settle_down(2)
			await enter(clients[1], port)
			await ask(clients[1], "net.drop")
			await settle_down(2)
			await check_peers(server, [])


func test_client_connects_again_when_the_attempt_fails() -> void:
	await cast(2)
	var port := free_port()
	check_equal(await ask(server, "net.create_server", [port, {}, 1]), OK, "create_server")
	await enter(clients[0], port)
	for moment: String in ["peer.connection_failed", "api.connection_failed"]:
		await ask(clients[1], "react", [moment, "net.create_client", [port, {}, true]])
		await ask(clients[1], "net.create_client", [port, {}, false])
		await happens(clients[1], ["api.connection_failed"])
		# The second attempt fails, too: the server is still full.
		await happens(clients[1], ["peer.connection_failed"], 2)
		await settle_down()
		await check_status(clients[1], DISCONNECTED)
		clients[1].events.clear()
	await ask(clients[0], "net.drop")
	await happens(server, ["api.peer_disconnected"])
	await enter(clients[1], port, {}, true)


func test_server_drops_closes_and_replaces_the_peer() -> void:
	await cast(2)
	for moment: String in SERVER_MOMENTS:
		for command: String in ["net.drop", "net.close", "net.replace_by_server"]:
			var values := [free_port()] if command.ends_with("server") else []
			await play(server, moment, command, values)
			await settle_down(2)
			var wanted := CONNECTED if command.ends_with("server") else DISCONNECTED
			await check_status(server, wanted)
			if moment != "peer.peer_connected":
				await check_peers(server, [])
			if not moment.ends_with("peer_disconnected"):
				await happens(clients[0], ["api.server_disconnected"])


func test_quit_inside_handlers() -> void:
	for moment: String in [
		"api.connected_to_server", "rpc.reliable", "api.peer_packet", "api.server_disconnected"
	]:
		await cast(1)
		var quitting := clients[0]
		await play(quitting, moment, "quit", [5])
		check_equal(await wait_for_end(quitting), 5, "exit code after %s" % moment)
		check_equal(quitting.complaints(), PackedStringArray(), "it ends cleanly")
		if moment != "api.server_disconnected":
			await happens(server, ["api.peer_disconnected"])
		await tear_down()
	for moment: String in ["api.peer_connected", "rpc.reliable"]:
		await cast(1)
		var quitting := server
		await play(quitting, moment, "quit", [5])
		check_equal(await wait_for_end(quitting), 5, "exit code after %s" % moment)
		check_equal(quitting.complaints(), PackedStringArray(), "it ends cleanly")
		await happens(clients[0], ["api.server_disconnected"])
		await tear_down()


## A connection's whole life, with something done to the client's peer at each moment of it.
func each_client_moment(command: String, values: Array) -> void:
	await cast(1)
	for moment: String in CONNECTING_MOMENTS + CALL_MOMENTS + LAST_MOMENTS:
		await play(clients[0], moment, command, values)
		await settle_down()
		await check_status(clients[0], DISCONNECTED)
		await check_peers(clients[0], [])
		if moment in CALL_MOMENTS:
			await happens(server, ["api.peer_disconnected"])
		if not moment in LAST_MOMENTS:
			# A client that leaves before its last word of the handshake is out never was there.
			var times := server.seen(["api.peer_connected"])
			await happens(server, ["api.peer_disconnected"], times)
			check_equal(server.seen(["api.peer_disconnected"]), times, "as often as connected")
			await check_peers(server, [])
		# It can connect again at once.
		await enter(clients[0], await serve_again())


## Plays a server's and a client's life (connect, RPC and raw packet both ways, one of them closes)
## up to the `moment` when `actor` does `command` inside the handler.
func play(actor: Actor, moment: String, command: String, values: Array) -> void:
	var port: int = await serve_again()
	await ask(clients[0], "net.drop")
	server.events.clear()
	clients[0].events.clear()
	if moment.begins_with("peer.peer_"):
		API_TOO_LATE.map(actor.allow_error)
	await ask(actor, "react", [moment, command, values])
	check_equal(await ask(clients[0], "net.create_client", [port]), OK, "create_client")
	var other := clients[0] if actor == server else server
	var object_id: Variant = await ask_if_running(actor, "net.object_id")
	if not moment in CONNECTING_MOMENTS:
		await happens(server, ["api.peer_connected"])
		await happens(clients[0], ["api.connected_to_server"])
		var calls := []
		for number in 3:
			calls.append(["stage.send", [0, "reliable", [number]]])
			calls.append(["net.call_api", ["send_bytes", ["raw".to_ascii_buffer()]]])
		await ask(other, "several", [calls])
	if moment in LAST_MOMENTS:
		await happens(actor, ["rpc.reliable"], 3)
		await ask(other, "net.drop")
	await happens(actor, [moment])
	if command == "net.drop" and object_id != 0:
		await becomes(actor, "net.is_object_alive", [object_id], false)


func ask_if_running(actor: Actor, command: String) -> Variant:
	var number := actor.tell(command, [])
	var over := func() -> bool: return actor.has_answer(number) or not actor.is_running()
	await wait_until(over, SECONDS, "%s answers or ends" % actor.title)
	return actor.take_answer(number)


func serve_again() -> int:
	var port := free_port()
	await ask(server, "net.drop")
	check_equal(await ask(server, "net.create_server", [port]), OK, "create_server")
	server.id = 1
	return port
