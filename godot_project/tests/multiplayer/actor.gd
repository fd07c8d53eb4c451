## The suite's side of a puppet: its process, what it tells, and what it is asked for.
extends TestChild

const Link := preload("res://tests/multiplayer/link.gd")
const Stage := preload("res://tests/multiplayer/stage.gd")
## Seen from tests/roles.
const ROLE := "../multiplayer/puppet"

var title := ""
var link: Link
## Its unique id in the running test.
var id := 0
## Everything it has told since the running test began.
var events: Array[Array] = []

var _allowed := PackedStringArray()
var _answers := {}
var _number := 0


func _init(port: int, title_in_tests: String) -> void:
	var words := PackedStringArray([ROLE, str(port), title_in_tests])
	super(title_in_tests, "res://tests/role.gd", words)
	title = title_in_tests


## Takes in what has come over the link.
func pump() -> void:
	if link == null:
		return
	for message in link.receive():
		match message[0]:
			"event":
				events.append(message[1])
			"answer":
				_answers[message[1]] = message[2]


## Asks for something; the number is for `has_answer`.
func tell(command: String, values: Array) -> int:
	_number += 1
	link.send([_number, command, values])
	return _number


func has_answer(number: int) -> bool:
	return _answers.has(number)


func take_answer(number: int) -> Variant:
	var answer: Variant = _answers.get(number)
	_answers.erase(number)
	return answer


## How many events begin like this.
func seen(beginning: Array) -> int:
	var is_one := func(event: Array) -> bool: return event.slice(0, beginning.size()) == beginning
	return events.filter(is_one).size()


## The events whose kind begins like this, in order, without that beginning.
func history(beginning: String) -> Array:
	var found := []
	for event in events:
		if event[0].begins_with(beginning):
			found.append([event[0].trim_prefix(beginning)] + event.slice(1))
	return found


## Forgives errors with this part to the end of the running test.
func allow_error(part: String) -> void:
	_allowed.append(part)


## How a puppet tells a long value.
static func brief(value: Variant) -> Variant:
	return Stage.brief(value)


## Ends the running test: problems of the process so far, and nothing of it stays.
func settle() -> PackedStringArray:
	pump()
	has_line("")
	var found := PackedStringArray()
	for problem in problems():
		if not _is_allowed(problem):
			found.append(problem)
	events.clear()
	_allowed.clear()
	_answers.clear()
	_expected.clear()
	_error_lines.clear()
	_all_lines.clear()
	lines.clear()
	id = 0
	return found


## Lines that speak of warnings or leaks.
func complaints() -> PackedStringArray:
	has_line("")
	var found := PackedStringArray()
	for line in _all_lines + _error_lines:
		for word: String in ["WARNING", "leak", "still in use", "panicked"]:
			if line.contains(word):
				found.append(line)
				break
	return found


func _is_allowed(problem: String) -> bool:
	for part in _allowed:
		if problem.contains(part):
			return true
	return false
