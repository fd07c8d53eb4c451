## The class has the names, types and defaults of Godot 3.6's class reference, and little more.
extends TestSuite

const CLASS := &"NetworkedMultiplayerENet"
const TABLE := "res://tests/data/class_reference.json"
const TYPES := {
	"void": TYPE_NIL,
	"bool": TYPE_BOOL,
	"int": TYPE_INT,
	"Callable": TYPE_CALLABLE,
	"Dictionary": TYPE_DICTIONARY,
	"PackedInt32Array": TYPE_PACKED_INT32_ARRAY,
	"String": TYPE_STRING,
	"Error": TYPE_INT,
	"CompressionMode": TYPE_INT,
	"NetworkedMultiplayerENetHost": TYPE_OBJECT,
	"X509Certificate": TYPE_OBJECT,
	"CryptoKey": TYPE_OBJECT,
}
const NEW_NAMES := {
	"NetworkedMultiplayerPeer": &"MultiplayerPeerExtension",
	"PacketPeer": &"PacketPeer",
	"Reference": &"RefCounted",
	"Object": &"Object",
}
## What 3.6's base classes gave to it, with the number of arguments.
const INHERITED_METHODS := {
	"get_connection_status": 0,
	"get_packet_peer": 0,
	"get_unique_id": 0,
	"poll": 0,
	"set_target_peer": 1,
	"set_transfer_mode": 1,
	"get_transfer_mode": 0,
	"set_refuse_new_connections": 1,
	"is_refusing_new_connections": 0,
	"get_packet": 0,
	"put_packet": 1,
	"get_var": 1,
	"put_var": 2,
	"get_available_packet_count": 0,
	"get_packet_error": 0,
	"set_encode_buffer_max_size": 1,
	"get_encode_buffer_max_size": 0,
}
const INHERITED_PROPERTIES: Array[String] = [
	"transfer_mode", "refuse_new_connections", "encode_buffer_max_size"
]
const INHERITED_CONSTANTS := {
	"TRANSFER_MODE_UNRELIABLE": 0,
	"TRANSFER_MODE_UNRELIABLE_ORDERED": 1,
	"TRANSFER_MODE_RELIABLE": 2,
	"CONNECTION_DISCONNECTED": 0,
	"CONNECTION_CONNECTING": 1,
	"CONNECTION_CONNECTED": 2,
	"TARGET_PEER_BROADCAST": 0,
	"TARGET_PEER_SERVER": 1,
}
const SIGNALS := {
	"peer_connected": ["id"],
	"peer_disconnected": ["id"],
	"connection_succeeded": [],
	"connection_failed": [],
	"server_disconnected": [],
}

## What 3.6 does not have.
const NEW_PROPERTIES: Array[String] = [
	"admission_callback",
	"connect_timeout_msec",
	"connection_rate_limit",
	"flush_mode",
	"host",
	"max_buffered_bytes",
	"max_bytes_per_second",
	"max_connections_per_address",
	"max_packet_size",
	"max_packets_per_second",
	"max_stall_msec",
	"mtu",
	"performance_monitors",
	"query_info",
	"require_address_proof",
	"require_datagram_tags",
	"threaded",
]
const NEW_GETTERS := {
	"get_admission_callback": "Callable",
	"get_connect_timeout_msec": "int",
	"get_connection_error": "int",
	"get_connection_error_text": "String",
	"get_connection_rate_limit": "int",
	"get_flush_mode": "int",
	"get_host": "NetworkedMultiplayerENetHost",
	"get_kick_code": "int",
	"get_kick_text": "String",
	"get_local_port": "int",
	"get_max_buffered_bytes": "int",
	"get_max_bytes_per_second": "int",
	"get_max_connections_per_address": "int",
	"get_max_packet_size": "int",
	"get_max_packets_per_second": "int",
	"get_max_stall_msec": "int",
	"get_mtu": "int",
	"get_peer_disconnect_reason": "int",
	"get_peers": "PackedInt32Array",
	"get_query_info": "Dictionary",
	"get_received_bytes": "int",
	"get_require_address_proof": "int",
	"get_sent_bytes": "int",
	"get_statistics": "Dictionary",
	"has_performance_monitors": "bool",
	"is_requiring_datagram_tags": "bool",
	"is_threaded": "bool",
}
const NEW_METHODS: Array[String] = [
	"allow_address",
	"deny_address",
	"flush",
	"get_peer",
	"get_peer_statistics",
	"get_simulation",
	"kick_peer",
	"remove_address_rule",
	"set_admission_callback",
	"set_connect_timeout_msec",
	"set_connection_rate_limit",
	"set_default_peer_timeout",
	"set_flush_mode",
	"set_max_buffered_bytes",
	"set_max_bytes_per_second",
	"set_max_connections_per_address",
	"set_max_packet_size",
	"set_max_packets_per_second",
	"set_max_stall_msec",
	"set_mtu",
	"set_peer_throttle",
	"set_performance_monitors",
	"set_query_info",
	"set_require_address_proof",
	"set_require_datagram_tags",
	"set_threaded",
	"simulate",
]
const NEW_ENUM := "ConnectionError"
const NEW_CONSTANTS: Array[String] = [
	"CONNECTION_ERROR_NONE",
	"CONNECTION_ERROR_TIMED_OUT",
	"CONNECTION_ERROR_REFUSED",
	"CONNECTION_ERROR_NOT_RESOLVED",
	"CONNECTION_ERROR_CLOSED_BY_SERVER",
	"CONNECTION_ERROR_LOST",
	"CONNECTION_ERROR_CERTIFICATE_EXPIRED",
	"CONNECTION_ERROR_CERTIFICATE_NOT_YET_VALID",
	"CONNECTION_ERROR_WRONG_NAME",
	"CONNECTION_ERROR_UNTRUSTED",
	"CONNECTION_ERROR_NO_DTLS",
	"CONNECTION_ERROR_HANDSHAKE_TIMED_OUT",
	"CONNECTION_ERROR_HANDSHAKE_FAILED",
	"CONNECTION_ERROR_UNTAGGED",
	"CONNECTION_ERROR_MTU",
	"CONNECTION_ERROR_KICKED",
]

static var _table: Dictionary


func set_up() -> void:
	if _table.is_empty():
		_table = JSON.parse_string(FileAccess.get_file_as_string(TABLE))


func test_the_table_is_complete() -> void:
	check_equal(_table["class"], String(CLASS), "the class's name")
	check_equal(_table["properties"].size(), 8, "properties")
	check_equal(_table["methods"].size(), 12, "methods")
	check_equal(_table["enums"]["CompressionMode"].size(), 5, "constants")


func test_parents() -> void:
	check(ClassDB.class_exists(CLASS), "the class is there")
	check(ClassDB.can_instantiate(CLASS), "it can be instantiated")
	check_equal(ClassDB.get_parent_class(CLASS), &"MultiplayerPeerExtension", "the parent class")
	for parent: String in _table["inherits"]:
		check(ClassDB.is_parent_class(CLASS, NEW_NAMES[parent]), "a %s" % NEW_NAMES[parent])


func test_properties() -> void:
	var peer := NetworkedMultiplayerENet.new()
	for wanted: Dictionary in _table["properties"]:
		var property: String = wanted["name"]
		var found := _named(ClassDB.class_get_property_list(CLASS, true), property)
		check_equal(found.get("type"), TYPES[wanted["type"]], "type of " + property)
		var usage: int = found.get("usage", 0)
		check(usage & PROPERTY_USAGE_EDITOR != 0, property + " is shown")
		check_equal(peer.get(property), str_to_var(wanted["default"]), "default of " + property)
		var setter := ClassDB.class_get_property_setter(CLASS, property)
		check_equal(setter, StringName(wanted["setter"]), "setter of " + property)
		var getter := ClassDB.class_get_property_getter(CLASS, property)
		check_equal(getter, StringName(wanted["getter"]), "getter of " + property)


func test_no_other_properties() -> void:
	var names := _names(_table["properties"])
	for found in ClassDB.class_get_property_list(CLASS, true):
		var is_known: bool = found["name"] in names or found["name"] in NEW_PROPERTIES
		check(is_known, "%s is a property of 3.6, or one of ours" % found["name"])


func test_setters_and_getters() -> void:
	var peer := NetworkedMultiplayerENet.new()
	for wanted: Dictionary in _table["properties"]:
		_check_method(
			{"name": wanted["getter"], "returns": wanted["type"], "arguments": [], "const": true}
		)
		var argument := {"name": "value", "type": wanted["type"]}
		_check_method(
			{
				"name": wanted["setter"],
				"returns": "void",
				"arguments": [argument],
				"const": false,
			}
		)
		var other: Variant = _other(wanted)
		peer.call(wanted["setter"], other)
		check_equal(peer.call(wanted["getter"]), other, wanted["getter"])
		check_equal(peer.get(wanted["name"]), other, wanted["name"])
		peer.set(wanted["name"], str_to_var(wanted["default"]))
		check_equal(peer.call(wanted["getter"]), str_to_var(wanted["default"]), wanted["getter"])


func test_methods() -> void:
	for wanted: Dictionary in _table["methods"]:
		_check_method(wanted)


func test_no_other_methods() -> void:
	var names := _names(_table["methods"])
	names.append_array(NEW_GETTERS.keys() + NEW_METHODS)
	for property: Dictionary in _table["properties"]:
		names.append_array([property["setter"], property["getter"]])
	for found in ClassDB.class_get_method_list(CLASS, true):
		check(found["name"] in names, "%s is a method of 3.6, or one of ours" % found["name"])


func test_new_methods() -> void:
	for method: String in NEW_GETTERS:
		var returns: String = NEW_GETTERS[method]
		_check_method({"name": method, "returns": returns, "arguments": [], "const": true})
	var peer := NetworkedMultiplayerENet.new()
	check_equal(peer.get_connection_error(), NetworkedMultiplayerENet.CONNECTION_ERROR_NONE, "none")
	check_equal(peer.get_connection_error_text(), "", "nothing to tell")


func test_constants() -> void:
	for enum_name: String in _table["enums"]:
		var constants: Dictionary = _table["enums"][enum_name]
		check(ClassDB.class_has_enum(CLASS, enum_name, true), "the enum " + enum_name)
		var names := ClassDB.class_get_enum_constants(CLASS, enum_name, true)
		check_equal(names, PackedStringArray(constants.keys()), "names of " + enum_name)
		for constant: String in constants:
			var value := ClassDB.class_get_integer_constant(CLASS, constant)
			check_equal(value, int(constants[constant]), constant)
	check_equal(NetworkedMultiplayerENet.COMPRESS_ZSTD, 4, "a constant in a script")


func test_new_constants() -> void:
	check(ClassDB.class_has_enum(CLASS, NEW_ENUM, true), "the enum " + NEW_ENUM)
	var names := ClassDB.class_get_enum_constants(CLASS, NEW_ENUM, true)
	check_equal(names, PackedStringArray(NEW_CONSTANTS), "names of " + NEW_ENUM)
	for value in NEW_CONSTANTS.size():
		var found := ClassDB.class_get_integer_constant(CLASS, NEW_CONSTANTS[value])
		check_equal(found, value, NEW_CONSTANTS[value])


func test_signals() -> void:
	var peer := NetworkedMultiplayerENet.new()
	for signal_name: String in SIGNALS:
		check(peer.has_signal(signal_name), "the signal " + signal_name)
		var arguments := ClassDB.class_get_signal(CLASS, signal_name)["args"] as Array
		check_equal(_names(arguments), SIGNALS[signal_name], "arguments of " + signal_name)


func test_inherited_methods_and_properties() -> void:
	var peer := NetworkedMultiplayerENet.new()
	for method: String in INHERITED_METHODS:
		check(peer.has_method(method), "the method " + method)
		check_equal(
			peer.get_method_argument_count(method),
			INHERITED_METHODS[method],
			"arguments: " + method
		)
	for property in INHERITED_PROPERTIES:
		check(property in peer, "the property " + property)
	check_equal(peer.encode_buffer_max_size, 8 * 1024 * 1024, "encode_buffer_max_size")
	check_equal(peer.transfer_mode, MultiplayerPeer.TRANSFER_MODE_RELIABLE, "transfer_mode")
	check_equal(peer.refuse_new_connections, false, "refuse_new_connections")
	check_equal(peer.get_connection_status(), DISCONNECTED, "get_connection_status()")
	check_equal(peer.get_available_packet_count(), 0, "get_available_packet_count()")


func test_inherited_constants() -> void:
	for constant: String in INHERITED_CONSTANTS:
		var value := ClassDB.class_get_integer_constant(CLASS, constant)
		check_equal(value, INHERITED_CONSTANTS[constant], constant)


func _check_method(wanted: Dictionary) -> void:
	var method: String = wanted["name"]
	var found := _named(ClassDB.class_get_method_list(CLASS, true), method)
	if not check(not found.is_empty(), "the method %s" % method):
		return
	check_equal(found["return"]["type"], TYPES[wanted["returns"]], "type of %s()" % method)
	check_equal(found["flags"] & METHOD_FLAG_CONST != 0, wanted["const"], method + "() is const")
	if wanted["returns"] == "Error":
		check_equal(found["return"]["class_name"], &"Error", "enum of %s()" % method)
	var arguments: Array = wanted["arguments"]
	check_equal(found["args"].size(), arguments.size(), "arguments of %s()" % method)
	var defaults: Array = []
	for index in mini(arguments.size(), found["args"].size()):
		var got: Dictionary = found["args"][index]
		var want: Dictionary = arguments[index]
		check_equal(got["name"], want["name"], "argument %d of %s()" % [index, method])
		check_equal(got["type"], TYPES[want["type"]], "type of %s of %s()" % [want["name"], method])
		if got["type"] == TYPE_OBJECT:
			check_equal(got["class_name"], StringName(want["type"]), "class of " + want["name"])
		if want.has("default"):
			defaults.append(str_to_var(want["default"]))
	check_equal(found["default_args"], defaults, "defaults of %s()" % method)


## A legal value that is not the default.
func _other(property: Dictionary) -> Variant:
	match property["type"]:
		"bool":
			return property["default"] != "true"
		"String":
			return "another"
	return 2 if property["name"] == "transfer_channel" else 4


func _names(list: Array) -> Array:
	return list.map(func(each: Dictionary) -> String: return each["name"])


func _named(list: Array[Dictionary], wanted: String) -> Dictionary:
	for each in list:
		if each["name"] == wanted:
			return each
	return {}
