## Opens and closes the connection. All that the addon needs to know is set here.
class_name ArenaConnection
extends Node

## Client: the server has taken the connection.
signal opened
## Client: there is no connection, or not any more.
signal ended(why: String)

## What this game's servers call it when they are asked.
const GAME := "coin arena"
## Seconds that a closing server gives its clients to fetch everything.
const PATIENCE := 3.0

var peer: NetworkedMultiplayerENet
## Why the last connection has ended: one of the constants CONNECTION_ERROR_*.
var last_error := NetworkedMultiplayerENet.CONNECTION_ERROR_NONE


func _ready() -> void:
	multiplayer.connected_to_server.connect(opened.emit)
	multiplayer.connection_failed.connect(_on_ended)
	multiplayer.server_disconnected.connect(_on_ended)


## Opens a server; returns what went wrong, or nothing.
func host(options: ArenaOptions) -> String:
	var new_peer := _new_peer(options)
	if options.dtls:
		var problem := ArenaCertificate.use_on_server(new_peer)
		if problem != "":
			return problem
	# For the list of games in the menu of others.
	new_peer.query_info = {
		"game": GAME, "name": options.game_name(), "compression": options.compression
	}
	var error := new_peer.create_server(options.port, options.max_clients)
	if error != OK:
		return "No server on port %d: %s." % [options.port, error_string(error)]
	_use(new_peer)
	return ""


## Begins to connect to a server; returns what went wrong, or nothing.
func join(options: ArenaOptions) -> String:
	var new_peer := _new_peer(options)
	if options.dtls:
		var problem := ArenaCertificate.use_on_client(
			new_peer, options.certificate, options.is_insecure
		)
		if problem != "":
			return problem
	var error := new_peer.create_client(options.address, options.port)
	if error != OK:
		var text := new_peer.get_connection_error_text()
		return text if text != "" else "No connection: %s." % error_string(error)
	_use(new_peer)
	return ""


func is_open() -> bool:
	return peer != null and peer.get_connection_status() == MultiplayerPeer.CONNECTION_CONNECTED


## Server: sends a player away, who is shown the reason.
func kick(id: int, reason: String) -> void:
	peer.kick_peer(id, 0, reason)


## Ends the connection. A server's clients get everything that was sent before, and the reason.
func close(reason := "") -> void:
	if peer == null:
		return
	if is_open() and multiplayer.is_server():
		await _send_clients_away(reason)
	peer.close_connection()
	peer = null
	multiplayer.multiplayer_peer = OfflineMultiplayerPeer.new()


func _send_clients_away(reason: String) -> void:
	peer.refuse_new_connections = true
	for id in multiplayer.get_peers():
		# A client gets all that is queued for it first.
		peer.kick_peer(id, 0, reason)
	var limit := Time.get_ticks_msec() + int(PATIENCE * 1000.0)
	while not multiplayer.get_peers().is_empty() and Time.get_ticks_msec() < limit:
		await get_tree().process_frame


func _new_peer(options: ArenaOptions) -> NetworkedMultiplayerENet:
	var new_peer := NetworkedMultiplayerENet.new()
	# Server and clients must agree on these two.
	new_peer.channel_count = ArenaMessages.CHANNEL_COUNT
	new_peer.compression_mode = ArenaOptions.COMPRESSIONS[options.compression]
	# This is up to each of them.
	new_peer.threaded = options.threaded
	return new_peer


func _use(new_peer: NetworkedMultiplayerENet) -> void:
	peer = new_peer
	multiplayer.multiplayer_peer = peer


func _on_ended() -> void:
	# The peer is closed already, and knows why.
	last_error = peer.get_connection_error()
	var why := peer.get_connection_error_text()
	if last_error == NetworkedMultiplayerENet.CONNECTION_ERROR_KICKED:
		why = peer.get_kick_text()
	peer = null
	multiplayer.multiplayer_peer = OfflineMultiplayerPeer.new()
	ended.emit(why)
