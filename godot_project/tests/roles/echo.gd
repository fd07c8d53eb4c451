## Prints its arguments.
extends TestRole


func _ready() -> void:
	for index in arguments.size():
		say("word %d: %s" % [index, arguments[index]])
	if "fail" in arguments:
		push_error("the role has failed")
	if not "stay" in arguments:
		end(7)
