## Gives each running game a tab, and the tabs the samples that their games send.
@tool
extends EditorDebuggerPlugin

const Tab := preload("tab.gd")
## What the game's messages begin with, and its profiler's name, as in the library's debugger.rs.
const PREFIX := "networked_multiplayer_enet"

## By the session's number.
var _tabs := {}


func _setup_session(session_id: int) -> void:
	var session := get_session(session_id)
	var tab := Tab.new()
	tab.name = "ENet"
	tab.session = session
	_tabs[session_id] = tab
	session.started.connect(tab.begin)
	session.stopped.connect(tab.end)
	session.add_session_tab(tab)


func _has_capture(prefix: String) -> bool:
	return prefix == PREFIX


func _capture(message: String, data: Array, session_id: int) -> bool:
	if message != PREFIX + ":sample" or data.size() != 2 or not _tabs.has(session_id):
		return false
	_tabs[session_id].add_sample(data[0], data[1])
	return true
