## What each call answers, and whether it prints an error, in every state of a connection: as in
## Godot 3.6, and where a member is Godot 4's, as ENetMultiplayerPeer.
extends TestSuite

const ENGINE := &"ENetMultiplayerPeer"
const OURS := &"NetworkedMultiplayerENet"
const STATES: Array[String] = ["closed", "connecting", "client", "server", "after close"]
## An answer that is another in each run.
const ANY := "any"
const RELIABLE := MultiplayerPeer.TRANSFER_MODE_RELIABLE
const NOBODY := 77

static var _no_packet := PackedByteArray()

## Method, arguments, and for each state the answer and whether an error comes with it. Godot 3.6's,
## and those of members that only this class has.
var table: Array[Array] = [
	["get_connection_status", [], [0, 1, 2, 2, 0], [0, 0, 0, 0, 0]],
	["get_available_packet_count", [], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]],
	["get_unique_id", [], [0, ANY, ANY, 1, 0], [1, 0, 0, 0, 1]],
	[
		"get_packet",
		[],
		[_no_packet, _no_packet, _no_packet, _no_packet, _no_packet],
		[1, 1, 1, 1, 1]
	],
	["get_packet_peer", [], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1]],
	["get_packet_channel", [], [-1, -1, -1, -1, -1], [1, 1, 1, 1, 1]],
	["get_packet_mode", [], [RELIABLE, RELIABLE, RELIABLE, RELIABLE, RELIABLE], [1, 1, 1, 1, 1]],
	["get_last_packet_channel", [], [-1, -1, -1, -1, -1], [1, 1, 1, 1, 1]],
	["put_packet", [PackedByteArray([1])], [3, 3, 0, 0, 3], [1, 1, 0, 0, 1]],
	["put_packet", [_no_packet], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]],
	["get_peer_address", [1], ["", LOCALHOST, LOCALHOST, "", ""], [1, 0, 0, 1, 1]],
	["get_local_port", [], [0, ANY, ANY, ANY, 0], [1, 0, 0, 0, 1]],
	["get_peer_address", [NOBODY], ["", "", "", "", ""], [1, 1, 1, 1, 1]],
	["get_peer_port", [1], [0, ANY, ANY, 0, 0], [1, 0, 0, 1, 1]],
	["get_peer_port", [NOBODY], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]],
	[
		"set_peer_timeout",
		[NOBODY, 32, 5000, 30000],
		[null, null, null, null, null],
		[1, 1, 1, 1, 1]
	],
	["set_peer_throttle", [NOBODY, 5000, 2, 2], [null, null, null, null, null], [1, 1, 1, 1, 1]],
	["set_peer_throttle", [1, 5000, 2, 2], [null, null, null, null, null], [1, 1, 0, 1, 1]],
	["disconnect_peer", [NOBODY], [null, null, null, null, null], [1, 1, 1, 1, 1]],
	["disconnect_peer", [1], [null, null, null, null, null], [1, 1, 1, 1, 1]],
	["flush", [], [null, null, null, null, null], [1, 0, 0, 0, 1]],
	["poll", [], [null, null, null, null, null], [1, 0, 0, 0, 1]],
	["get_sent_bytes", [], [0, ANY, ANY, ANY, 0], [1, 0, 0, 0, 1]],
	["get_received_bytes", [], [0, ANY, ANY, ANY, 0], [1, 0, 0, 0, 1]],
	["get_connection_error", [], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]],
	["get_connection_error_text", [], ["", "", "", "", ""], [0, 0, 0, 0, 0]],
	["create_server", [-1], [31, 22, 22, 22, 31], [1, 1, 1, 1, 1]],
	["create_client", ["127.0.0.1", 65536], [31, 22, 22, 22, 31], [1, 1, 1, 1, 1]],
	["allow_address", ["192.0.2.0/24"], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]],
	["deny_address", ["192.0.2.7"], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]],
	["deny_address", ["localhost"], [31, 31, 31, 31, 31], [1, 1, 1, 1, 1]],
	["remove_address_rule", ["192.0.2.7"], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]],
	["set_bind_ip", ["127.0.0.1"], [null, null, null, null, null], [0, 0, 0, 0, 0]],
	["set_dtls_key", [null], [null, null, null, null, null], [0, 1, 1, 1, 0]],
	["set_dtls_certificate", [null], [null, null, null, null, null], [0, 1, 1, 1, 0]],
	["close_connection", [], [null, null, null, null, null], [0, 0, 0, 0, 0]],
]

## Property, a value, and in which states it can be set to that.
var settings: Array[Array] = [
	["always_ordered", true, [1, 1, 1, 1, 1]],
	["channel_count", 5, [1, 0, 0, 0, 1]],
	["channel_count", 2, [0, 0, 0, 0, 0]],
	["channel_count", 256, [0, 0, 0, 0, 0]],
	["compression_mode", 4, [1, 1, 1, 1, 1]],
	["compression_mode", 5, [0, 0, 0, 0, 0]],
	["connection_rate_limit", 0, [1, 1, 1, 1, 1]],
	["connection_rate_limit", 1001, [0, 0, 0, 0, 0]],
	["dtls_hostname", "name", [1, 0, 0, 0, 1]],
	["dtls_verify", false, [1, 0, 0, 0, 1]],
	["flush_mode", 1, [1, 1, 1, 1, 1]],
	["flush_mode", 2, [0, 0, 0, 0, 0]],
	["max_connections_per_address", 4095, [1, 1, 1, 1, 1]],
	["max_connections_per_address", -1, [0, 0, 0, 0, 0]],
	["mtu", 576, [1, 0, 0, 0, 1]],
	["mtu", 575, [0, 0, 0, 0, 0]],
	["mtu", 1393, [0, 0, 0, 0, 0]],
	["max_buffered_bytes", 1048576, [1, 1, 1, 1, 1]],
	["max_buffered_bytes", 0, [0, 0, 0, 0, 0]],
	["max_bytes_per_second", 1000000000, [1, 1, 1, 1, 1]],
	["max_bytes_per_second", -1, [0, 0, 0, 0, 0]],
	["max_packet_size", 65536, [1, 1, 1, 1, 1]],
	["max_packet_size", 0, [0, 0, 0, 0, 0]],
	["max_packets_per_second", 1000000, [1, 1, 1, 1, 1]],
	["max_packets_per_second", -1, [0, 0, 0, 0, 0]],
	["require_address_proof", 2, [1, 1, 1, 1, 1]],
	["require_address_proof", 3, [0, 0, 0, 0, 0]],
	["require_datagram_tags", true, [1, 0, 0, 0, 1]],
	["server_relay", false, [1, 0, 0, 0, 1]],
	["transfer_channel", 2, [1, 1, 1, 1, 1]],
	["transfer_channel", 0, [0, 0, 0, 0, 0]],
	["transfer_channel", 3, [0, 0, 0, 0, 0]],
	["use_dtls", true, [1, 0, 0, 0, 1]],
	["transfer_mode", 0, [1, 1, 1, 1, 1]],
	["refuse_new_connections", true, [1, 1, 1, 1, 1]],
]

## Members of Godot 4 and their arguments, which answer as the engine's own class in every state.
var inherited: Array[Array] = [
	["get_connection_status", []],
	["get_available_packet_count", []],
	["get_packet", []],
	["get_packet_error", []],
	["get_packet_mode", []],
	["get_packet_peer", []],
	["get_transfer_mode", []],
	["get_var", []],
	["is_refusing_new_connections", []],
	["poll", []],
	["put_packet", [PackedByteArray([1])]],
	["put_var", ["text"]],
	["set_target_peer", [NOBODY]],
	["close", []],
]

var _others: Array[MultiplayerPeer] = []


func set_up() -> void:
	deadline = 60.0


func test_methods() -> void:
	for index in STATES.size():
		for row in table:
			var peer := await in_state(OURS, index)
			var got: Variant = peer.callv(row[0], row[1])
			var what := "%s: %s%s" % [STATES[index], row[0], row[1]]
			if row[2][index] is not String or row[2][index] != ANY:
				check_equal(got, row[2][index], what)
			if row[3][index] == 1:
				expect_error("NetworkedMultiplayerENet.%s: " % row[0], what)
			expect_no_error(what)
			_end()


func test_settings() -> void:
	for index in STATES.size():
		for row in settings:
			var peer := await in_state(OURS, index)
			var before: Variant = peer.get(row[0])
			peer.set(row[0], row[1])
			var what := "%s: %s = %s" % [STATES[index], row[0], row[1]]
			check_equal(peer.get(row[0]), row[1] if row[2][index] == 1 else before, what)
			if row[2][index] == 0:
				expect_error("NetworkedMultiplayerENet.", what)
			expect_no_error(what)
			_end()


func test_inherited_members_beside_the_engines_own_class() -> void:
	for index in STATES.size():
		for row in inherited:
			var outcomes := {}
			for kind: StringName in [ENGINE, OURS]:
				var peer := await in_state(kind, index)
				var got: Variant = peer.callv(row[0], row[1])
				var errors: int = 0 if error_log == null else error_log.reset().size()
				outcomes[kind] = [got, errors, peer.get_connection_status()]
				_end()
			var what := "%s: %s%s" % [STATES[index], row[0], row[1]]
			check_equal(outcomes[OURS], outcomes[ENGINE], what)


## As in Godot 3.6 it stays until the next connection; the engine's own class ends it with `close`.
func test_refuse_new_connections_after_close() -> void:
	for kind: StringName in [ENGINE, OURS]:
		var peer := await in_state(kind, STATES.find("server"))
		peer.refuse_new_connections = true
		peer.close()
		check_equal(peer.refuse_new_connections, kind == OURS, "%s after close" % kind)
		peer.refuse_new_connections = true
		peer.call("create_server", free_port())
		check_equal(peer.refuse_new_connections, false, "%s created anew" % kind)
		_end()


## Nobody has port 0, but it is a number in the range, as in Godot 3.6.
func test_port_0() -> void:
	var peer := await in_state(OURS, STATES.find("closed"))
	check_equal(peer.call("create_client", LOCALHOST, 0), OK, "create_client")
	check_equal(peer.get_connection_status(), CONNECTING, "the status")
	_end()
	check_equal(peer.call("create_server", 0), OK, "create_server")


func test_the_connection_error_and_close() -> void:
	var peer := await in_state(OURS, STATES.find("client"))
	peer.close()
	check_equal(peer.call("get_connection_error"), 0, "after a client's own close")
	check_equal(peer.call("create_client", "not a name", 9), ERR_CANT_RESOLVE, "create_client")
	expect_error("no address for")
	var failed: int = NetworkedMultiplayerENet.CONNECTION_ERROR_NOT_RESOLVED
	check_equal(peer.call("get_connection_error"), failed, "behind a failed attempt")
	peer.call("close_connection")
	check_equal(peer.call("get_connection_error"), failed, "which was over already")
	check_equal(peer.call("create_server", free_port()), OK, "create_server")
	check_equal(peer.call("get_connection_error"), 0, "of the next connection")
	_end()


## A peer of this class in the state of this number.
func in_state(kind: StringName, index: int) -> MultiplayerPeer:
	var peer: MultiplayerPeer = ClassDB.instantiate(kind)
	_others = [peer]
	var port := free_port()
	match STATES[index]:
		"connecting":
			peer.call("create_client", LOCALHOST, port)
		"server":
			peer.call("create_server", port)
		"client":
			var server: MultiplayerPeer = ClassDB.instantiate(kind)
			_others.append(server)
			server.call("create_server", port)
			peer.call("create_client", LOCALHOST, port)
			polled.append(server)
			polled.append(peer)
			await wait_until(is_connected_peer.bind(peer), 5.0, "a client")
			polled.clear()
		"after close":
			peer.call("create_server", port)
			peer.close()
	return peer


func _end() -> void:
	for peer in _others:
		peer.close()
	_others.clear()
