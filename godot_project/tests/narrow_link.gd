## A UDP link to a server that carries so many datagrams a second and lets the others wait, without
## an end: what a game meets when it sends more than its line carries. Answers come back at once.
## What is longer than `longest` is lost, both ways. Poll it in each frame.
class_name TestNarrowLink
extends RefCounted

var datagrams_per_second: float
## Bytes of the longest datagram that passes.
var longest := 65536
## Bytes of the longest datagram so far, lost or not.
var longest_seen := 0
var _door := PacketPeerUDP.new()
var _beyond := PacketPeerUDP.new()
var _waiting: Array[PackedByteArray] = []
var _due := 0.0
var _polled_usec := 0


func _init(server_port: int, own_port: int, rate: float) -> void:
	datagrams_per_second = rate
	_door.bind(own_port, "127.0.0.1", 1 << 20)
	_beyond.connect_to_host("127.0.0.1", server_port)
	_polled_usec = Time.get_ticks_usec()


func poll() -> void:
	while _door.get_available_packet_count() > 0:
		var datagram := _door.get_packet()
		if _passes(datagram):
			_waiting.append(datagram)
		_door.set_dest_address(_door.get_packet_ip(), _door.get_packet_port())
	var now := Time.get_ticks_usec()
	_due = minf(_due + (now - _polled_usec) * 1e-6 * datagrams_per_second, _waiting.size())
	_polled_usec = now
	while _due >= 1.0:
		_due -= 1.0
		_beyond.put_packet(_waiting.pop_front())
	while _beyond.get_available_packet_count() > 0:
		var datagram := _beyond.get_packet()
		if _passes(datagram):
			_door.put_packet(datagram)


func _passes(datagram: PackedByteArray) -> bool:
	longest_seen = maxi(longest_seen, datagram.size())
	return datagram.size() <= longest
