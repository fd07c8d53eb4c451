## Plays a game of Godot 4 as scripts/rpc orders over a TCP connection, and reports each call.
##
## godot3/agent.gd is the same program for Godot 3.6; keep the two alike. One order or report is a
## line of JSON.
extends SceneTree

const EXTENSION := "res://addons/networked_multiplayer_enet/networked_multiplayer_enet.gdextension"
const Plain := preload("res://tests/rpc/plain.gd")
const NewerSamples := preload("res://tests/rpc/newer_samples.gd")
const Samples := preload("res://tests/rpc/samples.gd")
const FOLDER := "res://tests/rpc/%s.gd"

var control := StreamPeerTCP.new()
var waiting := PackedByteArray()
var introduced := false
var me := ""
var api: MultiplayerAPI
var peer: MultiplayerPeer
var greets := false
var samples := Samples.all()


func _initialize() -> void:
	Engine.max_fps = 250
	var port := 0
	var api_name := ""
	var part := NodePath()
	for word in OS.get_cmdline_user_args():
		if word.begins_with("--control="):
			port = int(word.trim_prefix("--control="))
		elif word.begins_with("--name="):
			me = word.trim_prefix("--name=")
		elif word.begins_with("--api="):
			api_name = word.trim_prefix("--api=")
		elif word.begins_with("--part="):
			part = NodePath(word.trim_prefix("--part="))
	# A project that was never imported does not know its extensions yet.
	if not ClassDB.class_exists("NetworkedMultiplayerENet"):
		GDExtensionManager.load_extension(EXTENSION)
	api = ClassDB.instantiate(api_name)
	if api == null:
		printerr("SCRIPT ERROR: there is no class ", api_name)
		quit(1)
		return
	set_multiplayer(api, part)
	if not part.is_empty():
		# 3.6 sends paths from there on.
		api.set("root_path", ^"/root")
	api.peer_connected.connect(_on_peer_connected)
	api.peer_disconnected.connect(_on_peer_disconnected)
	api.connected_to_server.connect(_on_event.bind("connected_to_server"))
	api.connection_failed.connect(_on_event.bind("connection_failed"))
	api.server_disconnected.connect(_on_event.bind("server_disconnected"))
	api.connect("peer_packet", _on_packet)
	control.connect_to_host("127.0.0.1", port)
	process_frame.connect(_tick)


func _tick() -> void:
	control.poll()
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
		var line := waiting.slice(0, end).get_string_from_utf8()
		waiting = waiting.slice(end + 1)
		var order: Dictionary = Plain.whole_numbers(JSON.parse_string(line))
		var result: Variant = _obey(order)
		report({"event": "reply", "number": order["number"], "result": result})


# --- Orders --------------------------------------------------------------------------------------


## Does what an order says, and gives its result.
func _obey(order: Dictionary) -> Variant:
	var result: Variant = null
	match order["do"]:
		"open":
			result = _open(order)
		"leave":
			_leave()
		"add":
			result = _add(order)
		"free":
			root.get_node(order["node"]).free()
		"batch":
			for each: Dictionary in order["orders"]:
				_obey(each)
		"call":
			result = Plain.plain(_target(order).callv(order["method"], _values(order["arguments"])))
		"get":
			result = Plain.plain(_target(order).get(order["property"]))
		"set":
			_target(order).set(order["property"], _value(order["value"]))
		"samples":
			result = _samples(Samples.all())
		"relatives":
			result = _samples(NewerSamples.relatives())
		"refused":
			result = NewerSamples.refused().keys()
		"add_many":
			_add_many(order)
		"quit":
			_leave()
			quit()
	return result


## Starts a server or a client.
func _open(order: Dictionary) -> int:
	peer = ClassDB.instantiate(order["peer_class"])
	for property: String in order["api"]:
		api.set(property, order["api"][property])
	for property: String in order["peer"]:
		peer.set(property, order["peer"][property])
	if not order["dtls"].is_empty():
		_use_dtls(order)
	var error: int
	if order["server"]:
		error = peer.create_server(order["port"], 8)
	else:
		error = peer.create_client("127.0.0.1", order["port"])
	greets = order["greets"]
	api.multiplayer_peer = peer
	report({"event": "id", "id": peer.get_unique_id()})
	return error


func _use_dtls(order: Dictionary) -> void:
	var certificate := X509Certificate.new()
	certificate.load(order["dtls"]["certificate"])
	peer.use_dtls = true
	peer.set_dtls_certificate(certificate)
	peer.dtls_hostname = order["dtls"]["host"]
	if order["server"]:
		var key := CryptoKey.new()
		key.load(order["dtls"]["key"])
		peer.set_dtls_key(key)


func _leave() -> void:
	if peer == null:
		return
	api.multiplayer_peer = null
	peer.close()
	peer = null


## Adds a node with a script of this folder; `.` is the root itself.
func _add(order: Dictionary) -> String:
	var path: String = order["node"]
	if path == ".":
		root.set_script(load(FOLDER % order["script"]))
		return "."
	var node: Node = load(FOLDER % order["script"]).new()
	for property: String in order.get("properties", {}):
		node.set(property, order["properties"][property])
	var parent: Node = root
	var cut := path.rfind("/")
	if cut >= 0:
		parent = root.get_node(path.left(cut))
	if not order.get("automatic", false):
		node.name = path.substr(cut + 1)
	parent.add_child(node)
	return str(root.get_path_to(node))


## Adds a node with a method for each number of arguments.
func _add_many(order: Dictionary) -> void:
	var source := "extends Node\n"
	for count: int in order["counts"]:
		var names := PackedStringArray()
		for i in count:
			names.append("a%d" % i)
		var list := ", ".join(names)
		source += '@rpc("any_peer") func take_%d(%s):\n' % [count, list]
		source += "\tget_tree().note(self, 'take_%d', [%s])\n" % [count, list]
	var script := GDScript.new()
	script.source_code = source
	script.reload()
	var node := Node.new()
	node.set_script(script)
	node.name = order["node"]
	root.add_child(node)


func _samples(values: Dictionary) -> Dictionary:
	var found := {}
	for name: String in values:
		var bytes := PackedByteArray()
		if api.has_method("variant_to_bytes"):
			bytes = api.call("variant_to_bytes", values[name])
		found[name] = [Plain.plain(values[name]), bytes.hex_encode()]
	return found


func _target(order: Dictionary) -> Object:
	match order["on"]:
		"api":
			return api
		"peer":
			return peer
	return root.get_node(order["on"])


func _values(list: Array) -> Array:
	return list.map(_value)


## What an order means by an argument: a dictionary's only key says what its value names.
func _value(each: Variant) -> Variant:
	if not each is Dictionary:
		return each
	var text: String = each.values()[0]
	match each.keys()[0]:
		"sample":
			each = samples[text]
		"relative":
			each = NewerSamples.relatives()[text]
		"refused":
			each = NewerSamples.refused()[text]
		"bytes":
			each = text.hex_decode()
		"new":
			each = ClassDB.instantiate(text)
		"node":
			each = root.get_node(text)
	return each


# --- Reports -------------------------------------------------------------------------------------


## A method of a node was called.
func note(node: Node, method: String, arguments: Array) -> void:
	var list := []
	for each: Variant in arguments:
		if typeof(each) == TYPE_STRING and each == "-":
			break
		list.append(Plain.plain(each))
	var line := {"event": "call", "node": str(root.get_path_to(node)), "method": method}
	line["arguments"] = list
	line["sender"] = api.get_remote_sender_id()
	report(line)


## A property of a node was set.
func note_set(node: Node, property: String, value: Variant) -> void:
	var line := {"event": "set", "node": str(root.get_path_to(node)), "property": property}
	line["value"] = Plain.plain(value)
	line["sender"] = api.get_remote_sender_id()
	report(line)


## Tells the test what has happened.
func report(line: Dictionary) -> void:
	control.put_data((JSON.stringify(line) + "\n").to_utf8_buffer())


func _on_event(name: String) -> void:
	report({"event": name})


func _on_peer_connected(id: int) -> void:
	report({"event": "peer_connected", "id": id})
	if greets and root.has_node("Game"):
		root.get_node("Game").rpc_id(id, "hello", "welcome")


func _on_peer_disconnected(id: int) -> void:
	report({"event": "peer_disconnected", "id": id})


func _on_packet(id: int, packet: PackedByteArray) -> void:
	report({"event": "bytes", "sender": id, "bytes": packet.hex_encode()})
