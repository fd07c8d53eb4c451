## The framework itself: what its other users rely on.
extends TestSuite


func test_ports_are_free_and_different() -> void:
	var first := free_port()
	var second := free_port()
	check(first > 0 and second > 0 and first != second, "two ports: %d and %d" % [first, second])


func test_errors_are_caught() -> void:
	if error_log == null:
		check(true, "this engine has no Logger")
		return
	push_error("the first")
	push_error("the second")
	expect_error(["the", "second"], "any order")
	expect_error("first", "one part")
	expect_no_error("nothing is left")


func test_a_child_is_heard() -> void:
	var child := start_child("echo", ["hello", "world"])
	check_equal(await wait_for_line(child, "word 1:"), "world", "the second argument")
	check_equal(await wait_for_line(child, "word 0:"), "hello", "the first argument")
	check_equal(await wait_for_end(child), 7, "the exit code")


func test_a_child_ends_with_the_test() -> void:
	var child := start_child("echo", ["stay"])
	await wait_for_line(child, "word 0:")
	check(child.is_running(), "it runs")
	child.stop()
	check(not child.is_running(), "it has been stopped")


func test_errors_of_a_child_are_noticed() -> void:
	var child := start_child("echo", ["fail"])
	child.expect_error("the role has failed")
	await wait_for_end(child)
	check_equal(child.problems(), PackedStringArray(), "an expected error")


func test_a_connection() -> void:
	var peers := await connected(2)
	var first := peers[1].get_unique_id()
	var second := peers[2].get_unique_id()
	check_equal(
		events(peers[0]),
		["peer_connected %d" % first, "peer_connected %d" % second] as Array[String],
		"the server's signals"
	)
