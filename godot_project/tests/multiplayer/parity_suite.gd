## What suites share that play each case twice, with ENetMultiplayerPeer and with ours: a server and
## two clients in the suite's own process, whose events, answers and errors are compared.
extends TestSuite

const Member := preload("res://tests/multiplayer/member.gd")
const ENGINE := &"ENetMultiplayerPeer"
const OURS := &"NetworkedMultiplayerENet"
const SECONDS := 5.0

var server: Member
var first: Member
var second: Member
## What calls have answered, with a word for each.
var answers: Array = []
var port := 0

var _members: Array[Member] = []


func set_up() -> void:
	deadline = 60.0


func tear_down() -> void:
	_end_party()


## Plays a case with the engine's own class and with ours, and compares. Only ours may tell the
## events of `more`.
func compare(play: Callable, more := []) -> void:
	var outcomes := {}
	for kind: StringName in [ENGINE, OURS]:
		_begin_party(kind)
		await play.call()
		await settle()
		outcomes[kind] = {"answers": answers.duplicate()}
		for member in _members:
			outcomes[kind][String(member.name)] = member.events.filter(
				func(event: String) -> bool: return event not in more
			)
		_end_party()
		await frames(2)
		outcomes[kind]["errors"] = _take_errors()
	for part: String in outcomes[OURS]:
		if part != "errors":
			check_equal(outcomes[OURS][part], outcomes[ENGINE][part], part)
	_check_errors(outcomes[OURS]["errors"], outcomes[ENGINE]["errors"])


## A server, and a client on its way in.
func start(
	server_authenticates: bool, client_authenticates: bool, timeout := 3.0, enters := true
) -> void:
	port = free_port()
	if server_authenticates:
		server.authenticate(timeout)
	for client: Member in [first, second]:
		if client_authenticates:
			client.authenticate(timeout)
	check_equal(server.serve(port), OK, "create_server")
	if not enters:
		return
	await enter(first)
	await sees(first, "authenticating server" if client_authenticates else "connected server")
	await sees(server, "authenticating first" if server_authenticates else "connected first")


func enter(client: Member) -> void:
	check_equal(client.join(port), OK, "create_client")


func exchange(one: Member, other: Member) -> void:
	note("send", one.send_auth(other.id(), "word"))
	note("send", other.send_auth(one.id(), "word"))


func note(word: String, answer: Variant) -> void:
	answers.append([word, answer])


## Notes an answer that has not been noted yet.
func note_once(word: String, answer: Variant) -> void:
	if not answers.has([word, answer]):
		note(word, answer)


func sees(member: Member, event: String, times := 1) -> void:
	var what := "%s of %s: %s" % [member.name, member.kind, event]
	var told := func() -> bool: return member.seen(event) >= times
	if not await wait_until(told, SECONDS, what):
		fail("%s has told %s" % [member.name, str(member.events).left(1000)])


## Lets everything on its way arrive.
func settle() -> void:
	await wait(0.1)
	await frames(10)


func _begin_party(kind: StringName) -> void:
	answers = []
	var titles := {}
	for title: String in ["server", "first", "second"]:
		var member := Member.new()
		add_child(member)
		member.set_up(title, kind, titles)
		_members.append(member)
	server = _members[0]
	first = _members[1]
	second = _members[2]


func _end_party() -> void:
	for member in _members:
		member.tear_down()
		remove_child(member)
	_members.clear()


func _take_errors() -> Array[String]:
	var texts: Array[String] = []
	if error_log == null:
		return texts
	for text: String in error_log.reset():
		texts.append(_without_numbers(text))
	return texts


## Ids are another with each play.
func _without_numbers(text: String) -> String:
	return RegEx.create_from_string("\\d{3,}").sub(text, "N", true)


## No error of the engine that it does not give with its own class. One of ours may stand for one
## of its class.
func _check_errors(got: Array[String], wanted: Array[String]) -> void:
	checks += 1
	var left := wanted.duplicate()
	var more: Array[String] = []
	for text in got:
		if left.has(text):
			left.erase(text)
		else:
			more.append(text)
	var own := more.filter(func(text: String) -> bool: return text.contains(OURS))
	if own.size() < more.size() or own.size() > left.size():
		fail("errors: got %s, the engine's own class gives %s" % [got, wanted])
