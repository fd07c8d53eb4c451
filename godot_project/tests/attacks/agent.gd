## Servers or clients that are attacked, in one process: each end of a connection sends an
## unreliable packet in every frame and a reliable one in every sixth, numbered, and counts. Not
## all in the same sixth frame: the script would take long for the thousands of a crowd.
##
## Godot 3.6 plays it, too, in a translation.
## Started by scripts/attacks with `-- --class=NAME --folder=DIR` and
## `--role=servers --ports=N,N --slots=N --relay=0|1` or
## `--role=clients --to=HOST/PORT/BIND/SIGN,...`. A client begins when the file SIGN is in the
## folder, at once when SIGN is `-`; BIND `*` is any address. The file `phase` in the folder has
## the number that packets are counted under, or -1 to send nothing. A line of JSON behind `@@ `
## comes every half a second. With `--certificate=FILE`, and `--key=FILE` for servers, it is DTLS.
## With `--bulk=BYTES` and `--bulk_mode=MODE` a server sends so much a second to each who is silent.
extends SceneTree

const Portable := preload("res://tests/portable.gd")
const SERVER := 1
const SIZE := 48
const BETWEEN_REPORTS_MSEC := 500
const RELIABLE_EVERY := 6
# Who sends nothing for so many frames has come to be sent to.
const SILENT_FRAMES := 60
# The number of packets to who has sent none: they may be an attacker's, and are not counted.
const UNCOUNTED := 255

var words := Portable.words()
var cells: Array[Dictionary] = []
var phase := 0
var bulk := PackedByteArray()
var frames := {}
var frame_number := 0
var last_frame_usec := 0
var next_report_msec := 0


func _initialize() -> void:
	if words.has("bulk"):
		bulk.resize(int(words["bulk"]) / 60)
	if words["role"] == "servers":
		for port: String in words["ports"].split(","):
			_open_server(int(port))
	else:
		for text: String in words["to"].split(","):
			var parts := text.split("/")
			cells.append(
				_cell({"host": parts[0], "port": int(parts[1]), "bind": parts[2], "sign": parts[3]})
			)
	Engine.max_fps = 60
	process_frame.connect(_tick)


func _cell(more: Dictionary) -> Dictionary:
	var cell := {
		"peer": null,
		"others": {},
		"joined": 0,
		"lost": 0,
		"disorder": 0,
		"foreign": 0,
		"counts": {},
		"began": 0,
		"took": -1
	}
	cell.merge(more)
	return cell


func _open_server(port: int) -> void:
	var cell := _cell({"sign": "-"})
	cells.append(cell)
	_make_peer(cell)
	if "server_relay" in cell.peer:
		cell.peer.set("server_relay", words["relay"] == "1")
	# The engines' own classes have no such property.
	cell.peer.set("query_info", {"name": "attacked", "text": "x".repeat(900)})
	if cell.peer.call("create_server", port, int(words["slots"])) != OK:
		print("cannot open port %d" % port)


func _open_client(cell: Dictionary) -> void:
	_make_peer(cell)
	cell.began = Time.get_ticks_msec()
	if cell.bind != "*":
		cell.peer.call("set_bind_ip", cell.bind)
	if cell.peer.call("create_client", cell.host, cell.port) != OK:
		print("cannot make a client of port %d" % cell.port)


func _make_peer(cell: Dictionary) -> void:
	cell.peer = Portable.new_peer(words["class"])
	# The engines' own classes have no such property.
	cell.peer.set("threaded", OS.get_environment("TEST_THREADED") == "1")
	if words.has("certificate"):
		_use_dtls(cell.peer)
	cell.peer.peer_connected.connect(_on_peer_connected.bind(cell))
	cell.peer.peer_disconnected.connect(_on_peer_disconnected.bind(cell))
	# Godot 3.6 tells a client nothing else when it has lost the server.
	if cell.peer.has_signal("server_disconnected"):
		cell.peer.server_disconnected.connect(_on_peer_disconnected.bind(SERVER, cell))


func _use_dtls(peer: Object) -> void:
	var certificate := X509Certificate.new()
	var key := CryptoKey.new()
	if certificate.load(words["certificate"]) != OK:
		print("cannot read the certificate")
	if words.has("key") and key.load(words["key"]) != OK:
		print("cannot read the key")
	peer.set("use_dtls", true)
	peer.call("set_dtls_certificate", certificate)
	if words.has("key"):
		peer.call("set_dtls_key", key)
	# The certificate is for this name, and clients connect to an address.
	peer.set("dtls_hostname", "localhost")


func _tick() -> void:
	var now := Time.get_ticks_usec()
	if not frames.has(phase):
		frames[phase] = [0, 0, 0]
	var counted: Array = frames[phase]
	if last_frame_usec > 0:
		counted[0] += 1
		counted[1] = maxi(counted[1], now - last_frame_usec)
		counted[2] += now - last_frame_usec
	last_frame_usec = now
	frame_number += 1
	if frame_number % RELIABLE_EVERY == 0:
		_look_at_folder()
	for cell in cells:
		if cell.peer != null:
			_work(cell)
	if Time.get_ticks_msec() >= next_report_msec:
		next_report_msec = Time.get_ticks_msec() + BETWEEN_REPORTS_MSEC
		_report()


func _look_at_folder() -> void:
	var text := Portable.read("%s/phase" % words["folder"])
	if text.is_valid_int():
		phase = int(text)
	for cell in cells:
		if (
			cell.peer == null
			and (cell.sign == "-" or Portable.file_exists("%s/%s" % [words["folder"], cell.sign]))
		):
			_open_client(cell)


func _work(cell: Dictionary) -> void:
	var peer: MultiplayerPeer = cell.peer
	if peer.get_connection_status() == MultiplayerPeer.CONNECTION_DISCONNECTED:
		return
	peer.poll()
	while peer.get_available_packet_count() > 0:
		var from := peer.get_packet_peer()
		_read(cell, from, peer.get_packet())
	if phase < 0 or peer.get_connection_status() != MultiplayerPeer.CONNECTION_CONNECTED:
		return
	for id: int in cell.others:
		var numbers: Array = cell.others[id]
		var number_of_phase := phase if numbers[2] or id == SERVER else UNCOUNTED
		if bulk.size() > 0 and not numbers[2] and frame_number - numbers[3] > SILENT_FRAMES:
			peer.set_target_peer(id)
			peer.transfer_mode = int(words["bulk_mode"])
			peer.put_packet(bulk)
		if number_of_phase != UNCOUNTED:
			_send(cell, id, 0, 0, number_of_phase)
		if (frame_number + id) % RELIABLE_EVERY == 0:
			numbers[0] += 1
			_send(cell, id, 1, numbers[0], number_of_phase)


func _send(cell: Dictionary, id: int, kind: int, number: int, of_phase: int) -> void:
	var buffer := StreamPeerBuffer.new()
	buffer.put_u8(kind)
	buffer.put_u8(of_phase)
	buffer.put_u32(number)
	var packet := buffer.data_array
	packet.resize(SIZE)
	var peer: MultiplayerPeer = cell.peer
	peer.set_target_peer(id)
	peer.transfer_mode = (
		MultiplayerPeer.TRANSFER_MODE_RELIABLE
		if kind == 1
		else MultiplayerPeer.TRANSFER_MODE_UNRELIABLE
	)
	if peer.put_packet(packet) == OK and of_phase != UNCOUNTED:
		_counts(cell, of_phase)[kind] += 1


func _read(cell: Dictionary, from: int, packet: PackedByteArray) -> void:
	# No end sends such a packet: it is an attacker's.
	if packet.size() != SIZE or packet[0] > 1:
		cell.foreign += 1
		return
	var kind := packet[0]
	if packet[1] != UNCOUNTED:
		_counts(cell, packet[1])[2 + kind] += 1
	if cell.others.has(from):
		cell.others[from][2] = true
	if kind == 1 and cell.others.has(from):
		var numbers: Array = cell.others[from]
		var buffer := StreamPeerBuffer.new()
		buffer.data_array = packet
		buffer.seek(2)
		var number := buffer.get_u32()
		if number != numbers[1] + 1:
			cell.disorder += 1
		numbers[1] = number


## What was sent and what has come under a number: unreliable and reliable packets each.
func _counts(cell: Dictionary, of_phase: int) -> Array:
	if not cell.counts.has(of_phase):
		cell.counts[of_phase] = [0, 0, 0, 0]
	return cell.counts[of_phase]


func _on_peer_connected(id: int, cell: Dictionary) -> void:
	if id == SERVER or words["role"] == "servers":
		# The last numbers sent and received, whether a packet has come, and since which frame.
		cell.others[id] = [0, 0, false, frame_number]
		cell.joined += 1
		cell.took = Time.get_ticks_msec() - cell.began


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
				"status": status,
				"peers": cell.others.size(),
				"joined": cell.joined,
				"lost": cell.lost,
				"disorder": cell.disorder,
				"foreign": cell.foreign,
				"counts": cell.counts,
				"took": cell.took
			}
		)
	print("@@ ", JSON.stringify({"phase": phase, "frames": frames, "cells": told}))
