"""Plays servers and clients over a path with a small MTU that tells nobody what it drops.

1. Pieces pass: nobody who may send them is lost, on a path with an MTU of 576.
2. Pieces are dropped: the clients and the server's log say that long datagrams get lost.
3. Pieces are dropped, and the server has a smaller `mtu`: nobody is lost, of Godot 3.6 neither.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence

import pytest

from common import ScriptError
from namespaces import played
from paths.company import OURS, Company, Contestant, contestants
from paths.small_mtu import NEAR, World, world

# Seconds until all are connected, and of the traffic behind that.
JOINING = 60.0
PLAYING = 25.0
# Seconds more that connections may take to end.
ENDING = 40.0
# Clients of the addon and of Godot 3.6.
CLIENTS = 4
# Bytes of a long packet.
LONG = 1300


class Game(NamedTuple):
    """What is played over the path."""

    name: str
    path_mtu: int
    drops_pieces: bool
    # Of the addon's servers.
    mtu: Optional[int]
    # Godot 3.6 sends what may not be cut, so its clients send nothing long where that is the matter.
    old_clients_send_long: bool


GAMES = (
    Game("576, pieces pass", 576, False, None, False),
    Game("576, pieces dropped", 576, True, None, False),
    Game("1000, pieces dropped, mtu 972", 1000, True, 972, True),
)


@pytest.mark.skipif(not os.access("/dev/net/tun", os.R_OK | os.W_OK), reason="/dev/net/tun cannot be opened")
@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.name)
def test_who_is_lost_and_what_is_told(game: Game, namespaces: None, godot4: List[str], tmp_path: Path) -> None:
    problems = played(play, game, contestants(), tmp_path)
    assert not problems, "\n".join(problems)


def play(game: Game, cast: Sequence[Contestant], folder: Path) -> List[str]:
    """Each class of Godot 4 has a server here, and clients behind the path. Problems."""
    with world() as place:
        return play_in(place, game, cast, folder)


def play_in(place: World, game: Game, cast: Sequence[Contestant], folder: Path) -> List[str]:
    """The same, when the path is there."""
    servers = [one for one in cast if one.name != "Godot 3"]
    old = next((one for one in cast if one.name == "Godot 3"), None)
    for_ever = time.time() + 3600
    company = Company(folder, for_ever, for_ever)
    clients: Dict[str, List[str]] = {server.name: [] for server in servers}
    long = f"--long={LONG}"
    try:
        for port, server in enumerate(servers, 4001):
            more = [f"--mtu={game.mtu}"] if game.mtu and server.name == OURS else []
            company.start(f"{server.name} server", server, "server", port, [long, *more])
            for i in range(CLIENTS):
                name = f"{server.name} client {i}"
                clients[server.name].append(name)
                company.start(name, behind(place, server), "client", port, [f"--address={NEAR}", long])
            for i in range(CLIENTS if old and server.name == OURS else 0):
                name = f"{server.name} client {CLIENTS + i} of {old.name}"
                clients[server.name].append(name)
                more = [long] if game.old_clients_send_long else []
                company.start(name, behind(place, old), "client", port, [f"--address={NEAR}", *more])
        limit = time.monotonic() + JOINING
        everyone = [(name, server) for server, names in clients.items() for name in names]
        while not all(company.times(name, "joined") for name, _ in everyone):
            if time.monotonic() > limit:
                missing = [name for name, _ in everyone if not company.times(name, "joined")]
                raise ScriptError(f"not joined within a minute: {missing}; {company.text(missing[0])[-300:]}")
            time.sleep(0.2)
        place.path.mtu = game.path_mtu
        place.path.drops_pieces = game.drops_pieces
        begin = time.time()
        time.sleep(PLAYING)
        limit = time.monotonic() + (ENDING if tells(game) else 0.0)
        while time.monotonic() < limit and not all(company.times(name, "lost") for name in clients[OURS]):
            time.sleep(0.2)
    finally:
        company.kill()
    lost = {}
    for server in servers:
        at = sorted(time - begin for time in company.times(f"{server.name} server", "lost"))
        lost[server.name] = at
        after = f", after {at[0]:.1f} to {at[-1]:.1f} s" if at else ""
        print(f"  {game.name:30} {server.name:8} {len(at)} of {len(clients[server.name])} lost{after}")
    counts = ", ".join(f"{count} {what}" for what, count in place.path.counts.items())
    print(f"  {game.name:30} on the path: {counts}")
    if tells(game):
        return check_reasons(company, clients[OURS])
    return [f"{game.name}: {len(lost[OURS])} of the addon's clients are lost"] if lost[OURS] else []


def tells(game: Game) -> bool:
    """Whether connections end, and the addon tells why."""
    return game.drops_pieces and game.mtu is None


def behind(place: World, contestant: Contestant) -> Contestant:
    return contestant._replace(command=place.far.command(contestant.command))


def check_reasons(company: Company, clients: Sequence[str]) -> List[str]:
    """The addon's clients and its server tell that long datagrams get lost."""
    problems = []
    own = [name for name in clients if " of " not in name]
    told = [name for name in own if "why Long datagrams got lost" in company.text(name)]
    warnings = company.text(f"{OURS} server").count("because long datagrams to it got lost")
    print(f"  {len(told)} of {len(own)} clients of the addon tell why, and the server warns {warnings} times")
    if len(told) != len(own):
        silent = next(name for name in own if name not in told)
        text = company.text(silent)[-300:]
        problems.append(f"{len(told)} of {len(own)} clients tell that long datagrams get lost: {text}")
    if warnings > 1 or (warnings == 0 and len(own) < len(clients)):
        problems.append(f"the server warns {warnings} times")
    return problems
