extends Node
## Packets of plain bytes, without SceneMultiplayer: the common language of Godot 4 and Godot 3.6.

signal received(from: int, text: String)

var peer := NetworkedMultiplayerENet.new()
## The ids of everybody else.
var others: Array[int] = []


func _ready() -> void:
	peer.peer_connected.connect(_on_peer_connected)
	peer.peer_disconnected.connect(_on_peer_disconnected)


func _process(_delta: float) -> void:
	if peer.get_connection_status() == MultiplayerPeer.CONNECTION_DISCONNECTED:
		return
	peer.poll()
	while peer.get_available_packet_count() > 0:
		var from := peer.get_packet_peer()
		var text := peer.get_packet().get_string_from_utf8()
		received.emit(from, text)


func host(port: int) -> Error:
	return peer.create_server(port)


func join(address: String, port: int) -> Error:
	return peer.create_client(address, port)


## [param to] is a peer's id; 0 is everybody, and -id everybody but that one.
func send(to: int, text: String) -> Error:
	peer.set_target_peer(to)
	return peer.put_packet(text.to_utf8_buffer())


func leave() -> void:
	peer.close_connection()
	others.clear()


func _on_peer_connected(id: int) -> void:
	others.append(id)
	print("peer %d is here" % id)


func _on_peer_disconnected(id: int) -> void:
	others.erase(id)
	print("peer %d has left" % id)
