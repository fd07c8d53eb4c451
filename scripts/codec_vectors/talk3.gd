# One side of a conversation in Godot 3.6, for scripts/codec_vectors to record:
# --server=PORT or --client=PORT, --mode=COMPRESSION_MODE, --payloads=FILE.
extends SceneTree

const FRAMES := 100

var peer := NetworkedMultiplayerENet.new()
var messages := []
var frame := 0


func _initialize() -> void:
	var server := 0
	var client := 0
	for word in OS.get_cmdline_args():
		if word.begins_with("--server="):
			server = int(word.trim_prefix("--server="))
		elif word.begins_with("--client="):
			client = int(word.trim_prefix("--client="))
		elif word.begins_with("--mode="):
			peer.compression_mode = int(word.trim_prefix("--mode="))
		elif word.begins_with("--payloads="):
			messages = _messages(word.trim_prefix("--payloads="))
	if server > 0:
		peer.create_server(server, 4)
	else:
		peer.create_client("127.0.0.1", client)
	Engine.target_fps = 60
	connect("idle_frame", self, "_tick")


func _tick() -> void:
	peer.poll()
	while peer.get_available_packet_count() > 0:
		peer.get_packet()
	var status: int = peer.get_connection_status()
	if status == NetworkedMultiplayerPeer.CONNECTION_DISCONNECTED:
		quit()
	if status != NetworkedMultiplayerPeer.CONNECTION_CONNECTED:
		return
	frame += 1
	# A server is "connected" before anybody is there, so it begins late.
	var at := frame - 30
	if at >= 0 and at < 2 * messages.size():
		peer.set_target_peer(0)
		peer.transfer_mode = [NetworkedMultiplayerPeer.TRANSFER_MODE_UNRELIABLE, NetworkedMultiplayerPeer.TRANSFER_MODE_RELIABLE][at % 2]
		peer.put_packet(messages[at / 2])
	elif at == 2 * messages.size() + 1:
		# A burst, which is answered by many acknowledgements at once.
		for message in messages:
			peer.put_packet(message)
	elif at > 2 * messages.size() + FRAMES:
		peer.close_connection()
		quit()


func _messages(path: String) -> Array:
	var file := File.new()
	if file.open(path, File.READ) != OK:
		return []
	var found := []
	for line in file.get_as_text().split("\n", false):
		var text: String = line.split(" ")[1]
		var bytes := PoolByteArray()
		for i in text.length() / 2:
			bytes.append(("0x" + text.substr(2 * i, 2)).hex_to_int())
		found.append(bytes)
	return found
