## Connects with a class, "ours" or "stock", to a port; these are its arguments.
extends TestRole

const CONNECTED := MultiplayerPeer.CONNECTION_CONNECTED

var peer: MultiplayerPeer


func _ready() -> void:
	if arguments[0] == "stock":
		var stock := ENetMultiplayerPeer.new()
		stock.create_client("127.0.0.1", arguments[1].to_int())
		peer = stock
	else:
		var ours := TestPeer.make()
		ours.use_dtls = "dtls" in arguments
		ours.dtls_verify = false
		ours.connection_failed.connect(func() -> void: say("failed"))
		ours.create_client("127.0.0.1", arguments[1].to_int())
		peer = ours
	say("knocks")


func _process(_delta: float) -> void:
	if peer.get_connection_status() == MultiplayerPeer.CONNECTION_DISCONNECTED:
		return
	peer.poll()
	if peer.get_connection_status() == CONNECTED:
		say("is in")
		set_process(false)
		_stay()


func _stay() -> void:
	while peer.get_connection_status() == CONNECTED:
		await get_tree().process_frame
		peer.poll()
