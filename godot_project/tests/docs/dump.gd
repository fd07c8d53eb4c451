## Tells what ClassDB has of the class: the names that its help must have, and arguments.
extends SceneTree

const CLASS := &"NetworkedMultiplayerENet"


func _initialize() -> void:
	var properties := _names(ClassDB.class_get_property_list(CLASS, true))
	var accessors := []
	for property: String in properties:
		accessors.append(String(ClassDB.class_get_property_setter(CLASS, property)))
		accessors.append(String(ClassDB.class_get_property_getter(CLASS, property)))
	var methods := {}
	for method in ClassDB.class_get_method_list(CLASS):
		# A class's own methods come before those of its bases, some of which it hides.
		if not methods.has(method["name"]):
			methods[method["name"]] = method["args"].size()
	var own := _names(ClassDB.class_get_method_list(CLASS, true))
	var entries := {
		"property": properties,
		"method": own.filter(func(method: String) -> bool: return not method in accessors),
		"signal": _names(ClassDB.class_get_signal_list(CLASS, true)),
		"constant": ClassDB.class_get_integer_constant_list(CLASS, true),
	}
	var constants := {}
	for constant in ClassDB.class_get_integer_constant_list(CLASS):
		constants[constant] = ClassDB.class_get_integer_constant(CLASS, constant)
	var facts := {
		"entries": entries,
		"methods": methods,
		"properties": _names(ClassDB.class_get_property_list(CLASS)),
		"signals": _names(ClassDB.class_get_signal_list(CLASS)),
		"constants": constants,
	}
	print("@@ ", JSON.stringify(facts))
	quit()


func _names(list: Array[Dictionary]) -> Array:
	return list.map(func(each: Dictionary) -> String: return each["name"]).filter(_is_member)


func _is_member(member: String) -> bool:
	return not member.begins_with("_")
