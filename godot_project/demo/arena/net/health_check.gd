## Asks whether a server is well: a client that connects and leaves.
class_name ArenaHealthCheck
extends RefCounted

const PATIENCE := 5.0


## Returns the exit code: 0 when the server has answered in time.
static func ask(connection: ArenaConnection, options: ArenaOptions) -> int:
	if options.dtls and options.certificate == "":
		# On the server's own machine its certificate is at hand.
		options.certificate = ArenaCertificate.path()
	var answers: Array[String] = []
	connection.opened.connect(func() -> void: answers.append(""))
	connection.ended.connect(func(why: String) -> void: answers.append(why))
	var problem := connection.join(options)
	if problem != "":
		answers.append(problem)
	var limit := Time.get_ticks_msec() + int(PATIENCE * 1000.0)
	while answers.is_empty() and Time.get_ticks_msec() < limit:
		await connection.get_tree().process_frame
	if answers.is_empty():
		answers.append("No answer within %d seconds." % PATIENCE)
	await connection.close()
	# A full server refuses clients, and is well.
	var is_full := connection.last_error == NetworkedMultiplayerENet.CONNECTION_ERROR_REFUSED
	if answers[0] == "" or is_full:
		print("healthy, but full" if is_full else "healthy")
		return 0
	print("not healthy: ", answers[0])
	return 1
