## Several MultiplayerAPIs in one process: each branch of the tree has its own, with its own peer.
extends "res://tests/multiplayer/puppet_suite.gd"

const StageNode := preload("res://tests/multiplayer/stage.gd")

var _branches: Array[Node] = []
var _seen := {}


func tear_down() -> void:
	for branch in _branches:
		branch.multiplayer.multiplayer_peer = null
	for branch in _branches:
		get_tree().set_multiplayer(null, branch.get_path())
		branch.queue_free()
	_branches.clear()
	await super()


func test_server_and_clients_in_one_process() -> void:
	var port := free_port()
	var host := add_branch("Host")
	open_server(host, port)
	var guests: Array[Node] = []
	for guest_name: String in ["One", "Two"]:
		var guest := add_branch(guest_name)
		open_client(guest, port)
		await saw(guest, ["connected_to_server"])
		await saw(host, ["peer_connected", guest.multiplayer.get_unique_id()])
		guests.append(guest)
	var all: Array[Node] = [host, guests[0], guests[1]]
	await saw(guests[0], ["peer_connected", guests[1].multiplayer.get_unique_id()])
	await saw(guests[1], ["peer_connected", guests[0].multiplayer.get_unique_id()])
	for branch in all:
		call_stage(branch, 0, "reliable", [String(branch.name)])
		call_stage(branch, 0, "local_too_2", [String(branch.name)])
	for branch in all:
		for other in all:
			var sender: int = other.multiplayer.get_unique_id()
			await saw(branch, ["rpc.local_too_2", sender, String(other.name)])
			if other != branch:
				await saw(branch, ["rpc.reliable", sender, String(other.name)])
		check_equal(times(branch, ["rpc.reliable"]), 2, "%s: one from each" % branch.name)
	# The tree's own MultiplayerAPI has nothing to do with them.
	check(multiplayer != host.multiplayer, "another API")
	check_equal(multiplayer.multiplayer_peer is OfflineMultiplayerPeer, true, "which is offline")
	# One guest leaves; then the server.
	var gone: int = guests[0].multiplayer.get_unique_id()
	guests[0].multiplayer.multiplayer_peer = null
	await saw(host, ["peer_disconnected", gone])
	await saw(guests[1], ["peer_disconnected", gone])
	host.multiplayer.multiplayer_peer = null
	await saw(guests[1], ["server_disconnected"])
	check_equal(guests[1].multiplayer.get_peers(), PackedInt32Array(), "no peers are left")
	check_equal(times(guests[1], ["peer_disconnected"]), 2, "each peer left once")


func test_one_process_with_two_servers_and_a_remote_client_of_each() -> void:
	await cast(2)
	for index in 2:
		var port := free_port()
		var host := add_branch("Host%d" % index)
		# The puppet's nodes have to be where the branch's are: the path counts from the branch.
		check_equal(host.multiplayer.root_path, host.get_path(), "root of the branch")
		open_server(host, port)
		await enter(clients[index], port)
		await saw(host, ["peer_connected", clients[index].id])
	for index in 2:
		var bytes := ("to %d" % index).to_utf8_buffer()
		_branches[index].multiplayer.send_bytes(bytes)
		await happens(clients[index], ["api.peer_packet", 1, bytes])
		await ask(clients[index], "net.call_api", ["send_bytes", [bytes]])
		await saw(_branches[index], ["peer_packet", clients[index].id, bytes])
	check_equal(_branches[0].multiplayer.get_peers(), PackedInt32Array([clients[0].id]), "peers")
	_branches[0].multiplayer.multiplayer_peer = null
	await happens(clients[0], ["api.server_disconnected"])
	await settle_down(2)
	await check_peers(clients[1], [1])


func test_branch_is_freed_with_its_connection_open() -> void:
	var port := free_port()
	var host := add_branch("Host")
	open_server(host, port)
	var guest := add_branch("Guest")
	open_client(guest, port)
	await saw(guest, ["connected_to_server"])
	var peer_object: int = guest.multiplayer.multiplayer_peer.get_instance_id()
	_branches.erase(guest)
	get_tree().set_multiplayer(null, guest.get_path())
	guest.queue_free()
	await saw(host, ["peer_disconnected"])
	check(not is_instance_id_valid(peer_object), "its peer is gone")


func add_branch(branch_name: String) -> Node:
	var branch := Node.new()
	branch.name = branch_name
	add_child(branch)
	var api := SceneMultiplayer.new()
	get_tree().set_multiplayer(api, branch.get_path())
	var seen: Array[Array] = []
	_seen[branch.name] = seen
	for kind: String in ["connected_to_server", "connection_failed", "server_disconnected"]:
		api.connect(kind, func() -> void: seen.append([kind]))
	for kind: String in ["peer_connected", "peer_disconnected"]:
		api.connect(kind, func(id: int) -> void: seen.append([kind, id]))
	api.peer_packet.connect(
		func(id: int, bytes: PackedByteArray) -> void: seen.append(["peer_packet", id, bytes])
	)
	var stage := StageNode.new()
	stage.name = "Stage"
	stage.happened.connect(func(event: Array) -> void: seen.append(event))
	branch.add_child(stage)
	_branches.append(branch)
	return branch


func open_server(branch: Node, port: int) -> void:
	var peer := TestPeer.make()
	check_equal(peer.create_server(port), OK, "create_server")
	branch.multiplayer.multiplayer_peer = peer


func open_client(branch: Node, port: int) -> void:
	var peer := TestPeer.make()
	check_equal(peer.create_client(LOCALHOST, port), OK, "create_client")
	branch.multiplayer.multiplayer_peer = peer


func call_stage(branch: Node, target: int, method: String, values: Array) -> void:
	branch.get_node("Stage").call("send", target, method, values)


func times(branch: Node, beginning: Array) -> int:
	var is_one := func(event: Array) -> bool: return event.slice(0, beginning.size()) == beginning
	var seen: Array[Array] = _seen[branch.name]
	return seen.filter(is_one).size()


func saw(branch: Node, beginning: Array) -> void:
	var come := func() -> bool: return times(branch, beginning) > 0
	await wait_until(come, SECONDS, "%s: %s in %s" % [branch.name, beginning, _seen[branch.name]])
