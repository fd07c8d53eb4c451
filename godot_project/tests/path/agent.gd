## One end of a connection over a path: sends an unreliable packet in each frame, on request a long
## reliable one in every tenth, and counts what comes; or with `--bulk=1`, as a client, sends 48 MiB
## in reliable packets.
##
## Godot 3.6 plays it, too, in a translation.
## Started by scripts/tests/test_path.py and test_mtu.py with
## `-- --role=server|client --class=NAME --port=N --quiet=UNIX --until=UNIX
## [--address=IP] [--long=BYTES] [--mtu=BYTES]`.
extends SceneTree

const Portable := preload("res://tests/portable.gd")
const SERVER := 1
const BULK_PACKETS := 192
const BULK_BYTES := 262144

var words := Portable.words()
var peer: Variant = null
var others: Array[int] = []
var counts := {"sent": 0, "received": 0}
var payload := PackedByteArray()
var long := PackedByteArray()
var frame := 0


func _initialize() -> void:
	payload.resize(48)
	long.resize(int(words.get("long", "0")))
	peer = Portable.new_peer(words["class"])
	if "compression_mode" in peer:
		# As the other classes, and zeros would become nothing.
		peer.set("compression_mode", 0)
	if words.has("mtu"):
		peer.set("mtu", int(words["mtu"]))
	peer.peer_connected.connect(_on_peer_connected)
	peer.peer_disconnected.connect(_on_peer_disconnected)
	if peer.has_signal("server_disconnected"):
		peer.server_disconnected.connect(_on_server_disconnected)
	var port := int(words["port"])
	if words["role"] == "server":
		peer.create_server(port, 8)
	else:
		peer.create_client(words.get("address", "127.0.0.1"), port)
	Engine.max_fps = 60
	process_frame.connect(_tick)


func _tick() -> void:
	var now := Time.get_unix_time_from_system()
	if peer.get_connection_status() != MultiplayerPeer.CONNECTION_DISCONNECTED:
		peer.poll()
	while peer.get_available_packet_count() > 0:
		var packet: PackedByteArray = peer.get_packet()
		if packet.size() == BULK_BYTES:
			print("bulk %f" % Time.get_unix_time_from_system())
		counts["received"] += 1
	frame += 1
	if now < float(words["quiet"]) and not words.has("bulk"):
		for other in others:
			peer.set_target_peer(other)
			peer.transfer_mode = MultiplayerPeer.TRANSFER_MODE_UNRELIABLE
			peer.put_packet(payload)
			counts["sent"] += 1
			if not long.is_empty() and frame % 10 == 0:
				peer.transfer_mode = MultiplayerPeer.TRANSFER_MODE_RELIABLE
				peer.put_packet(long)
				counts["sent"] += 1
	if now > float(words["until"]):
		print("total %d %d" % [counts["sent"], counts["received"]])
		quit()


func _on_peer_connected(id: int) -> void:
	if id == SERVER or words["role"] == "server":
		others.append(id)
		print("joined %f" % Time.get_unix_time_from_system())
		if words.has("bulk"):
			_send_bulk()


func _on_peer_disconnected(id: int) -> void:
	if others.has(id):
		others.erase(id)
		print("lost %f" % Time.get_unix_time_from_system())


func _on_server_disconnected() -> void:
	# Godot 3.6 tells a client nothing else when it has lost the server.
	_on_peer_disconnected(SERVER)
	if peer.has_method("get_connection_error_text"):
		print("why ", peer.get_connection_error_text())


func _send_bulk() -> void:
	var bulk := PackedByteArray()
	bulk.resize(BULK_BYTES)
	peer.set_target_peer(SERVER)
	peer.transfer_mode = MultiplayerPeer.TRANSFER_MODE_RELIABLE
	for i in range(BULK_PACKETS):
		peer.put_packet(bulk)
