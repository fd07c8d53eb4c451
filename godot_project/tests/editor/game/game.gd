## A server and two clients in one process, one of them with a network thread. They only poll.
extends Node

## Ends by itself, if an editor has not.
const SECONDS := 120.0

var peers: Array[NetworkedMultiplayerENet] = []


func _ready() -> void:
	get_tree().create_timer(SECONDS).timeout.connect(get_tree().quit)
	var server := NetworkedMultiplayerENet.new()
	server.create_server(0, 4)
	peers.append(server)
	for is_threaded: bool in [false, true]:
		var client := NetworkedMultiplayerENet.new()
		client.threaded = is_threaded
		client.create_client("127.0.0.1", server.get_local_port())
		peers.append(client)


func _process(_delta: float) -> void:
	for peer in peers:
		if peer.get_connection_status() != MultiplayerPeer.CONNECTION_DISCONNECTED:
			peer.poll()
