# gdlint: disable=max-public-methods
## Base of every suite: tests are its methods `test_*`, which may await.
##
## Each test gets a new instance, which is in the tree and freed afterwards.
## Override `set_up` and `tear_down` for what all tests of a suite share.
class_name TestSuite
extends Node

const LOCALHOST := "127.0.0.1"
## Below the ports that systems give to clients: one could be taken between choice and use.
const LOWEST_PORT := 12000
const HIGHEST_PORT := 32000
const CONNECTED := MultiplayerPeer.CONNECTION_CONNECTED
const CONNECTING := MultiplayerPeer.CONNECTION_CONNECTING
const DISCONNECTED := MultiplayerPeer.CONNECTION_DISCONNECTED

static var _used_ports := {}

## How many times as long as elsewhere things may take, where a processor is emulated.
static var slowness := maxf(1.0, OS.get_environment("TEST_SLOWNESS").to_float())

## Seconds a test may take; set_up or the test itself can change it.
var deadline := 20.0
## Every failed check.
var failures := PackedStringArray()
## How many checks there were.
var checks := 0
## Peers that `wait_until`, `wait` and `frames` poll.
var polled: Array[MultiplayerPeer] = []
## Where the engine's errors wait; null before Godot 4.5, which cannot tell about them.
var error_log: RefCounted

var _children: Array[TestChild] = []
var _events := {}


## Runs before each test.
func set_up() -> void:
	pass


## Runs after each test, also after one that failed.
func tear_down() -> void:
	pass


## Notes a failure unless the condition is true.
func check(condition: bool, what: String) -> bool:
	checks += 1
	if not condition:
		fail(what)
	return condition


## Notes a failure unless both have the same type and value.
func check_equal(got: Variant, want: Variant, what: String) -> bool:
	var same: bool = typeof(got) == typeof(want) and got == want
	return check(same, "%s: got %s, not %s" % [what, _shown(got), _shown(want)])


## Notes a failure.
func fail(what: String) -> void:
	failures.append(what)


## Waits until the condition holds; a failure when it does not in time. Polls meanwhile.
func wait_until(condition: Callable, seconds: float, what: String) -> bool:
	var limit := Time.get_ticks_msec() + int(seconds * 1000.0 * slowness)
	while true:
		poll_all()
		if condition.call():
			return check(true, what)
		if Time.get_ticks_msec() > limit:
			break
		await get_tree().process_frame
	return check(false, "%s: not within %.1f s" % [what, seconds * slowness])


## Lets time go by, polling.
func wait(seconds: float) -> void:
	var limit := Time.get_ticks_msec() + int(seconds * 1000.0)
	while Time.get_ticks_msec() < limit:
		poll_all()
		await get_tree().process_frame


## Lets some frames go by, polling in each.
func frames(count: int) -> void:
	for i in count:
		poll_all()
		await get_tree().process_frame
	poll_all()


## Polls every peer of `polled` that has a connection.
func poll_all() -> void:
	for peer: MultiplayerPeer in polled.duplicate():
		if peer.get_connection_status() != DISCONNECTED:
			peer.poll()


## A new peer whose signals are noted for `events`. It is polled while the test waits unless
## `is_polled` is false, as for one that a MultiplayerAPI has.
func new_peer(is_polled := true) -> NetworkedMultiplayerENet:
	var peer := TestPeer.make()
	note_events(peer)
	if is_polled:
		polled.append(peer)
	return peer


## Begins to note a peer's signals.
func note_events(peer: NetworkedMultiplayerENet) -> void:
	var seen: Array[String] = []
	_events[peer.get_instance_id()] = seen
	peer.peer_connected.connect(func(id: int) -> void: seen.append("peer_connected %d" % id))
	peer.peer_disconnected.connect(func(id: int) -> void: seen.append("peer_disconnected %d" % id))
	peer.connection_succeeded.connect(func() -> void: seen.append("connection_succeeded"))
	peer.connection_failed.connect(func() -> void: seen.append("connection_failed"))
	peer.server_disconnected.connect(func() -> void: seen.append("server_disconnected"))


## The signals of a peer so far, in order, such as "peer_connected 1" or "connection_failed".
func events(peer: NetworkedMultiplayerENet) -> Array[String]:
	return _events[peer.get_instance_id()]


## A UDP port that nobody uses, never the same twice.
func free_port() -> int:
	for attempt in 100:
		var port := randi_range(LOWEST_PORT, HIGHEST_PORT)
		if not _used_ports.has(port) and PacketPeerUDP.new().bind(port) == OK:
			_used_ports[port] = true
			return port
	fail("there is no free UDP port")
	return 0


## Opens a server on a free port, which is returned.
func serve(server: NetworkedMultiplayerENet, max_clients := 32) -> int:
	check_equal(server.create_server(0, max_clients), OK, "create_server")
	return server.get_local_port()


## Connects clients to a port, one after the other, and waits until all are connected.
func join(clients: Array[NetworkedMultiplayerENet], port: int, address := LOCALHOST) -> void:
	for client: NetworkedMultiplayerENet in clients:
		check_equal(client.create_client(address, port), OK, "create_client")
		await wait_until(is_connected_peer.bind(client), 5.0, "the client connects")


## Whether a peer's status is CONNECTED.
func is_connected_peer(peer: MultiplayerPeer) -> bool:
	return peer.get_connection_status() == CONNECTED


## A server and connected clients of it: the server comes first.
func connected(clients := 1, may_be_threaded := true) -> Array[NetworkedMultiplayerENet]:
	var server := new_peer()
	var others: Array[NetworkedMultiplayerENet] = []
	for i in clients:
		others.append(new_peer())
	if not may_be_threaded:
		for peer: NetworkedMultiplayerENet in [server] + others:
			peer.threaded = false
	await join(others, serve(server))
	var all: Array[NetworkedMultiplayerENet] = [server]
	all.append_array(others)
	var complete := func() -> bool: return events(server).size() >= clients
	await wait_until(complete, 5.0, "the server has its clients")
	return all


## Waits for a packet and fetches it; empty, with a failure, when none comes.
func receive(peer: MultiplayerPeer, seconds := 5.0) -> PackedByteArray:
	var there := func() -> bool: return peer.get_available_packet_count() > 0
	if await wait_until(there, seconds, "a packet comes"):
		return peer.get_packet()
	return PackedByteArray()


## Fetches everything that waits, as texts.
func received_texts(peer: MultiplayerPeer) -> Array[String]:
	var texts: Array[String] = []
	while peer.get_available_packet_count() > 0:
		texts.append(peer.get_packet().get_string_from_utf8())
	return texts


## The engine has printed one error, not yet taken, with all these parts in its text.
## Errors that no test expects are failures, so this also says that there was only one.
func expect_error(parts: Variant, what := "the engine's errors") -> void:
	checks += 1
	if error_log == null:
		return
	var wanted := PackedStringArray([parts]) if parts is String else PackedStringArray(parts)
	if not error_log.take(wanted):
		var printed: PackedStringArray = error_log.waiting()
		fail("%s: no error with %s, but %s" % [what, wanted, printed])


## The engine has printed one warning since the last call, with all these parts; none for `[]`.
func expect_warning(parts: Array, what := "the engine's warnings") -> void:
	checks += 1
	if error_log == null:
		return
	var warnings: PackedStringArray = error_log.take_warnings()
	var has_part := func(part: String) -> bool: return part in warnings[0]
	if warnings.size() != mini(parts.size(), 1) or not parts.all(has_part):
		fail("%s: %s, not one with %s" % [what, warnings, parts])


## Forgives any number of errors with this part, from now to the end of the test.
func allow_errors(part: String) -> void:
	if error_log != null:
		error_log.allow(part)


## The engine has printed no error that was not expected.
func expect_no_error(what: String) -> void:
	if error_log != null:
		check_equal(error_log.waiting(), PackedStringArray(), what)


## Starts another engine with `res://tests/roles/<role>.gd`; it is killed when the test ends.
func start_child(role: String, arguments := PackedStringArray()) -> TestChild:
	var words := PackedStringArray([role]) + arguments
	return _keep(TestChild.new(role, "res://tests/role.gd", words))


## Starts another engine with a main loop of its own.
func start_main_loop(path: String, arguments := PackedStringArray()) -> TestChild:
	return _keep(TestChild.new(path.get_file(), path, arguments))


## Waits until a child prints a line that begins with `beginning`; returns the line's rest.
func wait_for_line(child: TestChild, beginning: String, seconds := 10.0) -> String:
	var there := func() -> bool: return child.has_line(beginning)
	var what := '%s says "%s"' % [child.role, beginning]
	if not await wait_until(there, seconds, what):
		fail(child.transcript())
		return ""
	return child.take_line(beginning)


## Waits until a child has ended by itself; the exit code.
func wait_for_end(child: TestChild, seconds := 10.0) -> int:
	await wait_until(func() -> bool: return not child.is_running(), seconds, child.role + " ends")
	return child.exit_code()


## For the runner: ends children and peers. Errors of children are failures.
func clean_up() -> void:
	for child in _children:
		child.stop()
		for problem in child.problems():
			fail("%s: %s" % [child.role, problem])
	for peer in polled:
		peer.close()
	polled.clear()


func _keep(child: TestChild) -> TestChild:
	check(child.is_started(), "the child %s starts" % child.role)
	_children.append(child)
	return child


func _shown(value: Variant) -> String:
	if value is PackedByteArray and value.size() > 64:
		return "%d bytes" % value.size()
	return var_to_str(value)
