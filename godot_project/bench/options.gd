## The words that scripts/bench gives to a program of this folder, and how it answers.
extends RefCounted

const Portable := preload("res://tests/portable.gd")

## Text of every `--name=value` after `--`.
var values := Portable.words()


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


## A peer of the class under test; ENetMultiplayerPeer does not know the settings.
func new_peer() -> MultiplayerPeer:
	var peer: MultiplayerPeer = Portable.new_peer(text("class"))
	if "compression_mode" in peer:
		peer.set("compression_mode", number("compression"))
		peer.set("server_relay", number("relay") == 1)
		peer.set("threaded", number("threaded") == 1)
	peer.transfer_mode = MultiplayerPeer.TRANSFER_MODE_UNRELIABLE
	return peer


## One line for scripts/bench.
func tell(event: String, details := {}) -> void:
	details["event"] = event
	print("@@ ", JSON.stringify(details))
