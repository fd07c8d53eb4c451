## A server that answers, or a search for servers, for scripts/tests/test_lan.py.
##
## Started with `-- serve NAME PORT` or `-- search PORT`.
extends SceneTree

const TIMEOUT_MSEC := 2000

var peer: NetworkedMultiplayerENet
var browser: ENetServerBrowser


func _initialize() -> void:
	var words := OS.get_cmdline_user_args()
	if words[0] == "serve":
		_serve(words[1], words[2].to_int())
	else:
		_search(words[1].to_int())


func _serve(own_name: String, port: int) -> void:
	peer = NetworkedMultiplayerENet.new()
	peer.query_info = {"name": own_name}
	if peer.create_server(port) == OK:
		print("@@ ready")
	process_frame.connect(peer.poll)


func _search(port: int) -> void:
	browser = ENetServerBrowser.new()
	browser.server_found.connect(
		func(server: Dictionary) -> void: print("@@ %s at %s" % [server.name, server.address])
	)
	browser.search_finished.connect(quit)
	if browser.discover_servers(port, TIMEOUT_MSEC) != OK:
		quit(1)
