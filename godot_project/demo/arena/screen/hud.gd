## The panel beside the arena: scores, the connection's figures, and the chat.
class_name ArenaHud
extends VBoxContainer

signal said(text: String)
signal typing_changed(is_typing: bool)
signal network_chosen(preset: String)

const LINES := 60
## Presets of the network simulator, and what the list calls them.
const NETWORKS := {
	"off": "the real network",
	"home_broadband": "home broadband",
	"satellite_leo": "satellite",
	"mobile_5g": "mobile 5G",
	"mobile_4g": "mobile 4G",
	"mobile_3g": "mobile 3G",
	"unreal_bad": "bad",
}

var scores := ArenaScoreList.new()

var _sent := ArenaLook.label("", ArenaLook.TEXT, 14)
var _received := ArenaLook.label("", ArenaLook.TEXT, 14)
var _link := ArenaLook.label("", ArenaLook.TEXT, 14)
var _network := OptionButton.new()
var _mode := ArenaLook.label("", ArenaLook.MUTED, 13)
var _chat := RichTextLabel.new()
var _entry := LineEdit.new()
var _traffic := ArenaTraffic.new()


func _ready() -> void:
	add_theme_constant_override("separation", 10)
	_add_card("PLAYERS", [scores])
	for network: String in NETWORKS.values():
		_network.add_item("Over " + network)
	_network.focus_mode = Control.FOCUS_NONE
	_network.add_theme_font_size_override("font_size", 13)
	_network.item_selected.connect(
		func(index: int) -> void: network_chosen.emit(NETWORKS.keys()[index])
	)
	_add_card("ON THE WIRE", [_sent, _received, _link, _network, _mode])
	_chat.scroll_following = true
	_chat.size_flags_vertical = Control.SIZE_EXPAND_FILL
	_chat.add_theme_font_size_override("normal_font_size", 14)
	_chat.add_theme_color_override("default_color", ArenaLook.TEXT)
	_entry.placeholder_text = "Enter: say something"
	_entry.max_length = ArenaMessages.CHAT_LENGTH
	_entry.add_theme_font_size_override("font_size", 14)
	_entry.text_submitted.connect(_on_text_submitted)
	_entry.focus_entered.connect(func() -> void: typing_changed.emit(true))
	_entry.focus_exited.connect(func() -> void: typing_changed.emit(false))
	var card := _add_card("CHAT", [_chat, _entry])
	card.size_flags_vertical = Control.SIZE_EXPAND_FILL


func _unhandled_key_input(event: InputEvent) -> void:
	if is_visible_in_tree() and event.is_action_pressed("ui_text_submit"):
		_entry.grab_focus()
		get_viewport().set_input_as_handled()


## Shows a line of the chat.
func add_line(from: String, colour: Color, text: String) -> void:
	if _chat.get_paragraph_count() > LINES:
		_chat.remove_paragraph(0)
	_chat.push_color(colour)
	_chat.add_text(from + " ")
	_chat.pop()
	# Not append_text: what players write is no markup.
	_chat.add_text(text)
	_chat.newline()


func show_traffic(peer: NetworkedMultiplayerENet, options: ArenaOptions) -> void:
	_traffic.update(peer)
	_sent.text = _figures("sent", _traffic.sent_per_second, peer.get_sent_bytes())
	_received.text = _figures("received", _traffic.received_per_second, peer.get_received_bytes())
	_link.text = _traffic.link
	_mode.text = "%s, %s" % [options.compression, "DTLS" if options.dtls else "not encrypted"]


func _figures(what: String, rate: float, total: int) -> String:
	return "%s  %.1f kB/s   %s" % [what, rate / 1000.0, String.humanize_size(total)]


func _on_text_submitted(text: String) -> void:
	if text.strip_edges() != "":
		said.emit(text)
	_entry.clear()
	_entry.release_focus()


func _add_card(title: String, contents: Array[Control]) -> PanelContainer:
	var card := PanelContainer.new()
	var column := VBoxContainer.new()
	column.add_theme_constant_override("separation", 4)
	card.add_child(column)
	column.add_child(ArenaLook.label(title, ArenaLook.MUTED, 12))
	for content in contents:
		column.add_child(content)
	add_child(card)
	return card
