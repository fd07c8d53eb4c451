"""The bytes that scenarios send: made from a kind, a size and a number, the same in Python and in both agents."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import NamedTuple

BLOCK = 1021
KINDS = ("noise", "text", "sparse")
MODES = ("unreliable", "ordered", "reliable")
UNRELIABLE, ORDERED, RELIABLE = range(3)


class Packet(NamedTuple):
    """One packet of a scenario; logs name it by its label, so that they can be read."""

    kind: str
    size: int
    number: int
    mode: int

    @property
    def label(self) -> str:
        return f"{MODES[self.mode]} {self.kind} {self.size} #{self.number}"

    @property
    def md5(self) -> str:
        return digest(self.kind, self.size, self.number)


# Scenarios that differ in compression only have the same payloads.
@cache
def digest(kind: str, size: int, number: int) -> str:
    """What an agent's log has for a payload."""
    return hashlib.md5(payload(kind, size, number)).hexdigest()


def payload(kind: str, size: int, number: int) -> bytes:
    """Pseudo-random bytes; "noise" cannot be compressed, "text" to about a half, "sparse" is nearly all zero.

    Beyond BLOCK bytes the block is repeated with its index stamped on it, as scripts are slow at single bytes.
    """
    block = bytearray(min(size, BLOCK))
    state = (number * 2654435761 + size) & 0x7FFFFFFF
    for i in range(len(block)):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        value = (state >> 16) & 0xFF
        if kind == "text":
            value = 97 + value % 12
        elif kind == "sparse":
            value = value if value < 8 else 0
        block[i] = value
    if size <= BLOCK:
        return bytes(block)
    whole = bytearray()
    count = 0
    while len(whole) < size:
        block[0] = count & 0xFF
        block[1] = count >> 8
        whole += block
        count += 1
    return bytes(whole[:size])
