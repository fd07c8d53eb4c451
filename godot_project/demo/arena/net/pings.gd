## Measures how long messages take to each client and back. Runs on the server.
class_name ArenaPings
extends Node

const PAUSE := 0.25
## How much a new value counts against the older ones.
const SMOOTHING := 0.2
const REMEMBERED := 20

## Milliseconds by client. They include the wait for the next frame on both sides.
var table := {}

var _messages: ArenaMessages
var _number := 0
var _sent_at := {}


func start(messages: ArenaMessages) -> void:
	_messages = messages
	_messages.pong_received.connect(_on_pong_received)
	multiplayer.peer_disconnected.connect(func(id: int) -> void: table.erase(id))
	var timer := Timer.new()
	timer.wait_time = PAUSE
	timer.timeout.connect(_measure)
	add_child(timer)
	timer.start()


func _measure() -> void:
	_number += 1
	_sent_at[_number] = Time.get_ticks_usec()
	_sent_at.erase(_number - REMEMBERED)
	_messages.ping.rpc(_number)
	_messages.pings.rpc(table)


## The time of sending is looked up here: a client cannot make its ping better by telling another
## one.
func _on_pong_received(id: int, number: int) -> void:
	if not _sent_at.has(number):
		return
	var took: float = (Time.get_ticks_usec() - _sent_at[number]) / 1000.0
	table[id] = lerpf(table[id], took, SMOOTHING) if table.has(id) else took
