## Where all players are in one tick, as bytes: 5 for the tick and the count, 11 for each player.
##
## Numbers are as small as the game allows: 64 players take 709 bytes, which fits into one
## datagram. A larger message would travel in pieces, and be lost as a whole when one of them is.
class_name ArenaSnapshot
extends RefCounted

const HEAD := 5
const PLAYER := 11
## Positions are sent in steps of 1/32 pixel.
const STEPS := 32.0
const DASHING := 1
const STUNNED := 2


## One player in one tick.
class State:
	extends RefCounted

	var position := Vector2.ZERO
	var facing := 0.0
	var is_dashing := false
	var is_stunned := false
	## 1 when the next dash is possible.
	var charge := 0.0


var tick := 0
## State by player.
var states := {}


static func encode(now: int, players: Dictionary) -> PackedByteArray:
	var bytes := PackedByteArray()
	bytes.resize(HEAD + PLAYER * players.size())
	bytes.encode_u32(0, now)
	bytes.encode_u8(4, players.size())
	var at := HEAD
	for player: ArenaPlayer in players.values():
		var flags := DASHING if player.is_dashing() else 0
		flags |= STUNNED if player.is_stunned() else 0
		bytes.encode_s32(at, player.id)
		bytes.encode_u16(at + 4, roundi(player.position.x * STEPS))
		bytes.encode_u16(at + 6, roundi(player.position.y * STEPS))
		bytes.encode_u8(at + 8, roundi(wrapf(player.facing, 0.0, TAU) / TAU * 256.0) % 256)
		bytes.encode_u8(at + 9, flags)
		bytes.encode_u8(at + 10, roundi(player.charge() * 255.0))
		at += PLAYER
	return bytes


## Null when these are not the bytes of a snapshot.
static func decode(bytes: PackedByteArray) -> ArenaSnapshot:
	if bytes.size() < HEAD or bytes.size() != HEAD + PLAYER * bytes.decode_u8(4):
		return null
	var snapshot := ArenaSnapshot.new()
	snapshot.tick = bytes.decode_u32(0)
	for at in range(HEAD, bytes.size(), PLAYER):
		var state := State.new()
		state.position = Vector2(bytes.decode_u16(at + 4), bytes.decode_u16(at + 6)) / STEPS
		state.facing = bytes.decode_u8(at + 8) / 256.0 * TAU
		state.is_dashing = bytes.decode_u8(at + 9) & DASHING != 0
		state.is_stunned = bytes.decode_u8(at + 9) & STUNNED != 0
		state.charge = bytes.decode_u8(at + 10) / 255.0
		snapshot.states[bytes.decode_s32(at)] = state
	return snapshot


## Between two snapshots; [param share] is 0 at the first and 1 at the second.
static func between(first: ArenaSnapshot, second: ArenaSnapshot, share: float) -> Dictionary:
	var shown := {}
	for id: int in second.states:
		var to: State = second.states[id]
		var from: State = first.states.get(id, to)
		var state := State.new()
		state.position = from.position.lerp(to.position, share)
		state.facing = lerp_angle(from.facing, to.facing, share)
		state.is_dashing = to.is_dashing
		state.is_stunned = to.is_stunned
		state.charge = lerpf(from.charge, to.charge, share)
		shown[id] = state
	return shown
