## Draws the arena: floor, pillars, coins and players.
class_name ArenaField
extends Node2D

const GRID := 60.0
const CORNER := 18.0
const TRAIL := 9

var replica: ArenaReplica
## The player of this screen.
var own_id := 0

## The last places of each player, newest first.
var _trails := {}
var _time := 0.0
var _floor := StyleBoxFlat.new()
var _shade := GradientTexture2D.new()
var _glow := GradientTexture2D.new()


func _ready() -> void:
	_floor.bg_color = ArenaLook.FLOOR_BOTTOM
	_floor.border_color = Color("4a61a8")
	_floor.set_border_width_all(3)
	_floor.set_corner_radius_all(int(CORNER))
	_floor.shadow_color = Color(0.25, 0.4, 0.9, 0.22)
	_floor.shadow_size = 14
	_floor.anti_aliasing_size = 1.0
	_shade = _round_gradient(ArenaLook.FLOOR_TOP, Color(ArenaLook.FLOOR_BOTTOM, 0.0))
	_glow = _round_gradient(Color(1.0, 0.82, 0.35, 0.5), Color(1.0, 0.82, 0.35, 0.0))


func _process(delta: float) -> void:
	_time += delta
	for id: int in _trails.keys():
		if not replica.shown.has(id):
			_trails.erase(id)
	for id: int in replica.shown:
		var trail: Array = _trails.get_or_add(id, [])
		trail.push_front(replica.shown[id].position)
		if trail.size() > TRAIL:
			trail.pop_back()
	queue_redraw()


func _draw() -> void:
	_draw_floor()
	for coin: int in replica.coins:
		_draw_coin(replica.coins[coin], coin)
	for pillar in ArenaWorld.pillars:
		_draw_pillar(Vector2(pillar.x, pillar.y), pillar.z)
	var leader := _leader()
	for id: int in replica.shown:
		if replica.players.has(id):
			_draw_player(id, replica.shown[id], replica.players[id], id == leader)
	for id: int in replica.shown:
		if replica.players.has(id):
			_draw_name(replica.shown[id].position, replica.players[id].name, id == own_id)


func _draw_floor() -> void:
	var area := Rect2(Vector2.ZERO, ArenaWorld.SIZE)
	draw_style_box(_floor, area.grow(3.0))
	draw_texture_rect(_shade, area.grow(-2.0), false)
	for x in range(GRID, ArenaWorld.SIZE.x, GRID):
		for y in range(GRID, ArenaWorld.SIZE.y, GRID):
			draw_circle(Vector2(x, y), 1.6, Color(1.0, 1.0, 1.0, 0.08), true, -1.0, true)
	var middle := ArenaWorld.SIZE / 2.0
	var ring := Color(0.55, 0.68, 1.0, 0.13)
	draw_arc(middle, 130.0, 0.0, TAU, 96, ring, 2.0, true)
	draw_line(Vector2(middle.x, 16.0), middle + Vector2.UP * 130.0, ring, 2.0, true)
	draw_line(
		Vector2(middle.x, ArenaWorld.SIZE.y - 16.0), middle + Vector2.DOWN * 130.0, ring, 2.0, true
	)


func _draw_pillar(where: Vector2, radius: float) -> void:
	_disc(where + Vector2(5.0, 9.0), radius, Color(0.0, 0.0, 0.0, 0.35))
	_disc(where, radius, Color("2a3a6e"))
	_disc(where + Vector2(0.0, -4.0), radius - 3.0, Color("3d5296"))
	_disc(where + Vector2(0.0, -4.0), radius - 9.0, Color("34478a"))
	draw_arc(
		where + Vector2(0.0, -4.0),
		radius - 5.0,
		-2.6,
		-0.9,
		32,
		Color(1.0, 1.0, 1.0, 0.28),
		2.5,
		true
	)


## A coin turns: seen from the side, it is narrow.
func _draw_coin(where: Vector2, coin: int) -> void:
	var radius := ArenaWorld.COIN_RADIUS
	draw_texture_rect(_glow, Rect2(where - Vector2(24.0, 24.0), Vector2(48.0, 48.0)), false)
	var width := 0.35 + 0.65 * absf(cos(_time * 2.2 + coin * 0.9))
	draw_set_transform(where, 0.0, Vector2(width, 1.0))
	_disc(Vector2.ZERO, radius, ArenaLook.GOLD_DARK)
	_disc(Vector2.ZERO, radius - 1.5, ArenaLook.GOLD)
	_disc(Vector2.ZERO, radius - 4.5, Color("f2b632"))
	draw_arc(Vector2.ZERO, radius - 3.0, -2.5, -1.2, 12, Color(1.0, 1.0, 1.0, 0.9), 1.6, true)
	draw_set_transform(Vector2.ZERO)


func _draw_player(
	id: int, state: ArenaSnapshot.State, player: ArenaReplica.Player, is_leader: bool
) -> void:
	var colour := ArenaLook.PLAYERS[player.colour % ArenaLook.PLAYERS.size()]
	var radius := ArenaPlayer.RADIUS
	var where := state.position
	_draw_trail(id, colour, 0.5 if state.is_dashing else 0.14)
	_disc(where + Vector2(4.0, 7.0), radius, Color(0.0, 0.0, 0.0, 0.35))
	if id == own_id:
		draw_arc(where, radius + 6.0, 0.0, TAU, 40, Color(1.0, 1.0, 1.0, 0.18), 3.0, true)
		var end := -PI / 2.0 + TAU * state.charge
		draw_arc(where, radius + 6.0, -PI / 2.0, end, 40, Color(1.0, 1.0, 1.0, 0.85), 3.0, true)
	_disc(where, radius, colour.darkened(0.45))
	_disc(where, radius - 2.0, colour)
	_disc(where + Vector2(-4.0, -5.0), radius * 0.5, Color(1.0, 1.0, 1.0, 0.16))
	_draw_eyes(where, state)
	if is_leader:
		_draw_crown(where + Vector2(0.0, -radius - 3.0))


func _draw_trail(id: int, colour: Color, strength: float) -> void:
	var trail: Array = _trails.get(id, [])
	for i in range(trail.size() - 1, 0, -1):
		var left := 1.0 - i / float(TRAIL)
		_disc(
			trail[i], ArenaPlayer.RADIUS * (0.4 + 0.5 * left), Color(colour, strength * left * 0.6)
		)


func _draw_eyes(where: Vector2, state: ArenaSnapshot.State) -> void:
	var ahead := Vector2.from_angle(state.facing)
	for side: float in [-1.0, 1.0]:
		var eye := where + ahead * 7.0 + ahead.orthogonal() * 6.5 * side
		if state.is_stunned:
			for tilt: float in [PI / 4.0, -PI / 4.0]:
				var arm := Vector2.from_angle(tilt) * 4.0
				draw_line(eye - arm, eye + arm, ArenaLook.BACK, 2.0, true)
			continue
		_disc(eye, 5.0, Color.WHITE)
		_disc(eye + ahead * 1.8, 2.6, ArenaLook.BACK)
	if state.is_stunned:
		for i in 3:
			var star := Vector2.from_angle(_time * 5.0 + i * TAU / 3.0) * Vector2(20.0, 7.0)
			_disc(where + Vector2(0.0, -24.0) + star, 3.0, ArenaLook.GOLD)


func _draw_crown(base: Vector2) -> void:
	var points := PackedVector2Array(
		[
			Vector2(-11.0, 3.0),
			Vector2(-13.0, -9.0),
			Vector2(-5.5, -3.0),
			Vector2(0.0, -12.0),
			Vector2(5.5, -3.0),
			Vector2(13.0, -9.0),
			Vector2(11.0, 3.0),
		]
	)
	for i in points.size():
		points[i] += base
	draw_colored_polygon(points, ArenaLook.GOLD)
	points.append(points[0])
	draw_polyline(points, ArenaLook.GOLD_DARK, 1.5, true)


func _draw_name(where: Vector2, text: String, is_own: bool) -> void:
	var font := ThemeDB.fallback_font
	var size := 13
	var width := font.get_string_size(text, HORIZONTAL_ALIGNMENT_LEFT, -1, size).x
	var at := where + Vector2(-width / 2.0, ArenaPlayer.RADIUS + 20.0)
	draw_string_outline(
		font, at, text, HORIZONTAL_ALIGNMENT_LEFT, -1, size, 5, Color(ArenaLook.BACK, 0.85)
	)
	var colour := Color.WHITE if is_own else Color("cfd8f0")
	draw_string(font, at, text, HORIZONTAL_ALIGNMENT_LEFT, -1, size, colour)


func _leader() -> int:
	var best := 0
	var leader := 0
	for id: int in replica.players:
		if replica.players[id].score > best:
			best = replica.players[id].score
			leader = id
	return leader


func _disc(where: Vector2, radius: float, colour: Color) -> void:
	draw_circle(where, radius, colour, true, -1.0, true)


func _round_gradient(inner: Color, outer: Color) -> GradientTexture2D:
	var gradient := Gradient.new()
	gradient.set_color(0, inner)
	gradient.set_color(1, outer)
	var texture := GradientTexture2D.new()
	texture.gradient = gradient
	texture.fill = GradientTexture2D.FILL_RADIAL
	texture.fill_from = Vector2(0.5, 0.5)
	texture.fill_to = Vector2(1.0, 0.5)
	return texture
