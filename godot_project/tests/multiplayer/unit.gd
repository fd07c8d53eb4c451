## What the spawner spawns. Its synchronizer sends `health` when it changes, `place` always, and
## `title` only with the spawn.
extends Node

var health := 100
var place := Vector2.ZERO
var title := ""
