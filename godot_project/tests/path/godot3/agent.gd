# One end of a connection over a path, in Godot 3.6 with the engine's own class. A server also tells when
# packets have come.
# ../agent.gd is the same program for Godot 4; keep the two alike.
extends SceneTree

const SERVER := 1
const BULK_PACKETS := 192
const BULK_BYTES := 262144

var words := {}
var peer = null
var others := []
var counts := {"sent": 0, "received": 0}
var payload := PoolByteArray()
var long := PoolByteArray()
var frame := 0


func _initialize() -> void:
	for word in OS.get_cmdline_args():
		var parts = word.trim_prefix("--").split("=")
		if parts.size() == 2:
			words[parts[0]] = parts[1]
	payload.resize(48)
	long.resize(int(words.get("long", "0")))
	peer = ClassDB.instance(words["class"])
	peer.compression_mode = 0
	peer.connect("peer_connected", self, "_on_peer_connected")
	peer.connect("peer_disconnected", self, "_on_peer_disconnected")
	peer.connect("server_disconnected", self, "_on_server_disconnected")
	var port := int(words["port"])
	if words["role"] == "server":
		peer.create_server(port, 8)
	else:
		peer.create_client(words.get("address", "127.0.0.1"), port)
	Engine.target_fps = 60
	connect("idle_frame", self, "_tick")


func _tick() -> void:
	var now := _now()
	if peer.get_connection_status() != 0:
		peer.poll()
	while peer.get_available_packet_count() > 0:
		var packet = peer.get_packet()
		counts["received"] += 1
		if packet.size() == BULK_BYTES:
			print("bulk %f" % _now())
	frame += 1
	if now < float(words["quiet"]) and not words.has("bulk"):
		for other in others:
			peer.set_target_peer(other)
			peer.transfer_mode = 0
			peer.put_packet(payload)
			counts["sent"] += 1
			if not long.empty() and frame % 10 == 0:
				peer.transfer_mode = 2
				peer.put_packet(long)
				counts["sent"] += 1
	if now > float(words["until"]):
		print("total %d %d" % [counts["sent"], counts["received"]])
		quit()


func _on_peer_connected(id: int) -> void:
	if id == SERVER or words["role"] == "server":
		others.append(id)
		print("joined %f" % _now())
		if words.has("bulk"):
			_send_bulk()


func _on_peer_disconnected(id: int) -> void:
	if others.has(id):
		others.erase(id)
		print("lost %f" % _now())


func _send_bulk() -> void:
	var bulk := PoolByteArray()
	bulk.resize(BULK_BYTES)
	peer.set_target_peer(SERVER)
	peer.transfer_mode = 2
	for _i in range(BULK_PACKETS):
		peer.put_packet(bulk)


func _on_server_disconnected() -> void:
	if not others.empty():
		_on_peer_disconnected(SERVER)


func _now() -> float:
	return OS.get_system_time_msecs() / 1000.0
