"""Runs the groups of checks beside each other and counts what passed."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence

from build import cargo
from common import REPO, ScriptError, output, say
from dtls import behaviour, end_to_end, layer
from dtls.cases import all_cases
from dtls.certificates import fixtures, with_openssl, with_tails
from dtls.layer import Check, Identities
from dtls.processes import Stage
from engines import find_godot3, find_godot4


class Group(NamedTuple):
    """Checks that need each other's programs and so come one after the other."""

    name: str
    checks: Callable[[Stage], Iterator[Check]]


def build_peer() -> Path:
    """Our layer as a program."""
    command = [cargo(), "build", "--locked", "-p", "nme-dtls", "--example", "peer", "--message-format=json"]
    messages = map(json.loads, output(command, cwd=REPO).splitlines())
    programs = [message["executable"] for message in messages if message.get("executable")]
    if not programs:
        raise ScriptError("cargo has built no program")
    return Path(programs[-1])


def groups(
    engines: Dict[str, List[str]], openssl: Optional[str], folder: Path, keep: Optional[Path], parallel: int
) -> List[Group]:
    """Everything that the machine can play."""
    identities = identities_of("4", openssl, folder)
    plain, engine = (all_cases(fresh, bool(openssl)) for fresh in (False, True))
    found = [Group("our layer", lambda stage: layer.against_itself(stage, plain, identities))]

    def engine_group(number: str) -> Group:
        # Each engine meets what it has made itself.
        own = identities if number == "4" else identities_of(number, openssl, folder)

        def checks(stage: Stage) -> Iterator[Check]:
            yield from layer.against_engine_servers(stage, number, engine, own)
            yield from layer.with_engine_clients(stage, number, engine, own)

        return Group(f"Godot {number}", checks)

    def odd(stage: Stage) -> Iterator[Check]:
        yield from behaviour.checks(stage, openssl, identities)

    found += [engine_group(number) for number in sorted(engines)]
    found.append(Group("behaviour", odd))
    found.append(Group("end to end", lambda stage: end_to_end.checks(engines, keep, parallel)))
    if openssl:
        found.append(Group("s_client", lambda stage: layer.with_openssl_clients(stage, openssl, plain, identities)))
        found.append(Group("s_server", lambda stage: layer.against_openssl_servers(stage, openssl, plain, identities)))
    return found


def identities_of(engine: str, openssl: Optional[str], folder: Path) -> Identities:
    """Certificates that this engine has made, and what can be made of them."""
    place = folder / f"identities{engine}"
    place.mkdir()
    found = fixtures(f"godot{engine}")
    found.update(with_tails(found["rsa_2048"], place))
    if openssl:
        found.update(with_openssl(openssl, found["rsa_2048"].key, found["rsa_2048_other"].key, place))
    return found


def play(group: Group, stage: Stage) -> List[Check]:
    """The group's checks, told as they come."""
    results: List[Check] = []
    with stage:
        checks = group.checks(stage)
        start = time.monotonic()
        for check in checks:
            results.append(check)
            row = f"{'FAIL' if check.problem else 'ok':5}{check.name:70}{time.monotonic() - start:6.2f} s"
            say(f"{row}  {check.problem}" if check.problem else row)
            start = time.monotonic()
    for complaint in stage.complaints():
        results.append(Check(group.name, complaint))
        say(f"FAIL {group.name}: {complaint}")
    return results


def find_engines() -> Dict[str, List[str]]:
    """The commands of the engines that there are."""
    found = {"4": find_godot4()}
    godot3 = find_godot3()
    if godot3:
        found["3"] = godot3
    else:
        say("note: NOT PLAYED: Godot 3.6 is not there")
    return found


def arguments(words: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dtls", description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="PART", help="groups whose name has this")
    parser.add_argument("--jobs", type=int, default=3, metavar="N", help="scenarios at a time (default 3)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the raw logs of the scenarios there")
    return parser.parse_args(words)


def main(words: Optional[Sequence[str]] = None) -> int:
    options = arguments(words)
    openssl = shutil.which("openssl")
    if openssl is None:
        say("note: NOT PLAYED: openssl is not there (Debian: apt-get install openssl)")
    engines = find_engines()
    peer = build_peer()
    keep = options.keep.resolve() if options.keep else None
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dtls_") as name:
        folder = Path(name)
        chosen = [
            group for group in groups(engines, openssl, folder, keep, max(1, options.jobs))
            if not options.only or any(part in group.name for part in options.only)
        ]
        stages = []
        for i, _ in enumerate(chosen):
            (folder / str(i)).mkdir()
            stages.append(Stage(folder / str(i), peer, engines))
        with ThreadPoolExecutor(len(chosen) or 1) as pool:
            results = [check for checks in pool.map(play, chosen, stages) for check in checks]
    failed = [check for check in results if check.problem]
    if failed:
        say("\nfailures:")
        for check in failed:
            say(f"  {check.name}: {check.problem}")
    say(f"\n{len(results) - len(failed)} passed, {len(failed)} failed in {time.monotonic() - start:.0f} s")
    return 1 if failed or not results else 0
