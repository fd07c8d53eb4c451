## Everybody's coins and ping, the richest first. The host kicks a player by a click on the cross.
class_name ArenaScoreList
extends Control

signal kick_pressed(id: int)

const ROW := 25.0
const ROWS := 8
const CROSS_WIDTH := 20.0

var replica: ArenaReplica
var own_id := 0
var may_kick := false


func _ready() -> void:
	custom_minimum_size = Vector2(0.0, ROW * ROWS)


func _process(_delta: float) -> void:
	queue_redraw()


func _gui_input(event: InputEvent) -> void:
	var click := event as InputEventMouseButton
	if click == null or not click.pressed or click.button_index != MOUSE_BUTTON_LEFT:
		return
	var ids := _sorted_ids()
	var row := int(click.position.y / ROW)
	if row < mini(ids.size(), ROWS) and _may_kick(ids[row]) and click.position.x < CROSS_WIDTH:
		kick_pressed.emit(ids[row])


func _draw() -> void:
	var ids := _sorted_ids()
	for row in mini(ids.size(), ROWS):
		_draw_row(row, ids[row], replica.players[ids[row]])


func _draw_row(row: int, id: int, player: ArenaReplica.Player) -> void:
	var top := row * ROW
	var baseline := top + 17.0
	if id == own_id:
		var back := ArenaLook.box(Color(1.0, 1.0, 1.0, 0.07), Color.TRANSPARENT, 5, 0)
		draw_style_box(back, Rect2(-6.0, top, size.x + 12.0, ROW - 1.0))
	var colour := ArenaLook.PLAYERS[player.colour % ArenaLook.PLAYERS.size()]
	var is_hovered := Rect2(0.0, top, size.x, ROW).has_point(get_local_mouse_position())
	if is_hovered and _may_kick(id):
		_text(Vector2(1.0, baseline), "✕", HORIZONTAL_ALIGNMENT_LEFT, 20.0, ArenaLook.BAD)
	else:
		draw_circle(Vector2(7.0, top + 12.0), 6.0, colour, true, -1.0, true)
	_text(Vector2(22.0, baseline), player.name, HORIZONTAL_ALIGNMENT_LEFT, 105.0, ArenaLook.TEXT)
	_text(
		Vector2(124.0, baseline),
		_ping_text(id, player),
		HORIZONTAL_ALIGNMENT_RIGHT,
		58.0,
		ArenaLook.MUTED
	)
	_text(
		Vector2(size.x - 34.0, baseline),
		str(player.score),
		HORIZONTAL_ALIGNMENT_RIGHT,
		34.0,
		ArenaLook.GOLD
	)


func _sorted_ids() -> Array:
	var ids := replica.players.keys()
	ids.sort_custom(
		func(a: int, b: int) -> bool: return replica.players[a].score > replica.players[b].score
	)
	return ids


## Bots and the host stay.
func _may_kick(id: int) -> bool:
	return may_kick and id > MultiplayerPeer.TARGET_PEER_SERVER


func _ping_text(id: int, player: ArenaReplica.Player) -> String:
	if id < 0:
		return "bot"
	if id == MultiplayerPeer.TARGET_PEER_SERVER:
		return "host"
	return "%d ms" % roundi(player.ping)


func _text(
	at: Vector2, text: String, alignment: HorizontalAlignment, width: float, colour: Color
) -> void:
	draw_string(ThemeDB.fallback_font, at, text, alignment, width, 14, colour)
