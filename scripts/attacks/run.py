"""Attacks a real server with players at work, and plays faults of its network; prints one table.

The short form (some two minutes) is what the tests play: it judges what does not depend on the machine. `--long` takes an
hour and a half, uses the optimised library, puts the classes of the engines to the same, and also judges frames and shares.
"""

from __future__ import annotations

import argparse
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

from attacks import faults, floods, forged, queues, secure
from attacks.arena import Attack, Setting
from attacks.cast import Contestant, contestants
from attacks.table import Row, merged, show
from bench.machine import facts, raise_file_limit
from bench.suite import release_library
from build import compile_library, platform_of, target_directory
from common import REPO, ScriptError, run, say
from namespaces import Namespace, obstacle, played
from suites import THREADED

PROGRAMS = ("attacker", "shaper")
PARTS = ("floods", "crowds", "forged", "dtls", "queues", "faults")


def build(is_long: bool) -> None:
    """Everything that may need the machine's own network: the programs that attack, the library, and the engines."""
    words = [word for name in PROGRAMS for word in ("--bin", name)]
    run(["cargo", "build", "--locked", "--release", "--package", "nme-bench", *words], cwd=REPO)
    if is_long:
        compile_library(True, None, ["--locked"])
    contestants()


def built(name: str) -> Path:
    """What `build` has made."""
    return target_directory() / "release" / name


class Round(NamedTuple):
    """Attacks on one server, and those of them that the classes of the engines are put to, too."""

    part: str
    setting: Setting
    attacks: List[Attack]
    compared: List[Attack]


def rounds(is_long: bool) -> List[Round]:
    """All that is played with attackers."""
    few, many = Setting(floods.FEW), Setting(floods.MANY)
    forgery = forged.attacks_of(is_long)
    return [
        Round("floods", few, floods.attacks_of(is_long), floods.compared_attacks()),
        Round("crowds", many, floods.crowded_attacks(is_long), []),
        Round("forged", few._replace(players="addon"), forgery, [forged.unprotected(one) for one in forgery]),
        Round("dtls", few._replace(players="addon", secure=True), secure.attacks_of(is_long), []),
        Round("queues", queues.READERS, queues.slow_readers(is_long), queues.slow_readers(is_long)),
        Round("queues", queues.CROWD, queues.full_queues(is_long), queues.full_queues(is_long)),
    ]


def others(
    part: str, setting: Setting, attacks: List[Attack], who: Dict[str, Contestant], attacker: Path
) -> Dict[str, List[Row]]:
    """What the same attacks do to who has not the addon's class."""
    rows: Dict[str, List[Row]] = {}
    theirs = setting._replace(players="")
    for name in (name for name in who if name != "addon"):
        for one in attacks:
            rows.setdefault(name, []).extend(floods.play(who, name, theirs, [one], attacker, False))
    if attacks and part == "forged" and "Godot 3" in who:
        # Nothing that a server does helps clients against who forges the server's datagrams.
        alone = [one._replace(as_server=()) for one in attacks]
        rows["players of Godot 3 on the addon's server, forged in their name alone"] = floods.play(
            who, "addon", setting._replace(players="Godot 3"), alone, attacker, False
        )
    return rows


def play(parts: List[str], is_long: bool, only: Optional[str], is_threaded: bool = False) -> List[Row]:
    """The rows of the parts; to be called in a namespace. Only long ones without network threads are compared."""
    os.environ[THREADED] = str(int(is_threaded))
    compares = is_long and not is_threaded
    raise_file_limit()
    attacker = built("attacker")
    who = contestants()
    rows: List[Row] = []
    for part, setting, attacks, compared in rounds(is_long):
        chosen = [one for one in attacks if only is None or only in one.name]
        if part not in parts or not chosen:
            continue
        if any(one.narrow for one in chosen) and not Namespace(own=True).can_narrow():
            say(f"\n{part}: NOT RUN: this wants tc (Debian: iproute2) and the kernel's sch_tbf")
            continue
        say(f"\n{part}:")
        own = floods.play(who, "addon", setting, chosen, attacker, is_long)
        against = [one for one in compared if compares and (only is None or only in one.name)]
        rows += merged(own, others(part, setting, against, who, attacker))
    if "faults" in parts and only is None:
        say("\nfaults:")
        cast: Dict[str, Contestant] = who if compares else {"addon": who["addon"]}
        of_all = faults.play(cast, built("shaper"))
        rows += merged(of_all.pop("addon"), of_all)
    return rows


def main() -> int:
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--long", action="store_true", help="everything, for an hour and a half")
    what = f"a part ({', '.join(PARTS)}), or attacks with this in their name"
    reader.add_argument("--only", action="append", metavar="NAME", help=what)
    reader.add_argument("--threaded", action="store_true", help="the addon's class alone, with network threads")
    options = reader.parse_args()
    reason = obstacle()
    if reason is not None:
        raise ScriptError(f"attacks and faults need network namespaces: {reason}")
    build(options.long)
    for fact in facts()[:-1]:
        say(fact)
    named = options.only or []
    parts = [name for name in named if name in PARTS] or list(PARTS)
    words = [name for name in named if name not in PARTS]
    with ExitStack() as stack:
        if options.long:
            stack.enter_context(release_library(built(platform_of(None).built_name)))
        rows = played(play, parts, options.long, words[0] if words else None, options.threaded)
    return 1 if show(rows) else 0
