# Servers or clients that are attacked, in Godot 3.6 with the engine's own class.
# ../agent.gd is the same program for Godot 4, and says what the words are; keep the two alike.
extends SceneTree

const SERVER := 1
const HEAD := 6
const SIZE := 48
const BETWEEN_REPORTS_MSEC := 500
const RELIABLE_EVERY := 6
# The number of packets to who has sent none: they may be an attacker's, and are not counted.
const UNCOUNTED := 255

var words := {}
var cells := []
var phase := 0
var frames := {}
var frame_number := 0
var last_frame_usec := 0
var next_report_msec := 0


func _initialize() -> void:
	for word in OS.get_cmdline_args():
		var parts = word.trim_prefix("--").split("=")
		if parts.size() == 2:
			words[parts[0]] = parts[1]
	if words["role"] == "servers":
		for port in words["ports"].split(","):
			_open_server(int(port))
	else:
		for text in words["to"].split(","):
			var parts = text.split("/")
			cells.append(_cell({"host": parts[0], "port": int(parts[1]), "bind": parts[2], "sign": parts[3]}))
	Engine.target_fps = 60
	connect("idle_frame", self, "_tick")


func _cell(more: Dictionary) -> Dictionary:
	var cell := {
		"peer": null, "others": {}, "joined": 0, "lost": 0, "disorder": 0, "counts": {}, "began": 0, "took": -1
	}
	for key in more:
		cell[key] = more[key]
	return cell


func _open_server(port: int) -> void:
	var cell := _cell({"sign": "-"})
	cells.append(cell)
	_make_peer(cell)
	cell.peer.server_relay = words["relay"] == "1"
	if cell.peer.create_server(port, int(words["slots"])) != OK:
		print("cannot open port %d" % port)


func _open_client(cell: Dictionary) -> void:
	_make_peer(cell)
	cell.began = OS.get_ticks_msec()
	if cell.bind != "*":
		cell.peer.set_bind_ip(cell.bind)
	if cell.peer.create_client(cell.host, cell.port) != OK:
		print("cannot make a client of port %d" % cell.port)


func _make_peer(cell: Dictionary) -> void:
	cell.peer = ClassDB.instance(words["class"])
	cell.peer.connect("peer_connected", self, "_on_peer_connected", [cell])
	cell.peer.connect("peer_disconnected", self, "_on_peer_disconnected", [cell])
	cell.peer.connect("server_disconnected", self, "_on_peer_disconnected", [SERVER, cell])


func _tick() -> void:
	var now := OS.get_ticks_usec()
	if not frames.has(phase):
		frames[phase] = [0, 0, 0]
	var counted = frames[phase]
	if last_frame_usec > 0:
		counted[0] += 1
		counted[1] = int(max(counted[1], now - last_frame_usec))
		counted[2] += now - last_frame_usec
	last_frame_usec = now
	frame_number += 1
	if frame_number % RELIABLE_EVERY == 0:
		_look_at_folder()
	for cell in cells:
		if cell.peer != null:
			_work(cell)
	if OS.get_ticks_msec() >= next_report_msec:
		next_report_msec = OS.get_ticks_msec() + BETWEEN_REPORTS_MSEC
		_report()


func _look_at_folder() -> void:
	var file := File.new()
	if file.open("%s/phase" % words["folder"], File.READ) == OK:
		var text := file.get_as_text()
		if text.is_valid_integer():
			phase = int(text)
	for cell in cells:
		if cell.peer == null and (cell.sign == "-" or file.file_exists("%s/%s" % [words["folder"], cell.sign])):
			_open_client(cell)


func _work(cell: Dictionary) -> void:
	var peer = cell.peer
	if peer.get_connection_status() == 0:
		return
	peer.poll()
	while peer.get_available_packet_count() > 0:
		var from: int = peer.get_packet_peer()
		_read(cell, from, peer.get_packet())
	if phase < 0 or peer.get_connection_status() != 2:
		return
	for id in cell.others:
		var numbers = cell.others[id]
		var number_of_phase = phase if numbers[2] or id == SERVER else UNCOUNTED
		if number_of_phase != UNCOUNTED:
			_send(cell, id, 0, 0, number_of_phase)
		if frame_number % RELIABLE_EVERY == 0:
			numbers[0] += 1
			_send(cell, id, 1, numbers[0], number_of_phase)


func _send(cell: Dictionary, id: int, kind: int, number: int, of_phase: int) -> void:
	var buffer := StreamPeerBuffer.new()
	buffer.put_u8(kind)
	buffer.put_u8(of_phase)
	buffer.put_u32(number)
	var packet := buffer.data_array
	packet.resize(SIZE)
	cell.peer.set_target_peer(id)
	cell.peer.transfer_mode = 2 if kind == 1 else 0
	if cell.peer.put_packet(packet) == OK and of_phase != UNCOUNTED:
		_counts(cell, of_phase)[kind] += 1


func _read(cell: Dictionary, from: int, packet: PoolByteArray) -> void:
	if packet.size() < HEAD:
		return
	var kind := packet[0]
	if packet[1] != UNCOUNTED:
		_counts(cell, packet[1])[2 + kind] += 1
	if cell.others.has(from):
		cell.others[from][2] = true
	if kind == 1 and cell.others.has(from):
		var buffer := StreamPeerBuffer.new()
		buffer.data_array = packet
		buffer.seek(2)
		var number := buffer.get_u32()
		var numbers = cell.others[from]
		if number != numbers[1] + 1:
			cell.disorder += 1
		numbers[1] = number


# What was sent and what has come under a number: unreliable and reliable packets each.
func _counts(cell: Dictionary, of_phase: int) -> Array:
	if not cell.counts.has(of_phase):
		cell.counts[of_phase] = [0, 0, 0, 0]
	return cell.counts[of_phase]


func _on_peer_connected(id: int, cell: Dictionary) -> void:
	if id == SERVER or words["role"] == "servers":
		# The last numbers sent and received, and whether a packet has come.
		cell.others[id] = [0, 0, false]
		cell.joined += 1
		cell.took = OS.get_ticks_msec() - cell.began


func _on_peer_disconnected(id: int, cell: Dictionary) -> void:
	if cell.others.erase(id):
		cell.lost += 1


func _report() -> void:
	var told := []
	for cell in cells:
		var status := 0
		if cell.peer != null:
			status = cell.peer.get_connection_status()
		told.append(
			{
				"status": status, "peers": cell.others.size(), "joined": cell.joined, "lost": cell.lost,
				"disorder": cell.disorder, "counts": cell.counts, "took": cell.took
			}
		)
	print("@@ ", to_json({"phase": phase, "frames": frames, "cells": told}))
