## Messages between the suite's process and a puppet's: arrays of values, over TCP.
extends RefCounted

const BUFFER := 1 << 21
const CONNECT_MSEC := 10000

var _stream := StreamPeerTCP.new()
var _packets := PacketPeerStream.new()


## The puppet's end; waits until the connection stands.
func connect_to(port: int) -> bool:
	_stream.connect_to_host("127.0.0.1", port)
	var limit := Time.get_ticks_msec() + CONNECT_MSEC
	while _status() == StreamPeerTCP.STATUS_CONNECTING and Time.get_ticks_msec() < limit:
		OS.delay_msec(1)
	_use(_stream)
	return is_open()


## The suite's end.
func accept(stream: StreamPeerTCP) -> void:
	_use(stream)


func is_open() -> bool:
	return _status() == StreamPeerTCP.STATUS_CONNECTED


func send(message: Array) -> void:
	if is_open():
		_packets.put_var(message)


## Everything that has come since the last call.
func receive() -> Array[Array]:
	var messages: Array[Array] = []
	# What came before the other end has closed is still there afterwards.
	while _packets.stream_peer != null and _packets.get_available_packet_count() > 0:
		var message: Variant = _packets.get_var()
		if message is Array:
			messages.append(message)
	return messages


func _use(stream: StreamPeerTCP) -> void:
	_stream = stream
	_stream.set_no_delay(true)
	_packets.input_buffer_max_size = BUFFER
	_packets.output_buffer_max_size = BUFFER
	_packets.stream_peer = _stream


func _status() -> StreamPeerTCP.Status:
	_stream.poll()
	return _stream.get_status()
