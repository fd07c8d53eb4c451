## Plays by itself: runs to the nearest coin, around pillars, and dashes at who is in front.
class_name ArenaBrain
extends RefCounted

const DASH_RANGE := 110.0
const SIGHT := 70.0

var direction := Vector2.ZERO
var wants_dash := false

var _goal := Vector2.ZERO
var _goal_left := 0.0
var _side := 1.0
var _rest := 0.0


## Decides what to do from where everything is.
func think(me: Vector2, coins: Array, others: Array, delta: float) -> void:
	_rest -= delta
	_goal_left -= delta
	if _goal_left <= 0.0 or me.distance_to(_goal) < 12.0:
		_choose_goal(me, coins)
	direction = _around_pillars(me, me.direction_to(_goal))
	wants_dash = _rest <= 0.0 and _has_target(me, others)
	if wants_dash:
		_rest = randf_range(1.2, 3.0)


func _choose_goal(me: Vector2, coins: Array) -> void:
	_goal_left = randf_range(0.4, 0.9)
	_side = 1.0 if randf() < 0.5 else -1.0
	var nearest := INF
	for coin: Vector2 in coins:
		# Some noise, so that not all bots run for the same coin.
		var distance := me.distance_to(coin) * randf_range(0.7, 1.4)
		if distance < nearest:
			nearest = distance
			_goal = coin
	if nearest == INF:
		_goal = Vector2(randf(), randf()) * ArenaWorld.SIZE


func _around_pillars(me: Vector2, wanted: Vector2) -> Vector2:
	for pillar in ArenaWorld.pillars:
		var to_pillar := Vector2(pillar.x, pillar.y) - me
		var gap := to_pillar.length() - pillar.z - ArenaPlayer.RADIUS
		if gap < SIGHT and wanted.dot(to_pillar.normalized()) > 0.6:
			var sideways := to_pillar.orthogonal().normalized() * _side
			return (wanted * gap / SIGHT + sideways).normalized()
	return wanted


func _has_target(me: Vector2, others: Array) -> bool:
	for other: Vector2 in others:
		var to_other := other - me
		var is_ahead := to_other.normalized().dot(direction) > 0.9
		if to_other.length() < DASH_RANGE and is_ahead:
			return true
	return false
