## Values as JSON that keeps every bit: of what JSON has no exact word for, a list of the type's
## name and its parts.
##
## godot3/plain.gd gives the same for Godot 3.6.
extends RefCounted

const LARGEST := 1 << 52


## The value as null, bool, number below 2^52, string, list, or dictionary.
static func plain(v: Variant) -> Variant:
	match typeof(v):
		TYPE_NIL, TYPE_BOOL, TYPE_STRING:
			return v
		TYPE_INT:
			return v if v > -LARGEST and v < LARGEST else ["int", str(v)]
		TYPE_FLOAT:
			return ["float", double(v)]
		TYPE_OBJECT:
			return object(v)
		TYPE_DICTIONARY:
			var pairs := ["dictionary"]
			for key: Variant in v:
				pairs.append([plain(key), plain(v[key])])
			return pairs
		TYPE_ARRAY:
			return ["array"] + each(v)
		TYPE_STRING_NAME, TYPE_NODE_PATH:
			return [type_string(typeof(v)).to_snake_case(), str(v)]
		TYPE_RID:
			return ["rid", v.get_id()]
	return packed(v) if typeof(v) >= TYPE_PACKED_BYTE_ARRAY else vectors(v)


## Of arrays of one type.
static func packed(v: Variant) -> Variant:
	match typeof(v):
		TYPE_PACKED_BYTE_ARRAY:
			return ["bytes", v.hex_encode()]
		TYPE_PACKED_INT32_ARRAY:
			return ["int32s"] + Array(v)
		TYPE_PACKED_FLOAT32_ARRAY:
			return ["float32s", singles(v)]
		TYPE_PACKED_STRING_ARRAY:
			return ["strings"] + Array(v)
		TYPE_PACKED_VECTOR2_ARRAY:
			return ["vector2s"] + each(v)
		TYPE_PACKED_VECTOR3_ARRAY:
			return ["vector3s"] + each(v)
		TYPE_PACKED_COLOR_ARRAY:
			return ["colors"] + each(v)
	return [type_string(typeof(v)), str(v)]


## Of values of a fixed size.
static func vectors(v: Variant) -> Variant:
	match typeof(v):
		TYPE_VECTOR2:
			return ["vector2", singles([v.x, v.y])]
		TYPE_RECT2:
			return ["rect2", singles([v.position.x, v.position.y, v.size.x, v.size.y])]
		TYPE_VECTOR3:
			return ["vector3", vector3(v)]
		TYPE_TRANSFORM2D:
			return ["transform2d", singles([v.x.x, v.x.y, v.y.x, v.y.y, v.origin.x, v.origin.y])]
		TYPE_PLANE:
			return ["plane", vector3(v.normal), singles([v.d])]
		TYPE_QUATERNION:
			return ["quaternion", singles([v.x, v.y, v.z, v.w])]
		TYPE_AABB:
			return ["aabb", vector3(v.position), vector3(v.size)]
		TYPE_BASIS:
			return ["basis", basis(v)]
		TYPE_TRANSFORM3D:
			return ["transform3d", basis(v.basis), vector3(v.origin)]
		TYPE_COLOR:
			return ["color", singles([v.r, v.g, v.b, v.a])]
	return [type_string(typeof(v)), str(v)]


## Null, or which object it is.
static func object(v: Variant) -> Variant:
	if not is_instance_valid(v):
		return null
	if v is EncodedObjectAsID:
		return ["object_id", str(v.object_id)]
	return ["object", v.get_class(), str(v.get_instance_id())]


## Each of a list's values.
static func each(list: Variant) -> Array:
	var found := []
	for item: Variant in list:
		found.append(plain(item))
	return found


## The bits of its three numbers.
static func vector3(v: Vector3) -> String:
	return singles([v.x, v.y, v.z])


## The bits of its nine numbers, column by column.
static func basis(v: Basis) -> String:
	return vector3(v.x) + vector3(v.y) + vector3(v.z)


## The bits of numbers with single precision.
static func singles(list: Variant) -> String:
	return PackedFloat32Array(list).to_byte_array().hex_encode()


## The bits of a number with double precision.
static func double(number: float) -> String:
	return PackedFloat64Array([number]).to_byte_array().hex_encode()


## JSON knows floating point numbers only.
static func whole_numbers(value: Variant) -> Variant:
	if value is float and value == floorf(value):
		return int(value)
	if value is Array:
		for i: int in value.size():
			value[i] = whole_numbers(value[i])
	elif value is Dictionary:
		for key: Variant in value:
			value[key] = whole_numbers(value[key])
	return value
