## Values of every type of Godot 3.6, as Godot 4 has them; godot3/samples.gd has the same.
extends RefCounted


## Types that both have.
static func all() -> Dictionary:
	var basis := Basis(Vector3(1, 2, 3), Vector3(4, 5, 6), Vector3(7, 8, 9))
	var deep := []
	for _i in 20:
		deep = [deep]
	var mixed := {"a": 1, 2: "two", Vector2(1, 2): [null, true, {"x": Color(1, 0, 0)}], 3.5: null}
	return {
		"nil": null,
		"true": true,
		"false": false,
		"int_0": 0,
		"int_minus_1": -1,
		"int_300": 300,
		"int_max_32": 2147483647,
		"int_min_32": -2147483648,
		"int_above_32": 2147483648,
		"int_below_32": -2147483649,
		"int_max_64": 9223372036854775807,
		"int_min_64": -9223372036854775807 - 1,
		"float_0": 0.0,
		"float_minus_0": -0.0,
		"float_1_5": 1.5,
		"float_0_1": 0.1,
		"float_1e300": 1e300,
		"float_inf": INF,
		"float_minus_inf": -INF,
		"float_nan": NAN,
		"float_16777217": 16777217.0,
		"string_empty": "",
		"string_3": "abc",
		"string_4": "abcd",
		"string_unicode": "Grüße, 世界 🎮",
		"vector2": Vector2(1.5, -2.25),
		"vector2_rounded": Vector2(0.1, 0.2),
		"rect2": Rect2(1, 2, 3, 4),
		"vector3": Vector3(1, 2, 3),
		"transform2d": Transform2D(Vector2(1, 2), Vector2(3, 4), Vector2(5, 6)),
		"plane": Plane(1, 2, 3, 4),
		"quaternion": Quaternion(0.1, 0.2, 0.3, 0.4),
		"aabb": AABB(Vector3(1, 2, 3), Vector3(4, 5, 6)),
		"basis": basis,
		"transform3d": Transform3D(basis, Vector3(10, 11, 12)),
		"color": Color(0.25, 0.5, 0.75, 1),
		"color_over": Color(2.0, -1.0, 0.0, 0.5),
		"node_path_empty": NodePath(""),
		"node_path": NodePath("a/bcd/.."),
		"node_path_absolute": NodePath("/root/Game"),
		"node_path_property": NodePath("Sprite:modulate:a"),
		"node_path_only_property": NodePath(":position:x"),
		"rid": RID(),
		"dictionary_empty": {},
		"dictionary": mixed,
		"dictionary_order": {"z": 1, "a": 2, "m": 3},
		"array_empty": [],
		"array": [1, "x", null, 2.5, [true]],
		"array_deep": deep,
		"bytes_empty": PackedByteArray(),
		"bytes_1": PackedByteArray([255]),
		"bytes_5": PackedByteArray([1, 2, 3, 4, 5]),
		"int32s": PackedInt32Array([1, -1, 2147483647, -2147483648]),
		"int32s_empty": PackedInt32Array(),
		"float32s": PackedFloat32Array([1.5, -2.25, 0.1]),
		"float32s_empty": PackedFloat32Array(),
		"strings": PackedStringArray(["", "a", "abc", "abcd", "ü"]),
		"strings_empty": PackedStringArray(),
		"vector2s": PackedVector2Array([Vector2(1, 2), Vector2(3, 4)]),
		"vector2s_empty": PackedVector2Array(),
		"vector3s": PackedVector3Array([Vector3(1, 2, 3), Vector3(4, 5, 6)]),
		"vector3s_empty": PackedVector3Array(),
		"colors": PackedColorArray([Color(1, 0, 0), Color(0, 1, 0, 0.5)]),
		"colors_empty": PackedColorArray(),
	}


## Types that only Godot 4 has, and which go as their relatives: `_as` names what arrives.
static func relatives() -> Dictionary:
	var numbers: Array[int] = [1, 2]
	return {
		"string_name": &"abc",
		"string_name_as": "abc",
		"vector2i": Vector2i(3, -4),
		"vector2i_as": Vector2(3, -4),
		"rect2i": Rect2i(1, 2, 3, 4),
		"rect2i_as": Rect2(1, 2, 3, 4),
		"vector3i": Vector3i(1, -2, 3),
		"vector3i_as": Vector3(1, -2, 3),
		"typed_array": numbers,
		"typed_array_as": [1, 2],
		"int64s": PackedInt64Array([1, -2147483648]),
		"int64s_as": PackedInt32Array([1, -2147483648]),
		"float64s": PackedFloat64Array([1.5, 0.1]),
		"float64s_as": PackedFloat32Array([1.5, 0.1]),
		"nested": [&"abc", {&"key": Vector2i(3, -4)}],
		"nested_as": ["abc", {"key": Vector2(3, -4)}],
	}


## Values that Godot 3.6 has no type for.
static func refused() -> Dictionary:
	return {
		"vector4": Vector4(1, 2, 3, 4),
		"vector4i": Vector4i(1, 2, 3, 4),
		"projection": Projection.IDENTITY,
		"callable": Callable(RefCounted.new(), "get_reference_count"),
		"signal": Signal(Engine.get_main_loop(), "process_frame"),
		"vector4s": PackedVector4Array([Vector4(1, 2, 3, 4)]),
		"int64s": PackedInt64Array([2147483648]),
		"nested": [1, {"key": [Vector4(1, 2, 3, 4)]}],
	}
