## Makes the peers of tests. All suites run with and without a network thread: the environment says
## which.
class_name TestPeer

const VARIABLE := "TEST_THREADED"


static func make() -> NetworkedMultiplayerENet:
	var peer := NetworkedMultiplayerENet.new()
	peer.threaded = is_threaded()
	return peer


static func is_threaded() -> bool:
	return OS.get_environment(VARIABLE) == "1"
