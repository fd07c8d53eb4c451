# Visits DTLS servers with the engine's own PacketPeerDTLS, one case after the other.
# ../client.gd is the same program for Godot 4; keep the two alike.
extends SceneTree

const PATIENCE_MSEC := 15000

var cases := []
var index := -1
var case := {}
var udp: PacketPeerUDP
var dtls: PacketPeerDTLS
var started := 0
var echoes := 0
var was_connected := false
var waits := false


func _initialize() -> void:
	Engine.target_fps = 500
	for word in OS.get_cmdline_args():
		if word.begins_with("--cases="):
			var file := File.new()
			if file.open(word.trim_prefix("--cases="), File.READ) == OK:
				cases = JSON.parse(file.get_as_text()).result
				file.close()
	connect("idle_frame", self, "_tick")
	_next()


func _next() -> void:
	index += 1
	if index >= cases.size():
		quit()
		return
	case = cases[index]
	started = OS.get_ticks_msec()
	echoes = 0
	was_connected = false
	waits = false
	udp = PacketPeerUDP.new()
	dtls = PacketPeerDTLS.new()
	if case.has("bind") and udp.listen(int(case["bind"]), "127.0.0.1") != OK:
		_end("no port")
		return
	udp.connect_to_host("127.0.0.1", int(case["port"]))
	var certificate: X509Certificate = null
	if case["trust"] != "":
		certificate = X509Certificate.new()
		if certificate.load(case["trust"]) != OK:
			_end("no certificate")
			return
	# The first answers may have come by then.
	if dtls.connect_to_peer(udp, certificate != null, case["host"], certificate) != OK:
		_end("refused" if dtls.get_status() >= PacketPeerDTLS.STATUS_ERROR else "not begun")


func _tick() -> void:
	if index >= cases.size():
		return
	dtls.poll()
	match dtls.get_status():
		PacketPeerDTLS.STATUS_HANDSHAKING:
			if OS.get_ticks_msec() - started > PATIENCE_MSEC:
				_end("timed out")
		PacketPeerDTLS.STATUS_CONNECTED:
			_talk()
		_:
			_end("closed" if was_connected else "refused")


# Sends datagrams, one after the other; each has to come back.
func _talk() -> void:
	if not was_connected:
		was_connected = true
		_say({"event": "established", "case": index})
	while dtls.get_available_packet_count() > 0:
		if dtls.get_packet() != _payload(int(case["sizes"][echoes])):
			_end("another echo")
			return
		echoes += 1
		waits = false
	if echoes == case["sizes"].size():
		if not case.has("hold"):
			dtls.disconnect_from_peer()
			_end("established")
	elif not waits:
		waits = true
		dtls.put_packet(_payload(int(case["sizes"][echoes])))
	elif OS.get_ticks_msec() - started > PATIENCE_MSEC:
		_end("no echo")


func _end(outcome: String) -> void:
	_say({"event": "end", "case": index, "outcome": outcome, "echoes": echoes})
	udp.close()
	_next()


func _payload(size: int) -> PoolByteArray:
	var bytes := PoolByteArray()
	bytes.resize(size)
	for i in size:
		bytes[i] = (i * 7 + size) & 255
	return bytes


func _say(line: Dictionary) -> void:
	print("@@ ", JSON.print(line))
