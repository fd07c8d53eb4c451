# One method and one property for each RPC mode of Godot 3.6; ../modes.gd has the same for Godot 4.
extends Node

remote var v_remote = "" setget set_remote
master var v_master = "" setget set_master
puppet var v_puppet = "" setget set_puppet
remotesync var v_remotesync = "" setget set_remotesync
mastersync var v_mastersync = "" setget set_mastersync
puppetsync var v_puppetsync = "" setget set_puppetsync
var v_none = "" setget set_none


func set_remote(value) -> void:
	get_tree().note_set(self, "v_remote", value)


func set_master(value) -> void:
	get_tree().note_set(self, "v_master", value)


func set_puppet(value) -> void:
	get_tree().note_set(self, "v_puppet", value)


func set_remotesync(value) -> void:
	get_tree().note_set(self, "v_remotesync", value)


func set_mastersync(value) -> void:
	get_tree().note_set(self, "v_mastersync", value)


func set_puppetsync(value) -> void:
	get_tree().note_set(self, "v_puppetsync", value)


func set_none(value) -> void:
	get_tree().note_set(self, "v_none", value)


remote func m_remote(tag):
	get_tree().note(self, "m_remote", [tag])


master func m_master(tag):
	get_tree().note(self, "m_master", [tag])


puppet func m_puppet(tag):
	get_tree().note(self, "m_puppet", [tag])


remotesync func m_remotesync(tag):
	get_tree().note(self, "m_remotesync", [tag])


mastersync func m_mastersync(tag):
	get_tree().note(self, "m_mastersync", [tag])


puppetsync func m_puppetsync(tag):
	get_tree().note(self, "m_puppetsync", [tag])


func m_none(tag):
	get_tree().note(self, "m_none", [tag])
