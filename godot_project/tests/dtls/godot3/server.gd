# DTLS servers of the engine's own classes, which send each datagram back.
# ../server.gd is the same program for Godot 4; keep the two alike.
extends SceneTree

const LOCALHOST := "CN=localhost,O=Test,C=DE"

var servers := []


func _initialize() -> void:
	Engine.target_fps = 500
	for word in OS.get_cmdline_args():
		if word.begins_with("--fresh="):
			_make_identity(word.trim_prefix("--fresh="))
		elif word.begins_with("--servers="):
			var file := File.new()
			if file.open(word.trim_prefix("--servers="), File.READ) == OK:
				for server in JSON.parse(file.get_as_text()).result:
					_listen(server)
				file.close()
	_say({"event": "listening"})
	connect("idle_frame", self, "_tick")


func _make_identity(folder: String) -> void:
	var crypto := Crypto.new()
	var key := crypto.generate_rsa(2048)
	var certificate := crypto.generate_self_signed_certificate(key, LOCALHOST)
	key.save(folder + "/fresh.key")
	certificate.save(folder + "/fresh.crt")
	var file := File.new()
	file.open(folder + "/fresh_string.key", File.WRITE)
	file.store_string(key.save_to_string())
	file.close()


func _listen(server: Dictionary) -> void:
	var key := CryptoKey.new()
	var certificate := X509Certificate.new()
	server["dtls"] = DTLSServer.new()
	server["udp"] = UDPServer.new()
	server["peers"] = []
	var errors := [key.load(server["key"]), certificate.load(server["certificate"])]
	errors.append(server["dtls"].setup(key, certificate))
	errors.append(server["udp"].listen(int(server["port"]), "127.0.0.1"))
	if errors.max() != OK:
		_say({"event": "failed", "server": server["name"], "errors": errors})
	servers.append(server)


func _tick() -> void:
	for server in servers:
		server["udp"].poll()
		while server["udp"].is_connection_available():
			var peer: PacketPeerDTLS = server["dtls"].take_connection(server["udp"].take_connection())
			# The others have been sent a cookie, and come back with it.
			if peer.get_status() == PacketPeerDTLS.STATUS_HANDSHAKING:
				server["peers"].append({"dtls": peer, "connected": false})
		for peer in server["peers"].duplicate():
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
	print("@@ ", JSON.print(line))
