# gdlint: disable=max-public-methods
## The class Godot3Multiplayer between two branches of one tree: calls, sets, values, misuse, and
## handlers that change everything. What a real Godot 3.6 says to it is in `scripts/rpc`.
extends "res://tests/godot3_multiplayer/branches.gd"

const API := "Godot3Multiplayer."

var server: Node
var client: Node


func set_up() -> void:
	server = add_branch("Server", Godot3Multiplayer.new())
	client = add_branch("Client", Godot3Multiplayer.new())


func open_server(changes := {}) -> int:
	var port := free_port()
	var peer := new_peer(false)
	for property: String in changes:
		peer.set(property, changes[property])
	check_equal(peer.create_server(port), OK, "create_server")
	api_of(server).multiplayer_peer = peer
	return port


func open_client(branch: Node, port: int) -> int:
	var peer := new_peer(false)
	check_equal(peer.create_client(LOCALHOST, port), OK, "create_client")
	api_of(branch).multiplayer_peer = peer
	await wait_until(func() -> bool: return is_connected_peer(peer), 5.0, "the client connects")
	return peer.get_unique_id()


func connect_both() -> int:
	var port := open_server()
	var id := await open_client(client, port)
	await knows(server, id)
	return id


## Who connects to the server's peer from now on, whether the API tells or not.
func peers_of_server() -> Array[int]:
	var ids: Array[int] = []
	api_of(server).multiplayer_peer.peer_connected.connect(func(id: int) -> void: ids.append(id))
	return ids


func knows(branch: Node, id: int, seconds := 5.0) -> void:
	await wait_until(
		func() -> bool: return id in api_of(branch).get_peers(), seconds, "%d is known" % id
	)


## Waits until a branch has had so many calls, and answers them.
func calls(branch: Node, count: int, what: String) -> Array:
	var node := game(branch)
	await wait_until(func() -> bool: return node.calls.size() >= count, 5.0, what)
	return node.calls


## Puts a packet made by hand into the client's peer. A call behind it shows that it has come.
func put_raw(packet: PackedByteArray) -> void:
	var peer := api_of(client).multiplayer_peer
	peer.set_target_peer(1)
	peer.set_transfer_channel(0)
	peer.transfer_mode = MultiplayerPeer.TRANSFER_MODE_RELIABLE
	peer.put_packet(packet)


func call_with_path(
	method: String, path: String, arguments := PackedByteArray([0])
) -> PackedByteArray:
	var body := method.to_utf8_buffer() + PackedByteArray([0]) + arguments
	var head := PackedByteArray([0, 0, 0, 0, 0])
	head.encode_u32(1, 0x80000000 | (5 + body.size()))
	return head + body + path.to_utf8_buffer() + PackedByteArray([0])


## The server has done nothing on account of what came before.
func check_nothing_but(value: int, what: String) -> void:
	game(client).from_all.rpc_id(1, value)
	var got := await calls(server, 1, what + ": the call behind it arrives")
	check_equal(got.size(), 1, what + ": nothing else was called")
	got.clear()


func test_offline_it_is_a_server() -> void:
	check_equal(api_of(server).multiplayer_peer is OfflineMultiplayerPeer, true, "the peer")
	check_equal(game(server).multiplayer.is_server(), true, "is_server")
	check_equal(game(server).is_multiplayer_authority(), true, "authority")
	game(server).from_all_here.rpc(7)
	check_equal(game(server).calls, [["from_all_here", 1, [7]]], "call_local")
	game(server).from_all.rpc(7)
	check_equal(game(server).calls.size(), 1, "nobody to call")
	api_of(server).multiplayer_peer = null
	check_equal(api_of(server).get_unique_id(), 0, "no peer, no id")
	check_equal(game(server).rpc("from_all_here"), ERR_UNCONFIGURED, "a call without a peer")
	expect_error([API + "rpc", "multiplayer_peer"])


func test_calls_both_ways() -> void:
	var id := await connect_both()
	game(client).from_all.rpc(1, "two", [3.5, {"four": null}])
	check_equal(
		await calls(server, 1, "a call to the server"),
		[["from_all", id, [1, "two", [3.5, {"four": null}]]]],
		"what arrives"
	)
	# Now by the id of the confirmed path, and to one peer.
	game(server).from_authority.rpc(Vector2(1, 2))
	game(server).from_all_here.rpc_id(id, "x")
	check_equal(
		await calls(client, 2, "calls to the client"),
		[["from_authority", 1, [Vector2(1, 2)]], ["from_all_here", 1, ["x"]]],
		"what arrives"
	)
	check_equal(game(server).calls.size(), 1, "a call to one peer does not run here")
	game(server).from_all_here.rpc("all")
	await calls(client, 3, "a call to all")
	check_equal(game(server).calls[1], ["from_all_here", 1, ["all"]], "and here")
	check_equal(game(server).rpc_id(-id, "from_all_here", "not there"), OK, "to all but the client")
	check_equal(game(server).calls[2], ["from_all_here", 1, ["not there"]], "runs here")


func test_nested_calls_know_their_senders() -> void:
	var id := await connect_both()
	game(client).asks_back.rpc_id(1, 5)
	var got := await calls(server, 3, "the call, its local part, and the rest")
	check_equal(
		got,
		[["asks_back", id, [5]], ["from_all_here", 1, [5]], ["asks_back again", id, [5]]],
		"the senders"
	)
	var back := await calls(client, 2, "the answers")
	check_equal(back, [["from_all", 1, [6, null, null]], ["from_all_here", 1, [5]]], "the answers")
	check_equal(api_of(server).get_remote_sender_id(), 0, "no sender outside of calls")


func test_who_may_not_call() -> void:
	var id := await connect_both()
	game(client).from_authority.rpc_id(1)
	await check_nothing_but(1, "a call for the authority")
	expect_error([API + "poll", str(id), "from_authority", "authority"])
	game(client).rpc_id(1, "not_configured")
	await check_nothing_but(2, "a method without configuration")
	expect_error([API + "poll", "not_configured", "rpc_config"])
	for method: String in ["free", "queue_free", "set_script", "call", "set", "add_child"]:
		game(client).rpc_id(1, method)
		await check_nothing_but(3, method)
		expect_error([API + "poll", method])
	api_of(server).rpc_config(game(server), "configured", Godot3Multiplayer.RPC_MODE_REMOTE)
	game(client).rpc_id(1, "configured", 4)
	check_equal(await calls(server, 1, "configured"), [["configured", id, [4]]], "rpc_config")


func test_masters() -> void:
	var id := await connect_both()
	game(server).rpc_config(
		"for_the_master", {"rpc_mode": MultiplayerAPI.RPC_MODE_ANY_PEER, "godot3": "master"}
	)
	game(client).rpc_id(1, "for_the_master", 1)
	check_equal(
		await calls(server, 1, "at the master"), [["for_the_master", id, [1]]], "the server is it"
	)
	game(server).calls.clear()
	game(server).set_multiplayer_authority(id)
	game(client).rpc_id(1, "for_the_master", 2)
	await check_nothing_but(1, "another peer is the master")
	expect_error([API + "poll", "for_the_master", "master"])
	# The master itself runs it, and sends nothing.
	game(server).set_multiplayer_authority(1)
	game(server).rpc("for_the_master", 3)
	check_equal(game(server).calls, [["for_the_master", 1, [3]]], "it runs here")
	# For all nodes with the script.
	api_of(server).rpc_config(Game, "configured", Godot3Multiplayer.RPC_MODE_PUPPETSYNC)
	game(client).rpc_id(1, "configured")
	game(server).calls.clear()
	await check_nothing_but(2, "a puppet's method, from a puppet")
	expect_error([API + "poll", "configured", "puppet"])


func test_sets() -> void:
	var id := await connect_both()
	api_of(server).rset_config(game(server), "score", Godot3Multiplayer.RPC_MODE_REMOTESYNC)
	check_equal(api_of(client).rset(game(client), "score", 5), OK, "rset")
	check_equal(await calls(server, 1, "the setter runs"), [["set score", id, 5]], "set")
	check_equal(api_of(client).rset_unreliable(game(client), "score", 6, 1), OK, "rset_unreliable")
	await calls(server, 2, "the setter runs again")
	check_equal(game(server).score, 6, "the value")
	check_equal(api_of(server).rset(game(server), "score", 7), OK, "remotesync")
	check_equal(game(server).score, 7, "is set here, too")
	# The client has not said that it takes it.
	await wait_until(
		func() -> bool: return error_log == null or not error_log.waiting().is_empty(), 5.0, "told"
	)
	expect_error([API + "poll", "score", "rset_config"])
	check_equal(game(client).score, 0, "not set")
	api_of(server).rset_config(game(server), "score", MultiplayerAPI.RPC_MODE_DISABLED)
	api_of(client).rset(game(client), "score", 8)
	game(server).calls.clear()
	await check_nothing_but(1, "disabled again")
	expect_error([API + "poll", "score"])
	api_of(server).rset_config(game(server), "script", Godot3Multiplayer.RPC_MODE_REMOTE)
	expect_error([API + "rset_config", "script"])
	api_of(server).rset_config(server.multiplayer, "score", Godot3Multiplayer.RPC_MODE_REMOTE)
	expect_error([API + "rset_config", "node or a script"])
	api_of(server).rset_config(game(server), "score", 7)
	expect_error([API + "rset_config", "RPC_MODE_"])


func test_types_that_declared_functions_want() -> void:
	var id := await connect_both()
	var node := game(client)
	node.rpc_id(1, "typed_array", [1, 2])
	node.rpc_id(1, "typed_names", ["a", &"b"])
	node.rpc_id(1, "wide", PackedInt64Array([1, -2]), PackedFloat64Array([0.5]))
	node.rpc_id(1, "one_int", 3)
	var got := await calls(server, 4, "all arrive")
	check_equal(got[0], ["typed_array", id, [[1, 2]]], "Array[int]")
	check_equal(got[0][2][0].get_typed_builtin(), TYPE_INT, "is typed")
	check_equal(got[1][2][0].get_typed_builtin(), TYPE_STRING_NAME, "Array[StringName]")
	check_equal(
		got[2], ["wide", id, [PackedInt64Array([1, -2]), PackedFloat64Array([0.5])]], "wide"
	)
	check_equal(got[3], ["one_int", id, [3]], "int")
	game(server).calls.clear()
	node.rpc_id(1, "typed_array", [1, "two"])
	await check_nothing_but(1, "an array that does not fit")
	expect_error([API + "poll", "typed_array", "failed"])
	node.rpc_id(1, "one_int")
	await check_nothing_but(2, "an argument is missing")
	expect_error([API + "poll", "one_int", "failed"])


func test_values_that_cannot_be_sent() -> void:
	var id := await connect_both()
	var refused := [
		Callable(self, "get_path"),
		Signal(self, "ready"),
		Projection(),
		Vector4(),
		Vector4i(),
		PackedVector4Array(),
		PackedInt64Array([1 << 40]),
		[[Vector4()]],
		{"k": Vector4()},
		{Vector4(): 1}
	]
	for value: Variant in refused:
		check_equal(
			game(client).rpc_id(1, "from_all", 1, value),
			ERR_INVALID_PARAMETER,
			type_string(typeof(value))
		)
		expect_error([API + "rpc", "argument 2 of from_all"])
	var deep: Array = []
	for level in 200:
		deep = [deep]
	check_equal(game(client).rpc_id(1, "from_all", deep), ERR_INVALID_PARAMETER, "too deep")
	expect_error([API + "rpc", "argument 1", "levels"])
	var many := range(256)
	check_equal(
		game(client).callv("rpc_id", [1, "from_all"] + many), ERR_INVALID_PARAMETER, "256 arguments"
	)
	expect_error([API + "rpc", "255"])
	check_equal(
		api_of(client).rset(game(client), "score", Vector4()), ERR_INVALID_PARAMETER, "rset"
	)
	expect_error([API + "rset", "score"])
	await check_nothing_but(1, "none of them was sent")
	check_equal(api_of(client).rpc(1, RefCounted.new(), "x"), ERR_INVALID_PARAMETER, "no node")
	expect_error([API + "rpc", "no node"])
	var outside := Node.new()
	check_equal(api_of(client).rpc(1, outside, "x"), ERR_INVALID_PARAMETER, "not in the tree")
	expect_error([API + "rpc", "inside the scene tree"])
	outside.free()
	check_equal(api_of(client).rpc(1, self, "x"), ERR_INVALID_PARAMETER, "not below the root")
	expect_error([API + "rpc", "root_path"])
	check_equal(game(client).rpc_id(77, "from_all"), ERR_INVALID_PARAMETER, "nobody has this id")
	expect_error([API + "rpc", "77"])
	check_equal(game(client).rpc_id(id, "from_all"), ERR_INVALID_PARAMETER, "to itself")
	expect_error([API + "rpc", "call_local"])
	check_equal(game(client).rpc_id(-id, "from_all"), ERR_INVALID_PARAMETER, "to all but itself")
	expect_error([API + "rpc", "use 0"])
	check_equal(api_of(client).send_bytes(PackedByteArray()), ERR_INVALID_PARAMETER, "no bytes")
	expect_error([API + "send_bytes", "empty"])
	check_equal(
		api_of(client).send_bytes(PackedByteArray([1]), 1, 9), ERR_INVALID_PARAMETER, "no mode"
	)
	expect_error([API + "send_bytes", "TRANSFER_MODE_"])


func test_values_as_bytes() -> void:
	var values := [
		null,
		true,
		-1,
		1 << 40,
		0.5,
		0.1,
		"Grüße",
		Vector2(1, 2),
		Rect2(1, 2, 3, 4),
		Vector3(1, 2, 3),
		Transform2D(Vector2(1, 2), Vector2(3, 4), Vector2(5, 6)),
		Plane(1, 2, 3, 4),
		Quaternion(0, 0, 0, 1),
		AABB(Vector3(1, 2, 3), Vector3(4, 5, 6)),
		Basis(Vector3(1, 2, 3), Vector3(4, 5, 6), Vector3(7, 8, 9)),
		Transform3D(Basis.IDENTITY, Vector3(1, 2, 3)),
		Color(0.25, 0.5, 0.75, 1),
		NodePath("/root/A:b"),
		{"a": [1, {2: 3}]},
		[1, [2]],
		PackedByteArray([1, 2, 3]),
		PackedInt32Array([1, -2]),
		PackedFloat32Array([0.5]),
		PackedStringArray(["a", ""]),
		PackedVector2Array([Vector2(1, 2)]),
		PackedVector3Array([Vector3(1, 2, 3)]),
		PackedColorArray([Color.RED])
	]
	for value: Variant in values:
		var bytes := Godot3Multiplayer.variant_to_bytes(value)
		check_equal(Godot3Multiplayer.bytes_to_variant(bytes), value, type_string(typeof(value)))
	check_equal(
		Godot3Multiplayer.variant_to_bytes(Vector3(1, 2, 3)).hex_encode(),
		"070000000000803f0000004000004040",
		"3.6's number for the type"
	)
	for pair: Array in [
		[&"name", "name"],
		[Vector2i(1, 2), Vector2(1, 2)],
		[Rect2i(1, 2, 3, 4), Rect2(1, 2, 3, 4)],
		[Vector3i(1, 2, 3), Vector3(1, 2, 3)],
		[PackedInt64Array([5]), PackedInt32Array([5])]
	]:
		var bytes := Godot3Multiplayer.variant_to_bytes(pair[0])
		check_equal(Godot3Multiplayer.bytes_to_variant(bytes), pair[1], "a relative arrives")
	var object := RefCounted.new()
	var copy: Variant = Godot3Multiplayer.bytes_to_variant(
		Godot3Multiplayer.variant_to_bytes(object)
	)
	check_equal((copy as EncodedObjectAsID).object_id, object.get_instance_id(), "an object's id")
	var timer := Timer.new()
	timer.wait_time = 7.5
	var whole := Godot3Multiplayer.variant_to_bytes(timer, true)
	timer.free()
	check_equal(Godot3Multiplayer.bytes_to_variant(whole), null, "objects are refused")
	expect_error([API + "bytes_to_variant", "object"])
	var made: Timer = Godot3Multiplayer.bytes_to_variant(whole, true)
	check_equal(made.wait_time, 7.5, "a whole object")
	made.free()
	check_equal(Godot3Multiplayer.bytes_to_variant(PackedByteArray([4, 0])), null, "cut off")
	expect_error([API + "bytes_to_variant"])
	check_equal(Godot3Multiplayer.variant_to_bytes(Vector4()), PackedByteArray(), "no such type")
	expect_error([API + "variant_to_bytes", "Vector4"])


func test_bytes() -> void:
	var id := await connect_both()
	var got := []
	api_of(server).peer_packet.connect(
		func(from: int, packet: PackedByteArray) -> void: got.append([from, packet])
	)
	check_equal(api_of(client).send_bytes(PackedByteArray([1, 2, 3])), OK, "send_bytes")
	await wait_until(func() -> bool: return not got.is_empty(), 5.0, "the bytes arrive")
	check_equal(got, [[id, PackedByteArray([1, 2, 3])]], "the bytes")


func test_other_names_on_the_wire() -> void:
	var id := await connect_both()
	server.get_node("Game").name = "Renamed"
	api_of(server).map_path("Game", "Renamed")
	api_of(server).map_method("old_name", "from_all")
	api_of(server).map_property("points", "score")
	api_of(server).rset_config(Game, "score", Godot3Multiplayer.RPC_MODE_REMOTE)
	game(client).rpc_id(1, "old_name", 1)
	api_of(client).rset(game(client), "points", 2, 1)
	var node: Node = server.get_node("Renamed")
	await wait_until(func() -> bool: return node.calls.size() == 2, 5.0, "both arrive")
	check_equal(
		node.calls, [["from_all", id, [1, null, null]], ["set score", id, 2]], "by other names"
	)
	api_of(client).rpc_config(game(client), "old_name", Godot3Multiplayer.RPC_MODE_REMOTE)
	api_of(client).map_method("old_name", "configured")
	api_of(client).rpc_config(game(client), "configured", Godot3Multiplayer.RPC_MODE_REMOTE)
	node.from_all.rpc_id(id, 3)
	check_equal(await calls(client, 1, "and back"), [["configured", 1, [3]]], "the other way round")


func test_hostile_packets() -> void:
	await connect_both()
	allow_errors(API + "poll")
	# A path that leads out, around or nowhere.
	for path: String in [
		"",
		"..",
		"../..",
		"../Client/Game",
		"Game/../../Client/Game",
		"/root",
		"%Game",
		"Game:calls",
		str(server.get_path()) + "/Game",
		"Nobody",
		"Game/".repeat(300)
	]:
		put_raw(call_with_path("from_all", path))
		await check_nothing_but(1, "the path " + path)
	# What is cut, too long, or of Godot 4.
	var whole := call_with_path(
		"not_configured", "Game", PackedByteArray([1, 2, 0, 0, 0, 5, 0, 0, 0])
	)
	for length in range(1, whole.size() + 1):
		put_raw(whole.slice(0, length))
	for first in 256:
		put_raw(PackedByteArray([first, 1, 2, 3, 4, 5, 6, 7]))
	for count: int in [0x7fffffff, -1, 0x40000000]:
		# 23 is PoolStringArray, for which 3.6 takes a negative count as an empty one.
		for type: int in [17, 18, 19, 20, 21, 22, 24, 25, 26, 27, 28, 29]:
			var arguments := PackedByteArray([1, type, 0, 0, 0, 0, 0, 0, 0])
			arguments.encode_s32(5, count)
			put_raw(call_with_path("from_all", "Game", arguments))
	var nested := PackedByteArray([1])
	for level in 5000:
		nested += PackedByteArray([19, 0, 0, 0, 1, 0, 0, 0])
	put_raw(call_with_path("from_all", "Game", nested))
	await check_nothing_but(2, "all of that")


func test_errors_about_packets_are_few() -> void:
	await connect_both()
	for index in 100:
		put_raw(call_with_path("not_configured", "Game"))
	await check_nothing_but(1, "a hundred refused calls")
	if error_log != null:
		var printed: PackedStringArray = error_log.waiting()
		check(printed.size() in range(11, 34), "%d errors for 100 packets" % printed.size())
		allow_errors(API + "poll")


func test_a_node_that_comes_back() -> void:
	var id := await connect_both()
	game(client).from_all.rpc_id(1, 1)
	await calls(server, 1, "the first call")
	game(client).from_all.rpc_id(1, 2)
	await calls(server, 2, "by the id of its path")
	game(server).free()
	add_game(server)
	game(client).from_all.rpc_id(1, 3)
	check_equal(
		await calls(server, 1, "the new node"), [["from_all", id, [3, null, null]]], "is called"
	)


func test_a_script_that_changes_counts_at_once() -> void:
	await connect_both()
	game(client).from_all.rpc_id(1, 1)
	await calls(server, 1, "the first call")
	var other := GDScript.new()
	other.source_code = "extends Node\nvar calls := []\nfunc from_all(a, b, c): calls.append(a)\n"
	other.reload()
	game(server).set_script(other)
	game(client).from_all.rpc_id(1, 2)
	game(client).from_all.rpc_id(1, 3)
	var told := func() -> bool: return error_log == null or error_log.waiting().size() == 2
	await wait_until(told, 5.0, "both are refused")
	check_equal(game(server).calls, [], "the new script has no @rpc")
	expect_error([API + "poll", "from_all", "rpc_config"])
	expect_error([API + "poll", "from_all", "rpc_config"])


func test_a_client_that_comes_back() -> void:
	var port := open_server()
	for round in 3:
		var id := await open_client(client, port)
		await knows(server, id)
		game(client).from_all.rpc_id(1, round)
		var got := await calls(server, 1, "a call to the server")
		check_equal(got, [["from_all", id, [round, null, null]]], "of round %d" % round)
		got.clear()
		game(server).from_all.rpc_id(id, round)
		await calls(client, 1, "a call to the client")
		game(client).calls.clear()
		api_of(client).multiplayer_peer = null
		await wait_until(
			func() -> bool: return api_of(server).get_peers().is_empty(), 5.0, "it leaves"
		)


func test_a_peer_that_is_opened_again() -> void:
	api_of(server).default_peer_dialect = Godot3Multiplayer.DIALECT_GODOT_4
	var plain := add_branch("Plain", SceneMultiplayer.new())
	var port := open_server({"server_relay": false})
	await knows(server, await open_client(plain, port))
	var peer: NetworkedMultiplayerENet = api_of(server).multiplayer_peer
	peer.close_connection()
	await frames(2)
	check_equal(game(server).multiplayer.is_server(), false, "closed")
	check_equal(peer.create_server(port), OK, "create_server once more, on the same object")
	check_equal(game(server).multiplayer.is_server(), true, "a server again, before the next poll")
	await frames(2)
	check_equal(game(server).multiplayer.is_server(), true, "and behind it")
	game(server).from_all_here.rpc("alone")
	check_equal(game(server).calls, [["from_all_here", 1, ["alone"]]], "runs here")
	game(server).calls.clear()
	var id := await open_client(plain, port)
	await knows(server, id)
	game(server).from_authority.rpc_id(id, "again")
	check_equal(await calls(plain, 1, "a call"), [["from_authority", 1, ["again"]]], "arrives")


func test_clear_keeps_the_connection() -> void:
	api_of(server).default_peer_dialect = Godot3Multiplayer.DIALECT_GODOT_4
	var plain := add_branch("Plain", SceneMultiplayer.new())
	var late := add_branch("Late", SceneMultiplayer.new())
	var port := open_server({"server_relay": false})
	await knows(server, await open_client(plain, port))
	api_of(server).clear()
	check_equal(api_of(server).get_peers(), PackedInt32Array(), "nobody is known any more")
	var id := await open_client(late, port)
	await knows(server, id)
	game(server).from_authority.rpc_id(id, "late")
	check_equal(await calls(late, 1, "a call"), [["from_authority", 1, ["late"]]], "arrives")


func test_signals_come_in_order() -> void:
	var seen := []
	for branch: Node in [server, client]:
		var api := api_of(branch)
		api.peer_connected.connect(
			func(id: int) -> void: seen.append([branch.name, "connected", id == 1])
		)
		api.peer_disconnected.connect(
			func(id: int) -> void: seen.append([branch.name, "disconnected", id == 1])
		)
		api.connected_to_server.connect(
			func() -> void: seen.append([branch.name, "connected_to_server"])
		)
		api.server_disconnected.connect(
			func() -> void: seen.append([branch.name, "server_disconnected"])
		)
		api.connection_failed.connect(
			func() -> void: seen.append([branch.name, "connection_failed"])
		)
	await connect_both()
	api_of(server).multiplayer_peer.close()
	await wait_until(
		func() -> bool: return [&"Client", "server_disconnected"] in seen, 5.0, "the end"
	)
	check_equal(
		seen.filter(func(line: Array) -> bool: return line[0] == &"Client"),
		[
			[&"Client", "connected_to_server"],
			[&"Client", "connected", true],
			[&"Client", "disconnected", true],
			[&"Client", "server_disconnected"]
		],
		"at the client"
	)
	check_equal(api_of(client).get_peers(), PackedInt32Array(), "nobody is left")
	check_equal(api_of(client).get_unique_id(), 0, "no id")
	seen.clear()
	var peer := new_peer(false)
	peer.connect_timeout_msec = 100
	peer.create_client(LOCALHOST, free_port())
	api_of(client).multiplayer_peer = peer
	await wait_until(func() -> bool: return not seen.is_empty(), 5.0, "it fails")
	check_equal(seen, [[&"Client", "connection_failed"]], "at a client without a server")


func test_a_peer_that_is_closed_is_refused() -> void:
	var before := api_of(server).multiplayer_peer
	api_of(server).multiplayer_peer = new_peer(false)
	expect_error([API + "multiplayer_peer", "create_server"])
	check(api_of(server).multiplayer_peer == before, "nothing has changed")


func test_handlers_may_do_everything() -> void:
	# Each happens inside a call from the client.
	var reactions := {
		"take the peer away": func() -> void: api_of(server).multiplayer_peer = null,
		"close the peer": func() -> void: api_of(server).multiplayer_peer.close(),
		"free the node": func() -> void: game(server).free(),
		"clear": func() -> void: api_of(server).clear(),
		"take the API away": func() -> void: get_tree().set_multiplayer(null, server.get_path()),
		"poll": func() -> void: api_of(server).poll(),
		"disconnect the caller":
		func() -> void: api_of(server).disconnect_peer(api_of(server).get_remote_sender_id()),
		"another peer": func() -> void: open_server(),
	}
	for what: String in reactions:
		var id := await connect_both()
		var done := [false]
		var react: Callable = reactions[what]
		game(server).reaction = func() -> void:
			check_equal(api_of(server).get_remote_sender_id(), id, what + ": the sender")
			done[0] = true
			# Not inside of the node's own method, when the node goes.
			if what == "free the node":
				game(server).queue_free()
			else:
				react.call()
		game(client).from_all.rpc_id(1, what)
		game(client).from_all.rpc_id(1, what)
		await wait_until(func() -> bool: return done[0], 5.0, what)
		await frames(3)
		allow_errors(API + "poll")
		api_of(client).multiplayer_peer = null
		if api_of(server) == get_tree().get_multiplayer():
			get_tree().set_multiplayer(Godot3Multiplayer.new(), server.get_path())
		api_of(server).multiplayer_peer = null
		if not server.has_node("Game"):
			add_game(server)
		game(server).reaction = Callable()
		game(server).calls.clear()


func test_calls_from_handlers_of_signals() -> void:
	var port := open_server()
	api_of(server).peer_connected.connect(
		func(id: int) -> void: game(server).from_all.rpc_id(id, "welcome")
	)
	api_of(client).connected_to_server.connect(
		func() -> void: game(client).from_all.rpc(1, "here I am")
	)
	await open_client(client, port)
	check_equal((await calls(client, 1, "welcome"))[0][2][0], "welcome", "from peer_connected")
	check_equal((await calls(server, 1, "here I am"))[0][2][0], 1, "from connected_to_server")


func test_other_threads_are_refused() -> void:
	await connect_both()
	var api := api_of(client)
	var node := game(client)
	var thread := Thread.new()
	thread.start(func() -> Error: return api.rpc(1, node, &"from_all", [1]))
	check_equal(thread.wait_to_finish(), ERR_UNCONFIGURED, "rpc from a thread")
	expect_error([API + "rpc", "main thread"])
	await check_nothing_but(1, "nothing was sent")


func test_over_the_engine_s_own_peer() -> void:
	var port := free_port()
	var host := ENetMultiplayerPeer.new()
	check_equal(host.create_server(port), OK, "create_server")
	api_of(server).multiplayer_peer = host
	var guest := ENetMultiplayerPeer.new()
	check_equal(guest.create_client(LOCALHOST, port), OK, "create_client")
	api_of(client).multiplayer_peer = guest
	await wait_until(func() -> bool: return is_connected_peer(guest), 5.0, "it connects")
	await knows(server, guest.get_unique_id())
	game(client).from_all.rpc(1, 2, 3)
	await calls(server, 1, "a call to the server")
	game(server).from_all.rpc_id(guest.get_unique_id(), 4, 5, 6)
	check_equal(
		await calls(client, 1, "a call to the client"), [["from_all", 1, [4, 5, 6]]], "arrives"
	)


func test_a_server_for_both() -> void:
	api_of(server).default_peer_dialect = Godot3Multiplayer.DIALECT_DETECT
	var plain := add_branch("Plain", SceneMultiplayer.new())
	var silent := add_branch("Silent", SceneMultiplayer.new())
	var port := open_server({"server_relay": false})
	# One that calls at once, one of Godot 4 that calls at once, and one that waits.
	var old := await open_client(client, port)
	game(client).from_all.rpc_id(1, "old")
	var new := await open_client(plain, port)
	game(plain).from_all.rpc_id(1, "new")
	var here := peers_of_server()
	var quiet := await open_client(silent, port)
	await wait_until(func() -> bool: return quiet in here, 5.0, "the peer below knows it")
	await knows(server, old)
	await knows(server, new)
	check_equal(quiet in api_of(server).get_peers(), false, "not known yet")
	var got := await calls(server, 2, "both arrive")
	check(
		[["from_all", old, ["old", null, null]], ["from_all", new, ["new", null, null]]].all(
			func(line: Array) -> bool: return line in got
		),
		"with their senders: %s" % [got]
	)
	check_equal(api_of(server).get_peer_dialect(old), Godot3Multiplayer.DIALECT_GODOT_3, "old")
	check_equal(api_of(server).get_peer_dialect(new), Godot3Multiplayer.DIALECT_GODOT_4, "new")
	check_equal(api_of(server).get_peer_dialect(quiet), Godot3Multiplayer.DIALECT_DETECT, "quiet")
	check_equal(
		api_of(server).set_peer_dialect(quiet, Godot3Multiplayer.DIALECT_GODOT_4), OK, "decided"
	)
	await knows(server, quiet)
	check_equal(
		api_of(server).set_peer_dialect(quiet, Godot3Multiplayer.DIALECT_GODOT_3),
		ERR_INVALID_PARAMETER,
		"too late"
	)
	expect_error([API + "set_peer_dialect"])
	game(server).calls.clear()
	game(server).from_all_here.rpc("all")
	check_equal(game(server).calls, [["from_all_here", 1, ["all"]]], "once here")
	for branch: Node in [client, plain, silent]:
		var there := await calls(branch, 1, "a call to all")
		check_equal(there, [["from_all_here", 1, ["all"]]], "at %s" % branch.name)
		there.clear()
	for pair: Array in [[old, client], [new, plain]]:
		game(server).from_authority.rpc_id(pair[0], "one")
		check_equal(
			await calls(pair[1], 1, "a call to one"), [["from_authority", 1, ["one"]]], "arrives"
		)
		pair[1].get_node("Game").calls.clear()
	game(server).rpc_id(-new, "from_authority", "but one")
	await calls(client, 1, "to all but the new one")
	await calls(silent, 1, "to all but the new one")
	check_equal(
		api_of(server).rset(game(server), "score", 1, new), ERR_UNAVAILABLE, "no rset there"
	)
	expect_error([API + "rset", "Godot 4"])
	var bytes := []
	plain.multiplayer.peer_packet.connect(
		func(_id: int, packet: PackedByteArray) -> void: bytes.append(packet)
	)
	api_of(server).send_bytes(PackedByteArray([7]))
	await wait_until(
		func() -> bool: return bytes == [PackedByteArray([7])], 5.0, "bytes to Godot 4"
	)
	check_equal(game(plain).calls.size(), 0, "which was left out")
	api_of(plain).multiplayer_peer = null
	await wait_until(func() -> bool: return not new in api_of(server).get_peers(), 5.0, "it leaves")


func test_a_silent_peer_is_of_godot_4() -> void:
	api_of(server).default_peer_dialect = Godot3Multiplayer.DIALECT_DETECT
	var plain := add_branch("Plain", SceneMultiplayer.new())
	var port := open_server({"server_relay": false})
	var id := await open_client(plain, port)
	await knows(server, id)
	check_equal(
		api_of(server).get_peer_dialect(id), Godot3Multiplayer.DIALECT_GODOT_4, "after two seconds"
	)


func test_a_spawner_serves_godot_4() -> void:
	api_of(server).default_peer_dialect = Godot3Multiplayer.DIALECT_GODOT_4
	var plain := add_branch("Plain", SceneMultiplayer.new())
	for branch: Node in [server, plain]:
		var spawner := MultiplayerSpawner.new()
		spawner.name = "Spawner"
		spawner.spawn_function = func(data: Variant) -> Node:
			var node := Node.new()
			node.name = str(data)
			return node
		branch.add_child(spawner)
		spawner.spawn_path = NodePath("../Game")
	var port := open_server({"server_relay": false})
	var id := await open_client(plain, port)
	await knows(server, id)
	server.get_node("Spawner").spawn("Thing")
	await wait_until(
		func() -> bool: return game(plain).has_node("Thing"), 5.0, "it is spawned there"
	)
	game(server).get_node("Thing").free()
	await wait_until(func() -> bool: return not game(plain).has_node("Thing"), 5.0, "and goes")


func test_spawners_do_not_reach_godot_3() -> void:
	var spawner := MultiplayerSpawner.new()
	spawner.spawn_function = func(_data: Variant) -> Node: return Node.new()
	server.add_child(spawner)
	spawner.spawn_path = NodePath("../Game")
	var spawned := spawner.spawn()
	expect_warning([API + "object_configuration_add", "3.6"])
	spawned.free()


func test_a_relay_between_dialects_is_warned_of() -> void:
	api_of(server).default_peer_dialect = Godot3Multiplayer.DIALECT_DETECT
	var plain := add_branch("Plain", SceneMultiplayer.new())
	var port := open_server()
	var old := await open_client(client, port)
	await knows(server, old)
	var here := peers_of_server()
	var new := await open_client(plain, port)
	await wait_until(func() -> bool: return new in here, 5.0, "the peer below knows it")
	api_of(server).set_peer_dialect(new, Godot3Multiplayer.DIALECT_GODOT_4)
	await knows(server, new)
	expect_warning([API + "multiplayer_peer", "server_relay"])


func test_properties() -> void:
	var api: Godot3Multiplayer = api_of(server)
	check_equal(api.root_path, server.get_path(), "root_path")
	api.root_path = NodePath("relative")
	expect_error([API + "set_root_path", "absolute"])
	check_equal(api.root_path, server.get_path(), "is unchanged")
	api.default_peer_dialect = 3
	expect_error([API + "set_default_peer_dialect", "DIALECT_"])
	check_equal(api.default_peer_dialect, Godot3Multiplayer.DIALECT_GODOT_3, "the default")
	check_equal(api.allow_object_decoding, false, "the default")
	open_server()
	api.refuse_new_connections = true
	check_equal(api.multiplayer_peer.refuse_new_connections, true, "is the peer's")
	check_equal(api.refuse_new_connections, true, "and is read back")
