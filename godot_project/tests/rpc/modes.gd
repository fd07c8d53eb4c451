## One method and one property for each RPC mode of Godot 3.6, as godot3/modes.gd has them.
extends Node

const MODES := ["remote", "master", "puppet", "remotesync", "mastersync", "puppetsync"]

## Whether `Node.rpc_config` tells the modes of the methods, or the API's method does.
var by_node := false
var v_remote := "":
	set(value):
		v_remote = value
		get_tree().note_set(self, "v_remote", value)
var v_master := "":
	set(value):
		v_master = value
		get_tree().note_set(self, "v_master", value)
var v_puppet := "":
	set(value):
		v_puppet = value
		get_tree().note_set(self, "v_puppet", value)
var v_remotesync := "":
	set(value):
		v_remotesync = value
		get_tree().note_set(self, "v_remotesync", value)
var v_mastersync := "":
	set(value):
		v_mastersync = value
		get_tree().note_set(self, "v_mastersync", value)
var v_puppetsync := "":
	set(value):
		v_puppetsync = value
		get_tree().note_set(self, "v_puppetsync", value)
var v_none := "":
	set(value):
		v_none = value
		get_tree().note_set(self, "v_none", value)


func _ready() -> void:
	var any_peer := MultiplayerAPI.RPC_MODE_ANY_PEER
	for mode: String in MODES:
		var value := ClassDB.class_get_integer_constant(
			"Godot3Multiplayer", "RPC_MODE_" + mode.to_upper()
		)
		multiplayer.rset_config(self, "v_" + mode, value)
		if by_node:
			rpc_config("m_" + mode, {"rpc_mode": any_peer, "godot3": mode})
		else:
			multiplayer.rpc_config(self, "m_" + mode, value)


## Mode remote.
func m_remote(tag: String) -> void:
	get_tree().note(self, "m_remote", [tag])


## Mode master.
func m_master(tag: String) -> void:
	get_tree().note(self, "m_master", [tag])


## Mode puppet.
func m_puppet(tag: String) -> void:
	get_tree().note(self, "m_puppet", [tag])


## Mode remotesync.
func m_remotesync(tag: String) -> void:
	get_tree().note(self, "m_remotesync", [tag])


## Mode mastersync.
func m_mastersync(tag: String) -> void:
	get_tree().note(self, "m_mastersync", [tag])


## Mode puppetsync.
func m_puppetsync(tag: String) -> void:
	get_tree().note(self, "m_puppetsync", [tag])


## No peer may call it.
func m_none(tag: String) -> void:
	get_tree().note(self, "m_none", [tag])
