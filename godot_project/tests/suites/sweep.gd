## Calls every method and property with wrong and odd values, in every state: nothing may hang or
## end the engine, and what is printed is an error of this class, or the engine's own about an
## argument.
extends TestSuite

enum State { CLOSED, CONNECTING_CLIENT, SERVER, CLIENT }

const CLASS := &"NetworkedMultiplayerENet"
const CALLS := 10_000
const SEED := 4242
## Until another state is swept.
const CALLS_IN_A_ROW := 250
## Milliseconds that a call may take on a busy machine.
const LONGEST_CALL := 2500
## Milliseconds until a connection stands.
const PATIENCE := 10_000
const INTEGERS: Array[int] = [
	0,
	1,
	-1,
	2,
	3,
	5,
	77,
	254,
	255,
	256,
	4095,
	4096,
	65535,
	65536,
	2147483647,
	2147483648,
	-2147483648,
	-2147483649,
	4294967295,
	4294967296,
	9223372036854775807,
	-9223372036854775807 - 1,
]
const FLOATS: Array[float] = [0.0, -0.0, 1.5, -1.5, 1e300, -1e300, INF, -INF, NAN]
## No host names: those would be looked up.
const TEXTS: Array[String] = [
	"",
	"127.0.0.1",
	"::1",
	"*",
	"localhost",
	"not a name",
	"a\nb",
	"4242 ",
]
## What the engine's own parts of a peer print, for its own class as well.
const ENGINES_OWN: Array[String] = [
	"Max encode buffer must be at least 1024 bytes",
	"Max encode buffer cannot exceed 256 MiB",
	"encode size is bigger then encode_buffer_max_size",
	# A thread has named a node of the tree in an error about arguments, or has encoded one.
	"The caller thread can't call the function `get_script()` on this node",
	# get_var, behind the error of this class.
	'Condition "err != OK" is true. Returning: Variant()',
]

var _random := RandomNumberGenerator.new()
var _node: Node
var _freed: Node
## The peer that is swept, and who it is connected to.
var _peer: NetworkedMultiplayerENet
var _other: NetworkedMultiplayerENet
var _problems := {}


func set_up() -> void:
	deadline = 200.0
	_random.seed = SEED
	_node = Node.new()
	add_child(_node)
	_freed = Node.new()
	_freed.free()


func test_on_the_main_thread() -> void:
	_sweep()
	_tell()


func test_on_another_thread() -> void:
	var thread := Thread.new()
	thread.start(_sweep)
	await wait_until(
		func() -> bool: return not thread.is_alive(), deadline - 20.0, "the sweep ends"
	)
	thread.wait_to_finish()
	_tell()


func _tell() -> void:
	check(true, "%d calls" % CALLS)
	for problem: String in _problems:
		fail("%s (%d times)" % [problem, _problems[problem]])


func _sweep() -> void:
	var members := _members()
	for i in CALLS:
		var state: State = (i / CALLS_IN_A_ROW) % State.size() as State
		if i % CALLS_IN_A_ROW == 0 or not _is_in(state):
			_reach(state)
		_use(members[_random.randi() % members.size()])
	_close()


## Every method as its name and its number of arguments, and every property as its name and -1.
func _members() -> Array[Array]:
	var members: Array[Array] = []
	for owner: StringName in [
		CLASS, &"MultiplayerPeerExtension", &"MultiplayerPeer", &"PacketPeer"
	]:
		for method in ClassDB.class_get_method_list(owner, true):
			if not method["name"].begins_with("_"):
				members.append([method["name"], method["args"].size()])
		for property in ClassDB.class_get_property_list(owner, true):
			members.append([property["name"], -1])
	return members


func _use(member: Array) -> void:
	var name: String = member[0]
	var arguments := []
	for j in member[1] + _other_count():
		arguments.append(_value())
	var began := Time.get_ticks_msec()
	if member[1] >= 0:
		_peer.callv(name, arguments)
	else:
		_peer.set(name, _value())
		_peer.get(name)
	if Time.get_ticks_msec() - began > LONGEST_CALL:
		_note("%s has taken %d ms" % [name, Time.get_ticks_msec() - began])
	_look_at_errors(name)


## Now and then a wrong number of arguments.
func _other_count() -> int:
	return [-1, 1][_random.randi() % 2] if _random.randi() % 8 == 0 else 0


func _look_at_errors(name: String) -> void:
	if error_log == null:
		return
	for text: String in error_log.reset():
		var ours := text.begins_with("NetworkedMultiplayerENet.")
		var about_arguments := text.contains(
			"from 'callv': 'NetworkedMultiplayerENet::%s': " % name
		)
		var engine := ENGINES_OWN.any(func(part: String) -> bool: return text.contains(part))
		if not (ours or about_arguments or engine) or text.length() > 1500 or text.contains("\n"):
			_note("%s has printed: %s" % [name, text.left(300)])


func _note(problem: String) -> void:
	_problems[problem] = _problems.get(problem, 0) + 1


func _is_in(state: State) -> bool:
	match state:
		State.CLOSED:
			return _peer.get_connection_status() == DISCONNECTED
		State.CONNECTING_CLIENT:
			return _peer.get_connection_status() == CONNECTING
		State.SERVER:
			return (
				_peer.get_connection_status() == CONNECTED
				and _peer.get_unique_id() == 1
				and _is_joined()
			)
	return (
		_peer.get_connection_status() == CONNECTED and _peer.get_unique_id() != 1 and _is_joined()
	)


func _is_joined() -> bool:
	return _other.get_connection_status() == CONNECTED


func _reach(state: State) -> void:
	_close()
	_peer = TestPeer.make()
	_other = TestPeer.make()
	var port := free_port()
	match state:
		State.CONNECTING_CLIENT:
			_peer.create_client(LOCALHOST, port)
		State.SERVER:
			_peer.create_server(port)
			_other.create_client(LOCALHOST, port)
			_connect(_peer, _other)
		State.CLIENT:
			_other.create_server(port)
			_peer.create_client(LOCALHOST, port)
			_connect(_other, _peer)
	if not _is_in(state):
		_note("the state %d is not reached" % state)


func _connect(server: NetworkedMultiplayerENet, client: NetworkedMultiplayerENet) -> void:
	var limit := Time.get_ticks_msec() + PATIENCE
	while client.get_connection_status() == CONNECTING and Time.get_ticks_msec() < limit:
		server.poll()
		client.poll()


func _close() -> void:
	for peer: NetworkedMultiplayerENet in [_peer, _other]:
		if peer != null:
			peer.close()


## An odd value: for every type some, numbers and texts more often than others.
func _value() -> Variant:
	match _random.randi() % 8:
		0, 1:
			return INTEGERS[_random.randi() % INTEGERS.size()]
		2:
			return FLOATS[_random.randi() % FLOATS.size()]
		3:
			return TEXTS[_random.randi() % TEXTS.size()]
		4:
			return "x".repeat(1 << (_random.randi() % 21)) + "\n"
		5:
			return _object()
	var others := [
		null,
		true,
		false,
		&"127.0.0.1",
		^"127.0.0.1",
		Vector2(1, 2),
		Vector3i(1, 2, 3),
		Transform3D(),
		Color.RED,
		RID(),
		Callable(),
		Callable(_node, &"missing"),
		_node.get_path,
		Signal(),
		_node.ready,
		{},
		{1: [2]},
		[],
		[1, "2", null],
		PackedByteArray(),
		PackedByteArray([1, 2, 3]),
		PackedInt64Array([1]),
		PackedStringArray(["a"]),
		PackedVector2Array([Vector2.ONE]),
	]
	return others[_random.randi() % others.size()]


func _object() -> Variant:
	var objects := [
		_node,
		_freed,
		CryptoKey.new(),
		X509Certificate.new(),
		_peer,
		get_script(),
		RefCounted.new(),
	]
	return objects[_random.randi() % objects.size()]
