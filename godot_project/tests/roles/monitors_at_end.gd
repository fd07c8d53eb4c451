## Quits with monitors, of a connection that nobody closes and an object that nobody lets go of.
extends TestRole

static var forgotten: NetworkedMultiplayerENet


func _ready() -> void:
	forgotten = TestPeer.make()
	forgotten.performance_monitors = true
	forgotten.create_server(0)
	say("monitors: %d" % Performance.get_custom_monitor_names().size())
	end()
