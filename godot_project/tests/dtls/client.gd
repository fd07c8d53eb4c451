## Visits DTLS servers with the engine's own PacketPeerDTLS, one case after the other.
##
## Godot 3.6 plays it, too, in a translation.
## Started by scripts/dtls with `-- --cases=FILE`.
extends SceneTree

const Portable := preload("res://tests/portable.gd")
const Secured := preload("res://tests/dtls/secured.gd")
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
	Engine.max_fps = 500
	cases = JSON.parse_string(Portable.read(Portable.words()["cases"]))
	process_frame.connect(_tick)
	_next()


func _next() -> void:
	index += 1
	if index >= cases.size():
		quit()
		return
	case = cases[index]
	started = Time.get_ticks_msec()
	echoes = 0
	was_connected = false
	waits = false
	udp = PacketPeerUDP.new()
	dtls = PacketPeerDTLS.new()
	if case.has("bind") and Secured.bind(udp, int(case["bind"])) != OK:
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
	if Secured.connect_to(dtls, udp, case["host"], certificate) != OK:
		_end("refused" if dtls.get_status() >= PacketPeerDTLS.STATUS_ERROR else "not begun")


func _tick() -> void:
	if index >= cases.size():
		return
	dtls.poll()
	match dtls.get_status():
		PacketPeerDTLS.STATUS_HANDSHAKING:
			if Time.get_ticks_msec() - started > PATIENCE_MSEC:
				_end("timed out")
		PacketPeerDTLS.STATUS_CONNECTED:
			_talk()
		_:
			_end("closed" if was_connected else "refused")


## Sends datagrams, one after the other; each has to come back.
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
	elif Time.get_ticks_msec() - started > PATIENCE_MSEC:
		_end("no echo")


func _end(outcome: String) -> void:
	_say({"event": "end", "case": index, "outcome": outcome, "echoes": echoes})
	udp.close()
	_next()


func _payload(size: int) -> PackedByteArray:
	var bytes := PackedByteArray()
	bytes.resize(size)
	for i in size:
		bytes[i] = (i * 7 + size) & 255
	return bytes


func _say(line: Dictionary) -> void:
	print("@@ ", JSON.stringify(line))
