"""Clients that are sent more than they take: they acknowledge late or never, or their link is too narrow."""

from __future__ import annotations

from typing import List

from attacks.arena import ATTACKED, UNRELIABLE, Attack, Setting
from attacks.floods import FEW

# Bytes a second for each of them: more than one takes, and what many take together.
BULK, SMALL_BULK = 4_000_000, 6000
# What may wait for one of them, KiB: the limit of the class, and what comes in the frame in which it is reached.
MOST_WAITING = 74 << 10

READERS = Setting(FEW, bulk=BULK)
# No client is sent more than seems to arrive: it takes many to fill a socket's queue, and packets that may be lost.
CROWD = Setting(256, bulk=SMALL_BULK, bulk_mode=UNRELIABLE)


def slow(count: int, acknowledgements: int, seconds: float) -> Attack:
    """Clients that read everything and acknowledge little of it."""
    words = ["slow", ATTACKED, str(count), str(acknowledgements), str(seconds)]
    text = f"acknowledge {acknowledgements} commands a second" if acknowledgements else "acknowledge nothing"
    name = f"{count} clients that are sent {BULK // 1_000_000} MB a second each and {text}"
    return Attack(
        name, words, seconds, newcomers=False, may_join=count, may_stay=count, reflects=False, may_hold=MOST_WAITING
    )


def full(count: int, rate: int, seconds: float) -> Attack:
    """Clients behind a link that cannot carry what they are sent, so that the server's socket has no room."""
    words = ["slow", ATTACKED, str(count), "1000", str(seconds)]
    text = f"{count} clients that are sent {SMALL_BULK // 1000} kB a second each, over {rate // 1000} kB/s"
    name = f"a full send queue: {text}"
    return Attack(
        name, words, seconds, newcomers=False, paced=False, may_join=count, may_stay=count, reflects=False,
        may_hold=1024, narrow=rate,
    )


def slow_readers(is_long: bool) -> List[Attack]:
    """Against a server that sends more than they acknowledge."""
    return [slow(2, 0, 30), slow(2, 100, 30)] if is_long else []


def full_queues(is_long: bool) -> List[Attack]:
    """Against a server that sends more than its link carries."""
    return [full(200, 100_000, 30)] if is_long else [full(200, 100_000, 5)]
