## RPCs and raw packets between processes: modes, channels, targets, authority, sizes, order.
extends "res://tests/multiplayer/puppet_suite.gd"

const CHANNELS := {"channel_count": 6}
## Method, ENet channel, transfer mode.
const METHODS := [
	["reliable", 1, MultiplayerPeer.TRANSFER_MODE_RELIABLE],
	["unreliable", 2, MultiplayerPeer.TRANSFER_MODE_UNRELIABLE],
	["ordered", 2, MultiplayerPeer.TRANSFER_MODE_UNRELIABLE_ORDERED],
	["reliable_1", 1, MultiplayerPeer.TRANSFER_MODE_RELIABLE],
	["reliable_3", 3, MultiplayerPeer.TRANSFER_MODE_RELIABLE],
	["unreliable_3", 3, MultiplayerPeer.TRANSFER_MODE_UNRELIABLE],
	["ordered_4", 4, MultiplayerPeer.TRANSFER_MODE_UNRELIABLE_ORDERED],
]
const MIXED_VALUES := [
	null, true, -7, 1.5, "Grüße", Vector3(1, 2, 3), NodePath("/root"), [1, [2]], {"a": {"b": 1}}
]


func test_modes_and_channels_to_all() -> void:
	await begin(3, CHANNELS)
	var all := everyone()
	for method: String in METHODS.map(func(row: Array) -> String: return row[0]):
		for sender in all:
			var others := everyone_but(sender)
			var value := "%s from %s" % [method, sender.title]
			await send_until_all_have(sender, 0, method, value, others)
			check_equal(sender.seen(["rpc." + method, sender.id]), 0, "%s gets none back" % value)
	for actor in all:
		for event in actor.history("rpc."):
			check(event[2].begins_with(event[0] + " from "), "%s is whole" % [event])


func test_mixed_values() -> void:
	await begin(1)
	await ask(server, "stage.send", [0, "reliable", [MIXED_VALUES]])
	await ask(clients[0], "stage.send", [0, "reliable", [MIXED_VALUES]])
	await happens(clients[0], ["rpc.reliable", 1, MIXED_VALUES])
	await happens(server, ["rpc.reliable", clients[0].id, MIXED_VALUES])


func test_channel_and_mode_of_each_rpc() -> void:
	await begin(2, CHANNELS)
	for target: Actor in [server, clients[0]]:
		var sender := clients[1]
		await ask(target, "net.watch_packets", [true])
		for row: Array in METHODS:
			var wanted := ["packet", sender.id, row[1], row[2]]
			target.events.clear()
			# Again until it is noted: one that comes during MultiplayerAPI's own poll is not looked at.
			var values := [target.id, row[0], ["x"]]
			await again_until_all_have(sender, "stage.send", values, [target], wanted)
			await happens(target, ["rpc." + row[0], sender.id])
		await ask(target, "net.watch_packets", [false])


func test_channel_beyond_channel_count() -> void:
	await begin(1, CHANNELS)
	for pair: Array in [[server, clients[0]], [clients[0], server]]:
		var sender: Actor = pair[0]
		sender.expect_error("put_packet: channel 6")
		await ask(sender, "stage.send", [0, "reliable_6", ["never"]])
		await ask(sender, "stage.send", [0, "reliable", ["after"]])
		await happens(pair[1], ["rpc.reliable", sender.id, "after"])
		check_equal(pair[1].seen(["rpc.reliable_6"]), 0, "nothing came")
		await check_status(sender, CONNECTED)


func test_rpc_id_reaches_one() -> void:
	await begin(3, CHANNELS)
	var all := everyone()
	for sender in all:
		for target in all:
			if target != sender:
				await ask(sender, "stage.send", [target.id, "reliable_3", [target.title]])
				await happens(target, ["rpc.reliable_3", sender.id, target.title])
	await settle_down()
	for actor in all:
		check_equal(actor.seen(["rpc.reliable_3"]), 3, "%s: one from each" % actor.title)
		check_equal(actor.seen(["rpc.reliable_3", actor.id]), 0, "none of its own")


func test_everybody_but_one() -> void:
	await begin(3)
	for sender: Actor in [server, clients[0]]:
		await ask(sender, "net.call_api", ["send_bytes", ["x".to_ascii_buffer(), -clients[1].id]])
	await happens(clients[2], ["api.peer_packet"], 2)
	await happens(clients[0], ["api.peer_packet", 1])
	await happens(server, ["api.peer_packet", clients[0].id])
	await settle_down()
	check_equal(clients[1].seen(["api.peer_packet"]), 0, "the one left out")


func test_call_local_and_authority() -> void:
	await begin(2, CHANNELS)
	for actor: Actor in everyone():
		await ask(actor, "stage.send", [0, "local_too", [actor.title]])
		check_equal(actor.seen(["rpc.local_too", actor.id, actor.title]), 1, "its own call")
	for actor: Actor in everyone():
		await happens(actor, ["rpc.local_too"], 3)
	await ask(server, "stage.send", [0, "by_authority", ["server"]])
	for client in clients:
		await happens(client, ["rpc.by_authority", 1, "server"])
	# A client is not the authority: the others do not run its call.
	for other: Actor in [server, clients[1]]:
		other.expect_error("RPC 'by_authority' is not allowed")
	await ask(clients[0], "stage.send", [0, "by_authority", ["client"]])
	await ask(clients[0], "stage.send", [0, "reliable", ["behind"]])
	for other: Actor in [server, clients[1]]:
		await happens(other, ["rpc.reliable", clients[0].id, "behind"])
		check_equal(other.seen(["rpc.by_authority", clients[0].id]), 0, "not run")
	# With the authority moved, it is the client whose calls run.
	for actor: Actor in everyone():
		await ask(actor, "stage.set_multiplayer_authority", [clients[0].id])
	await ask(clients[0], "stage.send", [0, "by_authority", ["authority"]])
	for other: Actor in [server, clients[1]]:
		await happens(other, ["rpc.by_authority", clients[0].id, "authority"])


func test_answers_inside_handlers() -> void:
	await begin(3)
	for sender: Actor in everyone():
		await ask(sender, "stage.send", [0, "echo", [sender.title]])
	for actor: Actor in everyone():
		await happens(actor, ["rpc.reliable"], 3)
		await happens(actor, ["rpc.echo"], 3)
		for other: Actor in everyone():
			var wanted := 0 if other == actor else 1
			check_equal(actor.seen(["rpc.reliable", other.id, actor.title]), wanted, "answers")
			check_equal(actor.seen(["rpc.echo", other.id, other.title]), wanted, "calls")


func test_sizes() -> void:
	await begin(2)
	var pairs := [[server, clients[0]], [clients[0], server], [clients[0], clients[1]]]
	for size: int in [1, 1300, 1391, 1392, 4096, 65535, 65536]:
		var bytes := pattern(size)
		for pair: Array in pairs:
			await ask(pair[0], "stage.send", [pair[1].id, "reliable", [bytes]])
		for pair: Array in pairs:
			await happens(pair[1], ["rpc.reliable", pair[0].id, Actor.brief(bytes)])
	var text := "ä".repeat(30000)
	await ask(clients[1], "stage.send", [0, "reliable", [text]])
	for actor: Actor in [server, clients[0]]:
		await happens(actor, ["rpc.reliable", clients[1].id, Actor.brief(text)])
	for mode: String in ["unreliable", "ordered"]:
		for pair: Array in pairs:
			var value := pattern(20000)
			await send_until_all_have(pair[0], pair[1].id, mode, value, [pair[1]])


func test_order_of_reliable_rpcs() -> void:
	await begin(3)
	var all := everyone()
	for sender in all:
		var others := everyone_but(sender)
		sender.tell("stage.send_many", [ids(others), 200])
	for actor in all:
		for other in all:
			if other != actor:
				await happens(actor, ["rpc.count", other.id, 200, true])


func test_ordered_rpcs_never_go_back() -> void:
	await begin(2)
	var numbers := range(100)
	for sender: Actor in [server, clients[0]]:
		var commands := []
		for number: int in numbers:
			commands.append(["stage.send", [clients[1].id, "ordered", [number]]])
		await ask(sender, "several", [commands])
		await ask(sender, "stage.send", [clients[1].id, "reliable", ["end"]])
		await happens(clients[1], ["rpc.reliable", sender.id, "end"])
		await settle_down()
		var got: Array = []
		for event in clients[1].history("rpc.ordered"):
			if event[1] == sender.id:
				got.append(event[2])
		var sorted := got.duplicate()
		sorted.sort()
		check(not got.is_empty(), "some arrive")
		check_equal(got, sorted, "in order")


func test_raw_packets_between_all() -> void:
	await begin(3, CHANNELS)
	var all := everyone()
	for sender in all:
		for mode in 3:
			for channel: int in [0, 1, 5]:
				var bytes := ("%s %d %d" % [sender.title, mode, channel]).to_utf8_buffer()
				var values := [bytes, 0, mode, channel]
				var others := everyone_but(sender)
				var wanted := ["api.peer_packet", sender.id, bytes]
				await again_until_all_have(
					sender, "net.call_api", ["send_bytes", values], others, wanted
				)
	for sender in all:
		var large := pattern(70000)
		var target := all[(all.find(sender) + 1) % all.size()]
		await ask(sender, "net.call_api", ["send_bytes", [large, target.id]])
		await happens(target, ["api.peer_packet", sender.id, large])


## Unreliable calls may be lost: sends until each of `others` has got one.
func send_until_all_have(
	sender: Actor, target: int, method: String, value: Variant, others: Array[Actor]
) -> void:
	var wanted := ["rpc." + method, sender.id, Actor.brief(value)]
	await again_until_all_have(sender, "stage.send", [target, method, [value]], others, wanted)


func again_until_all_have(
	sender: Actor, command: String, values: Array, others: Array[Actor], wanted: Array
) -> void:
	var all_have := func() -> bool:
		return others.all(func(actor: Actor) -> bool: return actor.seen(wanted) > 0)
	var limit := Time.get_ticks_msec() + int(SECONDS * 1000.0)
	var is_reliable: bool = "reliable" in str(values) and not "unreliable" in str(values)
	while not all_have.call() and Time.get_ticks_msec() < limit:
		await ask(sender, command, values)
		await wait_briefly(all_have, 2.0 if is_reliable else 0.1)
	check(all_have.call(), "%s: %s" % [sender.title, str(wanted).left(200)])


func wait_briefly(condition: Callable, seconds: float) -> void:
	var limit := Time.get_ticks_msec() + int(seconds * 1000.0)
	while not condition.call() and Time.get_ticks_msec() < limit:
		poll_all()
		await get_tree().process_frame


func pattern(size: int) -> PackedByteArray:
	var bytes := PackedByteArray()
	bytes.resize(size)
	for index in size:
		bytes[index] = (index * 7 + index / 256) & 255
	return bytes
