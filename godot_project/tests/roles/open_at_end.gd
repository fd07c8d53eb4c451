## Quits with a server, a client and an attempt still open, one of them in use by the tree.
extends TestRole

static var forgotten: NetworkedMultiplayerENet

var peers: Array[NetworkedMultiplayerENet] = []


func _ready() -> void:
	for i in 3:
		peers.append(TestPeer.make())
	peers[0].create_server(0)
	peers[1].create_client("127.0.0.1", peers[0].get_local_port())
	peers[2].create_client("no-such-host.invalid" if "name" in arguments else "127.0.0.1", 9)
	multiplayer.multiplayer_peer = peers[1]
	forgotten = peers[0]


func _process(_delta: float) -> void:
	peers[0].poll()
	if peers[1].get_connection_status() == MultiplayerPeer.CONNECTION_CONNECTED:
		say("open")
		end()
