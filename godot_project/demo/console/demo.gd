extends Node
## Plays one part of the demo: a chat over RPCs, then packets together with Godot 3.6.
## scripts/demo.py starts one process for each part.

## Never comes: what awaits it ends with the process.
signal the_end

const HELP := """This demo is played by several processes. Start it with:
    python3 scripts/demo.py
or start the processes by hand:
    godot --headless --path godot_project res://demo/console/demo.tscn -- --server
    godot --headless --path godot_project res://demo/console/demo.tscn -- --client alice
    godot --headless --path godot_project res://demo/console/demo.tscn -- --client bob
    godot --headless --path godot_project res://demo/console/demo.tscn -- --guest carol
The guest can also be demo/console/godot3 in Godot 3.6.
--port N chooses two UDP ports, N for the chat and N + 1 for the packets; --address A the server."""

const PAUSE_SEC := 1.5
const PATIENCE_MSEC := 60_000

var nickname := ""
var address := "127.0.0.1"
var port := 4242

@onready var chat := $Chat
@onready var packets := $Packets


func _ready() -> void:
	Engine.max_fps = 60
	var part := _read_arguments()
	chat.nickname = nickname
	packets.received.connect(_on_packet_received)
	match part:
		"--server":
			await _serve_chat()
			await _serve_packets()
		"--client":
			await _chat()
			await _exchange_packets()
		"--guest":
			await _visit()
		_:
			print(HELP)
	get_tree().quit()


func _read_arguments() -> String:
	var part := ""
	var words := OS.get_cmdline_user_args()
	for i in words.size():
		match words[i]:
			"--server":
				part = words[i]
				nickname = "server"
			"--client", "--guest":
				part = words[i]
				nickname = words[i + 1]
			"--address":
				address = words[i + 1]
			"--port":
				port = words[i + 1].to_int()
	return part


# --- The chat ---------------------------------------------------------------------------------


func _serve_chat() -> void:
	await _check(chat.host(port))
	print("the chat is open")
	await _until(func() -> bool: return chat.members.size() == 2)
	chat.say.rpc("Welcome!")
	await _until(func() -> bool: return chat.members.is_empty())
	chat.leave()


func _chat() -> void:
	await _check(chat.join(address, port))
	# The server's welcome comes when both clients are there.
	await _until(func() -> bool: return chat.lines.size() > 0 and chat.members.size() == 2)
	await _pause()
	chat.say.rpc("Hello, everybody!")
	await _pause()
	for id: int in chat.members:
		if id != MultiplayerPeer.TARGET_PEER_SERVER:
			chat.whisper.rpc_id(id, "Only you can read this.")
	# The welcome, and two lines of the other client.
	await _until(func() -> bool: return chat.lines.size() == 3)
	await _pause()
	chat.leave()


# --- The packets ------------------------------------------------------------------------------


func _serve_packets() -> void:
	await _check(packets.host(port + 1))
	print("the packet server is open")
	await _until(func() -> bool: return packets.others.size() == 3)
	await _until(func() -> bool: return packets.others.is_empty())
	packets.leave()


func _exchange_packets() -> void:
	await _check(packets.join(address, port + 1))
	await _until(func() -> bool: return packets.others.size() == 3)
	# The guest leaves when it has everybody's answer.
	await _until(func() -> bool: return packets.others.size() < 3)
	await _pause()
	packets.leave()


func _on_packet_received(from: int, text: String) -> void:
	print("packet from peer %d: %s" % [from, text])
	if text.begins_with("Hello"):
		packets.send(from, "%s in Godot %s has read it" % [nickname, _version()])


## What demo/godot3 does in Godot 3.6, for machines that cannot run that.
func _visit() -> void:
	var answers: Array[String] = []
	packets.received.connect(func(_from: int, text: String) -> void: answers.append(text))
	await _check(packets.join(address, port + 1))
	await _until(func() -> bool: return packets.others.size() == 3)
	packets.send(
		MultiplayerPeer.TARGET_PEER_BROADCAST, "Hello from %s in Godot %s" % [nickname, _version()]
	)
	await _until(func() -> bool: return answers.size() == 3)
	await _pause()
	packets.leave()


# --- Time and errors --------------------------------------------------------------------------


func _until(condition: Callable) -> void:
	var limit := Time.get_ticks_msec() + PATIENCE_MSEC
	while not condition.call():
		if Time.get_ticks_msec() > limit:
			await _fail("waited too long")
		await get_tree().process_frame


func _pause() -> void:
	await get_tree().create_timer(PAUSE_SEC).timeout


func _check(error: Error) -> void:
	if error != OK:
		await _fail(error_string(error))


func _fail(reason: String) -> void:
	printerr("failed: ", reason)
	get_tree().quit(1)
	await the_end


func _version() -> String:
	var version := Engine.get_version_info()
	return "%d.%d.%d" % [version.major, version.minor, version.patch]
