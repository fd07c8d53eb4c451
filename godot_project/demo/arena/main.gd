## The arena: puts the parts together, as the command line or the menu asks.
##
## Server and clients run this same scene, so that RPCs find the same nodes on both sides.
extends Node

## Frames per second without a window, where nothing else slows the loop down.
const HEADLESS_FPS := 60

var options := ArenaOptions.new()
var screen: ArenaScreen

var _is_draining := false
var _is_leaving := false
var _fleet: ArenaFleet

@onready var connection: ArenaConnection = $Connection
@onready var messages: ArenaMessages = $Messages
@onready var replica: ArenaReplica = $Replica
@onready var controls: ArenaControls = $Controls
@onready var chatter: ArenaChatter = $Chatter
@onready var server: ArenaServer = $Server
@onready var pings: ArenaPings = $Pings


func _ready() -> void:
	Engine.physics_ticks_per_second = ArenaWorld.TICKS_PER_SECOND
	get_tree().auto_accept_quit = false
	var problem := options.read(OS.get_cmdline_user_args())
	if problem != "":
		printerr(problem, "\n", ArenaOptions.USAGE)
		get_tree().quit(2)
		return
	replica.start(messages)
	if options.is_bot:
		chatter.start(messages, replica, options.player_name)
	connection.opened.connect(_on_opened)
	connection.ended.connect(_on_ended)
	if DisplayServer.get_name() == "headless":
		Engine.max_fps = HEADLESS_FPS
	else:
		_show_screen()
	if options.seconds > 0:
		get_tree().create_timer(options.seconds).timeout.connect(leave.bind("Time is up."))
	_begin()


func _notification(what: int) -> void:
	if what == NOTIFICATION_WM_CLOSE_REQUEST:
		leave("The host has closed the game.")


## Hosts a game; returns what went wrong, or nothing.
func host() -> String:
	var problem := connection.host(options)
	if problem == "":
		server.start(messages, options.bots)
		pings.start(messages)
		_on_opened()
	return problem


## Begins to join a game; returns what went wrong, or nothing.
func join() -> String:
	return connection.join(options)


## Takes nobody else in, and ends when the last player has left, or after --drain-seconds.
func drain(reason: String) -> void:
	if _is_draining:
		return
	_is_draining = true
	if connection.is_open() and multiplayer.is_server() and options.drain_seconds > 0:
		print("draining: up to %d s for those who play" % options.drain_seconds)
		connection.peer.refuse_new_connections = true
		if _fleet != null:
			_fleet.stop_offering()
		var limit := Time.get_ticks_msec() + options.drain_seconds * 1000
		while server.count_humans() > 0 and Time.get_ticks_msec() < limit:
			await get_tree().process_frame
	leave(reason)


## Ends the game and the process. A server tells its clients why.
func leave(reason: String, code := 0) -> void:
	if _is_leaving:
		return
	_is_leaving = true
	if screen != null and options.picture != "":
		await screen.save_picture(options.picture)
	if connection.is_open() and multiplayer.is_server():
		server.stop(reason)
	await connection.close(reason)
	if _fleet != null:
		await _fleet.end()
	get_tree().quit(code)


func _begin() -> void:
	var problem := ""
	match options.mode:
		ArenaOptions.Mode.MENU:
			if screen == null:
				problem = "There is no window for the menu.\n" + ArenaOptions.USAGE
		ArenaOptions.Mode.HEALTH_CHECK:
			get_tree().quit(await ArenaHealthCheck.ask(connection, options))
		ArenaOptions.Mode.JOIN:
			_report()
			problem = join()
		_:
			_report()
			problem = host()
	if problem == "":
		_watch_stop_file()
		return
	if screen != null:
		screen.show_problem(problem)
	else:
		printerr(problem)
		get_tree().quit(1)


func _on_opened() -> void:
	if options.mode == ArenaOptions.Mode.HEALTH_CHECK:
		return
	if options.mode == ArenaOptions.Mode.SERVER:
		_tell_ready()
		return
	controls.start(messages, replica, options.is_bot)
	# A server with a player greets itself: the way into the game is the same for all.
	messages.hello.rpc_id(MultiplayerPeer.TARGET_PEER_SERVER, options.player_name)


func _on_ended(why: String) -> void:
	replica.clear()
	if screen != null:
		screen.show_problem(why)
	elif options.mode != ArenaOptions.Mode.HEALTH_CHECK:
		var is_lost := (
			connection.last_error
			not in [
				NetworkedMultiplayerENet.CONNECTION_ERROR_CLOSED_BY_SERVER,
				NetworkedMultiplayerENet.CONNECTION_ERROR_KICKED,
			]
		)
		print("ended: ", why)
		get_tree().quit(1 if is_lost else 0)


func _watch_stop_file() -> void:
	var stop_file := ArenaStopFile.new()
	stop_file.appeared.connect(drain.bind("The server is shutting down."))
	add_child(stop_file)
	stop_file.watch(options.stop_file)


func _tell_ready() -> void:
	if options.dtls:
		print("certificate: ", ArenaCertificate.path())
	print(
		(
			"ready on UDP port %d: up to %d clients, compression %s, DTLS %s"
			% [
				options.port,
				options.max_clients,
				options.compression,
				"on" if options.dtls else "off"
			]
		)
	)
	_fleet = ArenaFleet.new()
	_fleet.ending.connect(drain.bind("The server is shutting down."))
	add_child(_fleet)
	_fleet.start(server, options)


func _report() -> void:
	if not options.log and options.mode != ArenaOptions.Mode.SERVER:
		return
	var reporter := ArenaReporter.new()
	reporter.tells_states = options.log
	add_child(reporter)
	reporter.start(connection, messages, replica)
	if options.mode != ArenaOptions.Mode.JOIN:
		reporter.start_server(server)


func _show_screen() -> void:
	# Loaded here, so that a server without a window does without it.
	screen = load("res://demo/arena/screen/screen.tscn").instantiate()
	add_child(screen)
	screen.start(self)
