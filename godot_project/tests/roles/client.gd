## Connects to the port that is its first argument; with "quit" it leaves at once.
extends TestRole

var peer := TestPeer.make()


func _ready() -> void:
	peer.create_client("127.0.0.1", arguments[0].to_int())
	peer.connection_succeeded.connect(_on_connection_succeeded)


func _process(_delta: float) -> void:
	peer.poll()


func _on_connection_succeeded() -> void:
	say("connected %d" % peer.get_unique_id())
	if "quit" in arguments:
		end()
