# gdlint: disable=max-public-methods
## Every call that a game can make while a peer authenticates: the signals, the lists of peers, the
## answers and the engine's errors are those that ENetMultiplayerPeer gives.
extends "res://tests/multiplayer/parity_suite.gd"

const SHORT := 0.3
const UNKNOWN := 4711
## Several packets of this size are more than ENet has on its way at once.
const LARGE := 60_000
## The engine's own class says nothing of a peer that it disconnects by force.
const TOLD_AS_IN_3_6 := ["failed first"]

static var _large := "x".repeat(LARGE)


func test_both_sides_complete() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			exchange(server, first)
			await sees(first, "auth server word")
			await sees(server, "auth first word")
			note("server", server.api.complete_auth(first.id()))
			note("authenticating", server.known())
			note("client", first.api.complete_auth(1))
			await sees(first, "connected server")
			await sees(server, "connected first")
	)


func test_the_client_completes_first() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			note("client", first.api.complete_auth(1))
			note("known", first.known())
			await settle()
			note("server", server.api.complete_auth(first.id()))
			note("known", server.known())
			await sees(first, "connected server")
			await sees(server, "connected first")
	)


func test_only_the_server_completes() -> void:
	await compare(
		func() -> void:
			await start(true, true, SHORT)
			note("server", server.api.complete_auth(first.id()))
			await sees(server, "failed first")
			await sees(first, "failed server")
			await sees(first, "server_disconnected")
	)


func test_only_the_client_completes() -> void:
	await compare(
		func() -> void:
			await start(true, true, SHORT)
			note("client", first.api.complete_auth(1))
			await sees(server, "failed first")
			await sees(first, "failed server")
			await sees(first, "server_disconnected")
	)


func test_the_client_times_out() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			first.api.auth_timeout = SHORT
			await sees(first, "failed server")
			await sees(first, "server_disconnected")
			await sees(server, "failed first")
	)


func test_nobody_times_out_without_a_timeout() -> void:
	await compare(
		func() -> void:
			await start(true, true, 0.0)
			await wait(1.0)
			note("server", server.known())
			server.api.auth_timeout = -1.0
			server.api.auth_timeout = SHORT
			await sees(server, "failed first")
			await sees(first, "server_disconnected")
	)


func test_wrong_calls_of_send_auth_and_complete_auth() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			for id: int in [UNKNOWN, 0, -1, server.id()]:
				note("send_auth", server.send_auth(id, "word"))
				note("complete_auth", server.api.complete_auth(id))
			note("send nothing", server.send_auth(first.id(), ""))
			note("complete", server.api.complete_auth(first.id()))
			note("twice", server.api.complete_auth(first.id()))
			note("send behind it", server.send_auth(first.id(), "late"))
			await settle()
			note("the other is done", first.send_auth(1, "too late"))
			note("client", first.api.complete_auth(1))
			await sees(first, "connected server")
			await sees(server, "connected first")
			note("connected", first.send_auth(1, "later"))
			note("connected", first.api.complete_auth(1))
	)


func test_much_data() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			for number in 50:
				note("send", first.send_auth(1, "number %d" % number))
			note("send", first.send_auth(1, "x".repeat(100_000)))
			await sees(server, "auth first %s" % "x".repeat(100_000))
	)


func test_the_server_refuses_in_the_callback() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			server.on_auth = func(id: int, _text: String) -> void: server.api.disconnect_peer(id)
			note("send", first.send_auth(1, "wrong"))
			await sees(first, "server_disconnected")
			note("server", server.known())
	)


## What the refused client goes on sending is no error of the server.
func test_a_refused_client_goes_on_sending() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			for number in 20:
				note("send", server.send_auth(first.id(), _large))
			server.api.disconnect_peer(first.id())
			note("server", server.known())
			while first.seen("server_disconnected") == 0:
				note_once("send", first.send_auth(1, "still here"))
				await frames(1)
			await settle(),
		["auth server " + _large]
	)


func test_the_server_disconnects_a_peer_that_goes_on_sending() -> void:
	await compare(
		func() -> void:
			await start(false, false)
			await sees(server, "connected first")
			for number in 20:
				server.hear.rpc_id(first.id(), _large)
			server.api.disconnect_peer(first.id())
			while first.seen("server_disconnected") == 0:
				first.hear.rpc_id(1, "still here")
				await frames(1)
			await settle()
			note("server", server.known()),
		["heard server " + _large]
	)


func test_the_client_refuses_in_the_callback() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			first.on_auth = func(_id: int, _text: String) -> void: first.api.disconnect_peer(1)
			note("send", server.send_auth(first.id(), "wrong"))
			await sees(first, "server_disconnected")
			await sees(server, "failed first")
			note("client", first.known())
	)


## What a game asks before it hears that it has left is no error.
func test_calls_behind_the_clients_own_refusal() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			first.api.disconnect_peer(1)
			note("id", first.api.get_unique_id() == first.id())
			note("server", first.api.is_server())
			note("status", first.peer.get_connection_status())
			first.hear.rpc("to nobody")
			note("bytes", first.api.send_bytes("to nobody".to_utf8_buffer(), 0))
			note("put", first.put(1, "to the server"))
			first.api.disconnect_peer(1)
			note("known", first.known())
			await sees(first, "server_disconnected")
			await sees(server, "failed first")
			note("status", first.peer.get_connection_status())
	)


func test_disconnect_peer_of_the_servers_peer() -> void:
	for force: bool in [false, true]:
		await compare(
			func() -> void:
				await start(true, true)
				server.peer.disconnect_peer(first.id(), force)
				await sees(first, "server_disconnected")
				if not force:
					await sees(server, "failed first")
				await settle()
				server.peer.disconnect_peer(UNKNOWN, force),
			TOLD_AS_IN_3_6 if force else []
		)


func test_disconnect_peer_of_the_clients_peer() -> void:
	for force: bool in [false, true]:
		await compare(
			func() -> void:
				await start(true, true)
				first.peer.disconnect_peer(UNKNOWN, force)
				first.peer.disconnect_peer(1, force)
				note("status", first.peer.get_connection_status())
				await sees(first, "server_disconnected")
				await sees(server, "failed first")
		)


func test_disconnect_peer_inside_the_callbacks() -> void:
	for force: bool in [false, true]:
		await compare(
			func() -> void:
				await start(true, true)
				first.on_auth = func(_id: int, _text: String) -> void:
					first.peer.disconnect_peer(1, force)
				note("send", server.send_auth(first.id(), "wrong"))
				await sees(first, "server_disconnected")
				await sees(server, "failed first")
		)
		await compare(
			func() -> void:
				await start(true, true)
				server.on_auth = func(id: int, _text: String) -> void:
					server.peer.disconnect_peer(id, force)
				note("send", first.send_auth(1, "wrong"))
				await sees(first, "server_disconnected")
				await settle(),
			TOLD_AS_IN_3_6 if force else []
		)


func test_close_inside_the_callbacks() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			first.on_auth = func(_id: int, _text: String) -> void: first.peer.close()
			note("send", server.send_auth(first.id(), "wrong"))
			await sees(first, "server_disconnected")
			await sees(server, "failed first")
	)
	await compare(
		func() -> void:
			await start(true, true)
			server.on_auth = func(_id: int, _text: String) -> void: server.peer.close()
			note("send", first.send_auth(1, "wrong"))
			await sees(first, "server_disconnected")
			await sees(server, "server_disconnected")
	)


func test_one_side_closes() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			first.peer.close()
			note("client", first.peer.get_connection_status())
			await sees(server, "failed first")
	)
	await compare(
		func() -> void:
			await start(true, true)
			server.peer.close()
			await sees(first, "server_disconnected")
	)


func test_the_peer_is_taken_away() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			first.api.multiplayer_peer = null
			first.peer = null
			await sees(server, "failed first")
	)
	await compare(
		func() -> void:
			await start(true, true)
			server.api.multiplayer_peer = OfflineMultiplayerPeer.new()
			server.peer = null
			await sees(first, "server_disconnected")
			await settle()
	)


func test_the_peer_is_replaced() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			note("again", first.join(port))
			await sees(server, "failed first")
			await sees(server, "authenticating first", 2)
			await sees(first, "authenticating server", 2)
			note("complete", server.api.complete_auth(first.id()))
			note("complete", first.api.complete_auth(1))
			await sees(first, "connected server")
			await sees(server, "connected first")
	)


func test_packets_bytes_and_calls_to_an_authenticating_peer() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			note("bytes", server.api.send_bytes("bytes".to_utf8_buffer(), first.id()))
			note("bytes to all", server.api.send_bytes("bytes".to_utf8_buffer(), 0))
			note("bytes", first.api.send_bytes("bytes".to_utf8_buffer(), 1))
			server.hear.rpc_id(first.id(), "call")
			server.hear.rpc("call")
			first.hear.rpc_id(1, "call")
			first.hear.rpc("call")
			await settle()
			note("packet", server.put(first.id(), "packet"))
			note("packet to all", server.put(0, "packet"))
			note("packet", first.put(1, "packet"))
			await settle()
			note("server", server.known())
			note("client", first.known())
	)


func test_facts_about_an_authenticating_peer() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			for member: Member in [server, first]:
				var id: int = 1 if member == first else first.id()
				if member.kind == OURS:
					note("address", member.peer.call("get_peer_address", id))
					note("port", member.peer.call("get_peer_port", id) > 0)
					member.peer.call("set_peer_timeout", id, 32, 5000, 30000)
					member.peer.call("set_peer_throttle", id, 5000, 2, 2)
				else:
					var other: ENetPacketPeer = member.peer.call("get_peer", id)
					note("address", other.get_remote_address())
					note("port", other.get_remote_port() > 0)
					other.set_timeout(32, 5000, 30000)
					other.throttle_configure(5000, 2, 2)
			note("complete", server.api.complete_auth(first.id()))
			note("complete", first.api.complete_auth(1))
			await sees(first, "connected server")
	)


func test_refuse_new_connections_does_not_concern_who_is_there() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			server.api.refuse_new_connections = true
			exchange(server, first)
			await sees(server, "auth first word")
			note("complete", server.api.complete_auth(first.id()))
			note("complete", first.api.complete_auth(1))
			await sees(first, "connected server")
			await sees(server, "connected first")
			note("refuses", server.peer.refuse_new_connections)
	)


func test_only_one_side_has_a_callback() -> void:
	await compare(
		func() -> void:
			await start(true, false, SHORT)
			await sees(first, "connected server")
			note("send", server.send_auth(first.id(), "who is there"))
			await sees(server, "failed first")
			await sees(first, "server_disconnected")
	)
	await compare(
		func() -> void:
			await start(false, true, SHORT)
			await sees(server, "connected first")
			server.hear.rpc("too early")
			await sees(first, "failed server")
			await sees(server, "disconnected first")
	)


func test_the_callback_is_taken_away() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			server.api.auth_callback = Callable()
			note("send", first.send_auth(1, "nobody listens"))
			await settle()
			note("complete", server.api.complete_auth(first.id()))
			note("complete", first.api.complete_auth(1))
			await sees(first, "connected server")
			await sees(server, "connected first")
	)


func test_clear_while_a_peer_authenticates() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			server.api.clear()
			note("server", server.known())
			note("complete", server.api.complete_auth(first.id()))
			await settle()
	)


## Nobody hears of a client before the server has accepted it, and it hears of nobody.
func test_a_client_behind_the_relay_authenticates() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			note("complete", server.api.complete_auth(first.id()))
			note("complete", first.api.complete_auth(1))
			await sees(server, "connected first")
			await sees(first, "connected server")
			await enter(second)
			await sees(server, "authenticating second")
			await sees(second, "authenticating server")
			await settle()
			note("first", first.known())
			note("second", second.known())
			first.hear.rpc("to all that are in")
			await sees(server, "heard first to all that are in")
			await settle()
			note("complete", second.api.complete_auth(1))
			note("complete", server.api.complete_auth(second.id()))
			await sees(first, "connected second")
			await sees(second, "connected first")
			second.hear.rpc("I am in")
			await sees(first, "heard second I am in")
			await sees(server, "heard second I am in")
			first.hear.rpc_id(second.id(), "hello")
			await sees(second, "heard first hello")
			for member in _members:
				note("known", member.known())
			second.peer.close()
			await sees(first, "disconnected second")
	)


func test_a_client_behind_the_relay_is_refused() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			note("complete", server.api.complete_auth(first.id()))
			note("complete", first.api.complete_auth(1))
			await sees(server, "connected first")
			await sees(first, "connected server")
			await enter(second)
			await sees(server, "authenticating second")
			await sees(second, "authenticating server")
			server.api.disconnect_peer(second.id())
			await sees(second, "server_disconnected")
			await settle()
			note("first", first.known())
	)


func test_a_client_behind_the_relay_times_out() -> void:
	await compare(
		func() -> void:
			await start(true, true)
			note("complete", server.api.complete_auth(first.id()))
			note("complete", first.api.complete_auth(1))
			await sees(server, "connected first")
			await sees(first, "connected server")
			server.api.auth_timeout = SHORT
			await enter(second)
			await sees(server, "failed second")
			await sees(second, "server_disconnected")
			await settle()
			note("first", first.known())
	)


## As in a game: both sides send a word when the other shows up, and check what comes.
func test_a_whole_game() -> void:
	await compare(
		func() -> void:
			await start(false, false, 3.0, false)
			for member in _members:
				member.authenticate()
				member.on_authenticating = func(id: int) -> void: member.send_auth(id, "word")
				member.on_auth = func(id: int, _text: String) -> void: member.api.complete_auth(id)
			for client: Member in [first, second]:
				await enter(client)
				await sees(client, "connected server")
				await sees(server, "connected %s" % client.name)
			await sees(first, "connected second")
			await sees(second, "connected first")
			first.hear.rpc("hello")
			await sees(server, "heard first hello")
			await sees(second, "heard first hello")
			second.peer.close()
			await sees(first, "disconnected second")
			await sees(server, "disconnected second")
	)
