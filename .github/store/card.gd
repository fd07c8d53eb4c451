## Draws the icon and the thumbnail of the stores into a folder; run by scripts/screenshots.py.
extends SceneTree

const ICON := "res://addons/networked_multiplayer_enet/icons/NetworkedMultiplayerENet.svg"
const BACKGROUND := Color("1d2229")
const SIZE := Vector2i(1920, 1080)
const ICON_SIZE := 256


func _initialize() -> void:
	_draw()


func _draw() -> void:
	var folder := OS.get_cmdline_user_args()[0]
	_icon(ICON_SIZE).save_png(folder.path_join("icon.png"))
	root.size = SIZE
	root.content_scale_mode = Window.CONTENT_SCALE_MODE_DISABLED
	var back := ColorRect.new()
	back.color = BACKGROUND
	back.size = SIZE
	root.add_child(back)
	var icon := TextureRect.new()
	icon.texture = ImageTexture.create_from_image(_icon(416))
	icon.position = Vector2(SIZE.x / 2.0 - 208.0, 120.0)
	back.add_child(icon)
	_add_line(back, "NetworkedMultiplayerENet", 128, 590.0, Color.WHITE)
	_add_line(back, "Godot 3.6's multiplayer peer for Godot 4", 64, 770.0, Color("8eef97"))
	_add_line(back, "same wire · faster · safe on the open internet", 52, 880.0, Color("a5b1c2"))
	for frame in 5:
		await process_frame
	root.get_texture().get_image().save_png(folder.path_join("thumbnail.png"))
	quit()


func _add_line(parent: Control, text: String, size: int, y: float, colour: Color) -> void:
	var label := Label.new()
	label.text = text
	label.add_theme_font_size_override("font_size", size)
	label.add_theme_color_override("font_color", colour)
	label.horizontal_alignment = HORIZONTAL_ALIGNMENT_CENTER
	label.position.y = y
	label.size.x = SIZE.x
	parent.add_child(label)


func _icon(size: int) -> Image:
	var image := Image.new()
	# The drawing is 16 pixels wide.
	image.load_svg_from_string(FileAccess.get_file_as_string(ICON), size / 16.0)
	return image
