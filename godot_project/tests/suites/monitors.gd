## `performance_monitors`: figures of connections among the monitors of Performance.
extends TestSuite

const NAMES: Array[String] = [
	"peers",
	"round_trip_msec",
	"loss_out_percent",
	"loss_in_percent",
	"wire_bytes_sent_per_second",
	"wire_bytes_received_per_second",
	"resends_per_second",
	"dropped_datagrams_per_second",
]


func tear_down() -> void:
	for peer: NetworkedMultiplayerENet in polled:
		peer.close()
	check_equal(_monitors(), PackedStringArray(), "monitors that are left")


func test_they_are_there_while_a_connection_is_open() -> void:
	var peer := new_peer()
	check_equal(peer.performance_monitors, false, "the default")
	peer.performance_monitors = true
	check_equal(peer.performance_monitors, true, "the property")
	check_equal(_monitors(), PackedStringArray(), "without a connection")
	serve(peer)
	check_equal(_monitors(), _of("ENet"), "with a connection")
	peer.close_connection()
	check_equal(_monitors(), PackedStringArray(), "behind its end")
	serve(peer)
	check_equal(_monitors(), _of("ENet"), "with the next one")


func test_they_can_be_switched_while_a_connection_is_open() -> void:
	var peer := new_peer()
	serve(peer)
	check_equal(_monitors(), PackedStringArray(), "by default")
	for i in 2:
		peer.performance_monitors = true
		check_equal(_monitors(), _of("ENet"), "switched on")
	peer.performance_monitors = false
	check_equal(_monitors(), PackedStringArray(), "switched off")


func test_they_show_the_connection() -> void:
	var peers := await connected(2)
	peers[0].performance_monitors = true
	check_equal(_value("ENet/peers"), 2.0, "peers")
	check(_value("ENet/round_trip_msec") > 0.0, "a round trip")
	check_equal(_value("ENet/loss_out_percent"), 0.0, "loss")
	peers[0].transfer_mode = MultiplayerPeer.TRANSFER_MODE_UNRELIABLE
	var bytes := PackedByteArray()
	bytes.resize(500)
	var is_shown := func() -> bool:
		peers[0].put_packet(bytes)
		return _value("ENet/wire_bytes_sent_per_second") > 500.0
	await wait_until(is_shown, 10.0, "what is sent")
	# All of them are of one reading.
	check(_value("ENet/wire_bytes_received_per_second") > 0.0, "acknowledgements come back")
	peers[1].close()
	var has_left := func() -> bool: return _value("ENet/peers") == 1.0
	await wait_until(has_left, 10.0, "one has left")


func test_several_connections_have_their_own() -> void:
	var peers := await connected(2)
	for peer in peers:
		peer.performance_monitors = true
	var all := _of("ENet") + _of("ENet 2") + _of("ENet 3")
	all.sort()
	check_equal(_monitors(), all, "of three connections")
	check_equal(_value("ENet/peers"), 2.0, "peers of the server")
	check_equal(_value("ENet 3/peers"), 1.0, "of a client the server")
	peers[0].close()
	check_equal(_monitors(), _of("ENet 2") + _of("ENet 3"), "without the server's")
	serve(peers[0])
	check_equal(_monitors(), all, "the first name that is free")


func test_they_go_with_a_lost_connection() -> void:
	var peers := await connected(1)
	peers[1].performance_monitors = true
	check_equal(_monitors(), _of("ENet"), "of the client")
	peers[0].close()
	await wait_until(func() -> bool: return not is_connected_peer(peers[1]), 5.0, "it is lost")
	check_equal(_monitors(), PackedStringArray(), "behind its end")


func test_they_go_with_the_object() -> void:
	var peer := TestPeer.make()
	peer.performance_monitors = true
	serve(peer)
	check_equal(_value("ENet/peers"), 0.0, "peers")
	peer = null
	check_equal(_monitors(), PackedStringArray(), "behind its end")


func test_other_threads_may_switch_open_and_close() -> void:
	var peer := new_peer(false)
	var thread := Thread.new()
	thread.start(
		func() -> void:
			peer.performance_monitors = true
			peer.create_server(0)
	)
	thread.wait_to_finish()
	await wait_until(func() -> bool: return _monitors() == _of("ENet"), 5.0, "they come")
	thread.start(func() -> void: peer.close_connection())
	thread.wait_to_finish()
	await wait_until(func() -> bool: return _monitors().is_empty(), 5.0, "they go")
	# Opened and closed before the main thread has had time for them.
	thread.start(
		func() -> void:
			peer.create_server(0)
			peer.close_connection()
	)
	thread.wait_to_finish()
	await frames(3)
	check_equal(_monitors(), PackedStringArray(), "of a connection that was short")


func test_a_game_may_end_with_them() -> void:
	var child := start_child("monitors_at_end")
	await wait_for_line(child, "monitors: 8")
	check_equal(await wait_for_end(child), 0, "exit code")


func _value(monitor: String) -> float:
	return Performance.get_custom_monitor(monitor)


## All monitors that there are, sorted.
func _monitors() -> PackedStringArray:
	var found := PackedStringArray()
	for monitor in Performance.get_custom_monitor_names():
		found.append(monitor)
	found.sort()
	return found


func _of(category: String) -> PackedStringArray:
	var wanted := PackedStringArray()
	for monitor in NAMES:
		wanted.append("%s/%s" % [category, monitor])
	wanted.sort()
	return wanted
