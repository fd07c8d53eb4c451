# gdlint: disable=max-public-methods
## Base of the multi-process suites. Puppets are engine processes that stay for all tests of a run;
## every test begins with puppets that have no peer.
extends TestSuite

const Actor := preload("res://tests/multiplayer/actor.gd")
const SECONDS := 10.0

static var _listener: TCPServer
static var _troupe: Array[Actor] = []

var server: Actor
var clients: Array[Actor] = []


func set_up() -> void:
	deadline = 40.0


func tear_down() -> void:
	var waiting := {}
	for actor in _troupe:
		if actor.is_running():
			waiting[actor] = actor.tell(
				"several", [[["net.reset", []], ["stage.forget", []], ["world.close", []]]]
			)
	for actor: Actor in waiting:
		await answer(actor, waiting[actor])
	for actor: Actor in _troupe.duplicate():
		for complaint in actor.complaints():
			fail("%s: %s" % [actor.title, complaint])
		for problem in actor.settle():
			fail("%s: %s" % [actor.title, problem])
		if not actor.is_running():
			actor.stop()
			_troupe.erase(actor)


func clean_up() -> void:
	super()
	if not failures.is_empty():
		for actor in _troupe:
			actor.stop()
		_troupe.clear()


func poll_all() -> void:
	super()
	for actor in _troupe:
		actor.pump()


## The server and the clients.
func everyone() -> Array[Actor]:
	var all: Array[Actor] = [server]
	all.append_array(clients)
	return all


func everyone_but(left_out: Actor) -> Array[Actor]:
	return everyone().filter(func(actor: Actor) -> bool: return actor != left_out)


func ids(actors: Array[Actor]) -> Array:
	var numbers := []
	for actor in actors:
		numbers.append(actor.id)
	return numbers


## A server process and client processes without peers.
func cast(count: int) -> void:
	for title: String in ["server", "first", "second", "third"].slice(0, count + 1):
		await _call_up(title)
	server = _actor("server")
	clients.clear()
	for title: String in ["first", "second", "third"].slice(0, count):
		clients.append(_actor(title))


## Begins with a server and connected clients; returns the port.
func begin(count: int, settings := {}) -> int:
	await cast(count)
	var port := free_port()
	check_equal(await ask(server, "net.create_server", [port, settings]), OK, "create_server")
	server.id = 1
	var relay: bool = settings.get("server_relay", true)
	for index in count:
		await enter(clients[index], port, settings)
		await happens(server, ["api.peer_connected", clients[index].id])
		for other in clients.slice(0, index) if relay else []:
			await happens(other, ["api.peer_connected", clients[index].id])
			await happens(clients[index], ["api.peer_connected", other.id])
	return port


## Connects a client and waits until it is connected.
func enter(client: Actor, port: int, settings := {}, same_peer := false) -> void:
	var before := client.seen(["api.connected_to_server"])
	var arguments := [port, settings, same_peer]
	check_equal(await ask(client, "net.create_client", arguments), OK, "create_client")
	await happens(client, ["api.connected_to_server"], before + 1)
	client.id = await ask(client, "net.call_api", ["get_unique_id"])
	check(client.id > 1, "%s has an id" % client.title)


## Has a puppet do something; what that returned.
func ask(actor: Actor, command: String, values := []) -> Variant:
	return await answer(actor, actor.tell(command, values))


func answer(actor: Actor, number: int) -> Variant:
	var there := func() -> bool: return actor.has_answer(number) or not actor.is_running()
	await wait_until(there, SECONDS, "%s answers" % actor.title)
	if not actor.has_answer(number):
		fail("%s has not answered\n%s" % [actor.title, actor.transcript()])
	return actor.take_answer(number)


## Waits until an event that begins like this has come `times` times.
func happens(actor: Actor, beginning: Array, times := 1, seconds := SECONDS) -> bool:
	var come := func() -> bool: return actor.seen(beginning) >= times
	var what := "%s: %s" % [actor.title, beginning]
	if await wait_until(come, seconds, what):
		return true
	fail("%s has told %s\n%s" % [actor.title, str(actor.events).left(2000), actor.transcript()])
	return false


## Waits until a condition holds that asks a puppet: the command answers `wanted`.
func becomes(actor: Actor, command: String, values: Array, wanted: Variant) -> bool:
	var limit := Time.get_ticks_msec() + int(SECONDS * 1000.0)
	var got: Variant = await ask(actor, command, values)
	while got != wanted and Time.get_ticks_msec() < limit:
		await get_tree().process_frame
		got = await ask(actor, command, values)
	return check_equal(got, wanted, "%s: %s%s" % [actor.title, command, values])


## What `multiplayer.get_peers` answers, sorted.
func check_peers(actor: Actor, wanted: Array) -> void:
	wanted.sort()
	var state: Dictionary = await ask(actor, "net.state")
	check_equal(state["peers"], wanted, "peers of %s" % actor.title)


func check_status(actor: Actor, wanted: int) -> void:
	var state: Dictionary = await ask(actor, "net.state")
	check_equal(state["status"], wanted, "status of %s" % actor.title)


## Everything in the order of the events whose kind begins like this.
func check_history(actor: Actor, beginning: String, wanted: Array) -> void:
	check_equal(actor.history(beginning), wanted, "%s: %s*" % [actor.title, beginning])


## Lets every puppet go on long enough for packets of the past to arrive: each has gone through
## some frames after the others have.
func settle_down(rounds := 4) -> void:
	for i in rounds:
		for actor in _troupe:
			if actor.is_running():
				await ask(actor, "net.state")


## Ends a puppet by itself; its exit code must be 0, and nothing may leak.
func check_clean_end(actor: Actor) -> void:
	check_equal(await wait_for_end(actor), 0, "exit code of %s" % actor.title)
	check_equal(actor.complaints(), PackedStringArray(), "%s ends cleanly" % actor.title)


## Keeps the last place of every suite: the processes of its tests end as they should.
func test_processes_end_cleanly() -> void:
	await cast(1)
	for actor: Actor in _troupe.duplicate():
		actor.tell("quit", [0])
		await check_clean_end(actor)


func _actor(title: String) -> Actor:
	for actor in _troupe:
		if actor.title == title:
			return actor
	return null


func _call_up(title: String) -> void:
	if _actor(title) != null:
		return
	if _listener == null:
		_listener = TCPServer.new()
		check_equal(_listener.listen(0, LOCALHOST), OK, "listen")
	var actor := Actor.new(_listener.get_local_port(), title)
	check(actor.is_started(), "%s starts" % title)
	_troupe.append(actor)
	var arrived := func() -> bool: return _listener.is_connection_available()
	if await wait_until(arrived, 20.0, "%s arrives" % title):
		actor.link = Actor.Link.new()
		actor.link.accept(_listener.take_connection())
	else:
		fail(actor.transcript())
