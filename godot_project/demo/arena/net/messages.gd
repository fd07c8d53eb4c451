# gdlint: disable=max-public-methods
## Every message between server and clients, with its transfer mode and its channel.
##
## On a channel, a lost reliable message holds up those behind it. So what need not wait for each
## other has channels of its own. All of them are RPCs: the functions run on the receiver's side,
## where they only emit a signal.
class_name ArenaMessages
extends Node

signal hello_received(id: int, player_name: String)
signal input_received(id: int, direction: Vector2, dash: bool)
signal pong_received(id: int, number: int)
signal snapshot_received(bytes: PackedByteArray)
signal pings_received(table: Dictionary)
signal welcome_received(players: Dictionary, coins: Dictionary)
signal player_joined(id: int, player_name: String, colour: int)
signal player_left(id: int)
signal coin_appeared(coin: int, where: Vector2)
signal coin_taken(coin: int, id: int, score: int)
signal player_hit(id: int, by: int, score: int)
signal closing_received(reason: String)
signal chat_received(id: int, text: String)

## Channel 0 is reserved, 1 and 2 are the defaults for reliable and unreliable messages.
const INPUT_CHANNEL := 3
const EVENT_CHANNEL := 4
const CHAT_CHANNEL := 5
const CHANNEL_COUNT := 6

const CHAT_LENGTH := 120
const NAME_LENGTH := 14

# --- From a client to the server ----------------------------------------------

## A client wants to play.
@rpc("any_peer", "call_local", "reliable", EVENT_CHANNEL)
func hello(player_name: String) -> void:
	hello_received.emit(_sender(), tidied(player_name, NAME_LENGTH))


## What a player's keys say, in every tick. Only the newest counts, so nothing is sent again, and
## what comes late is dropped: "unreliable_ordered".
@rpc("any_peer", "call_local", "unreliable_ordered", INPUT_CHANNEL)
func send_input(direction: Vector2, dash: bool) -> void:
	# Never trust a client: a direction may be too long, or no number at all.
	if direction.is_finite():
		input_received.emit(_sender(), direction.limit_length(), dash)


## The answer to a ping.
@rpc("any_peer", "unreliable")
func pong(number: int) -> void:
	pong_received.emit(_sender(), number)


# --- From the server to the clients -------------------------------------------

## Where everybody is, in every tick. One that gets lost is made up for by the next. The tick
## inside says which is newer, so that "unreliable" will do. "call_local": a server with a player
## is a client, too.
@rpc("authority", "call_local", "unreliable")
func snapshot(bytes: PackedByteArray) -> void:
	snapshot_received.emit(bytes)


## Comes back as a pong. Unreliable, as one that is sent again would measure the wrong time.
@rpc("authority", "unreliable")
func ping(number: int) -> void:
	pong.rpc_id(MultiplayerPeer.TARGET_PEER_SERVER, number)


## Milliseconds by player.
@rpc("authority", "call_local", "unreliable")
func pings(table: Dictionary) -> void:
	pings_received.emit(table)


## Everything that happened before a player came: players as [name, colour, score], coins as
## positions. It is on the channel of the events below, so it comes before the first of them.
@rpc("authority", "call_local", "reliable", EVENT_CHANNEL)
func welcome(players: Dictionary, coins: Dictionary) -> void:
	welcome_received.emit(players, coins)


@rpc("authority", "call_local", "reliable", EVENT_CHANNEL)
func tell_joined(id: int, player_name: String, colour: int) -> void:
	player_joined.emit(id, player_name, colour)


@rpc("authority", "call_local", "reliable", EVENT_CHANNEL)
func tell_left(id: int) -> void:
	player_left.emit(id)


@rpc("authority", "call_local", "reliable", EVENT_CHANNEL)
func tell_coin(coin: int, where: Vector2) -> void:
	coin_appeared.emit(coin, where)


@rpc("authority", "call_local", "reliable", EVENT_CHANNEL)
func tell_taken(coin: int, id: int, score: int) -> void:
	coin_taken.emit(coin, id, score)


@rpc("authority", "call_local", "reliable", EVENT_CHANNEL)
func tell_hit(id: int, by: int, score: int) -> void:
	player_hit.emit(id, by, score)


## The last message of a server.
@rpc("authority", "call_local", "reliable", EVENT_CHANNEL)
func tell_closing(reason: String) -> void:
	closing_received.emit(reason)


# --- From everybody to everybody ----------------------------------------------

## Chat: `say.rpc("Hi!")` for all, `say.rpc_id(id, "Hi!")` for one. Between clients it goes
## through the server's relay, and nobody has to write code for that.
@rpc("any_peer", "call_local", "reliable", CHAT_CHANNEL)
func say(text: String) -> void:
	chat_received.emit(_sender(), tidied(text, CHAT_LENGTH))


## One line without control characters, not too long.
static func tidied(text: String, length: int) -> String:
	return text.left(length).replace("\n", " ").strip_escapes().strip_edges()


func _sender() -> int:
	return multiplayer.get_remote_sender_id()
