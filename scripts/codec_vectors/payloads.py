"""The inputs of the compression tests: what games send, what ENet sends, and extremes."""

from __future__ import annotations

import struct
from typing import Dict

CHAT = (
    '{"type":"chat","from":"player_1183","team":2,"text":"regroup at the bridge, '
    'two of them left","time":184.27}'
)
STORY = (
    "The two boats left the harbour before the light came, and nobody on the wall saw them go. "
    "Anna counted the lamps on the water until the last of them was gone, then she counted the lamps "
    "on the hill. There were as many as the night before. She wrote the number into the book, closed "
    "the book, and went to wake the others. "
)
ZERO_RUN = 9000
FAR_LEN = 66000


class Numbers:
    """A linear congruential generator: the same bytes everywhere and for ever."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def byte(self) -> int:
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.state >> 16) & 0xFF

    def bytes(self, count: int) -> bytes:
        return bytes(self.byte() for _ in range(count))

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * (self.byte() * 256 + self.byte()) / 65535.0


def entities(count: int, seed: int) -> bytes:
    """A snapshot, 13 bytes an entity: id, position on a fine grid as two floats, yaw, health, animation."""
    numbers = Numbers(seed)
    snapshot = b""
    for index in range(count):
        x, y = (round(numbers.between(-60, 60) * 8) / 8 for _ in range(2))
        hurt = numbers.byte() < 48
        health = 40 + numbers.byte() % 60 if hurt else 100
        snapshot += struct.pack("<HffBBB", 1000 + index, x, y, numbers.byte() & 0xF0, health, numbers.byte() % 5)
    return snapshot


def command(code: int, channel: int, sequence: int, rest: bytes = b"") -> bytes:
    """One ENet command."""
    return struct.pack(">BBH", code, channel, sequence) + rest


def message(source: int, target: int, payload: bytes) -> bytes:
    """A packet of 3.6 with its own header."""
    return struct.pack("<Ii", source, target) + payload


def unsequenced(group: int, payload: bytes) -> bytes:
    return command(0x49, 2, 0, struct.pack(">HH", group, len(payload)) + payload)


def reliable(channel: int, sequence: int, payload: bytes) -> bytes:
    return command(0x86, channel, sequence, struct.pack(">H", len(payload)) + payload)


def ack(channel: int, sequence: int, sent: int) -> bytes:
    return command(0x01, channel, sequence, struct.pack(">HH", sequence, sent))


def payloads() -> Dict[str, bytes]:
    """Name to bytes. The names are used by the Rust tests and the benchmark."""
    chat = CHAT.encode().ljust(107)[:107]
    noise = Numbers(256).bytes(256)
    client = 1183442071
    moves = [unsequenced(n, message(client, 0, entities(4, n))) for n in range(1, 22)]
    return {
        "entities_20": entities(20, 20),
        "entities_90": entities(90, 90),
        "chat_107": chat,
        "random_256": noise,
        "ping": command(0x85, 0xFF, 7),
        "ack": ack(1, 258, 0x4A31),
        "acks_2": ack(1, 258, 0x4A31) + ack(1, 259, 0x4A31),
        "acks_4": b"".join(ack(1, n, 0x4A31) for n in range(258, 262)),
        "acks_16": b"".join(ack(1, n, 0x4A31) for n in range(258, 274)),
        "ack_ping": ack(0xFF, 5, 0x4A31) + command(0x85, 0xFF, 9),
        "notice": reliable(0, 1, struct.pack("<II", 0, client)),
        "one_byte": reliable(1, 3, message(client, 1, b"\x05")),
        "two_bytes": unsequenced(4, message(1, 0, b"\x05\x01")),
        "twelve_bytes": unsequenced(4, message(1, 0, struct.pack("<fff", 12.5, 0.0, -3.75))),
        "connect": command(0x82, 0xFF, 1, struct.pack(">HBBIIIIIIIIII", 0, 255, 255, 1392, 65536, 3, 0, 0, 5000, 2, 2, 0x5BC0FFEE, client)),
        "verify": command(0x83, 0xFF, 1, struct.pack(">HBBIIIIIIIII", 0, 0, 0, 1392, 65536, 3, 0, 0, 5000, 2, 2, 0x5BC0FFEE)),
        "chat_command": reliable(1, 20, message(client, 0, chat)),
        "entities_command": unsequenced(9, message(1, 0, entities(20, 20))),
        "many_commands": b"".join(moves[:18]),
        "text_1300": (STORY * 5).encode()[:1300],
        "zeros_1388": bytes(1388),
        "random_1388": Numbers(1388).bytes(1388),
        "ramp_512": bytes(n // 2 & 0xFF for n in range(512)),
        "byte": b"\x2a",
        "three_bytes": b"aaa",
        "fifteen_zeros": bytes(15),
        "sixteen": bytes(range(16)),
        "long_runs": b"a" * 40 + b"b" * 300 + b"ab" * 300 + b"c" * 33,
    }


def far() -> bytes:
    """Long enough for FastLZ level 2, with a match beyond the distance of 8191. Rebuilt by the Rust test."""
    noise = Numbers(64).bytes(400)
    whole = noise + bytes(ZERO_RUN) + noise
    return whole + bytes(FAR_LEN - len(whole))
