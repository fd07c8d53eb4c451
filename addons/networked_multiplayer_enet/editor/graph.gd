## Draws one or two figures over the last minutes. Under the mouse, the values of that time.
@tool
extends Control

const History := preload("history.gd")
const Units := preload("units.gd")
const SECONDS_BETWEEN_LABELS := 30
## Opacities.
const GRID := 0.12
const DIMMED := 0.6
const LINE_WIDTH := 1.2
## The vertical axis ends at one of them, or one of them times a power of 10, or 1024 for bytes.
const NICE_NUMBERS: Array[int] = [
	1, 2, 3, 4, 6, 8, 10, 20, 30, 40, 60, 80, 100, 200, 300, 400, 600, 800, 1024
]
## The least that the vertical axis reaches to, by figure: noise is not to look like a mountain.
const LEAST_TOPS := {
	"round_trip_msec": 10.0,
	"loss_out": 0.02,
	"wire_bytes_sent": 1024.0,
	"resends": 5.0,
}

var title := ""
## Figures, the names in the legend, and colours of the editor's theme.
var series: Array[Array] = []
## What is drawn; null for nothing.
var history: History:
	set(value):
		history = value
		queue_redraw()

var _hovered_x := -1.0
var _font: Font
var _font_size := 0


func _init() -> void:
	clip_contents = true
	mouse_exited.connect(_hover.bind(-1.0))


func _gui_input(event: InputEvent) -> void:
	if event is InputEventMouseMotion:
		_hover(event.position.x)


func _hover(x: float) -> void:
	_hovered_x = x
	queue_redraw()


func _draw() -> void:
	_font = get_theme_font("font", "Label")
	_font_size = get_theme_font_size("font_size", "Label")
	var frame := get_theme_stylebox("panel", "Tree")
	draw_style_box(frame, Rect2(Vector2.ZERO, size))
	var inside := Rect2(Vector2.ZERO, size).grow_individual(
		-frame.get_margin(SIDE_LEFT),
		-frame.get_margin(SIDE_TOP),
		-frame.get_margin(SIDE_RIGHT),
		-frame.get_margin(SIDE_BOTTOM)
	)
	var top := _top()
	var labels := [_axis_label(0.0), _axis_label(0.5 * top), _axis_label(top)]
	var labels_width: float = labels.map(_width).max()
	var line := _font.get_height(_font_size)
	var plot := inside.grow_individual(-labels_width - 0.5 * line, -1.7 * line, 0.0, -1.1 * line)
	if plot.size.x < line or plot.size.y < line:
		return
	_draw_values_axis(plot, labels)
	_draw_time_axis(plot)
	var hovered := _hovered_sample(plot)
	for each in series:
		_draw_line(plot, top, each[0], _colour(each[2]), hovered)
	_draw_legend(inside, hovered)


func _draw_values_axis(plot: Rect2, labels: Array) -> void:
	var line := _font.get_height(_font_size)
	for index in labels.size():
		var y := lerpf(plot.end.y, plot.position.y, float(index) / (labels.size() - 1))
		draw_line(Vector2(plot.position.x, y), Vector2(plot.end.x, y), _faded(GRID))
		if index == 1 and plot.size.y < 2.5 * line:
			continue
		var left := plot.position.x - 0.5 * line - _width(labels[index])
		_text(Vector2(left, y - 0.5 * line), labels[index], _faded(DIMMED))


func _draw_time_axis(plot: Rect2) -> void:
	var step := SECONDS_BETWEEN_LABELS
	while step < History.SECONDS and plot.size.x * step / History.SECONDS < 1.5 * _width("-120 s"):
		step *= 2
	var age := 0
	while age <= History.SECONDS:
		var x := lerpf(plot.end.x, plot.position.x, age / History.SECONDS)
		draw_line(Vector2(x, plot.position.y), Vector2(x, plot.end.y), _faded(GRID))
		if age % step == 0:
			var label := "now" if age == 0 else "-%d s" % age
			var width := _width(label)
			var left := clampf(x - 0.5 * width, plot.position.x, plot.end.x - width)
			_text(Vector2(left, plot.end.y), label, _faded(DIMMED))
		age += SECONDS_BETWEEN_LABELS


func _draw_line(plot: Rect2, top: float, figure: String, colour: Color, hovered: int) -> void:
	if history == null:
		return
	var values: PackedFloat64Array = history.figures[figure]
	var width := LINE_WIDTH * EditorInterface.get_editor_scale()
	var points := PackedVector2Array()
	for index in values.size():
		var is_gap := (
			index > 0 and history.times[index] - history.times[index - 1] > History.LONGEST_STEP
		)
		if is_gap or is_nan(values[index]):
			_draw_points(points, colour, width)
			points.clear()
		if is_nan(values[index]):
			continue
		var y := lerpf(plot.end.y, plot.position.y, clampf(values[index] / top, 0.0, 1.0))
		points.append(Vector2(_x(plot, index), y))
		if index == hovered:
			draw_circle(points[-1], 2.5 * width, colour)
	_draw_points(points, colour, width)


func _draw_points(points: PackedVector2Array, colour: Color, width: float) -> void:
	if points.size() > 1:
		draw_polyline(points, colour, width, true)
	elif points.size() == 1:
		draw_circle(points[0], width, colour)


## The figures with their names and values at the right, and the title if there is room for it.
func _draw_legend(inside: Rect2, hovered: int) -> void:
	var gap := _font.get_height(_font_size)
	var right := inside.end.x
	for index in range(series.size() - 1, -1, -1):
		var figure: String = series[index][0]
		var value := NAN
		if history != null and not history.times.is_empty():
			value = history.figures[figure][hovered]
		var text := ("%s %s" % [series[index][1], Units.text(figure, value)]).strip_edges()
		right -= _width(text)
		_text(Vector2(right, inside.position.y), text, _colour(series[index][2]))
		right -= gap
	var left := title
	if hovered >= 0:
		left = "%.0f s ago" % (history.times[-1] - history.times[hovered])
	if inside.position.x + _width(left) <= right:
		_text(inside.position, left, _faded(DIMMED if hovered >= 0 else 1.0))


## Draws a text below and right of a place.
func _text(place: Vector2, text: String, colour: Color) -> void:
	var base := place + Vector2(0.0, _font.get_ascent(_font_size))
	draw_string(_font, base, text, HORIZONTAL_ALIGNMENT_LEFT, -1, _font_size, colour)


func _width(text: String) -> float:
	return _font.get_string_size(text, HORIZONTAL_ALIGNMENT_LEFT, -1, _font_size).x


## A value above all that is drawn, that is easy to read.
func _top() -> float:
	var largest: float = LEAST_TOPS[series[0][0]]
	if history != null:
		for each in series:
			for value: float in history.figures[each[0]]:
				largest = maxf(largest, 0.0 if is_nan(value) else value)
	var is_bytes: bool = series[0][0].begins_with("wire_bytes")
	var base := 1024.0 if is_bytes else 10.0
	var unit := pow(base, floorf(log(largest) / log(base) + 1e-9))
	for factor: float in NICE_NUMBERS:
		if factor * unit >= largest * (1.0 - 1e-9):
			return factor * unit
	return largest


func _axis_label(value: float) -> String:
	match series[0][0]:
		"round_trip_msec":
			return String.num(value) + " ms"
		"loss_out":
			return String.num(100.0 * value) + " %"
		"wire_bytes_sent":
			return String.humanize_size(int(value)) + "/s"
	return String.num(value) + "/s"


func _x(plot: Rect2, index: int) -> float:
	var age := history.times[-1] - history.times[index]
	return lerpf(plot.end.x, plot.position.x, age / History.SECONDS)


## The sample under the mouse; -1, which is the last one's index, too, when there is none.
func _hovered_sample(plot: Rect2) -> int:
	if history == null or _hovered_x < plot.position.x or _hovered_x > plot.end.x:
		return -1
	var nearest := -1
	for index in history.times.size():
		var distance := absf(_x(plot, index) - _hovered_x)
		if nearest < 0 or distance < absf(_x(plot, nearest) - _hovered_x):
			nearest = index
	return nearest


func _colour(colour: String) -> Color:
	return get_theme_color(colour, "Editor")


func _faded(opacity: float) -> Color:
	var colour := get_theme_color("font_color", "Label")
	colour.a *= opacity
	return colour
