"""The parts of `demo.py rpc`: heroes and a dragon, in a game of Godot 3.6 and in its port to Godot 4."""

from __future__ import annotations

import re
from typing import List, NamedTuple, Sequence

from common import PROJECT
from demo_show import Part
from engines import dotted, version_of

SCENE = "res://demo/console/dragon/cave.tscn"
OLD_GAME = PROJECT / "demo" / "console" / "dragon" / "godot3"
# The first Godot 4 that tells what @rpc says.
NEEDED = (4, 4, 0)
OPEN = "the cave is open"
# They strike in this order until the dragon is dead.
STRIKES = (("alice", 6), ("carol", 2), ("alice", 0))
COLOURS = {"server": "\033[33m", "alice": "\033[36m", "carol": "\033[35m"}


class Act(NamedTuple):
    """A server and its heroes."""

    title: str
    parts: List[Part]


def acts(godot3: Sequence[str], godot4: Sequence[str], ports: Sequence[int]) -> List[Act]:
    """A server of either engine, and a hero of each at both. Without Godot 3.6, Godot 4 plays its parts."""
    found = []
    for number, (server, port) in enumerate(zip((godot3, godot4), ports), start=1):
        cast = {"server": server or godot4, "alice": godot4, "carol": godot3 or godot4}
        labels = {name: f"{name} {dotted(version_of(engine))}" for name, engine in cast.items()}
        old = {name for name, engine in cast.items() if engine is godot3}
        parts = [
            Part(
                labels[name], COLOURS[name], command(engine, name, port, name in old),
                [] if name == "server" else [(labels["server"], OPEN)], [pattern(line) for line in lines(name)],
            )
            for name, engine in cast.items()
        ]
        heroes = " and ".join(labels[name] for name in ("alice", "carol"))
        found.append(Act(f"Act {number}: {heroes} at {labels['server']}.", parts))
    return found


def command(engine: Sequence[str], name: str, port: int, old: bool) -> List[str]:
    """Starts one process of the old game or of its port."""
    words = [f"--port={port}"] + ([] if name == "server" else [f"--hero={name}"])
    if old:
        return [*engine, "--path", str(OLD_GAME), *words]
    return [*engine, "--headless", "--path", str(PROJECT), SCENE, "--", *words]


def pattern(line: str) -> str:
    """Matches just this line, and can still be read where it is missing."""
    return re.sub(r"([().])", r"\\\1", line)


def lines(name: str) -> List[str]:
    """What a process must print, in any order."""
    return server_lines() if name == "server" else hero_lines(name)


def server_lines() -> List[str]:
    """What the dragon's master calls and is told."""
    found = [OPEN]
    for hero in ("alice", "carol"):
        found += [f"<- introduce({hero})", f"<- challenge() from {hero}", f"<- sing(The dragon is dead) from {hero}"]
    for hero, left in STRIKES:
        found += [f"-> your_turn() to {hero}", f"<- shout(For the gold!) from {hero}"]
        found += [f"<- hit(4, sword) from {hero}", f"-> health = {left} to all"]
    return [*found, "-> fall(alice) to all", "<- fall(alice) from server", "-> go_home(gold) to all"]


def hero_lines(name: str) -> List[str]:
    """What a hero calls and is told, by the server and by the other hero."""
    other = "carol" if name == "alice" else "alice"
    found = ["<- introduce(server)", f"<- introduce({other})", "-> challenge() to server"]
    for hero, left in STRIKES:
        if hero == name:
            found += ["<- your_turn() from server", "-> shout(For the gold!) to all", "-> hit(4, sword) to server"]
        else:
            found.append(f"<- shout(For the gold!) from {hero}")
        found.append(f"<- health = {left}")
    found += ["<- fall(alice) from server", "-> sing(The dragon is dead) to all"]
    found += [f"<- sing(The dragon is dead) from {singer}" for singer in (name, other)]
    return [*found, "<- go_home(50 gold) from server"]
