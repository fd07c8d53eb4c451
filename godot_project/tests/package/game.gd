## A server or a client that tells what reached it, one fact a line.
##
## scripts/tests/test_package.py compares the facts. Arguments after `--`: `--server` or
## `--client=NAME`, `--port=N`, and for DTLS `--certificate=FILE`, which the server writes and the
## clients read.
## Who misses something at the deadline ends with exit code 1.
extends Node

const DEADLINE := 60.0
const CLIENTS := 2
## One byte, a full datagram, and fragments of a long packet.
const SIZES := [1, 1400, 100_000]

var me := ""
var options := {}
var peer: Object = ClassDB.instantiate("NetworkedMultiplayerENet")
var names := {1: "server"}
var left_to_get := 0
var done := 0


func _ready() -> void:
	for word in OS.get_cmdline_user_args():
		var parts := word.trim_prefix("--").split("=")
		options[parts[0]] = parts[1] if parts.size() > 1 else ""
	me = options.get("client", "server")
	get_tree().create_timer(DEADLINE).timeout.connect(_fail.bind("the deadline is over"))
	if peer == null:
		_fail("there is no class NetworkedMultiplayerENet")
		return
	multiplayer.peer_packet.connect(_on_packet)
	var error := _host() if me == "server" else _join()
	if error != OK:
		_fail("it did not start: " + error_string(error))
		return
	multiplayer.multiplayer_peer = peer
	if me == "server":
		multiplayer.peer_disconnected.connect(_on_client_gone)
		_fact("listening")


func _host() -> Error:
	if options.has("certificate"):
		var crypto := Crypto.new()
		var key := crypto.generate_rsa(2048)
		var certificate := crypto.generate_self_signed_certificate(key, "CN=localhost,O=Test,C=DE")
		certificate.save(options["certificate"])
		peer.use_dtls = true
		peer.set_dtls_key(key)
		peer.set_dtls_certificate(certificate)
	return peer.create_server(int(options["port"]), CLIENTS)


func _join() -> Error:
	if options.has("certificate"):
		var certificate := X509Certificate.new()
		certificate.load(options["certificate"])
		peer.use_dtls = true
		peer.dtls_hostname = "localhost"
		peer.set_dtls_certificate(certificate)
	# The server's greeting and packets, the other client's call, and its packet.
	left_to_get = 1 + SIZES.size() + 1 + 1
	multiplayer.connected_to_server.connect(func() -> void: introduce.rpc_id(1, me))
	multiplayer.connection_failed.connect(_fail.bind("the connection failed"))
	multiplayer.server_disconnected.connect(_on_server_gone)
	return peer.create_client("127.0.0.1", int(options["port"]))


@rpc("any_peer", "reliable")
func introduce(its_name: String) -> void:
	names[multiplayer.get_remote_sender_id()] = its_name
	_fact("%s is peer %d" % [its_name, multiplayer.get_remote_sender_id()])
	if names.size() <= CLIENTS:
		return
	for id: int in multiplayer.get_peers():
		greet.rpc_id(id, "Hello, %s!" % names[id], names)
		for size: int in SIZES:
			multiplayer.send_bytes(
				_payload(size, id), id, MultiplayerPeer.TRANSFER_MODE_RELIABLE, 1
			)


@rpc("authority", "reliable")
func greet(text: String, everybody: Dictionary) -> void:
	names = everybody
	_fact("I am peer %d" % multiplayer.get_unique_id())
	_got("call of %s: %s" % [_sender(), text])
	for size: int in SIZES:
		multiplayer.send_bytes(_payload(size, multiplayer.get_unique_id()), 1)
	for id: int in names:
		if id != 1 and id != multiplayer.get_unique_id():
			whisper.rpc_id(id, "Only %s can read this." % names[id])
			multiplayer.send_bytes(_payload(1000, multiplayer.get_unique_id()), id)


@rpc("any_peer", "reliable")
func whisper(text: String) -> void:
	_got("call of %s: %s" % [_sender(), text])


@rpc("any_peer", "reliable")
func finish(total: int) -> void:
	_fact("%s has got %d things" % [_sender(), total])
	done += 1
	if done == CLIENTS:
		peer.close_connection()
		get_tree().quit()


func _on_packet(from: int, bytes: PackedByteArray) -> void:
	var seed_of_payload := from if me == "server" or from != 1 else multiplayer.get_unique_id()
	var equal := bytes == _payload(bytes.size(), seed_of_payload)
	_got(
		(
			"packet of %s: %d bytes, %s"
			% [names.get(from, "a stranger"), bytes.size(), "equal" if equal else "different"]
		)
	)


func _on_client_gone(id: int) -> void:
	if done < CLIENTS:
		_fail("%s has left too early" % names.get(id, id))


func _on_server_gone() -> void:
	if left_to_get > 0:
		_fail("the server has left too early")
		return
	_fact("the server has gone")
	get_tree().quit()


func _got(fact: String) -> void:
	_fact(fact)
	left_to_get -= 1
	if left_to_get == 0 and me != "server":
		finish.rpc_id(1, 1 + SIZES.size() + 1 + 1)


func _payload(size: int, its_seed: int) -> PackedByteArray:
	var random := RandomNumberGenerator.new()
	random.seed = its_seed * 1_000_003 + size
	var bytes := PackedByteArray()
	bytes.resize(size)
	for i in size:
		bytes[i] = random.randi() & 0xff
	return bytes


func _sender() -> String:
	return names.get(multiplayer.get_remote_sender_id(), "a stranger")


func _fact(text: String) -> void:
	print("fact: ", text)


func _fail(reason: String) -> void:
	print("FAILED ", me, ": ", reason)
	get_tree().quit(1)
