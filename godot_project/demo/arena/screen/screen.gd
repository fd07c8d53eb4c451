## Everything that is seen: the arena, the panel beside it, and the menu above both.
class_name ArenaScreen
extends Control

## Where the arena is, with the panel beside it, and behind the menu.
const FIELD_PLACE := Vector2(20.0, 24.0)
const MENU_PLACE := Vector2(156.0, 24.0)

## The node of main.gd.
var _main: Node
var _showcase: ArenaShowcase

@onready var _field: ArenaField = $Field
@onready var _sparks: ArenaSparks = $Sparks
@onready var _hud: ArenaHud = $Hud
@onready var _veil: ColorRect = $Veil
@onready var _menu: ArenaMenu = $Menu


func start(main: Node) -> void:
	_main = main
	theme = ArenaLook.theme()
	_hud.scores.replica = main.replica
	_menu.start(main.options)
	_menu.host_pressed.connect(func() -> void: _begin(main.host, ""))
	_menu.join_pressed.connect(func() -> void: _begin(main.join, "Connecting ..."))
	main.replica.welcomed.connect(_on_welcomed)
	main.replica.coin_taken.connect(_on_coin_taken)
	main.replica.player_hit.connect(_on_player_hit)
	main.messages.chat_received.connect(_on_chat_received)
	_hud.said.connect(func(text: String) -> void: main.messages.say.rpc(text))
	_hud.network_chosen.connect(func(preset: String) -> void: main.connection.peer.simulate(preset))
	_hud.scores.kick_pressed.connect(
		func(id: int) -> void: main.connection.kick(id, "The host has sent you away.")
	)
	_hud.typing_changed.connect(
		func(is_typing: bool) -> void: main.controls.is_enabled = not is_typing
	)
	_show_menu(true)


## Back to the menu, which says why.
func show_problem(text: String) -> void:
	_show_menu(true)
	_menu.show_problem(text)


## Saves what the window shows.
func save_picture(path: String) -> void:
	await RenderingServer.frame_post_draw
	get_viewport().get_texture().get_image().save_png(path)


func _process(_delta: float) -> void:
	if _main != null and _main.connection.is_open():
		_hud.show_traffic(_main.connection.peer, _main.options)


func _begin(action: Callable, busy: String) -> void:
	if busy != "":
		_menu.show_busy(busy)
	# It must not send anything over the connection.
	_end_showcase()
	var problem: String = action.call()
	if problem != "":
		show_problem(problem)


func _show_menu(is_shown: bool) -> void:
	_menu.visible = is_shown
	_veil.visible = is_shown
	_hud.visible = not is_shown
	_field.position = MENU_PLACE if is_shown else FIELD_PLACE
	_sparks.position = _field.position
	_end_showcase()
	if is_shown and _main.options.mode == ArenaOptions.Mode.MENU:
		_showcase = ArenaShowcase.new()
		add_child(_showcase)
		_field.replica = _showcase.replica


func _end_showcase() -> void:
	_field.replica = _main.replica
	if _showcase != null:
		_showcase.free()
		_showcase = null


func _on_welcomed() -> void:
	var id := multiplayer.get_unique_id()
	_field.own_id = id
	_hud.scores.own_id = id
	_hud.scores.may_kick = multiplayer.is_server()
	_show_menu(false)
	if _main.options.dtls and multiplayer.is_server():
		_hud.add_line("DTLS", ArenaLook.GOOD, "Players need " + ArenaCertificate.path())
	_hud.add_line("Keys", ArenaLook.MUTED, "WASD or arrows move, Space dashes, Enter chats.")


func _on_chat_received(id: int, text: String) -> void:
	_hud.add_line(_main.replica.name_of(id), _colour_of(id), text)


func _on_coin_taken(where: Vector2, id: int) -> void:
	_sparks.burst(where, ArenaLook.GOLD, 8, 90.0)
	_sparks.rise(where, _colour_of(id), "+1")


func _on_player_hit(where: Vector2, by: int) -> void:
	_sparks.burst(where, _colour_of(by), 22, 240.0)


func _colour_of(id: int) -> Color:
	if not _main.replica.players.has(id):
		return ArenaLook.MUTED
	return ArenaLook.PLAYERS[_main.replica.players[id].colour % ArenaLook.PLAYERS.size()]
