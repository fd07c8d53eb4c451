## Values of types that Godot 3.6 does not have.
extends RefCounted


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
