"""A server with DTLS: hellos from everywhere, records in the name of players, and clients that vanish."""

from __future__ import annotations

from typing import List

from attacks.arena import ALL_PLAYERS, ATTACKED, SERVER, Attack

# Associations that a server keeps of clients that have completed a handshake and not connected yet, beyond its places.
SPARE = 64


def hellos(sources: int, rate: int, seconds: float) -> Attack:
    """First hellos, each of which is answered with a cookie."""
    text = "as many as the machine sends" if rate == 0 else f"{rate} a second"
    words = ["hellos", ATTACKED, str(sources), str(rate), str(seconds)]
    return Attack(f"DTLS: hellos from {sources} addresses, {text}", words, seconds, paced=rate != 0)


def requests(rate: int, seconds: float) -> Attack:
    """What a server without DTLS would take."""
    words = ["requests", ATTACKED, "2000", str(rate), str(seconds)]
    return Attack(f"DTLS: plain requests from 2000 addresses, {rate} a second", words, seconds)


def records(rate: int, seconds: float) -> Attack:
    """Records in the name of players, and of the server towards them."""
    words = ["records", ALL_PLAYERS, SERVER, str(rate), str(seconds)]
    as_server = ["records", SERVER, ALL_PLAYERS, str(rate), str(seconds)]
    name = f"DTLS: forged records of players and of the server, {rate} a second each"
    return Attack(name, words, seconds, reflects=False, as_server=as_server, forges=True)


def handshakes(count: int, rate: int) -> Attack:
    """Clients that complete a handshake and are never heard of again."""
    words = ["handshakes", ATTACKED, str(count), str(rate)]
    name = f"DTLS: {count} clients that complete the handshake and vanish, {rate} a second"
    return Attack(name, words, count / rate + 1, may_stay=SPARE, reflects=False)


def attacks_of(is_long: bool) -> List[Attack]:
    """Against few places."""
    if not is_long:
        return [hellos(2000, 10_000, 2), records(5000, 2), handshakes(300, 100)]
    return [
        # Longer than everything else together, and first, as memory is looked at.
        handshakes(100_000, 100),
        *(hellos(4000, rate, 30) for rate in (1000, 10_000, 0)), requests(10_000, 10), records(10_000, 30),
    ]
