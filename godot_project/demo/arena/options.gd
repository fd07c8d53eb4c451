## What to play, as the command line or the menu says.
class_name ArenaOptions
extends RefCounted

## The menu; a game in a window; a server without a player; a game of somebody else; a question.
enum Mode { MENU, HOST, SERVER, JOIN, HEALTH_CHECK }

const USAGE := """Arguments behind `--`:
  --server              run a dedicated server (with --headless before the `--`)
  --host                host a game and play in it
  --join ADDRESS        join a game
  --health-check        exit code 0 when a server answers at --address and --port, else 1
  --port N              UDP port, 4242 without this
  --max-clients N       server: how many may connect, 16 without this, 64 at most
  --bots N              server: how many bots keep a lone player company, 3 without this
  --compression NAME    none, range-coder (without this), fastlz, zlib or zstd
  --dtls                encrypt
  --threaded            take care of the network in a thread of its own
  --certificate FILE    client: the server's certificate
  --insecure            client: do not verify the certificate (for tests only)
  --name NAME           the player's name
  --bot                 client: play by itself
  --address ADDRESS     whom --health-check asks, this machine without this
  --seconds N           end after N seconds
  --stop-file FILE      end when this file appears
  --drain-seconds N     server: who plays may go on for N seconds when it is to end, 0 without this
  --empty-seconds N     server in a fleet: ready again when empty for N seconds, 30 without this
  --log                 print what is going on, for tests
  --picture FILE        save a picture of the window at the end"""

const COMPRESSIONS := {
	"none": NetworkedMultiplayerENet.COMPRESS_NONE,
	"range-coder": NetworkedMultiplayerENet.COMPRESS_RANGE_CODER,
	"fastlz": NetworkedMultiplayerENet.COMPRESS_FASTLZ,
	"zlib": NetworkedMultiplayerENet.COMPRESS_ZLIB,
	"zstd": NetworkedMultiplayerENet.COMPRESS_ZSTD,
}
const FLAGS := {
	"--dtls": "dtls",
	"--threaded": "threaded",
	"--bot": "is_bot",
	"--log": "log",
	"--insecure": "is_insecure",
}
const MODES := {"--server": Mode.SERVER, "--host": Mode.HOST, "--health-check": Mode.HEALTH_CHECK}
const TEXTS := {
	"--name": "player_name",
	"--address": "address",
	"--certificate": "certificate",
	"--stop-file": "stop_file",
	"--picture": "picture",
	"--compression": "compression",
}
## Name of the variable, least and largest value.
const NUMBERS := {
	"--port": ["port", 1, 65535],
	"--max-clients": ["max_clients", 1, 64],
	"--bots": ["bots", 0, 16],
	"--seconds": ["seconds", 1, 1_000_000],
	"--drain-seconds": ["drain_seconds", 0, 86_400],
	"--empty-seconds": ["empty_seconds", 1, 86_400],
}

var mode := Mode.MENU
var player_name := "Player"
var address := "127.0.0.1"
var port := 4242
var max_clients := 16
var bots := 3
var compression := "range-coder"
var dtls := false
var threaded := false
var certificate := ""
var is_insecure := false
var is_bot := false
var seconds := 0
var drain_seconds := 0
var empty_seconds := 30
var stop_file := ""
var log := false
var picture := ""


## Reads the arguments of the command line; returns what is wrong with them, or nothing.
func read(words: PackedStringArray) -> String:
	var rest := Array(words)
	while not rest.is_empty():
		var word: String = rest.pop_front()
		if MODES.has(word):
			mode = MODES[word]
		elif FLAGS.has(word):
			set(FLAGS[word], true)
		elif rest.is_empty():
			return "%s is unknown, or its value is missing" % word
		elif word == "--join":
			mode = Mode.JOIN
			address = rest.pop_front()
		elif TEXTS.has(word):
			set(TEXTS[word], rest.pop_front())
		elif NUMBERS.has(word):
			var problem := _read_number(word, rest.pop_front())
			if problem != "":
				return problem
		else:
			return "%s is unknown" % word
	if not COMPRESSIONS.has(compression):
		return "%s is no compression; use %s" % [compression, ", ".join(COMPRESSIONS.keys())]
	return ""


## What a list of games calls the one that is hosted here.
func game_name() -> String:
	return "Dedicated server" if mode == Mode.SERVER else "%s's arena" % player_name


func _read_number(word: String, text: String) -> String:
	var least: int = NUMBERS[word][1]
	var largest: int = NUMBERS[word][2]
	if not text.is_valid_int() or text.to_int() < least or text.to_int() > largest:
		return "%s takes a number from %d to %d" % [word, least, largest]
	set(NUMBERS[word][0], text.to_int())
	return ""
