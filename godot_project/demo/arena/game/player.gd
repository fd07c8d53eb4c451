## One player of the world: moves, dashes, is stunned.
class_name ArenaPlayer
extends RefCounted

const RADIUS := 18.0
const SPEED := 250.0
const ACCELERATION := 2200.0
const DASH_SPEED := 720.0
const DASH_TIME := 0.16
const DASH_PAUSE := 1.1
const STUN_TIME := 0.55
## Seconds after a hit in which there is no other.
const SAFE_TIME := 1.4

var id := 0
var name := ""
## Index of the colour.
var colour := 0
var score := 0

var position := Vector2.ZERO
var velocity := Vector2.ZERO
var facing := 0.0

## What the keys, or a bot's brain, say.
var direction := Vector2.ZERO
var wants_dash := false

var dash_left := 0.0
var dash_wait := 0.0
var stun_left := 0.0
var safe_left := 0.0


func move(delta: float) -> void:
	dash_left = maxf(dash_left - delta, 0.0)
	dash_wait = maxf(dash_wait - delta, 0.0)
	stun_left = maxf(stun_left - delta, 0.0)
	safe_left = maxf(safe_left - delta, 0.0)
	if is_stunned():
		velocity = velocity.move_toward(Vector2.ZERO, ACCELERATION * 0.5 * delta)
	else:
		_steer(delta)
	position += velocity * delta


func is_dashing() -> bool:
	return dash_left > 0.0


func is_stunned() -> bool:
	return stun_left > 0.0


## 0 right after a dash, 1 when the next is possible.
func charge() -> float:
	return 1.0 - dash_wait / DASH_PAUSE


func be_hit(away: Vector2) -> void:
	stun_left = STUN_TIME
	safe_left = SAFE_TIME
	dash_left = 0.0
	velocity = away * 520.0


func _steer(delta: float) -> void:
	if direction != Vector2.ZERO:
		facing = direction.angle()
	if wants_dash and dash_wait == 0.0:
		dash_left = DASH_TIME
		dash_wait = DASH_PAUSE
	if is_dashing():
		velocity = Vector2.from_angle(facing) * DASH_SPEED
	else:
		velocity = velocity.move_toward(direction * SPEED, ACCELERATION * delta)
