# gdlint: disable=max-public-methods
## Every misuse prints one error that says what to do, answers as Godot 3.6, and changes nothing.
extends TestSuite

const NOBODY := 77
## An address for documentation, which no machine has.
const FOREIGN := "203.0.113.7"
const LARGEST_PACKET := 16 * 1024 * 1024
const MODE := MultiplayerPeer.TRANSFER_MODE_UNRELIABLE


func test_without_a_connection() -> void:
	var peer := new_peer()
	var data := PackedByteArray([1])
	var remedy := "call create_server() or create_client() first"
	_refuse(peer, peer.poll, null, ["poll", remedy])
	_refuse(peer, peer.put_packet.bind(data), ERR_UNCONFIGURED, ["put_packet", remedy])
	_refuse(peer, peer.get_unique_id, 0, ["get_unique_id", remedy])
	_refuse(peer, peer.disconnect_peer.bind(2), null, ["disconnect_peer", remedy])
	_refuse(peer, peer.get_peer_address.bind(1), "", ["get_peer_address", remedy])
	_refuse(peer, peer.get_peer_port.bind(1), 0, ["get_peer_port", remedy])
	_refuse(peer, peer.set_peer_timeout.bind(1, 1, 2, 3), null, ["set_peer_timeout", remedy])
	_refuse(peer, peer.get_sent_bytes, 0, ["get_sent_bytes", remedy])
	_refuse(peer, peer.get_received_bytes, 0, ["get_received_bytes", remedy])
	_refuse(peer, peer.get_packet, PackedByteArray(), ["get_packet", remedy])
	check_equal(peer.get_packet_error(), ERR_UNCONFIGURED, "get_packet_error()")
	_check_no_packet(peer)
	check_equal(peer.create_server(free_port()), OK, "a server afterwards")


func test_without_a_packet() -> void:
	var peers := await connected()
	for peer in peers:
		var remedy := "get_available_packet_count() is above 0"
		_refuse(peer, peer.get_packet, PackedByteArray(), ["get_packet", remedy])
		check_equal(peer.get_packet_error(), ERR_UNAVAILABLE, "get_packet_error()")
		_check_no_packet(peer)
	await _check_talk(peers)


func test_create_server_arguments() -> void:
	var peer := new_peer()
	var wrong := {
		"port is -1; a port is a number from 0 to 65535": [-1],
		"port is 65536; a port is a number from 0 to 65535": [65536],
		"max_clients is 0; it must be between 1 and 4095": [0, 0],
		"max_clients is -1; it must be between 1 and 4095": [0, -1],
		"max_clients is 4096; it must be between 1 and 4095": [0, 4096],
		"in_bandwidth is -1; give a limit in bytes per second": [0, 32, -1],
		"out_bandwidth is -5; give a limit in bytes per second": [0, 32, 0, -5],
		"out_bandwidth is 4294967296; give a limit": [0, 32, 0, 4294967296],
	}
	for message: String in wrong:
		var call := peer.create_server.bindv(wrong[message])
		_refuse(peer, call, ERR_INVALID_PARAMETER, ["create_server", message])
	check_equal(peer.create_server(free_port(), 4095), OK, "the largest server afterwards")


## ENetMultiplayerPeer takes a number of channels where this class takes a bandwidth.
func test_a_number_of_channels_as_a_bandwidth() -> void:
	var part := "looks like the number of channels that ENetMultiplayerPeer"
	for count: int in [1, 3, 255]:
		for arguments: Array in [[0, 32, count], [0, 32, 0, count]]:
			_warn("create_server", arguments, [part, "channel_count = %d" % count])
		for arguments: Array in [
			[LOCALHOST, 9, count],
			[LOCALHOST, 9, 0, count],
			[LOCALHOST, 9, count, 0, 0],
			[LOCALHOST, 9, count, 60000, 0],
		]:
			_warn("create_client", arguments, [part, "channel_count = %d" % count])
	for arguments: Array in [[0], [0, 32, 0, 0], [0, 32, 256, 256], [0, 32, 100000, 4294967295]]:
		_warn("create_server", arguments, [])
	_warn("create_client", [LOCALHOST, 9, 256, 56000, 0], [])


func _warn(method: String, arguments: Array, parts: Array) -> void:
	var peer := TestPeer.make()
	check_equal(peer.callv(method, arguments), OK, "%s%s" % [method, arguments])
	expect_warning(([method] if parts else []) + parts, "%s%s" % [method, arguments])
	peer.close()


func test_create_client_arguments() -> void:
	var peer := new_peer()
	var wrong := {
		"port is -1; a port is a number from 0 to 65535": [-1],
		"port is 65536; a port is a number from 0 to 65535": [65536],
		"in_bandwidth is -2; give a limit in bytes per second": [9, -2],
		"out_bandwidth is -3; give a limit in bytes per second": [9, 0, -3],
		"client_port is -4; a port is a number from 0 to 65535": [9, 0, 0, -4],
		"client_port is 70000; a port is a number from 0 to 65535": [9, 0, 0, 70000],
	}
	for message: String in wrong:
		var call := peer.create_client.bindv([LOCALHOST] + wrong[message])
		_refuse(peer, call, ERR_INVALID_PARAMETER, ["create_client", message])
	check_equal(peer.create_client(LOCALHOST, free_port()), OK, "a client afterwards")


func test_create_client_with_no_host_name() -> void:
	var peer := new_peer()
	for address: String in ["", "not a name", "http://localhost", "127.0.0.1:80", "[::1]"]:
		var call := peer.create_client.bind(address, free_port())
		var parts: Array[String] = ["create_client", '"%s"' % address, "bare host name"]
		_refuse(peer, call, ERR_CANT_RESOLVE, parts)
	check_equal(peer.create_client(LOCALHOST, free_port()), OK, "a client afterwards")


func test_a_second_connection() -> void:
	var peers := await connected()
	var port := free_port()
	for peer in peers:
		var remedy := "call close_connection() first"
		var serve_again := peer.create_server.bind(port)
		_refuse(peer, serve_again, ERR_ALREADY_IN_USE, ["create_server", remedy])
		var connect_again := peer.create_client.bind(LOCALHOST, port)
		_refuse(peer, connect_again, ERR_ALREADY_IN_USE, ["create_client", remedy])
	await _check_talk(peers)


func test_a_second_connection_while_connecting() -> void:
	var peer := new_peer()
	check_equal(peer.create_client(LOCALHOST, free_port()), OK, "create_client")
	var call := peer.create_client.bind(LOCALHOST, free_port())
	_refuse(peer, call, ERR_ALREADY_IN_USE, ["create_client", "call close_connection() first"])
	check_equal(peer.get_connection_status(), CONNECTING, "the first attempt goes on")


func test_a_port_in_use() -> void:
	var first := new_peer()
	var port := serve(first)
	var second := new_peer()
	var parts: Array[String] = ["create_server", str(port), "in use"]
	_refuse(second, second.create_server.bind(port), ERR_CANT_CREATE, parts)
	var client := second.create_client.bind(LOCALHOST, port, 0, 0, port)
	_refuse(second, client, ERR_CANT_CREATE, ["create_client", str(port), "in use"])
	first.close_connection()
	check_equal(second.create_server(port), OK, "when the port is free")


func test_bind_addresses() -> void:
	var peer := new_peer()
	for text: String in ["", "localhost", "1.2.3", "1.2.3.4.5", "300.1.1.1", "[::1]"]:
		var call := peer.set_bind_ip.bind(text)
		_refuse(peer, call, null, ["set_bind_ip", '"%s" is not an IP address' % text, '"*"'])
	peer.set_bind_ip(FOREIGN)
	var remedy := "use one of its own"
	var server := peer.create_server.bind(free_port())
	_refuse(peer, server, ERR_INVALID_PARAMETER, ["create_server", FOREIGN, remedy])
	var client := peer.create_client.bind(LOCALHOST, free_port())
	_refuse(peer, client, ERR_CANT_CREATE, ["create_client", FOREIGN, remedy])
	peer.set_bind_ip("*")
	check_equal(peer.create_server(free_port()), OK, "with all addresses")


func test_settings_of_an_open_connection() -> void:
	var peers := await connected()
	for peer in peers:
		var setters := {
			"set_channel_count": 5,
			"set_server_relay_enabled": false,
			"set_dtls_enabled": true,
			"set_dtls_verify_enabled": false,
			"set_dtls_hostname": "name",
			"set_dtls_key": CryptoKey.new(),
			"set_dtls_certificate": X509Certificate.new(),
		}
		for setter: String in setters:
			var call := Callable(peer, setter).bind(setters[setter])
			_refuse(peer, call, null, [setter, "call close_connection() first"])
	await _check_talk(peers)
	peers[0].close_connection()
	peers[0].channel_count = 5
	check_equal(peers[0].channel_count, 5, "channel_count of a closed peer")


func test_settings_that_may_change_at_any_time() -> void:
	var peers := await connected()
	for peer in peers:
		peer.always_ordered = true
		peer.transfer_channel = 2
		peer.compression_mode = NetworkedMultiplayerENet.COMPRESS_NONE
		peer.set_bind_ip(LOCALHOST)
		check_equal(peer.always_ordered, true, "always_ordered")
		check_equal(peer.transfer_channel, 2, "transfer_channel")
		check_equal(peer.compression_mode, 0, "compression_mode")
	await _check_talk(peers)


func test_values_of_settings() -> void:
	var peer := new_peer()
	for count: int in [-1, 0, 2, 256, 1 << 40]:
		var call := peer.set_channel_count.bind(count)
		_refuse(peer, call, null, ["set_channel_count", str(count), "use a number from 3 to 255"])
	for mode: int in [-1, 5, 1 << 32]:
		var call := peer.set_compression_mode.bind(mode)
		_refuse(peer, call, null, ["set_compression_mode", str(mode), "COMPRESS_*"])
	_refuse(
		peer,
		peer.set_transfer_channel.bind(0),
		null,
		["set_transfer_channel", "channel 0 is reserved", "-1"]
	)
	for channel: int in [-2, 3, 256, 1 << 40]:
		var call := peer.set_transfer_channel.bind(channel)
		_refuse(peer, call, null, ["set_transfer_channel", str(channel), "channel_count"])
	peer.channel_count = 255
	peer.transfer_channel = 254
	check_equal(peer.transfer_channel, 254, "the highest channel")


func test_a_transfer_mode_that_does_not_exist() -> void:
	var peer := new_peer()
	for mode: int in [-1, 3, 1 << 31]:
		var call := peer.set.bind("transfer_mode", mode)
		_refuse(peer, call, null, ["set_transfer_mode", "no transfer mode", "TRANSFER_MODE_*"])


func test_disconnect_peer() -> void:
	var peers := await connected(2)
	var client := peers[1]
	for id: int in [0, 1, -1, NOBODY, 1 << 40]:
		for now: bool in [false, true]:
			var call := peers[0].disconnect_peer.bind(id, now)
			_refuse(peers[0], call, null, ["disconnect_peer", str(id), "peer_connected"])
	for id: int in [1, client.get_unique_id(), peers[2].get_unique_id(), NOBODY]:
		var call := client.disconnect_peer.bind(id)
		_refuse(client, call, null, ["disconnect_peer", "only a server", "close_connection()"])
	await _check_talk(peers)


func test_facts_about_unknown_peers() -> void:
	var peers := await connected(2)
	var relayed := peers[2].get_unique_id()
	for id: int in [0, -1, NOBODY, 1 << 40]:
		for peer in peers:
			_refuse(peer, peer.get_peer_address.bind(id), "", ["get_peer_address", str(id)])
			_refuse(peer, peer.get_peer_port.bind(id), 0, ["get_peer_port", str(id)])
			var call := peer.set_peer_timeout.bind(id, 32, 5000, 30000)
			_refuse(peer, call, null, ["set_peer_timeout", str(id), "peer_connected"])
	var client := peers[1]
	var reason := "a connection only to the server (1)"
	_refuse(client, client.get_peer_address.bind(relayed), "", ["get_peer_address", reason])
	_refuse(client, client.get_peer_port.bind(relayed), 0, ["get_peer_port", reason])
	var timeout := client.set_peer_timeout.bind(relayed, 32, 5000, 30000)
	_refuse(client, timeout, null, ["set_peer_timeout", str(relayed), reason])
	await _check_talk(peers)


func test_timeout_values() -> void:
	var peers := await connected()
	for values: Array in [[-1, 1, 2], [-3, -2, -1], [3, 2, 4], [1, 5, 4], [1, 1, -1]]:
		var call := peers[1].set_peer_timeout.bindv([1] + values)
		var parts: Array[String] = ["set_peer_timeout", "no larger than the next"]
		for value: int in values:
			parts.append("(%d)" % value)
		_refuse(peers[1], call, null, parts)
	peers[1].set_peer_timeout(1, 32, 5000, 30000)
	peers[1].set_peer_timeout(1, 0, 0, 0)
	await _check_talk(peers)


func test_put_packet_while_connecting() -> void:
	var client := new_peer()
	check_equal(client.create_client(LOCALHOST, free_port()), OK, "create_client")
	var call := client.put_packet.bind(PackedByteArray([1]))
	_refuse(client, call, ERR_UNCONFIGURED, ["put_packet", "wait for connection_succeeded"])


func test_put_packet_targets() -> void:
	var peers := await connected(2)
	var data := PackedByteArray([1])
	for peer in peers:
		for target: int in [NOBODY, -NOBODY]:
			peer.set_target_peer(target)
			var parts: Array[String] = ["put_packet", str(target), "peer_connected"]
			_refuse(peer, peer.put_packet.bind(data), ERR_INVALID_PARAMETER, parts)
		peer.set_target_peer(-2147483648)
		var call := peer.put_packet.bind(data)
		_refuse(peer, call, ERR_INVALID_PARAMETER, ["put_packet", "-2147483648"])
		peer.set_target_peer(0)
	await _check_talk(peers)


func test_put_packet_channels() -> void:
	var peers := await connected()
	var base: MultiplayerPeer = peers[1]
	for channel: int in [3, 255, 256, -2]:
		base.set_transfer_channel(channel)
		var call := base.put_packet.bind(PackedByteArray([1]))
		_refuse(
			peers[1], call, ERR_INVALID_PARAMETER, ["put_packet", str(channel), "channel_count"]
		)
	base.set_transfer_channel(0)
	await _check_talk(peers)


func test_put_packet_size() -> void:
	var peers := await connected()
	var data := PackedByteArray()
	data.resize(LARGEST_PACKET + 1)
	var call := peers[1].put_packet.bind(data)
	_refuse(peers[1], call, ERR_INVALID_PARAMETER, ["put_packet", str(data.size())])
	await _check_talk(peers)


func test_calls_that_are_harmless_without_a_connection() -> void:
	var peer := new_peer()
	peer.close_connection()
	peer.close_connection(-1)
	peer.close()
	peer.refuse_new_connections = true
	peer.set_target_peer(5)
	peer.transfer_mode = MODE
	check_equal(peer.put_packet(PackedByteArray()), OK, "a packet of 0 bytes")
	check_equal(peer.get_connection_status(), DISCONNECTED, "the status")


## Makes a wrong call: what it answers, what it prints, and that nothing has changed.
func _refuse(peer: NetworkedMultiplayerENet, wrong: Callable, want: Variant, parts: Array) -> void:
	var what: String = parts[0]
	# As a text, a packet would be many times as long.
	if not wrong.get_bound_arguments().any(
		func(argument: Variant) -> bool: return argument is PackedByteArray
	):
		what += str(wrong.get_bound_arguments())
	var before := _state(peer)
	check_equal(wrong.call(), want, what)
	parts[0] = "NetworkedMultiplayerENet.%s: " % parts[0]
	expect_error(parts, what)
	check_equal(_state(peer), before, what + " changes nothing")
	expect_no_error(what)


func _check_no_packet(peer: NetworkedMultiplayerENet) -> void:
	var remedy := "get_available_packet_count() is above 0"
	_refuse(peer, peer.get_packet_peer, 1, ["get_packet_peer", remedy])
	_refuse(peer, peer.get_packet_channel, -1, ["get_packet_channel", remedy])
	var mode := MultiplayerPeer.TRANSFER_MODE_RELIABLE
	_refuse(peer, peer.get_packet_mode, mode, ["get_packet_mode", remedy])
	_refuse(peer, peer.get_last_packet_channel, -1, ["get_last_packet_channel", "get_packet()"])


func _state(peer: NetworkedMultiplayerENet) -> Dictionary:
	var state := {}
	for property in ClassDB.class_get_property_list(&"NetworkedMultiplayerENet"):
		# Another object each time, of the same connection.
		if property["name"] != "host":
			state[property["name"]] = peer.get(property["name"])
	state["status"] = peer.get_connection_status()
	state["packets"] = peer.get_available_packet_count()
	state["id"] = 0 if peer.get_connection_status() == DISCONNECTED else peer.get_unique_id()
	state["signals"] = events(peer).duplicate()
	return state


## The connection still works, both ways.
func _check_talk(peers: Array[NetworkedMultiplayerENet]) -> void:
	for from in peers:
		from.set_target_peer(0)
		from.transfer_mode = MultiplayerPeer.TRANSFER_MODE_RELIABLE
		check_equal(from.put_packet("hello".to_utf8_buffer()), OK, "put_packet afterwards")
		for to in peers:
			if to != from:
				var text := (await receive(to)).get_string_from_utf8()
				check_equal(text, "hello", "a packet afterwards")
