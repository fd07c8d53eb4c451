## The tab "ENet" of a running game: a table of its connections and their peers, and graphs of the
## row that is chosen. The game sends samples only while the tab can be seen.
@tool
extends MarginContainer

const History := preload("history.gd")
const Table := preload("table.gd")
const Graph := preload("graph.gd")
const PROFILER := "networked_multiplayer_enet"
const NOT_RUNNING := (
	"Run the project to see the connections of its NetworkedMultiplayerENet peers here.\n"
	+ "Each running game has a tab of its own."
)
const NO_SAMPLE := "Waiting for the game. It sends nothing while it stands at a breakpoint."
const NO_CONNECTION := (
	"The game has no connection yet.\n"
	+ "It has one after create_server() or create_client() of a NetworkedMultiplayerENet."
)
const GRAPH_SIZE := Vector2(230.0, 80.0)
const GRAPHS: Array[Array] = [
	["Round Trip", [["round_trip_msec", "", "accent_color"]]],
	["Loss", [["loss_out", "out", "accent_color"], ["loss_in", "in", "success_color"]]],
	[
		"Wire Bytes",
		[
			["wire_bytes_sent", "out", "accent_color"],
			["wire_bytes_received", "in", "success_color"],
		]
	],
	[
		"Resends and Drops",
		[
			["resends", "resends", "warning_color"],
			["dropped_datagrams", "dropped", "error_color"],
		]
	],
]

var session: EditorDebuggerSession

## Of every row of the table, by its key.
var _histories := {}
var _chosen := ""
var _table := Table.new()
var _graphs: Array[Graph] = []
var _split := HSplitContainer.new()
var _hint := Label.new()


func _init() -> void:
	_hint.horizontal_alignment = HORIZONTAL_ALIGNMENT_CENTER
	_hint.vertical_alignment = VERTICAL_ALIGNMENT_CENTER
	_table.size_flags_horizontal = Control.SIZE_EXPAND_FILL
	_table.row_chosen.connect(_on_row_chosen)
	var grid := GridContainer.new()
	grid.columns = 2
	grid.size_flags_horizontal = Control.SIZE_EXPAND_FILL
	for each in GRAPHS:
		var graph := Graph.new()
		graph.title = each[0]
		graph.series.assign(each[1])
		graph.custom_minimum_size = GRAPH_SIZE * EditorInterface.get_editor_scale()
		graph.size_flags_horizontal = Control.SIZE_EXPAND_FILL
		graph.size_flags_vertical = Control.SIZE_EXPAND_FILL
		grid.add_child(graph)
		_graphs.append(graph)
	_split.add_child(_table)
	_split.add_child(grid)
	add_child(_split)
	add_child(_hint)
	_say(NOT_RUNNING)


func _notification(what: int) -> void:
	if what == NOTIFICATION_VISIBILITY_CHANGED and session != null:
		_ask_for_samples()


## The game has started.
func begin() -> void:
	_histories.clear()
	_table.remove_rows()
	_choose("")
	_say(NO_SAMPLE)
	_ask_for_samples()


## The game has ended. Its last figures stay.
func end() -> void:
	if _histories.is_empty():
		_say(NOT_RUNNING)


## Shows what the game has sent: dictionaries of its connections, at a time of its clock.
func add_sample(time_msec: int, connections: Array) -> void:
	var rows: Array[Dictionary] = []
	for connection: Dictionary in connections:
		var key := str(connection["number"])
		rows.append({"key": key, "parent": "", "title": _title(connection), "address": ""})
		_add(key, time_msec, connection)
		for peer: Dictionary in connection["peers"]:
			var peer_key := "%s/%d" % [key, peer["id"]]
			var row := {"parent": key, "title": str(peer["id"]), "address": peer["address"]}
			row["key"] = peer_key
			rows.append(row)
			_add(peer_key, time_msec, peer)
	var keys := {}
	for row in rows:
		keys[row["key"]] = true
	for key: String in _histories.keys():
		if not keys.has(key):
			_histories.erase(key)
	_table.show_rows(rows, _histories)
	_say("" if not rows.is_empty() else NO_CONNECTION)
	if not rows.is_empty() and not _histories.has(_chosen):
		_table.choose(rows[0]["key"])
	_choose(_chosen)


func _add(key: String, time_msec: int, sample: Dictionary) -> void:
	if not _histories.has(key):
		_histories[key] = History.new()
	_histories[key].add(time_msec / 1000.0, sample)


func _title(connection: Dictionary) -> String:
	var count: int = connection["peer_count"]
	if connection["is_server"]:
		return "Server: %d %s" % [count, "peer" if count == 1 else "peers"]
	if connection["is_connected"]:
		return "Client %d" % connection["id"]
	return "Client %d, connecting" % connection["id"]


func _on_row_chosen(key: String) -> void:
	_choose(key)


func _choose(key: String) -> void:
	_chosen = key
	for graph in _graphs:
		graph.history = _histories.get(key)


func _say(text: String) -> void:
	_hint.text = text
	_hint.visible = text != ""
	_split.visible = text == ""


func _ask_for_samples() -> void:
	if session.is_active():
		session.toggle_profiler(PROFILER, is_visible_in_tree(), [])
