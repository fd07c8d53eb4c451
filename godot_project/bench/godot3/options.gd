# The words that scripts/bench gives to a program of this folder, and how it answers.
extends Reference

# Text of every `--name=value`.
var values := {}


func _init() -> void:
	for word in OS.get_cmdline_args():
		if word.begins_with("--") and "=" in word:
			values[word.get_slice("=", 0).trim_prefix("--")] = word.substr(word.find("=") + 1)


func text(name: String) -> String:
	return values[name]


func number(name: String) -> int:
	return int(values[name])


func seconds(name: String) -> float:
	return float(values[name])


func numbers(name: String) -> Array:
	var found := []
	for part in text(name).split(","):
		found.append(int(part))
	return found


# A peer of the class under test.
func new_peer() -> NetworkedMultiplayerENet:
	var peer := NetworkedMultiplayerENet.new()
	peer.compression_mode = number("compression")
	peer.server_relay = number("relay") == 1
	peer.transfer_mode = NetworkedMultiplayerPeer.TRANSFER_MODE_UNRELIABLE
	return peer


# One line for scripts/bench.
func tell(event: String, details := {}) -> void:
	details["event"] = event
	print("@@ ", JSON.print(details))
