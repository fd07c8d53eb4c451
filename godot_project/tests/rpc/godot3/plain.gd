# Values as JSON that keeps every bit: of what JSON has no exact word for, a list of the type's name and its parts.
#
# ../plain.gd gives the same for Godot 4.
extends Reference


static func plain(v):
	match typeof(v):
		TYPE_NIL, TYPE_BOOL, TYPE_STRING:
			return v
		TYPE_INT:
			return v if abs(v) < 1 << 52 and v != -9223372036854775807 - 1 else ["int", str(v)]
		TYPE_REAL:
			return ["float", double(v)]
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
		TYPE_QUAT:
			return ["quaternion", singles([v.x, v.y, v.z, v.w])]
		TYPE_AABB:
			return ["aabb", vector3(v.position), vector3(v.size)]
		TYPE_BASIS:
			return ["basis", basis(v)]
		TYPE_TRANSFORM:
			return ["transform3d", basis(v.basis), vector3(v.origin)]
		TYPE_COLOR:
			return ["color", color(v)]
		TYPE_NODE_PATH:
			return ["node_path", str(v)]
		TYPE_RID:
			return ["rid", v.get_id()]
		TYPE_OBJECT:
			return object(v)
		TYPE_DICTIONARY:
			var pairs := ["dictionary"]
			for key in v:
				pairs.append([plain(key), plain(v[key])])
			return pairs
		TYPE_ARRAY:
			return ["array"] + each(v)
		TYPE_RAW_ARRAY:
			return ["bytes", v.hex_encode() if v.size() else ""]
		TYPE_INT_ARRAY:
			return ["int32s"] + Array(v)
		TYPE_REAL_ARRAY:
			return ["float32s", singles(v)]
		TYPE_STRING_ARRAY:
			return ["strings"] + Array(v)
		TYPE_VECTOR2_ARRAY:
			return ["vector2s"] + each(v)
		TYPE_VECTOR3_ARRAY:
			return ["vector3s"] + each(v)
		TYPE_COLOR_ARRAY:
			return ["colors"] + each(v)
	return ["unknown", typeof(v)]


static func object(v):
	if not is_instance_valid(v):
		return null
	if v is EncodedObjectAsID:
		return ["object_id", str(v.object_id)]
	return ["object", v.get_class(), str(v.get_instance_id())]


static func each(list) -> Array:
	var found := []
	for item in list:
		found.append(plain(item))
	return found


static func vector3(v: Vector3) -> String:
	return singles([v.x, v.y, v.z])


static func basis(v: Basis) -> String:
	return vector3(v.x) + vector3(v.y) + vector3(v.z)


static func color(v: Color) -> String:
	return singles([v.r, v.g, v.b, v.a])


# The bits of numbers with single precision.
static func singles(list) -> String:
	var buffer := StreamPeerBuffer.new()
	for number in list:
		buffer.put_float(number)
	return buffer.data_array.hex_encode() if buffer.get_size() else ""


static func double(number: float) -> String:
	var buffer := StreamPeerBuffer.new()
	buffer.put_double(number)
	return buffer.data_array.hex_encode()


static func unhex(text: String) -> PoolByteArray:
	var bytes := PoolByteArray()
	for i in range(text.length() / 2):
		bytes.append(("0x" + text.substr(i * 2, 2)).hex_to_int())
	return bytes


# JSON knows floating point numbers only.
static func whole_numbers(value):
	if value is float and value == floor(value):
		return int(value)
	if value is Array:
		for i in value.size():
			value[i] = whole_numbers(value[i])
	elif value is Dictionary:
		for key in value:
			value[key] = whole_numbers(value[key])
	return value
