## The first screen: host a game, or join one, of this network or of anybody.
class_name ArenaMenu
extends CenterContainer

signal host_pressed
signal join_pressed

const NARROW := 150.0
const HALF := 340.0
const WIDE := 2.0 * HALF - NARROW

var _options: ArenaOptions
var _name := LineEdit.new()
var _address := LineEdit.new()
var _port := SpinBox.new()
var _max_clients := SpinBox.new()
var _compression := OptionButton.new()
var _dtls := CheckBox.new()
var _certificate := LineEdit.new()
var _insecure := CheckBox.new()
var _certificate_note := ArenaLook.label("", ArenaLook.MUTED, 12)
var _problem := ArenaLook.label("", ArenaLook.BAD, 14)
var _host := ArenaLook.strong_button("Host a game")
var _join := ArenaLook.strong_button("Join")
var _games := ArenaLanGames.new()
var _dialog := FileDialog.new()


func start(options: ArenaOptions) -> void:
	_options = options
	_build()
	_name.text = options.player_name
	_address.text = options.address
	_port.value = options.port
	_games.port = options.port
	_max_clients.value = options.max_clients
	_compression.select(ArenaOptions.COMPRESSIONS.keys().find(options.compression))
	_dtls.button_pressed = options.dtls
	_certificate.text = options.certificate
	_insecure.button_pressed = options.is_insecure
	_update()


func show_problem(text: String) -> void:
	_problem.text = text
	_problem.visible = text != ""
	_set_busy(false)


func show_busy(text: String) -> void:
	_set_busy(true)
	_host.text = text


func _build() -> void:
	var column := VBoxContainer.new()
	column.add_theme_constant_override("separation", 10)
	add_child(column)
	column.add_child(_centred("COIN ARENA", ArenaLook.GOLD, 56))
	var about := "Collect coins. Dash into others, and they drop some of theirs."
	column.add_child(_centred(about, ArenaLook.TEXT, 16))
	column.add_child(_gap(6.0))
	_dtls.text = "Encrypt (DTLS)"
	var shared := _row([["Port", _port], ["Compression", _compression], ["", _dtls]])
	var top := HBoxContainer.new()
	top.add_theme_constant_override("separation", 10)
	top.add_child(_card("YOUR NAME", NARROW, [_row([["", _name]])]))
	top.add_child(_card("THE SAME FOR HOST AND PLAYERS", WIDE, [shared]))
	column.add_child(top)
	var cards := HBoxContainer.new()
	cards.add_theme_constant_override("separation", 10)
	column.add_child(cards)
	_certificate_note.autowrap_mode = TextServer.AUTOWRAP_WORD_SMART
	var players := _row([["Players at most", _max_clients]])
	cards.add_child(_card("HOST", HALF, [players, _certificate_note, _host]))
	var address := _row([["Address", _address]])
	cards.add_child(_card("JOIN", HALF, [address, _certificate_row(), _insecure, _join]))
	column.add_child(_card("GAMES IN THIS NETWORK", HALF, [_games]))
	var red := ArenaLook.box(Color("3a1622"), ArenaLook.BAD, 6, 10)
	_problem.add_theme_stylebox_override("normal", red)
	_problem.autowrap_mode = TextServer.AUTOWRAP_WORD_SMART
	_problem.horizontal_alignment = HORIZONTAL_ALIGNMENT_CENTER
	_problem.visible = false
	column.add_child(_problem)
	_set_up_fields()


func _set_up_fields() -> void:
	_name.max_length = ArenaMessages.NAME_LENGTH
	_port.min_value = ArenaOptions.NUMBERS["--port"][1]
	_port.max_value = ArenaOptions.NUMBERS["--port"][2]
	_max_clients.min_value = 1
	_max_clients.max_value = ArenaOptions.NUMBERS["--max-clients"][2]
	for compression: String in ArenaOptions.COMPRESSIONS:
		_compression.add_item(compression)
	_certificate.placeholder_text = "The server's certificate (.crt)"
	_insecure.text = "Do not verify (for tests only)"
	_insecure.add_theme_color_override("font_color", ArenaLook.BAD)
	_dialog.file_mode = FileDialog.FILE_MODE_OPEN_FILE
	_dialog.access = FileDialog.ACCESS_FILESYSTEM
	_dialog.filters = PackedStringArray(["*.crt, *.pem ; Certificates"])
	_dialog.file_selected.connect(func(path: String) -> void: _certificate.text = path)
	add_child(_dialog)
	_dtls.toggled.connect(func(_on: bool) -> void: _update())
	_insecure.toggled.connect(func(_on: bool) -> void: _update())
	_host.pressed.connect(_press.bind(host_pressed))
	_join.pressed.connect(_press.bind(join_pressed))
	_port.value_changed.connect(func(port: float) -> void: _games.port = int(port))
	_games.chosen.connect(_join_game)


## What is of use only with DTLS is grey without.
func _update() -> void:
	_certificate.editable = _dtls.button_pressed and not _insecure.button_pressed
	_insecure.disabled = not _dtls.button_pressed
	var note := "Not encrypted: everybody on the way can read along."
	if _dtls.button_pressed:
		note = "Give this certificate to the players: " + ArenaCertificate.path()
	_certificate_note.text = note


func _press(which: Signal) -> void:
	_options.player_name = _name.text
	_options.address = _address.text.strip_edges()
	_options.port = int(_port.value)
	_options.max_clients = int(_max_clients.value)
	_options.compression = _compression.get_item_text(_compression.selected)
	_options.dtls = _dtls.button_pressed
	_options.certificate = _certificate.text.strip_edges()
	_options.is_insecure = _insecure.button_pressed
	show_problem("")
	which.emit()


## Joins a game of the list, as it wants to be joined.
func _join_game(game: Dictionary) -> void:
	_address.text = game.address
	_port.value = game.port
	_compression.select(ArenaOptions.COMPRESSIONS.keys().find(game.info.compression))
	_dtls.button_pressed = game.use_dtls
	_press(join_pressed)


func _set_busy(is_busy: bool) -> void:
	_host.disabled = is_busy
	_join.disabled = is_busy
	_host.text = "Host a game"


func _certificate_row() -> Control:
	var row := HBoxContainer.new()
	var browse := Button.new()
	browse.text = "..."
	browse.pressed.connect(_dialog.popup_centered.bind(Vector2i(700, 460)))
	_certificate.size_flags_horizontal = Control.SIZE_EXPAND_FILL
	row.add_child(_certificate)
	row.add_child(browse)
	return row


func _card(title: String, width: float, contents: Array[Control]) -> PanelContainer:
	var card := PanelContainer.new()
	card.size_flags_horizontal = Control.SIZE_EXPAND_FILL
	var column := VBoxContainer.new()
	column.add_theme_constant_override("separation", 10)
	column.custom_minimum_size.x = width
	card.add_child(column)
	column.add_child(ArenaLook.label(title, ArenaLook.MUTED, 12))
	for content in contents:
		column.add_child(content)
	contents.back().size_flags_vertical = Control.SIZE_SHRINK_END | Control.SIZE_EXPAND
	return card


## Captions and their fields, side by side.
func _row(pairs: Array) -> HBoxContainer:
	var row := HBoxContainer.new()
	row.add_theme_constant_override("separation", 10)
	for pair: Array in pairs:
		if pair[0] != "":
			row.add_child(ArenaLook.label(pair[0], ArenaLook.TEXT))
		pair[1].size_flags_horizontal = Control.SIZE_EXPAND_FILL
		row.add_child(pair[1])
	return row


func _centred(text: String, colour: Color, font_size: int) -> Label:
	var made := ArenaLook.label(text, colour, font_size)
	made.horizontal_alignment = HORIZONTAL_ALIGNMENT_CENTER
	made.add_theme_color_override("font_outline_color", ArenaLook.BACK)
	made.add_theme_constant_override("outline_size", 10)
	return made


func _gap(height: float) -> Control:
	var made := Control.new()
	made.custom_minimum_size.y = height
	return made
