## Calls with Variants: a wrong value gets the engine's own error, as in the engine's own class, and
## what that takes is taken.
extends TestSuite

## Each with the number of arguments of `create_server`.
const CLASSES := {"ENetMultiplayerPeer": 5, "NetworkedMultiplayerENet": 4}
const WRONG_TYPE := "Cannot convert argument 1 from String to int"


func test_a_wrong_type() -> void:
	for name: String in CLASSES:
		var invalid := "SCRIPT ERROR: Invalid type in function "
		_create_server(_new(name), "4242")
		expect_error(invalid + "'create_server' in base '%s'. %s." % [name, WRONG_TYPE])
		_new(name).callv("create_server", ["4242"])
		expect_error(
			"Error calling method from 'callv': '%s::create_server': %s" % [name, WRONG_TYPE]
		)
		_call(_new(name).create_server, "4242")
		expect_error(invalid + "'%s::create_server (Callable)'. %s." % [name, WRONG_TYPE])
		expect_no_error(name)


func test_a_wrong_count() -> void:
	for name: String in CLASSES:
		var count: int = CLASSES[name]
		var invalid := "SCRIPT ERROR: Invalid call to function 'create_server' in base "
		var what := invalid + "'%s'. Expected %d argument(s)." % [name, count]
		_create_server_without_arguments(_new(name))
		expect_error(what)
		_create_server_with_too_many_arguments(_new(name))
		expect_error(what)
		var expected := "'%s::create_server': Method expected %d argument(s)" % [name, count]
		_new(name).callv("create_server", [])
		expect_error(expected + ", but called with 0")
		_new(name).callv("create_server", range(count + 1))
		expect_error(expected + ", but called with %d" % (count + 1))
		expect_no_error(name)


func test_every_argument_is_looked_at() -> void:
	var peer := new_peer()
	var good := [LOCALHOST, 4242, 0, 0, 0]
	var kinds := ["String", "int", "int", "int", "int"]
	for index in good.size():
		var arguments := good.duplicate()
		arguments[index] = null
		check_equal(peer.callv("create_client", arguments), null, "argument %d" % index)
		expect_error("Cannot convert argument %d from Nil to %s" % [index + 1, kinds[index]])
	check_equal(peer.get_connection_status(), DISCONNECTED, "no attempt has begun")


func test_a_wrong_object() -> void:
	var peer := new_peer()
	var node := Node.new()
	var prefix := "SCRIPT ERROR: Invalid type in function 'set_dtls_key'"
	_set_dtls_key(peer, node)
	expect_error([prefix, "class of argument 1 (Node) is not a subclass"])
	_set_dtls_key(peer, X509Certificate.new())
	expect_error([prefix, "class of argument 1 (X509Certificate"])
	_set_dtls_key(peer, peer)
	expect_error([prefix, "class of argument 1 (NetworkedMultiplayerENet)"])
	node.free()
	_set_dtls_key(peer, node)
	expect_error([prefix, "class of argument 1 (previously freed)"])
	_set_dtls_key(peer, 1)
	expect_error([prefix, "Cannot convert argument 1 from int to Object"])
	_set_dtls_key(peer, null)
	_set_dtls_key(peer, CryptoKey.new())
	expect_no_error("a key, and none")


## As the engine's own classes: `set` alone says nothing.
func test_a_property() -> void:
	var peer := new_peer()
	peer.set("channel_count", "five")
	peer.set("refuse_new_connections", "yes")
	expect_no_error("set")
	_assign_channel_count(peer, "five")
	var name := "Invalid assignment of property or key 'channel_count' with value of type 'String'"
	expect_error(["SCRIPT ERROR", name, "'NetworkedMultiplayerENet'"])
	check_equal(peer.channel_count, 3, "nothing has changed")
	peer.set("channel_count", 5.9)
	check_equal(peer.channel_count, 5, "a float")
	peer.set("always_ordered", 1)
	check_equal(peer.always_ordered, true, "a number for a bool")
	peer.set("dtls_hostname", &"name")
	check_equal(peer.dtls_hostname, "name", "a StringName")


func test_what_the_engine_converts_is_taken() -> void:
	for name: String in CLASSES:
		var port := float(free_port()) + 0.5
		check_equal(
			_new(name).callv("create_server", [port, true]), OK, name + ": a float and a bool"
		)
		check_equal(
			_new(name).callv("create_client", [&"127.0.0.1", port]), OK, name + ": a StringName"
		)
		check_equal(
			_new(name).callv("create_client", [^"127.0.0.1", port]), OK, name + ": a NodePath"
		)


func test_a_converted_port_is_the_port() -> void:
	var server := new_peer()
	var port := free_port()
	check_equal(server.callv("create_server", [float(port)]), OK, "create_server")
	var client := new_peer()
	await join([client], port)


func _new(name: String) -> MultiplayerPeer:
	return ClassDB.instantiate(name)


# What follows is compiled without knowing the types, so that the engine looks at them in the call.


func _create_server(peer, port):
	return peer.create_server(port)


func _create_server_without_arguments(peer):
	return peer.create_server()


func _create_server_with_too_many_arguments(peer):
	return peer.create_server(1, 2, 3, 4, 5, 6)


func _call(callable, argument):
	return callable.call(argument)


func _set_dtls_key(peer, key):
	peer.set_dtls_key(key)


func _assign_channel_count(peer, value):
	peer.channel_count = value


## The table "Types" of docs/enet_multiplayer_peer_in_detail.md.
func test_types_that_name_the_engines_own_class() -> void:
	var script := GDScript.new()
	script.source_code = "var peer: ENetMultiplayerPeer = NetworkedMultiplayerENet.new()\n"
	check(script.reload() != OK, "a variable of the other type does not compile")
	expect_error(["NetworkedMultiplayerENet", "ENetMultiplayerPeer"])
	script = GDScript.new()
	script.source_code = "func take(_peer: ENetMultiplayerPeer):\n\treturn true\n"
	check_equal(script.reload(), OK, "an argument compiles")
	var object: Variant = _new("NetworkedMultiplayerENet")
	_take(script.new(), object)
	expect_error(["SCRIPT ERROR: Invalid type in function 'take'"])
	check(not object is ENetMultiplayerPeer, "is")
	check_equal(object as ENetMultiplayerPeer, null, "as")
	expect_no_error("is and as")


## Ends with the error.
func _take(taker: Variant, object: Variant) -> void:
	taker.take(object)
