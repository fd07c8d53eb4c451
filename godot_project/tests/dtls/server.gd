## DTLS servers of the engine's own classes, which send each datagram back.
##
## godot3/server.gd is the same program for Godot 3.6; keep the two alike.
## Started by scripts/dtls with `-- --servers=FILE --fresh=FOLDER`. FOLDER receives a key and a
## certificate that the engine has just made. It ends when it is killed.
extends SceneTree

const LOCALHOST := "CN=localhost,O=Test,C=DE"

var servers := []


func _initialize() -> void:
	Engine.max_fps = 500
	for word in OS.get_cmdline_user_args():
		if word.begins_with("--fresh="):
			_make_identity(word.trim_prefix("--fresh="))
		elif word.begins_with("--servers="):
			var text := FileAccess.get_file_as_string(word.trim_prefix("--servers="))
			for server: Dictionary in JSON.parse_string(text):
				_listen(server)
	_say({"event": "listening"})
	process_frame.connect(_tick)


func _make_identity(folder: String) -> void:
	var crypto := Crypto.new()
	var key := crypto.generate_rsa(2048)
	var certificate := crypto.generate_self_signed_certificate(key, LOCALHOST)
	key.save(folder + "/fresh.key")
	certificate.save(folder + "/fresh.crt")
	_write(folder + "/fresh_string.key", key.save_to_string())
	_write(folder + "/fresh_string.crt", certificate.save_to_string())


func _write(path: String, text: String) -> void:
	var file := FileAccess.open(path, FileAccess.WRITE)
	file.store_string(text)
	file.close()


func _listen(server: Dictionary) -> void:
	var key := CryptoKey.new()
	var certificate := X509Certificate.new()
	server["dtls"] = DTLSServer.new()
	server["udp"] = UDPServer.new()
	server["peers"] = []
	var errors := [key.load(server["key"]), certificate.load(server["certificate"])]
	errors.append(server["dtls"].setup(TLSOptions.server(key, certificate)))
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
