## A game that hangs for longer than `max_stall_msec`: tells whether its server was given up.
extends SceneTree

const PORT_ANY := 0

var _server := NetworkedMultiplayerENet.new()
var _client := NetworkedMultiplayerENet.new()


func _initialize() -> void:
	for peer: NetworkedMultiplayerENet in [_server, _client]:
		peer.threaded = true
	_server.max_stall_msec = 200
	_server.set_bind_ip("127.0.0.1")
	_server.create_server(PORT_ANY, 4)
	_client.create_client("127.0.0.1", _server.get_local_port())
	var deadline := Time.get_ticks_msec() + 20000
	while _client.get_connection_status() != MultiplayerPeer.CONNECTION_CONNECTED:
		_step(deadline)
	_client.set_peer_timeout(1, 1, 300, 600)
	OS.delay_msec(2000)
	# Whether it is lost shows with the first poll, or a moment later.
	deadline = Time.get_ticks_msec() + 1000
	while Time.get_ticks_msec() < deadline:
		_client.poll()
		OS.delay_msec(10)
	var is_there := _client.get_connection_status() == MultiplayerPeer.CONNECTION_CONNECTED
	print("debugger: ", EngineDebugger.is_active(), ", the client is there: ", is_there)
	_client.close()
	_server.close()
	quit()


func _step(deadline: int) -> void:
	_server.poll()
	_client.poll()
	OS.delay_msec(1)
	if Time.get_ticks_msec() > deadline:
		print("never connected")
		OS.kill(OS.get_process_id())
