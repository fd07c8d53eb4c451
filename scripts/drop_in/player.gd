## Put into the copy of a project by scripts/try_drop_in.py: makes the game host or join, and tells
## what comes of it.
##
## A step is an expression with the functions of this script, such as press("Menu/Host"). It is
## tried in each frame until its nodes are there and it is not false.
extends Node

const STEP_SECONDS := 15.0
const LINGER_SECONDS := 1.5
## Words in the names and texts of buttons, and in the names of functions, the likelier ones first.
const GUESSES := {
	"server": ["host", "server", "create", "start"],
	"client": ["join", "connect", "client"],
}

var side := ""
var peer_class := ""
var peer_ids: Array[int] = []


func _ready() -> void:
	process_mode = Node.PROCESS_MODE_ALWAYS
	var wish: Dictionary = JSON.parse_string(OS.get_environment("TRY_DROP_IN"))
	side = wish["side"]
	get_tree().process_frame.connect(look)
	play.call_deferred(wish)


func play(wish: Dictionary) -> void:
	await get_tree().process_frame
	var deadline := Time.get_ticks_msec() + STEP_SECONDS * 1000
	for step: String in wish["steps"]:
		while not await done(step):
			if Time.get_ticks_msec() > deadline:
				tell("stuck", step)
				break
	if wish["steps"].is_empty():
		guess()
	while peer_ids.is_empty() and Time.get_ticks_msec() < deadline:
		await get_tree().process_frame
	await get_tree().create_timer(wish["seconds"], true, false, true).timeout
	var scenes: Array = get_tree().root.get_children().filter(is_scene)
	tell("end", scenes.map(func(scene: Node) -> String: return scene.name))
	# Not before the other side has looked, too.
	await get_tree().create_timer(LINGER_SECONDS, true, false, true).timeout
	get_tree().quit()


## Whether a node below the root is no autoload.
func is_scene(below_root: Node) -> bool:
	return not ProjectSettings.has_setting("autoload/%s" % below_root.name)


func done(step: String) -> bool:
	await get_tree().process_frame
	var expression := Expression.new()
	if expression.parse(step) != OK:
		tell("stuck", "%s: %s" % [step, expression.get_error_text()])
		return true
	var answer: Variant = expression.execute([], self, false)
	return not expression.has_execute_failed() and not (answer is bool and answer == false)


## Looks for a server or a client on every branch of the scene tree.
func look() -> void:
	var branches := {get_tree().get_multiplayer(): true}
	for node in get_tree().root.find_children("*", "", true, false):
		branches[node.multiplayer] = true
	for branch: MultiplayerAPI in branches:
		var peer := branch.multiplayer_peer
		if peer == null or peer is OfflineMultiplayerPeer:
			continue
		if peer_class != peer.get_class():
			peer_class = peer.get_class()
			tell("peer", peer_class)
		if peer.get_connection_status() == MultiplayerPeer.CONNECTION_CONNECTED:
			for id in branch.get_peers():
				if id not in peer_ids:
					peer_ids.append(id)
					tell("connected", id)


func tell(what: String, value: Variant) -> void:
	print("@@ ", JSON.stringify({"what": what, "side": side, "value": value}))


# --- What steps may call ---


## The node of this path: its first name is looked for anywhere.
func node(path: String) -> Node:
	var names := path.split("/", true, 1)
	var first := get_tree().root.find_child(names[0], true, false)
	return first if first == null or names.size() == 1 else first.get_node_or_null(names[1])


func press(path: String) -> bool:
	var button := node(path) as BaseButton
	if button == null or not button.is_inside_tree() or button.disabled:
		return false
	button.pressed.emit()
	return true


func type(path: String, text: String) -> bool:
	var field := node(path)
	if field == null:
		return false
	field.set("text", text)
	return true


## Whether so many others are connected.
func others(count: int) -> bool:
	return peer_ids.size() >= count


# --- Without steps ---


func guess() -> void:
	var words: Array = GUESSES[side]
	for field: LineEdit in get_tree().root.find_children("*", "LineEdit", true, false):
		if field.text.is_empty():
			field.text = "127.0.0.1" if is_address(field) else "player"
	for word: String in words:
		for button: BaseButton in get_tree().root.find_children("*", "BaseButton", true, false):
			var text := "%s %s" % [button.name, button.get("text")]
			if word in text.to_lower() and button.is_visible_in_tree() and not button.disabled:
				tell("pressed", get_tree().root.get_path_to(button))
				button.pressed.emit()
				return
	for word: String in words:
		for owner_node in get_tree().root.find_children("*", "", true, false):
			if owner_node == self or owner_node.get_script() == null:
				continue
			for method: Dictionary in owner_node.get_script().get_script_method_list():
				var needed: int = method["args"].size() - method["default_args"].size()
				var name_of: String = method["name"]
				if needed == 0 and word in name_of and not name_of.begins_with("_"):
					tell("called", "%s.%s" % [get_tree().root.get_path_to(owner_node), name_of])
					owner_node.call(name_of)
					return
	tell("stuck", "no button and no function looks like it; say what to do with --%s-step" % side)


func is_address(field: LineEdit) -> bool:
	var text := "%s %s" % [field.name, field.placeholder_text]
	return ["ip", "address", "host"].any(func(word: String) -> bool: return word in text.to_lower())
