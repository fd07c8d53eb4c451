## Colours, and the theme of menu and panels. Everything is drawn by code: the example has no
## pictures.
class_name ArenaLook
extends RefCounted

const BACK := Color("0a0e1a")
const FLOOR_TOP := Color("1d2b50")
const FLOOR_BOTTOM := Color("121a33")
const LINE := Color("33457c")
const CARD := Color("151d36")
const INSET := Color("0d1326")
const TEXT := Color("eef2fb")
const MUTED := Color("93a3c9")
const ACCENT := Color("ff9a4d")
const GOLD := Color("ffd25e")
const GOLD_DARK := Color("c98a1b")
const BAD := Color("ff7b7b")
const GOOD := Color("5fe0a8")
const PLAYERS: Array[Color] = [
	Color("4fb3ff"),
	Color("ff6f91"),
	Color("62e2a5"),
	Color("ffb24d"),
	Color("b98bff"),
	Color("4fe3e0"),
	Color("f7ef6a"),
	Color("ff8be0"),
]


static func theme() -> Theme:
	var look := Theme.new()
	look.default_font_size = 15
	look.set_color("font_color", "Label", TEXT)
	for type: String in ["LineEdit", "SpinBox"]:
		look.set_color("font_color", type, TEXT)
		look.set_color("font_placeholder_color", type, Color(MUTED, 0.7))
		look.set_stylebox("normal", type, box(INSET, LINE, 6, 8))
		look.set_stylebox("focus", type, box(Color.TRANSPARENT, ACCENT, 6, 8))
	for type: String in ["Button", "OptionButton"]:
		look.set_color("font_color", type, TEXT)
		look.set_stylebox("normal", type, box(Color("24315b"), LINE, 6, 8))
		look.set_stylebox("hover", type, box(Color("2f3f73"), Color("5067ac"), 6, 8))
		look.set_stylebox("pressed", type, box(Color("1c2747"), ACCENT, 6, 8))
		look.set_stylebox("focus", type, box(Color.TRANSPARENT, ACCENT, 6, 8))
	for state: String in ["normal", "hover", "pressed", "focus", "hover_pressed"]:
		look.set_stylebox(state, "CheckBox", StyleBoxEmpty.new())
	look.set_color("font_color", "CheckBox", TEXT)
	look.set_color("font_disabled_color", "CheckBox", Color(MUTED, 0.6))
	for state: String in ["checked", "checked_disabled"]:
		look.set_icon(state, "CheckBox", _tick_box(ACCENT, true))
	for state: String in ["unchecked", "unchecked_disabled"]:
		look.set_icon(state, "CheckBox", _tick_box(LINE.lightened(0.2), false))
	look.set_stylebox("read_only", "LineEdit", box(Color(INSET, 0.5), Color(LINE, 0.5), 6, 8))
	look.set_color("font_uneditable_color", "LineEdit", Color(MUTED, 0.6))
	look.set_stylebox("panel", "PanelContainer", box(CARD, LINE, 10, 14))
	look.set_constant("separation", "VBoxContainer", 8)
	look.set_constant("separation", "HBoxContainer", 8)
	look.set_constant("h_separation", "GridContainer", 12)
	look.set_constant("v_separation", "GridContainer", 9)
	return look


## A panel with a thin border and round corners.
static func box(fill: Color, border: Color, radius: int, margin: int) -> StyleBoxFlat:
	var style := StyleBoxFlat.new()
	style.bg_color = fill
	style.border_color = border
	style.set_border_width_all(1)
	style.set_corner_radius_all(radius)
	style.content_margin_left = margin
	style.content_margin_right = margin
	style.content_margin_top = margin * 0.6
	style.content_margin_bottom = margin * 0.6
	return style


static func label(text: String, colour := TEXT, size := 15) -> Label:
	var made := Label.new()
	made.text = text
	made.add_theme_color_override("font_color", colour)
	made.add_theme_font_size_override("font_size", size)
	return made


## A square with a border, filled when it is ticked.
static func _tick_box(colour: Color, is_ticked: bool) -> ImageTexture:
	var image := Image.create(18, 18, false, Image.FORMAT_RGBA8)
	image.fill(colour)
	image.fill_rect(Rect2i(2, 2, 14, 14), INSET)
	if is_ticked:
		image.fill_rect(Rect2i(5, 5, 8, 8), colour)
	return ImageTexture.create_from_image(image)


## The button that matters most.
static func strong_button(text: String) -> Button:
	var made := Button.new()
	made.text = text
	made.add_theme_font_size_override("font_size", 17)
	made.add_theme_color_override("font_color", BACK)
	made.add_theme_color_override("font_hover_color", BACK)
	made.add_theme_color_override("font_pressed_color", BACK)
	made.add_theme_color_override("font_focus_color", BACK)
	made.add_theme_stylebox_override("normal", box(ACCENT, ACCENT, 6, 12))
	made.add_theme_stylebox_override("hover", box(GOLD, GOLD, 6, 12))
	made.add_theme_stylebox_override("pressed", box(ACCENT.darkened(0.2), ACCENT, 6, 12))
	return made
