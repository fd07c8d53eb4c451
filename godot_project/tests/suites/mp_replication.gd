## MultiplayerSpawner, MultiplayerSynchronizer and scene changes.
extends "res://tests/multiplayer/puppet_suite.gd"


func test_spawn_and_despawn_with_a_late_joiner() -> void:
	var port: int = await begin(2)
	await cast(3)
	var early := everyone().slice(0, 3)
	await open_arenas()
	await ask(server, "world.spawn", ["Alpha", {"health": 7, "title": "the first"}])
	await ask(server, "world.spawn", ["Beta", {"place": Vector2(3, 4)}])
	for client: Actor in early.slice(1):
		await happens(client, ["spawned"], 2)
		check_equal(await ask(client, "world.units"), ["Alpha", "Beta"], "units")
		check_equal(await ask(client, "world.value", ["Units/Alpha", "health"]), 7, "health")
		var title: Variant = await ask(client, "world.value", ["Units/Alpha", "title"])
		check_equal(title, "the first", "title")
	await ask(server, "world.despawn", ["Alpha"])
	for client: Actor in early.slice(1):
		await happens(client, ["despawned"])
		check_equal(await ask(client, "world.units"), ["Beta"], "units")
	await enter(clients[2], port)
	await happens(clients[2], ["spawned", &"Beta"])
	check_equal(await ask(clients[2], "world.units"), ["Beta"], "units of the late joiner")
	var place: Variant = await ask(clients[2], "world.value", ["Units/Beta", "place"])
	check_equal(place, Vector2(3, 4), "place")
	await ask(server, "world.spawn", ["Gamma", {}])
	await ask(server, "world.despawn", ["Beta"])
	for client in clients:
		await happens(client, ["spawned", &"Gamma"])
		await happens(client, ["despawned", &"Beta"])
		check_equal(await ask(client, "world.units"), ["Gamma"], "units")
	check_equal(clients[2].seen(["spawned"]), 2, "nothing of the past")
	# What the server has spawned goes with the connection.
	await ask(server, "net.drop")
	for client in clients:
		await happens(client, ["api.server_disconnected"])
		check_equal(await ask(client, "world.units"), [], "units without a server")


func test_many_spawns_in_a_frame() -> void:
	await begin(3)
	var commands := []
	var names := []
	for number in 60:
		names.append("Unit%02d" % number)
		commands.append(["world.spawn", [names[number], {"health": number}]])
	await open_arenas()
	await ask(server, "several", [commands])
	for client in clients:
		await happens(client, ["spawned"], 60)
		check_equal(await ask(client, "world.units"), names, "units")
		check_equal(await ask(client, "world.value", ["Units/Unit42", "health"]), 42, "health")
		var order := client.history("spawned").map(func(e: Array) -> String: return String(e[1]))
		check_equal(order, names, "in the order of their creation")


func test_synchronized_values() -> void:
	await begin(2)
	await open_arenas()
	await ask(server, "world.spawn", ["Alpha", {"title": "one"}])
	for client in clients:
		await happens(client, ["spawned"])
	for round_number in 4:
		for path: String in ["Units/Alpha", "Flag"]:
			var place := Vector2(round_number, -round_number)
			await ask(server, "world.set_value", [path, "health", round_number])
			await ask(server, "world.set_value", [path, "place", place])
			for client in clients:
				await becomes(client, "world.value", [path, "health"], round_number)
				await becomes(client, "world.value", [path, "place"], place)
	# "Always" comes again and again, "on change" only with a change, "never" only with the spawn.
	for property: String in ["health", "place", "title"]:
		var spoilt: Variant = {"health": -1, "place": Vector2(9, 9), "title": "spoilt"}[property]
		await ask(clients[0], "world.set_value", ["Units/Alpha", property, spoilt])
	await ask(server, "world.set_value", ["Units/Alpha", "title", "two"])
	await becomes(clients[0], "world.value", ["Units/Alpha", "place"], Vector2(3, -3))
	await settle_down()
	check_equal(await ask(clients[0], "world.value", ["Units/Alpha", "health"]), -1, "on change")
	check_equal(await ask(clients[0], "world.value", ["Units/Alpha", "title"]), "spoilt", "never")


func test_authority_of_a_client() -> void:
	await begin(3)
	await open_arenas()
	for actor in everyone():
		# What the last owner sent while the others were being told of the next one.
		actor.allow_error("Ignoring sync data")
		actor.allow_error("Ignoring delta")
	for owning: Actor in [clients[0], clients[1], server]:
		for actor in everyone():
			await ask(actor, "world.give_authority", ["Flag", owning.id])
		await settle_down(1)
		await ask(owning, "world.set_value", ["Flag", "health", owning.id])
		await ask(owning, "world.set_value", ["Flag", "place", Vector2(owning.id % 1000, 5)])
		for other in everyone_but(owning):
			await becomes(other, "world.value", ["Flag", "health"], owning.id)
			var place := Vector2(owning.id % 1000, 5)
			await becomes(other, "world.value", ["Flag", "place"], place)


func test_scene_change_keeps_the_connection() -> void:
	await begin(2)
	var wanted_ids := ids(everyone())
	for scene: String in ["town", "forest", "town"]:
		for actor in everyone():
			check_equal(await ask(actor, "world.change_scene", [scene]), OK, "change_scene")
		for actor in everyone():
			await becomes(actor, "world.current_scene", [], scene.capitalize())
		for actor in everyone():
			actor.events.clear()
		for actor in everyone():
			await ask(actor, "world.greet", ["from " + actor.title])
		for actor in everyone():
			await happens(actor, ["rpc.greet"], 2)
			for other in everyone_but(actor):
				var greeting := ["rpc.greet", other.id, StringName(scene.capitalize())]
				check_equal(actor.seen(greeting + ["from " + other.title]), 1, "one from each")
			check_equal(actor.history("api."), [], "the connection stays")
	for actor in everyone():
		var state: Dictionary = await ask(actor, "net.state")
		check(state["id"] in wanted_ids, "the same id")
		await check_peers(actor, ids(everyone_but(actor)))


func test_connection_begun_in_one_scene_succeeds_in_the_next() -> void:
	await cast(1)
	var port := free_port()
	await ask(clients[0], "world.change_scene", ["town"])
	check_equal(await ask(clients[0], "net.create_client", [port]), OK, "create_client")
	await ask(clients[0], "world.change_scene", ["forest"])
	check_equal(await ask(server, "net.create_server", [port]), OK, "create_server")
	await happens(clients[0], ["api.connected_to_server"])
	await becomes(clients[0], "world.current_scene", [], "Forest")


## The clients before the server, which sends from the moment it has its arena.
func open_arenas() -> void:
	for client in clients:
		await ask(client, "world.open_arena")
	await ask(server, "world.open_arena")
