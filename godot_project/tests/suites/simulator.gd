## What `simulate` does to a connection over real sockets: the game's own packets tell.
extends TestSuite

const RELIABLE := MultiplayerPeer.TRANSFER_MODE_RELIABLE
const UNRELIABLE := MultiplayerPeer.TRANSFER_MODE_UNRELIABLE
const SETTING := "network/enet/simulation"
const IS_ON := "the network simulator is ON, by "
const HOME_DSL := "delay_msec 30, jitter_msec 10 in each direction; seed "


func tear_down() -> void:
	ProjectSettings.set_setting(SETTING, "off")


func test_it_is_off_by_default() -> void:
	check_equal(ProjectSettings.get_setting(SETTING), "off", "the project setting")
	var peer := new_peer()
	check_equal(peer.get_simulation(), {}, "without a connection")
	serve(peer)
	check_equal(peer.get_simulation(), {}, "of a server")
	expect_warning([], "nothing is said")


func test_a_delay_shows_in_the_round_trip_and_ends_with_it() -> void:
	var peers := await connected()
	check(await _fastest_round_trip(peers[0], peers[1]) < 150, "without")
	check_equal(peers[1].simulate({"delay_msec": 100}), OK, "simulate")
	expect_warning([IS_ON + "simulate()", "delay_msec 100 in each direction; seed "])
	for attempt in 3:
		var msec := await _round_trip(peers[0], peers[1])
		check(msec >= 199, "there and back in %d ms" % msec)
	check_equal(peers[1].simulate({"outgoing": {"delay_msec": 150}}), OK, "simulate")
	var outgoing := await _fastest_round_trip(peers[0], peers[1])
	check(outgoing >= 149 and outgoing < 300, "one way in %d ms" % outgoing)
	check_equal(peers[1].simulate("off"), OK, "simulate")
	check(await _fastest_round_trip(peers[0], peers[1]) < 140, "afterwards")
	check_equal(peers[1].get_simulation(), {}, "it is off")
	expect_warning([], "it is said once")


func test_a_preset_delays_both_ways() -> void:
	var peers := await connected()
	check_equal(peers[0].simulate("mobile_3_5g"), OK, "simulate on the server")
	check_equal(peers[0].get_simulation().incoming.delay_msec, 160.0, "the preset's delay")
	# Jitter is 30 ms each way. Reliable packets get there although 6 % are lost.
	for attempt in 3:
		var msec := await _round_trip(peers[0], peers[1], RELIABLE)
		check(msec >= 259, "there and back in %d ms" % msec)


func test_loss_takes_its_share_of_datagrams() -> void:
	var peers := await connected()
	var client := peers[1]
	client.set_peer_throttle(1, 5000, 2, 0)
	client.flush_mode = NetworkedMultiplayerENet.FLUSH_EACH_PUT
	check_equal(client.simulate({"outgoing": {"loss_percent": 50}, "seed": 4}), OK, "simulate")
	client.set_target_peer(1)
	for burst in 20:
		client.transfer_mode = UNRELIABLE
		for number in 20:
			client.put_packet("a datagram of its own".to_utf8_buffer())
		await frames(1)
	client.simulate("off")
	client.transfer_mode = RELIABLE
	client.put_packet("end".to_utf8_buffer())
	var got: Array[String] = []
	while not "end" in got:
		got.append((await receive(peers[0])).get_string_from_utf8())
		if got.back() == "":
			break
	# Half of 400, within five standard deviations, and the last one.
	check(got.size() > 150 and got.size() < 251, "%d packets have come" % got.size())


func test_a_cut_ends_the_connection() -> void:
	var peers := await connected()
	peers[1].set_peer_timeout(1, 1, 300, 600)
	check_equal(peers[1].simulate({"cut": true}), OK, "simulate")
	expect_warning([IS_ON, "cut in each direction"])
	var is_lost := func() -> bool: return peers[1].get_connection_status() == DISCONNECTED
	await wait_until(is_lost, 10.0, "the server is given up")
	check_equal(
		peers[1].get_connection_error(),
		NetworkedMultiplayerENet.CONNECTION_ERROR_LOST,
		"the reason"
	)


func test_a_peer_can_have_its_own() -> void:
	var peers := await connected(2)
	var id := peers[1].get_unique_id()
	check_equal(peers[0].simulate({"delay_msec": 100}, id), OK, "simulate")
	expect_warning([IS_ON + "simulate() for id %d: " % id, "delay_msec 100"])
	check(await _round_trip(peers[0], peers[1]) >= 199, "the peer's round trip")
	check(await _fastest_round_trip(peers[0], peers[2]) < 150, "another peer's round trip")
	check_equal(peers[0].get_simulation(id).outgoing.delay_msec, 100.0, "the peer's")
	check_equal(peers[0].get_simulation(peers[2].get_unique_id()), {}, "another peer's")
	check_equal(peers[0].get_simulation(), {}, "everybody's")
	check_equal(peers[0].simulate("off"), OK, "for everybody")
	check_equal(peers[0].get_simulation(id), {}, "the peer's own is over")
	peers[0].simulate("congested", id)
	peers[0].disconnect_peer(id, true)
	check_equal(peers[0].simulate("off", id), ERR_INVALID_PARAMETER, "of who has left")
	expect_error(["simulate", "no peer has the id"])
	check_equal(peers[0].get_simulation(id), {}, "of who has left")
	expect_error(["get_simulation", "no peer has the id"])


func test_it_holds_for_the_connections_to_come() -> void:
	var server := new_peer()
	var client := new_peer()
	check_equal(client.simulate({"delay_msec": 60, "seed": 9}), OK, "before a connection")
	expect_warning([], "nothing is on yet")
	var port := serve(server)
	for attempt in 2:
		check_equal(client.create_client(LOCALHOST, port), OK, "create_client")
		expect_warning(["create_client", IS_ON + "simulate()", "delay_msec 60", "seed 9"])
		await wait_until(is_connected_peer.bind(client), 5.0, "the client connects")
		check(await _round_trip(server, client) >= 119, "its round trip")
		check_equal(client.get_simulation().seed, 9, "the seed")
		client.close()


func test_what_it_answers_can_be_set_again() -> void:
	var peer := new_peer()
	var settings := {
		"preset": "mobile_4g",
		"burst_interval_msec": 30000,
		"burst_min_msec": 1000,
		"burst_max_msec": 60000,
		"incoming": {"preset": "home_dsl", "cut": true},
		&"outgoing": {&"rate_bytes_per_sec": 20000.0, "queue_msec": 500},
		"seed": -3,
	}
	check_equal(peer.simulate(settings), OK, "simulate")
	var answer := peer.get_simulation()
	check_equal(answer.incoming.delay_msec, 30.0, "incoming, by its own preset")
	check_equal(answer.incoming.cut, true, "incoming cut")
	check_equal(answer.outgoing.delay_msec, 100.0, "outgoing, by the preset")
	check_equal(answer.outgoing.burst_max_msec, 60000.0, "outgoing bursts")
	check_equal(answer.outgoing.rate_bytes_per_sec, 20000.0, "the rate")
	check_equal(answer.seed, -3, "the seed")
	check_equal(peer.simulate(answer), OK, "simulate the answer")
	check_equal(peer.get_simulation(), answer, "the answer")


func test_a_text_can_have_settings_too() -> void:
	var peer := new_peer()
	check_equal(peer.simulate("home_dsl, outgoing.loss_percent=2.5, seed=1"), OK, "simulate")
	check_equal(peer.get_simulation().outgoing.loss_percent, 2.5, "outgoing loss")
	check_equal(peer.get_simulation().incoming.loss_percent, 0.0, "incoming loss")
	check_equal(peer.get_simulation().incoming.delay_msec, 30.0, "incoming delay")


func test_wrong_settings_say_what_would_be_right() -> void:
	var wrong := [
		["mobile_6g", '"mobile_6g" is no preset; use one of off, home_fiber, '],
		[7, "settings must be the name of a preset or a Dictionary, and is 7"],
		[[], "settings must be the name of a preset or a Dictionary, and is of type ARRAY"],
		[{"lag": 1}, 'there is no setting "lag"; use one of delay_msec, jitter_msec, '],
		[{3: 1}, "the names of settings must be texts, and one is 3"],
		[{"preset": 1}, "1 is no preset; use one of "],
		[{"delay_msec": -1}, "delay_msec must be a number from 0 to 10000, and is -1"],
		[{"delay_msec": NAN}, "delay_msec must be a number from 0 to 10000, and is NaN"],
		[{"loss_percent": "5"}, 'loss_percent must be a number from 0 to 100, and is "5"'],
		[{"incoming": {"loss_percent": 101}}, "loss_percent must be a number from 0 to 100"],
		[{"outgoing": "mobile_4g"}, 'outgoing must be a Dictionary, and is "mobile_4g"'],
		[{"incoming": {"seed": 1}}, 'there is no setting "seed"'],
		[{"cut": 1}, "cut must be true or false, and is 1"],
		[{"seed": 0.5}, "seed must be a whole number, and is 0.5"],
		[{"burst_min_msec": 5000}, "burst_min_msec must not be larger than burst_max_msec"],
	]
	var peer := new_peer()
	peer.simulate({"delay_msec": 5, "seed": 1})
	var before := peer.get_simulation()
	for each: Array in wrong:
		check_equal(peer.simulate(each[0]), ERR_INVALID_PARAMETER, str(each[0]))
		expect_error(["simulate", each[1]])
		check_equal(peer.get_simulation(), before, "nothing has changed")
	check_equal(peer.simulate("off", 5), ERR_UNCONFIGURED, "a peer without a connection")
	expect_error(["simulate", "no connection is open"])
	check_equal(peer.get_simulation(5), {}, "a peer without a connection")
	expect_error(["get_simulation", "no connection is open"])


func test_a_project_setting_switches_it_on() -> void:
	ProjectSettings.set_setting(SETTING, "home_dsl")
	var peer := new_peer()
	check_equal(peer.get_simulation().incoming.delay_msec, 30.0, "before a connection")
	serve(peer)
	expect_warning(["create_server", IS_ON + "the project setting " + SETTING, HOME_DSL])
	check_equal(peer.get_simulation().incoming.delay_msec, 30.0, "of the server")
	peer.close()
	peer.simulate("off")
	serve(peer)
	expect_warning([], "the script has the last word")
	check_equal(peer.get_simulation(), {}, "of the second server")


func test_a_wrong_project_setting_is_an_error() -> void:
	ProjectSettings.set_setting(SETTING, "home_dls")
	var peer := new_peer()
	check_equal(peer.create_server(0), ERR_INVALID_PARAMETER, "create_server")
	expect_error(["create_server: the project setting " + SETTING, '"home_dls" is no preset'])
	check_equal(peer.get_simulation(), {}, "what cannot be read")
	expect_error(["get_simulation", '"home_dls" is no preset'])


func test_the_command_line_switches_it_on() -> void:
	var child := start_child("simulated", ["--enet-sim=satellite_leo,jitter_msec=0"])
	var port := (await wait_for_line(child, "port")).to_int()
	check_equal(await wait_for_line(child, "delay"), "100.0", "what the child knows of it")
	var client := new_peer()
	check_equal(client.create_client(LOCALHOST, port), OK, "create_client")
	await wait_until(is_connected_peer.bind(client), 10.0, "the client connects")
	client.set_target_peer(1)
	var began := Time.get_ticks_msec()
	client.put_packet("ping".to_utf8_buffer())
	await receive(client)
	var msec := Time.get_ticks_msec() - began
	check(msec >= 199, "there and back in %d ms" % msec)
	var is_told := func() -> bool: return child.transcript().contains(IS_ON)
	await wait_until(is_told, 5.0, "the child's log says so")
	check(child.transcript().contains("by the argument --enet-sim"), "and who wants it")


func test_a_wrong_argument_is_an_error() -> void:
	var child := start_child("simulated", ["--enet-sim=delay_msec=x"])
	child.expect_error("create_server: the argument --enet-sim asks for a network that cannot be")
	check_equal(await wait_for_line(child, "failed"), str(ERR_INVALID_PARAMETER), "create_server")
	check_equal(await wait_for_end(child), 0, "its exit code")


func test_a_goodbye_is_not_held_back() -> void:
	var peers := await connected()
	peers[1].simulate({"delay_msec": 5000})
	peers[1].close()
	var has_left := func() -> bool: return events(peers[0]).size() == 2
	await wait_until(has_left, 2.0, "the server hears of the end")


## The time from a client to the server and back, in ms.
func _round_trip(
	server: NetworkedMultiplayerENet, client: NetworkedMultiplayerENet, mode := UNRELIABLE
) -> int:
	var began := Time.get_ticks_msec()
	_send(client, 1, mode)
	await receive(server)
	_send(server, client.get_unique_id(), mode)
	await receive(client)
	return Time.get_ticks_msec() - began


## Of some round trips: the machine may be busy with something else for a moment.
func _fastest_round_trip(server: NetworkedMultiplayerENet, client: NetworkedMultiplayerENet) -> int:
	var fastest := 1 << 30
	for attempt in 5:
		fastest = mini(fastest, await _round_trip(server, client))
	return fastest


func _send(peer: NetworkedMultiplayerENet, to: int, mode: int) -> void:
	peer.transfer_mode = mode
	peer.set_target_peer(to)
	check_equal(peer.put_packet("ping".to_utf8_buffer()), OK, "put_packet")
