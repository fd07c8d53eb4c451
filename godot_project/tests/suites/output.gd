## What is printed: nothing unasked, and errors of one line, at the place in the script.
extends TestSuite

const SEVENTEEN_MIB := 17 * 1024 * 1024
## Longer than any error.
const LONGEST_ERROR := 400


func test_nothing_is_printed_unasked() -> void:
	var child := start_child("echo", ["hello"])
	await wait_for_line(child, "word 0:")
	child.stop()
	check(not child.transcript().contains("godot-rust"), child.transcript())


func test_an_error_is_where_the_script_has_called() -> void:
	var peer := new_peer()
	if error_log == null:
		check(true, "this engine has no Logger")
		return
	var line := _line()
	peer.flush()
	expect_error("flush")
	var file := "res://tests/suites/output.gd"
	var function := "test_an_error_is_where_the_script_has_called"
	check_equal(error_log.last_place, [function, file, line + 1], "the place of a call")
	peer.channel_count = 1
	expect_error("set_channel_count")
	check_equal(error_log.last_place, [function, file, line + 6], "the place of a property")
	peer.put_packet(PackedByteArray([1]))
	expect_error("put_packet")
	check_equal(
		error_log.last_place, [function, file, line + 9], "the place of an inherited method"
	)


func test_an_error_without_a_script() -> void:
	if error_log == null:
		check(true, "this engine has no Logger")
		return
	var peer := new_peer(false)
	peer.call_deferred("poll")
	await get_tree().process_frame
	expect_error("poll")
	check_equal(error_log.last_place, ["NetworkedMultiplayerENet", "addon", 0], "the place")


func test_quoted_texts_are_cut() -> void:
	var peer := new_peer()
	var long := "x".repeat(SEVENTEEN_MIB)
	peer.set_bind_ip(long)
	_take_one_line(["set_bind_ip", '"xxx', "more characters", "is not an IP address"])
	peer.create_client(long, 4242)
	_take_one_line(["create_client", '"xxx', "more characters", "bare host name"])
	peer.use_dtls = true
	peer.dtls_verify = false
	peer.dtls_hostname = long
	check_equal(peer.create_client(LOCALHOST, 4242), ERR_INVALID_PARAMETER, "a long name for DTLS")
	_take_one_line(
		["create_client", '"xxx', "more characters", "at most 255 bytes", "dtls_hostname"]
	)


func test_quoted_texts_stay_on_a_line() -> void:
	var peer := new_peer()
	for text: String in [
		"a\nb", "a\tb", "a\u001b[31mb", "a\u2028b", "a\u202eb", "a\rb", "a\u0085b"
	]:
		peer.set_bind_ip(text)
		_take_one_line(["set_bind_ip", '"a\\', 'b" is not an IP address'])
		if text.unicode_at(1) != 0x202e:  # which makes a host name
			peer.create_client(text, 4242)
			_take_one_line(["create_client", '"a\\', "bare host name"])


func test_many_errors_do_not_take_long() -> void:
	var peer := new_peer()
	allow_errors("NetworkedMultiplayerENet.flush: ")
	var began := Time.get_ticks_usec()
	for i in 100:
		peer.flush()
	var each := (Time.get_ticks_usec() - began) / 100.0
	check(each < 5000.0, "an error takes %.0f us" % each)


## One error, short and on one line.
func _take_one_line(parts: Array) -> void:
	if error_log == null:
		check(true, "this engine has no Logger")
		return
	var waiting: PackedStringArray = error_log.waiting()
	check_equal(waiting.size(), 1, "the number of errors")
	for text in waiting:
		check(text.length() < LONGEST_ERROR, "%d characters" % text.length())
		check_equal(text.get_slice_count("\n"), 1, "lines")
	expect_error(parts)


## The line that calls this.
func _line() -> int:
	var traces: Array = Engine.call("capture_script_backtraces")
	return traces[0].call("get_frame_line", 1)
