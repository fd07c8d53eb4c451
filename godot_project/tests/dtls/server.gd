## DTLS servers of the engine's own classes, which send each datagram back.
##
## Godot 3.6 plays it, too, in a translation.
## Started by scripts/dtls with `-- --servers=FILE --fresh=FOLDER`. FOLDER receives a key and a
## certificate that the engine has just made. It ends when it is killed.
extends SceneTree

const Portable := preload("res://tests/portable.gd")
const Secured := preload("res://tests/dtls/secured.gd")
const LOCALHOST := "CN=localhost,O=Test,C=DE"

var servers := []


func _initialize() -> void:
	Engine.max_fps = 500
	var words := Portable.words()
	if words.has("fresh"):
		_make_identity(words["fresh"])
	if words.has("servers"):
		for server: Dictionary in JSON.parse_string(Portable.read(words["servers"])):
			_listen(server)
	_say({"event": "listening"})
	process_frame.connect(_tick)


func _make_identity(folder: String) -> void:
	var crypto := Crypto.new()
	var key := crypto.generate_rsa(2048)
	var certificate := crypto.generate_self_signed_certificate(key, LOCALHOST)
	key.save(folder + "/fresh.key")
	certificate.save(folder + "/fresh.crt")
	Portable.write(folder + "/fresh_string.key", key.save_to_string())
	# Godot 3.6 does that for keys only.
	if certificate.has_method("save_to_string"):
		Portable.write(folder + "/fresh_string.crt", certificate.save_to_string())


func _listen(server: Dictionary) -> void:
	var key := CryptoKey.new()
	var certificate := X509Certificate.new()
	server["dtls"] = DTLSServer.new()
	server["udp"] = UDPServer.new()
	server["peers"] = []
	var errors := [key.load(server["key"]), certificate.load(server["certificate"])]
	errors.append(Secured.set_up(server["dtls"], key, certificate))
	errors.append(server["udp"].listen(int(server["port"]), "127.0.0.1"))
	if errors.max() != OK:
		_say({"event": "failed", "server": server["name"], "errors": errors})
	servers.append(server)


func _tick() -> void:
	for server: Dictionary in servers:
		server["udp"].poll()
		while server["udp"].is_connection_available():
			var peer: PacketPeerDTLS = server["dtls"].take_connection(
				server["udp"].take_connection()
			)
			# The others have been sent a cookie, and come back with it.
			if peer.get_status() == PacketPeerDTLS.STATUS_HANDSHAKING:
				server["peers"].append({"dtls": peer, "connected": false})
		for peer: Dictionary in server["peers"].duplicate():
			_serve(server, peer)


func _serve(server: Dictionary, peer: Dictionary) -> void:
	var dtls: PacketPeerDTLS = peer["dtls"]
	dtls.poll()
	match dtls.get_status():
		PacketPeerDTLS.STATUS_HANDSHAKING:
			pass
		PacketPeerDTLS.STATUS_CONNECTED:
			if not peer["connected"]:
				peer["connected"] = true
				_say({"event": "established", "server": server["name"]})
			while dtls.get_available_packet_count() > 0:
				dtls.put_packet(dtls.get_packet())
				if server.has("goodbye"):
					dtls.disconnect_from_peer()
					break
		_:
			server["peers"].erase(peer)
			_say({"event": "closed" if peer["connected"] else "refused", "server": server["name"]})


func _say(line: Dictionary) -> void:
	print("@@ ", JSON.stringify(line))
