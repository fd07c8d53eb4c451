## The words that scripts/bench gives to a program of this folder, and how it answers.
extends RefCounted

const EXTENSION := "res://addons/networked_multiplayer_enet/networked_multiplayer_enet.gdextension"

## Text of every `--name=value` after `--`.
var values := {}


func _init() -> void:
	for word in OS.get_cmdline_user_args():
		values[word.get_slice("=", 0).trim_prefix("--")] = word.substr(word.find("=") + 1)


func text(name: String) -> String:
	return values[name]


func number(name: String) -> int:
	return int(values[name])


func seconds(name: String) -> float:
	return float(values[name])


func numbers(name: String) -> Array[int]:
	var found: Array[int] = []
	for part in text(name).split(","):
		found.append(int(part))
	return found


## A peer of the class under test; only the addon's own class knows the settings.
func new_peer() -> MultiplayerPeer:
	if not ClassDB.class_exists(text("class")):
		GDExtensionManager.load_extension(EXTENSION)
	var peer: MultiplayerPeer = ClassDB.instantiate(text("class"))
	if not peer is ENetMultiplayerPeer:
		peer.set("compression_mode", number("compression"))
		peer.set("server_relay", number("relay") == 1)
		peer.set("threaded", number("threaded") == 1)
	peer.transfer_mode = MultiplayerPeer.TRANSFER_MODE_UNRELIABLE
	return peer


## One line for scripts/bench.
func tell(event: String, details := {}) -> void:
	details["event"] = event
	print("@@ ", JSON.stringify(details))
