## The games in the local network, as buttons. It looks for them again and again while it is seen.
class_name ArenaLanGames
extends VBoxContainer

## Somebody wants to play there; see ENetServerBrowser.server_found.
signal chosen(game: Dictionary)

## Seconds between two searches.
const PAUSE := 2.0
const MOST_SHOWN := 4

## The port that games listen on.
var port := 4242

var _browser := ENetServerBrowser.new()
var _found: Array[Dictionary] = []
var _shown: Array[Dictionary] = []
var _pause := 0.0


func _ready() -> void:
	_browser.server_found.connect(_on_server_found)
	_browser.search_finished.connect(_show_found)
	_show_found()


func _process(delta: float) -> void:
	if not is_visible_in_tree() or _browser.is_searching():
		return
	_pause -= delta
	if _pause <= 0.0:
		_pause = PAUSE
		_found.clear()
		_browser.discover_servers(port)


func _on_server_found(server: Dictionary) -> void:
	# Other games may use the port, too; and all of this is what somebody says.
	var compression: Variant = server.info.get("compression")
	if (
		server.info.get("game") == ArenaConnection.GAME
		and ArenaOptions.COMPRESSIONS.has(compression)
	):
		_found.append(server)


func _show_found() -> void:
	_found.sort_custom(func(a: Dictionary, b: Dictionary) -> bool: return a.name < b.name)
	for game in _found:
		# It is never twice the same, and who is about to press a button needs it to stay.
		game.erase("round_trip_msec")
	if _shown == _found and get_child_count() > 0:
		return
	_shown = _found.duplicate()
	for old in get_children():
		old.queue_free()
	for game: Dictionary in _found.slice(0, MOST_SHOWN):
		add_child(_button(game))
	if _found.is_empty():
		add_child(ArenaLook.label("None on this port yet.", ArenaLook.MUTED, 13))


func _button(game: Dictionary) -> Button:
	var button := Button.new()
	var count := "%d of %d guests" % [game.players, game.max_players]
	var more := ", DTLS" if game.use_dtls else ""
	button.text = "%s: %s%s" % [game.name, count, more]
	button.clip_text = true
	button.disabled = game.is_full or game.is_refusing
	button.pressed.connect(func() -> void: chosen.emit(game))
	return button
