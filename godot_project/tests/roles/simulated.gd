## A server that sends back what it gets, over the network that its command line asks for.
extends TestRole

var peer := TestPeer.make()


func _ready() -> void:
	var error := peer.create_server(0)
	if error != OK:
		say("failed %d" % error)
		end()
		return
	say("port %d" % peer.get_local_port())
	say("delay %s" % peer.get_simulation().incoming.delay_msec)


func _process(_delta: float) -> void:
	if peer.get_connection_status() == MultiplayerPeer.CONNECTION_DISCONNECTED:
		return
	peer.poll()
	while peer.get_available_packet_count() > 0:
		peer.set_target_peer(peer.get_packet_peer())
		peer.put_packet(peer.get_packet())
