## Calls of a server with a Godot3Multiplayer to clients with the engine's SceneMultiplayer, once
## all of them know the node's path: what arrives, what is refused, and what the game can change.
extends "res://tests/godot3_multiplayer/branches.gd"

const API := "Godot3Multiplayer."

var server: Node
var clients: Array[Node] = []
var ids: Array[int] = []


func set_up() -> void:
	server = add_branch("Server", Godot3Multiplayer.new())
	api_of(server).default_peer_dialect = Godot3Multiplayer.DIALECT_GODOT_4


## A server and two clients, who have had a call and have confirmed the path.
func connect_all() -> void:
	var port := free_port()
	var peer := new_peer(false)
	peer.server_relay = false
	check_equal(peer.create_server(port), OK, "create_server")
	api_of(server).multiplayer_peer = peer
	for title: String in ["One", "Two"]:
		await join_with(title, SceneMultiplayer.new(), port)
	game(server).from_all.rpc()
	for branch in clients:
		await calls(branch, 1, "the first call")
		game(branch).calls.clear()
		game(branch).from_all.rpc_id(1)
	# The confirmations came before these.
	await calls(server, 2, "both answer")
	game(server).calls.clear()


func join_with(title: String, api: MultiplayerAPI, port: int) -> void:
	var branch := add_branch(title, api)
	var peer := new_peer(false)
	check_equal(peer.create_client(LOCALHOST, port), OK, "create_client")
	api.multiplayer_peer = peer
	clients.append(branch)
	ids.append(peer.get_unique_id())
	await wait_until(
		func() -> bool: return ids[-1] in api_of(server).get_peers(), 5.0, "%s is known" % title
	)


## Waits until a branch has had so many calls, and answers them.
func calls(branch: Node, count: int, what: String) -> Array:
	var node := game(branch)
	await wait_until(func() -> bool: return node.calls.size() >= count, 5.0, what)
	return node.calls


## Everybody has had these calls, in this order and no other, when a last one to all arrives.
func check_calls(wanted: Array[Array], what: String) -> void:
	game(server).from_authority.rpc("end")
	for index in clients.size():
		var expected: Array = wanted[index] + [["from_authority", 1, ["end"]]]
		var got := await calls(clients[index], expected.size(), what)
		check_equal(got, expected, "%s, client %d" % [what, index])
		got.clear()


func test_each_target_gets_its_calls_in_order() -> void:
	await connect_all()
	var wanted: Array[Array] = [[], []]
	for number in 20:
		check_equal(game(server).rpc("from_all", number, "all", Vector3.ONE), OK, "to all")
		check_equal(game(server).rpc_id(ids[0], "from_all", number, "one"), OK, "to one")
		check_equal(game(server).rpc_id(-ids[0], "from_all", number), OK, "to the other")
		for index in 2:
			wanted[index].append(["from_all", 1, [number, "all", Vector3.ONE]])
		wanted[0].append(["from_all", 1, [number, "one", null]])
		wanted[1].append(["from_all", 1, [number, null, null]])
	await check_calls(wanted, "20 of each")
	check_equal(game(server).calls, [], "none of them runs here")


func test_the_local_part_runs_once_and_knows_who_calls() -> void:
	await connect_all()
	var called := ["from_all_here", 1, [7]]
	game(server).from_all_here.rpc(7)
	check_equal(game(server).calls, [called], "to all")
	game(server).from_all_here.rpc_id(ids[1], 8)
	game(server).from_all_here.rpc_id(-ids[0], 7)
	check_equal(game(server).calls, [called, called], "to all but one, and not to one")
	check_equal(api_of(server).get_remote_sender_id(), 0, "outside of calls")
	await check_calls([[called], [called, ["from_all_here", 1, [8]], called]], "the remote part")


func test_the_local_part_may_end_the_api() -> void:
	await connect_all()
	game(server).reaction = func() -> void:
		get_tree().set_multiplayer(Godot3Multiplayer.new(), server.get_path())
	game(server).from_all_here.rpc("last")
	check_equal(game(server).calls.size(), 1, "it has run")
	for branch in clients:
		var got := await calls(branch, 1, "it was sent before")
		check_equal(got, [["from_all_here", 1, ["last"]]], "the call")


func test_mistakes_are_told_as_always() -> void:
	await connect_all()
	var unknown := 2 if not 2 in ids else 3
	check_equal(game(server).rpc_id(unknown, "from_all"), ERR_INVALID_PARAMETER, "an unknown id")
	expect_error([API + "rpc", "%d is connected" % unknown])
	check_equal(game(server).rpc_id(-unknown, "from_all"), ERR_INVALID_PARAMETER, "all but that")
	expect_error([API + "rpc", "%d is connected" % unknown])
	check_equal(game(server).rpc_id(1, "from_all"), ERR_INVALID_PARAMETER, "itself")
	expect_error([API + "rpc", "itself"])
	check_equal(game(server).rpc_id(-1, "from_all"), ERR_INVALID_PARAMETER, "all but itself")
	expect_error([API + "rpc", "but this peer itself"])
	check_equal(game(server).callv("rpc", ["from_all"] + range(256)), ERR_INVALID_PARAMETER, "256")
	expect_error([API + "rpc", "255"])
	check_equal(api_of(server).rpc(0, null, "from_all"), ERR_INVALID_PARAMETER, "no object at all")
	expect_error([API + "rpc", "no node"])
	await check_calls([[], []], "nothing was sent")
	api_of(server).multiplayer_peer.close()
	check_equal(game(server).rpc("from_all"), ERR_UNCONFIGURED, "a closed peer")
	expect_error([API + "rpc", "not connected"])


func test_what_the_game_configures_counts_at_once() -> void:
	await connect_all()
	game(server).from_all.rpc("sent")
	var api := api_of(server)
	api.call("rpc_config", game(server), "from_all", Godot3Multiplayer.RPC_MODE_MASTER)
	game(server).from_all.rpc("kept")
	check_equal(game(server).calls, [["from_all", 1, ["kept", null, null]]], "the master runs it")
	var sent := [["from_all", 1, ["sent", null, null]]]
	await check_calls([sent, sent], "the second was not sent")


func test_a_client_of_3_6_that_comes_later_is_called_too() -> void:
	await connect_all()
	api_of(server).default_peer_dialect = Godot3Multiplayer.DIALECT_GODOT_3
	var port: int = api_of(server).multiplayer_peer.get_local_port()
	await join_with("Three", Godot3Multiplayer.new(), port)
	game(server).from_all.rpc(1)
	game(server).from_all.rpc_id(-ids[1], 2)
	game(server).from_all.rpc_id(ids[1], 3)
	var numbers := func(them: Array) -> Array:
		return them.map(func(each: int) -> Array: return ["from_all", 1, [each, null, null]])
	await check_calls(
		[numbers.call([1, 2]), numbers.call([1, 3]), numbers.call([1, 2])], "both dialects"
	)
