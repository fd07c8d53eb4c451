# Stands beside a plain ENet peer and speaks DTLS for it, with the engine's own classes.
#
# Started by scripts/dtls with `--listen=PORT --to=PORT --certificate=FILE` and, beside a server, `--key=FILE`. Beside
# clients it takes their plain datagrams and has one association with the server for each of them; beside a server it
# has one association with each client, and a plain socket for each. It ends when it is killed.
extends SceneTree

const TRUSTED_NAME := "localhost"
# Datagrams of a client that wait for the handshake; ENet sends them again.
const MAX_WAITING := 8
# So that one association does not keep the others waiting.
const MAX_AT_ONCE := 256

var options := {}
var certificate := X509Certificate.new()
var door := UDPServer.new()
var dtls_server: DTLSServer = null
# Of each: "plain" and "dtls", the two ends; "waiting", what cannot be protected yet.
var pairs := []


func _initialize() -> void:
	Engine.target_fps = 1000
	for word in OS.get_cmdline_args():
		var parts: PoolStringArray = word.trim_prefix("--").split("=", true, 1)
		if parts.size() == 2:
			options[parts[0]] = parts[1]
	var error := certificate.load(options["certificate"])
	if error == OK and options.has("key"):
		var key := CryptoKey.new()
		error = key.load(options["key"])
		dtls_server = DTLSServer.new()
		if error == OK:
			error = dtls_server.setup(key, certificate)
	if error == OK:
		error = door.listen(int(options["listen"]), "127.0.0.1")
	print("@@ ", JSON.print({"event": "listening" if error == OK else "failed", "error": error}))
	connect("idle_frame", self, "_tick")


func _tick() -> void:
	door.poll()
	while door.is_connection_available():
		_add(door.take_connection())
	for pair in pairs.duplicate():
		_carry(pair)


func _add(arrived: PacketPeerUDP) -> void:
	var outer := PacketPeerUDP.new()
	outer.connect_to_host("127.0.0.1", int(options["to"]))
	var pair := {"waiting": []}
	if dtls_server != null:
		pair["dtls"] = dtls_server.take_connection(arrived)
		pair["plain"] = outer
		# The others have been sent a cookie, and come back with it.
		if pair["dtls"].get_status() != PacketPeerDTLS.STATUS_HANDSHAKING:
			return
	else:
		pair["plain"] = arrived
		pair["dtls"] = PacketPeerDTLS.new()
		pair["dtls"].connect_to_peer(outer, true, TRUSTED_NAME, certificate)
	pairs.append(pair)


func _carry(pair: Dictionary) -> void:
	var plain: PacketPeerUDP = pair["plain"]
	var dtls: PacketPeerDTLS = pair["dtls"]
	dtls.poll()
	# What came before a goodbye is delivered before it is looked at.
	var count := 0
	while dtls.get_available_packet_count() > 0 and count < MAX_AT_ONCE:
		plain.put_packet(dtls.get_packet())
		dtls.poll()
		count += 1
	while plain.get_available_packet_count() > 0:
		var datagram := plain.get_packet()
		if pair["waiting"].size() < MAX_WAITING or dtls.get_status() == PacketPeerDTLS.STATUS_CONNECTED:
			pair["waiting"].append(datagram)
	match dtls.get_status():
		PacketPeerDTLS.STATUS_HANDSHAKING:
			pass
		PacketPeerDTLS.STATUS_CONNECTED:
			if not pair.has("connected"):
				pair["connected"] = true
				print("@@ ", JSON.print({"event": "established"}))
			for datagram in pair["waiting"]:
				dtls.put_packet(datagram)
			pair["waiting"].clear()
		_:
			print("@@ ", JSON.print({"event": "closed" if pair.has("connected") else "refused"}))
			pairs.erase(pair)
			plain.close()
