## Uses the editor's tab "ENet" as somebody would: runs the project, opens the tab, reads it, hides
## it. Prints facts, which scripts/tests/test_editor.py compares; or takes pictures into the folder
## that TAB_PICTURES names, for scripts/screenshots.py.
@tool
extends EditorPlugin

const PATIENCE := 60.0
const SAMPLES := 3
## Nothing comes within that many seconds, where nothing is to come.
const SILENCE := 3.0
## How long the games of a picture have been running.
const PICTURE_SECONDS := 60.0
## The debugger of a picture, in pixels.
const PICTURE_HEIGHT := 400.0


func _enter_tree() -> void:
	_drive.call_deferred()


func _drive() -> void:
	await _until(_is_ready, "the editor has loaded the project")
	var pictures := OS.get_environment("TAB_PICTURES")
	if pictures.is_empty():
		await _check()
	else:
		await _take_pictures(pictures)
	_fact("the end")
	get_tree().quit()


func _is_ready() -> bool:
	return not EditorInterface.get_resource_filesystem().is_scanning() and not _tabs().is_empty()


# --- The check ------------------------------------------------------------------------------------


func _check() -> void:
	var tab: Control = _tabs()[0]
	_fact("without a game: " + tab._hint.text.get_slice("\n", 0))
	await _play(tab)
	await _wait(SILENCE)
	_fact("samples before the tab is shown: %d" % _sample_count(tab))
	_show(tab)
	await _until(func() -> bool: return _sample_count(tab) >= SAMPLES, "samples come")
	await _until(func() -> bool: return _rows(tab).size() == 7, "all connections are there")
	var ids := PackedInt32Array()
	for row in _rows(tab):
		if row.begins_with("Client "):
			ids.append(row.to_int())
	for row in _rows(tab):
		for index in ids.size():
			row = row.replace(str(ids[index]), "<%d>" % index)
		_fact("row: " + row)
	_check_figures(tab)
	_check_sorting(tab)
	await _check_hiding(tab)
	await _stop()
	_fact("rows after the game: %d" % _rows(tab).size())
	var old: RefCounted = tab._histories["1"]
	await _play(tab)
	_show(tab)
	var has_begun_anew := func() -> bool:
		return tab._histories.has("1") and tab._histories["1"] != old
	await _until(has_begun_anew, "samples of the next game come")
	await _stop()


func _check_figures(tab: Control) -> void:
	var server: TreeItem = tab._table.get_root().get_first_child()
	var peer := server.get_first_child()
	peer.select(0)
	var key: String = peer.get_metadata(0)
	_fact("a chosen peer is drawn: %s" % (tab._graphs[0].history == tab._histories[key]))
	server.select(0)
	_fact("a chosen connection is drawn: %s" % (tab._graphs[0].history == tab._histories["1"]))
	var graph: Control = tab._graphs[0]
	var motion := InputEventMouseMotion.new()
	motion.position = Vector2(0.99 * graph.size.x, 0.5 * graph.size.y)
	graph._gui_input(motion)
	_fact("the mouse over a graph: %s" % (graph._hovered_x == motion.position.x))
	for column in [1, 5, 6]:
		var title: String = tab._table.COLUMNS[column][1]
		_fact("%s: %s, %s" % [title, _has_number(server, column), _has_number(peer, column)])


func _has_number(item: TreeItem, column: int) -> bool:
	return item.get_text(column).to_float() > 0.0


func _check_sorting(tab: Control) -> void:
	var server: TreeItem = tab._table.get_root().get_first_child()
	for click in 3:
		tab._table.column_title_clicked.emit(1, MOUSE_BUTTON_LEFT)
		var figures := server.get_children().map(
			func(item: TreeItem) -> float: return item.get_metadata(1)
		)
		var sorted := figures.duplicate()
		sorted.sort()
		if click % 2 == 0:
			sorted.reverse()
		_fact("click %d on a title sorts: %s" % [click, figures == sorted])


func _check_hiding(tab: Control) -> void:
	var tabs: TabContainer = tab.get_parent()
	tabs.current_tab = 0
	# What the game had sent before it was told.
	await _wait(0.5)
	var before := _sample_count(tab)
	await _wait(SILENCE)
	_fact("samples while the tab is hidden: %d" % (_sample_count(tab) - before))
	_show(tab)
	await _until(func() -> bool: return _sample_count(tab) > before, "samples come again")


# --- Pictures -------------------------------------------------------------------------------------


func _take_pictures(folder: String) -> void:
	EditorInterface.play_main_scene()
	var tab: Control
	while tab == null:
		for each in _tabs():
			_show(each)
			await _wait(1.5)
		tab = _server_tab()
	_show(tab)
	await _wait(PICTURE_SECONDS)
	var bottom := _make_room(tab)
	var settings := EditorInterface.get_editor_settings()
	for look: String in ["Default", "Light"]:
		settings.set_setting("interface/theme/color_preset", look)
		await _wait(3.0)
		var image := get_viewport().get_texture().get_image()
		if OS.get_environment("TAB_PICTURES_WHOLE"):
			image.save_png(folder.path_join("debugger_tab.png"))
			break
		var picture := image.get_region(Rect2i(bottom.get_global_rect()))
		var name := "light" if look == "Light" else "dark"
		picture.save_png(folder.path_join("debugger_tab_%s.png" % name))
	await _stop()


func _server_tab() -> Control:
	for tab in _tabs():
		var rows := _rows(tab)
		if not rows.is_empty() and rows[0].begins_with("Server"):
			return tab
	return null


## Gives the debugger the width of the window, and some of its height.
func _make_room(tab: Control) -> Control:
	EditorInterface.distraction_free_mode = true
	var node: Node = tab
	while node.get_class() != "EditorDebuggerNode":
		node = node.get_parent()
	var debugger: Control = node
	debugger.custom_minimum_size.y = PICTURE_HEIGHT
	return debugger


# --- The editor -----------------------------------------------------------------------------------


func _play(tab: Control) -> void:
	EditorInterface.play_main_scene()
	await _until(func() -> bool: return tab.session.is_active(), "the game runs")


func _stop() -> void:
	EditorInterface.stop_playing_scene()
	var has_ended := func() -> bool:
		var is_active := func(tab: Control) -> bool: return tab.session.is_active()
		return not EditorInterface.is_playing_scene() and not _tabs().any(is_active)
	await _until(has_ended, "the game ends")


## Brings the tab to the front.
func _show(tab: Control) -> void:
	_bring_to_front(tab)
	var node: Node = tab
	while node.get_class() != "EditorDebuggerNode":
		node = node.get_parent()
		_bring_to_front(node)
	if not node.get_parent() is TabContainer:
		# Before Godot 4.6.
		make_bottom_panel_item_visible(node)


func _bring_to_front(node: Node) -> void:
	if node.get_parent() is TabContainer:
		var tabs: TabContainer = node.get_parent()
		tabs.current_tab = tabs.get_tab_idx_from_control(node)


## The tab of each session that the editor has had.
func _tabs() -> Array[Control]:
	var found: Array[Control] = []
	found.assign(
		EditorInterface.get_base_control().find_children("ENet", "MarginContainer", true, false)
	)
	return found


## How many samples the first connection's history has.
func _sample_count(tab: Control) -> int:
	return tab._histories["1"].times.size() if tab._histories.has("1") else 0


func _rows(tab: Control) -> Array[String]:
	var texts: Array[String] = []
	var item: TreeItem = tab._table.get_root().get_next_in_tree()
	while item != null:
		texts.append(item.get_text(0))
		item = item.get_next_in_tree()
	return texts


func _until(condition: Callable, what: String) -> void:
	var limit := Time.get_ticks_msec() + int(PATIENCE * 1000.0)
	while not condition.call():
		if Time.get_ticks_msec() > limit:
			print("FAILED: not within %.0f s: %s" % [PATIENCE, what])
			EditorInterface.stop_playing_scene()
			get_tree().quit(1)
			# The editor ends in this frame.
			await get_tree().create_timer(PATIENCE).timeout
		await get_tree().process_frame


func _wait(seconds: float) -> void:
	await get_tree().create_timer(seconds).timeout


func _fact(text: String) -> void:
	print("fact: ", text)
