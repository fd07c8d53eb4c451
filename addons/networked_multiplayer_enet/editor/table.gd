## The connections of a game, and below each its peers. A click on a title sorts the peers.
@tool
extends Tree

## A row was chosen: "3" for the connection with that number, "3/5127" for a peer of it.
signal row_chosen(key: String)

const History := preload("history.gd")
const Units := preload("units.gd")
## Figure, title, width, and what it is.
const COLUMNS: Array[Array] = [
	["", "Peer", 150, "The peer's id."],
	["round_trip_msec", "Round Trip", 86, "From a packet to its acknowledgement; smoothed."],
	["jitter_msec", "Jitter", 72, "How much round trips differ."],
	["loss_out", "Loss Out", 76, "The share of what this side sends that gets lost."],
	["loss_in", "Loss In", 70, "The share of what the peer sends that gets lost."],
	["wire_bytes_sent", "Bytes Out", 100, "Sent, with the headers of IP and UDP."],
	["wire_bytes_received", "Bytes In", 100, "Received, with the headers of IP and UDP."],
	["resends", "Resends", 72, "What was reliable and was sent again."],
	["dropped_datagrams", "Dropped", 72, "Datagrams that came and were of no use."],
	["queued_bytes", "Queued", 78, "What waits until the path lets it through."],
	["", "Address", 160, "Where the peer is, as this side sees it."],
]
const NAME := 0
const ADDRESS := 10

## Every row, by its key.
var _items := {}
var _sorted_by := 0
var _is_descending := false


func _init() -> void:
	columns = COLUMNS.size()
	column_titles_visible = true
	hide_root = true
	select_mode = Tree.SELECT_ROW
	create_item()
	item_selected.connect(func() -> void: row_chosen.emit(get_selected().get_metadata(0)))
	column_title_clicked.connect(_on_title_clicked)


func _ready() -> void:
	var editor_scale := EditorInterface.get_editor_scale()
	for column in columns:
		set_column_expand(column, column == ADDRESS)
		set_column_custom_minimum_width(column, int(COLUMNS[column][2] * editor_scale))
		set_column_title_tooltip_text(column, COLUMNS[column][3])
		set_column_title_alignment(column, _alignment(column))
	_write_titles()


## Shows exactly these rows: a connection before its peers. `histories` has those of all keys.
func show_rows(rows: Array[Dictionary], histories: Dictionary) -> void:
	var keys := {}
	for row in rows:
		keys[row["key"]] = true
		_show_row(row, histories[row["key"]])
	for key: String in _items.keys():
		if not keys.has(key):
			# A connection's row has taken those of its peers along.
			if is_instance_valid(_items[key]):
				_items[key].free()
			_items.erase(key)
	_sort()


## Removes all rows.
func remove_rows() -> void:
	clear()
	create_item()
	_items.clear()


## Chooses a row, as a click does.
func choose(key: String) -> void:
	_items[key].select(0)


func _show_row(row: Dictionary, history: History) -> void:
	var key: String = row["key"]
	if not _items.has(key):
		_items[key] = create_item(_items.get(row["parent"], get_root()))
		_items[key].set_metadata(0, key)
		for column in columns:
			_items[key].set_text_alignment(column, _alignment(column))
	var item: TreeItem = _items[key]
	item.set_text(NAME, row["title"])
	item.set_text(ADDRESS, row["address"])
	for column in range(NAME + 1, ADDRESS):
		var value := history.latest(COLUMNS[column][0])
		item.set_text(column, Units.text(COLUMNS[column][0], value))
		item.set_metadata(column, value)


func _sort() -> void:
	for connection in get_root().get_children():
		var peers := connection.get_children()
		peers.sort_custom(_is_before)
		for index in range(1, peers.size()):
			if peers[index].get_prev() != peers[index - 1]:
				peers[index].move_after(peers[index - 1])


func _is_before(first: TreeItem, second: TreeItem) -> bool:
	if _is_descending:
		var other := first
		first = second
		second = other
	if _is_text(_sorted_by):
		var text := second.get_text(_sorted_by)
		return first.get_text(_sorted_by).naturalnocasecmp_to(text) < 0
	return first.get_metadata(_sorted_by) < second.get_metadata(_sorted_by)


func _on_title_clicked(column: int, _button: int) -> void:
	# Of figures the largest are of interest.
	_is_descending = not _is_descending if column == _sorted_by else not _is_text(column)
	_sorted_by = column
	_write_titles()
	_sort()


func _write_titles() -> void:
	for column in columns:
		var mark := ""
		if column == _sorted_by:
			mark = " ↓" if _is_descending else " ↑"
		set_column_title(column, COLUMNS[column][1] + mark)


func _alignment(column: int) -> HorizontalAlignment:
	return HORIZONTAL_ALIGNMENT_LEFT if _is_text(column) else HORIZONTAL_ALIGNMENT_RIGHT


func _is_text(column: int) -> bool:
	return column == NAME or column == ADDRESS
