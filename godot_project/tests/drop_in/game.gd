## A small game for the engine's ENetMultiplayerPeer, which scripts/try_drop_in.py is tested with.
extends Control

var port := int(OS.get_environment("NME_DROP_IN_PORT"))
var peer: ENetMultiplayerPeer


func _ready() -> void:
	multiplayer.connected_to_server.connect(_on_connected)


func _on_host_pressed() -> void:
	peer = ENetMultiplayerPeer.new()
	if peer.create_server(port, 16, 5) != OK:
		push_error("no server")
	peer.host.compress(ENetConnection.COMPRESS_ZSTD)
	multiplayer.multiplayer_peer = peer


func _on_join_pressed() -> void:
	peer = ENetMultiplayerPeer.new()
	if peer.create_client("127.0.0.1", port, 5, 0, 0, 0) != OK:
		push_error("no client")
	peer.get_host().compress(ENetConnection.COMPRESS_ZSTD)
	multiplayer.multiplayer_peer = peer


func _on_connected() -> void:
	greet.rpc_id(1, "hello")


@rpc("any_peer", "call_remote", "reliable", 5)
func greet(text: String) -> void:
	var id := multiplayer.get_remote_sender_id()
	var enet := multiplayer.multiplayer_peer as ENetMultiplayerPeer
	var other: ENetPacketPeer = enet.get_peer(id)
	var host: ENetConnection = enet.host
	if host.get_local_port() == 0 or other.get_statistic(ENetPacketPeer.PEER_PACKET_LOSS) > 0.0:
		push_error("the statistics are not there")
	if multiplayer.is_server():
		greet.rpc_id(id, text)
	else:
		rename(text)


func rename(text: String) -> void:
	name = "Greeted_" + text
