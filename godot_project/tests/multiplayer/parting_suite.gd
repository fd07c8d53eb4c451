## What suites about the end of connections share.
extends "res://tests/multiplayer/puppet_suite.gd"

const LOST_SECONDS := 10.0
## A graceful end does not wait for ENet's timeout of 5 seconds.
const GRACEFUL_SECONDS := 3.0


func forget_events() -> void:
	for actor in everyone():
		actor.events.clear()


func without_peer_signals(actor: Actor) -> Array:
	return actor.events.filter(func(event: Array) -> bool: return not event[0].begins_with("peer."))


## A client has gone: everybody else hears it once, and nothing more.
func check_others_lost(gone: Actor, seconds := LOST_SECONDS) -> void:
	var others := everyone_but(gone)
	for other in others:
		await happens(other, ["api.peer_disconnected", gone.id], 1, seconds)
	for other in others:
		await ask(other, "net.state")
		await check_peers(other, ids(others.filter(func(a: Actor) -> bool: return a != other)))
		check_history(other, "api.", [["peer_disconnected", gone.id]])
		check_history(other, "peer.", [["peer_disconnected", gone.id]])
