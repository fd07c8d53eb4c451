"""Strangers who flood a server: requests, datagrams that nobody sends, and clients that do as they like."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Sequence

from attacks.arena import ATTACKED, PROMPT, Arena, Attack, Setting, row_of
from attacks.cast import Cast, Contestant, ended
from attacks.table import Row
from common import say


def requests(sources: int, rate: int, seconds: float) -> Attack:
    """Forged requests to connect."""
    text = "as many as the machine sends" if rate == 0 else f"{rate} a second"
    words = ["requests", ATTACKED, str(sources), str(rate), str(seconds)]
    name = f"forged requests from {sources} address{'' if sources == 1 else 'es'}, {text}"
    return Attack(name, words, seconds, paced=rate != 0)


def garbage(kind: str, rate: int, seconds: float) -> Attack:
    """Datagrams that no honest peer sends."""
    words = ["garbage", kind, ATTACKED, "50", str(rate), str(seconds)]
    text = "as many as the machine sends" if rate == 0 else f"{rate} a second"
    return Attack(f"{kind} datagrams, {text}", words, seconds, newcomers=False, paced=rate != 0)


def blind(seconds: float) -> Attack:
    """A connection of somebody who never sees an answer."""
    return Attack("blind connection", ["blind", ATTACKED, str(seconds)], seconds + 1, newcomers=False)


def vanish(count: int, rate: int, again: bool = False) -> Attack:
    """Clients that connect and are never heard of again."""
    words = ["vanish", ATTACKED, str(count), str(rate)]
    name = f"{count} clients that connect and vanish{', after others' if again else ''}"
    stay = 0 if again else min(count, MANY)
    return Attack(name, words, count / rate + 6, newcomers=False, may_join=count, may_stay=stay, reflects=False)


def mute(count: int, seconds: float) -> Attack:
    """Clients that acknowledge nothing."""
    words = ["slow", ATTACKED, str(count), "0", str(seconds)]
    name = f"{count} clients that acknowledge nothing"
    return Attack(name, words, seconds, newcomers=False, may_join=count, may_stay=count, reflects=False)


# Places of a server that are few enough to be filled, and the most there can be.
FEW, MANY = 32, 4095
KINDS = ("replayed", "truncated", "oversized", "random", "compressed", "strangers", "questions")


def attacks_of(is_long: bool) -> List[Attack]:
    """Against few places."""
    if not is_long:
        return [
            requests(1, 10_000, 3), requests(2000, 10_000, 3), requests(2000, 0, 3),
            *(garbage(kind, 10_000, 1) for kind in KINDS), blind(2), mute(4, 5),
        ]
    rates = (1000, 10_000, 0)
    return [
        *(requests(sources, rate, 30) for sources in (1, 4000) for rate in rates),
        *(garbage(kind, rate, 10) for kind in KINDS for rate in (10_000, 0)), blind(10), mute(8, 30),
    ]


def crowded_attacks(is_long: bool) -> List[Attack]:
    """Against many places."""
    if not is_long:
        return [vanish(500, 250)]
    return [*(requests(4000, rate, 30) for rate in (1000, 10_000, 0)), vanish(100_000, 250), vanish(12_000, 200, True)]


def compared_attacks() -> List[Attack]:
    """What the class of Godot 4 is put to, too."""
    return [requests(4000, 10_000, 30), blind(10)]


def play(
    who: Dict[str, Contestant], name: str, setting: Setting, attacks: Sequence[Attack], attacker: Path, strict: bool
) -> List[Row]:
    """All attacks on one server, one after the other, and whether there is room afterwards."""
    with Cast() as cast:
        arena = Arena(cast, who, name, setting, len(attacks))
        try:
            rows, slots = [], setting.slots
            for attack in attacks:
                row = row_of(attack, arena.play(attack, attacker), strict)
                row = row._replace(what=f"{attack.name}; {slots} slots")
                say(f"  {name}: {row.what}: {row.measured}")
                rows.append(row)
                if attack.words[0] == "requests" and name == "addon" and slots == FEW and not setting.secure:
                    rows.append(places(arena, slots, attacker))
                    say(f"  {name}: {rows[-1].what}: {rows[-1].measured}")
        finally:
            arena.end()
        return rows


def places(arena: Arena, slots: int, attacker: Path) -> Row:
    """Whether the slots are free at once: as many clients as are not there yet come in together."""
    free = slots - arena.server.fresh()["cells"][0]["peers"]
    told = ended(arena.cast.program(arena.strangers, [str(attacker), "enter", ATTACKED, str(free)]), 30.0)
    problems = [] if told["entered"] == free else [f"{told['entered']} of {free} got in"]
    measured = f"{told['entered']} of {free} in after {told['last']:.2f} s"
    return Row(f"the free places right after that; {slots} slots", measured, f"all, within {PROMPT:.0f} s", problems)
