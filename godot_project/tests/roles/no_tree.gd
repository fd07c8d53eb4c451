## A main loop without a scene tree: peers work before the first frame.
extends MainLoop

var _server: NetworkedMultiplayerENet
var _client: NetworkedMultiplayerENet


func _initialize() -> void:
	_server = TestPeer.make()
	_client = TestPeer.make()
	_server.create_server(0)
	_client.create_client("127.0.0.1", _server.get_local_port())
	for i in 2000:
		_server.poll()
		_client.poll()
		if _client.get_connection_status() == MultiplayerPeer.CONNECTION_CONNECTED:
			break
		OS.delay_msec(1)
	print("connected: ", _client.get_connection_status() == MultiplayerPeer.CONNECTION_CONNECTED)
	_client.put_packet("hello".to_utf8_buffer())
	for i in 2000:
		# There is no end of a frame here, so the poll sends.
		_client.poll()
		_server.poll()
		if _server.get_available_packet_count() > 0:
			break
		OS.delay_msec(1)
	print("packet: ", _server.get_packet().get_string_from_utf8())
	_drop_in_a_handler()


func _process(_delta: float) -> bool:
	return true


func _drop_in_a_handler() -> void:
	_client.server_disconnected.connect(func() -> void: _client = null)
	_server.close_connection()
	for i in 2000:
		if _client == null:
			break
		_client.poll()
		OS.delay_msec(1)
	print("dropped: ", _client == null)
