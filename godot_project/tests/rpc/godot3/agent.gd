# Plays a game of Godot 3.6 as scripts/rpc orders over a TCP connection, and reports each call that comes in.
#
# ../agent.gd is the same program for Godot 4; keep the two alike. One order or report is a line of JSON.
extends SceneTree

const Plain := preload("res://tests/rpc/plain.gd")
const Samples := preload("res://tests/rpc/samples.gd")

var control := StreamPeerTCP.new()
var waiting := PoolByteArray()
var introduced := false
var me := ""
var peer: NetworkedMultiplayerENet = null
# Without a MultiplayerAPI: packets are reported as they are.
var is_raw := false
var greets := false
var samples := Samples.all()


func _initialize() -> void:
	Engine.target_fps = 250
	var port := 0
	for word in OS.get_cmdline_args():
		if word.begins_with("--control="):
			port = int(word.trim_prefix("--control="))
		elif word.begins_with("--name="):
			me = word.trim_prefix("--name=")
	multiplayer.connect("network_peer_connected", self, "_on_peer_connected")
	multiplayer.connect("network_peer_disconnected", self, "_on_peer_disconnected")
	multiplayer.connect("connected_to_server", self, "_on_event", ["connected_to_server"])
	multiplayer.connect("connection_failed", self, "_on_event", ["connection_failed"])
	multiplayer.connect("server_disconnected", self, "_on_event", ["server_disconnected"])
	multiplayer.connect("network_peer_packet", self, "_on_packet")
	control.connect_to_host("127.0.0.1", port)
	connect("idle_frame", self, "_tick")


func _tick() -> void:
	if is_raw and peer != null:
		_read_raw_packets()
	if control.get_status() == StreamPeerTCP.STATUS_CONNECTING:
		return
	if control.get_status() != StreamPeerTCP.STATUS_CONNECTED:
		quit()
		return
	if not introduced:
		introduced = true
		control.set_no_delay(true)
		report({"event": "here", "name": me})
	var size := control.get_available_bytes()
	if size > 0:
		waiting.append_array(control.get_data(size)[1])
	while true:
		var end := waiting.find(10)
		if end < 0:
			return
		var line := waiting.subarray(0, end).get_string_from_utf8()
		if end + 1 == waiting.size():
			waiting = PoolByteArray()
		else:
			waiting = waiting.subarray(end + 1, waiting.size() - 1)
		var order: Dictionary = Plain.whole_numbers(JSON.parse(line).result)
		report({"event": "reply", "number": order["number"], "result": _obey(order)})


# --- Orders -------------------------------------------------------------------------------------------


# Does what an order says, and gives its result.
func _obey(order: Dictionary):
	match order["do"]:
		"open":
			return _open(order)
		"leave":
			return _leave()
		"add":
			return _add(order)
		"free":
			root.get_node(order["node"]).free()
		"batch":
			for each in order["orders"]:
				_obey(each)
		"call":
			return Plain.plain(_target(order).callv(order["method"], _values(order["arguments"])))
		"get":
			return Plain.plain(_target(order).get(order["property"]))
		"set":
			_target(order).set(order["property"], _value(order["value"]))
		"samples":
			var found := {}
			for name in samples:
				found[name] = [Plain.plain(samples[name]), var2bytes(samples[name]).hex_encode()]
			return found
		"add_many":
			return _add_many(order)
		"quit":
			_leave()
			quit()
	return null


# Starts a server or a client.
func _open(order: Dictionary) -> int:
	peer = NetworkedMultiplayerENet.new()
	for property in order["peer"]:
		peer.set(property, order["peer"][property])
	var error: int
	if order["server"]:
		error = peer.create_server(order["port"], 8)
	else:
		error = peer.create_client("127.0.0.1", order["port"])
	greets = order["greets"]
	is_raw = order["raw"]
	if is_raw:
		peer.connect("peer_connected", self, "_on_peer_connected")
	else:
		network_peer = peer
	report({"event": "id", "id": peer.get_unique_id()})
	return error


func _leave() -> void:
	if peer == null:
		return
	network_peer = null
	peer.close_connection()
	peer = null


# Adds a node with a script of this folder; `.` is the root itself.
func _add(order: Dictionary) -> String:
	var path: String = order["node"]
	if path == ".":
		root.set_script(load("res://tests/rpc/%s.gd" % order["script"]))
		return "."
	var node: Node = load("res://tests/rpc/%s.gd" % order["script"]).new()
	var parent: Node = root
	var cut := path.find_last("/")
	if cut >= 0:
		parent = root.get_node(path.left(cut))
	if order.get("automatic", false):
		parent.add_child(node)
		return str(root.get_path_to(node))
	node.name = path.substr(cut + 1)
	parent.add_child(node)
	return str(root.get_path_to(node))


# Adds a node with a method for each number of arguments.
func _add_many(order: Dictionary) -> void:
	var source := "extends Node\n"
	for count in order["counts"]:
		var names := PoolStringArray()
		for i in count:
			names.append("a%d" % i)
		var list := names.join(", ")
		source += "remote func take_%d(%s):\n" % [count, list]
		source += "\tget_tree().note(self, 'take_%d', [%s])\n" % [count, list]
	var script := GDScript.new()
	script.source_code = source
	script.reload()
	var node := Node.new()
	node.set_script(script)
	node.name = order["node"]
	root.add_child(node)


func _target(order: Dictionary) -> Object:
	match order["on"]:
		"api":
			return multiplayer
		"peer":
			return peer
	return root.get_node(order["on"])


func _values(list: Array) -> Array:
	var found := []
	for each in list:
		found.append(_value(each))
	return found


# What an order means by an argument.
func _value(each):
	if each is Dictionary:
		if each.has("sample"):
			return samples[each["sample"]]
		if each.has("bytes"):
			return Plain.unhex(each["bytes"])
		if each.has("new"):
			return ClassDB.instance(each["new"])
		if each.has("node"):
			return root.get_node(each["node"])
	return each


# --- Reports ------------------------------------------------------------------------------------------


# A method of a node was called.
func note(node: Node, method: String, arguments: Array) -> void:
	var list := []
	for each in arguments:
		if typeof(each) == TYPE_STRING and each == "-":
			break
		list.append(Plain.plain(each))
	var line := {"event": "call", "node": str(root.get_path_to(node)), "method": method}
	line["arguments"] = list
	line["sender"] = get_rpc_sender_id()
	report(line)


# A property of a node was set.
func note_set(node: Node, property: String, value) -> void:
	var line := {"event": "set", "node": str(root.get_path_to(node)), "property": property}
	line["value"] = Plain.plain(value)
	line["sender"] = get_rpc_sender_id()
	report(line)


func report(line: Dictionary) -> void:
	control.put_data((JSON.print(line) + "\n").to_utf8())


func _on_event(name: String) -> void:
	report({"event": name})


func _on_peer_connected(id: int) -> void:
	report({"event": "peer_connected", "id": id})
	if greets and root.has_node("Game"):
		root.get_node("Game").rpc_id(id, "hello", "welcome")


func _on_peer_disconnected(id: int) -> void:
	report({"event": "peer_disconnected", "id": id})


func _on_packet(id: int, packet: PoolByteArray) -> void:
	report({"event": "bytes", "sender": id, "bytes": packet.hex_encode()})


func _read_raw_packets() -> void:
	peer.poll()
	while peer.get_available_packet_count() > 0:
		var channel := peer.get_packet_channel()
		var packet := peer.get_packet()
		report({"event": "packet", "channel": channel, "bytes": packet.hex_encode()})
