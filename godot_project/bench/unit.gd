## A node that is moved by RPCs, and counts those that matter.
extends Node

const MARK := 1.0

## Shared by all units of a process: "marked" counts.
var counts := {}

@rpc("any_peer", "unreliable")
func move(place: Vector3) -> void:
	if place.x == MARK:
		counts["marked"] += 1


@rpc("any_peer", "unreliable")
func turn(place: Vector3, angle: float, step: int) -> void:
	if place.x == MARK and step >= 0 and angle >= 0.0:
		counts["marked"] += 1
