## Tells what ClassDB has of each class: the names that its help must have, and arguments.
extends SceneTree

const CLASSES: Array[StringName] = [
	&"NetworkedMultiplayerENet", &"ENetServerBrowser", &"Godot3Multiplayer"
]


func _initialize() -> void:
	var facts := {}
	for each in CLASSES:
		facts[each] = _facts(each)
	print("@@ ", JSON.stringify(facts))
	quit()


func _facts(of_class: StringName) -> Dictionary:
	var properties := _names(ClassDB.class_get_property_list(of_class, true))
	var accessors := []
	for property: String in properties:
		accessors.append(String(ClassDB.class_get_property_setter(of_class, property)))
		accessors.append(String(ClassDB.class_get_property_getter(of_class, property)))
	var methods := {}
	for method in ClassDB.class_get_method_list(of_class):
		# A class's own methods come before those of its bases, some of which it hides.
		if not methods.has(method["name"]):
			methods[method["name"]] = method["args"].size()
	var own := _names(ClassDB.class_get_method_list(of_class, true))
	var entries := {
		"property": properties,
		"method": own.filter(func(method: String) -> bool: return not method in accessors),
		"signal": _names(ClassDB.class_get_signal_list(of_class, true)),
		"constant": ClassDB.class_get_integer_constant_list(of_class, true),
	}
	var constants := {}
	for constant in ClassDB.class_get_integer_constant_list(of_class):
		constants[constant] = ClassDB.class_get_integer_constant(of_class, constant)
	return {
		"entries": entries,
		"methods": methods,
		"properties": _names(ClassDB.class_get_property_list(of_class)),
		"signals": _names(ClassDB.class_get_signal_list(of_class)),
		"constants": constants,
	}


func _names(list: Array[Dictionary]) -> Array:
	return list.map(func(each: Dictionary) -> String: return each["name"]).filter(_is_member)


func _is_member(member: String) -> bool:
	return not member.begins_with("_")
