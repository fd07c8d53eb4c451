"""Datagrams in the name of players, and of the server towards them, by who knows all addresses and ports."""

from __future__ import annotations

from typing import List

from attacks.arena import ALL_PLAYERS, PLAYERS, SERVER, Attack

# Numbers of peers that are guessed: who came first has the lowest.
PEERS = PLAYERS + 1


def forged(rate: int, seconds: float) -> Attack:
    """Disconnects, acknowledgements, packets and settings, with all that peer and session can be."""
    words = ["forged", ALL_PLAYERS, SERVER, str(PEERS), str(rate), str(seconds)]
    as_server = ["forged", SERVER, ALL_PLAYERS, "1", str(rate), str(seconds)]
    name = f"forged datagrams of players and of the server, {rate} a second each"
    return Attack(name, words, seconds, reflects=False, as_server=as_server, forges=True)


def attacks_of(is_long: bool) -> List[Attack]:
    """Against players of the addon."""
    return [forged(10_000, 30)] if is_long else [forged(5000, 2)]


def unprotected(attack: Attack) -> Attack:
    """The same against players whose class has nothing against it."""
    return attack._replace(protects=False, newcomers=False)
