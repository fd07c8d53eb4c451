"""Plays all plays, a few at a time, and counts which checks passed."""

from __future__ import annotations

import argparse
import fnmatch
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence

from common import ScriptError, say
from engines import find_godot3, find_godot4
from interop.runner import Ports
from rpc.agent import Failed
from rpc.plays import Play, all_plays
from rpc.stage import Engines, Stage


class Result(NamedTuple):
    """How a check went; no problem means it passed."""

    name: str
    problem: Optional[str]


class Player:
    """Runs plays; knows the engines."""

    def __init__(self, engines: Engines, folder: Path, only: Sequence[str]) -> None:
        self.engines = engines
        self._folder = folder
        self._only = only
        self._ports = Ports()

    def play(self, play: Play) -> List[Result]:
        """One play from the first process to the last, whose checks may rest on those before.

        After a failed check the next one is tried all the same.
        """
        if not any(self._is_wanted(name_of(play, check)) for check in play.checks):
            return []
        start = time.monotonic()
        folder = self._folder / play.name.replace("/", "-").replace(" ", "_")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        results: List[Result] = []
        stage = Stage(play.cast, folder, self.engines, self._ports)
        try:
            started = self._tried(f"{play.name}: starts", lambda: begin(play, stage))
            results += [started] if started.problem else []
            if not started.problem:
                results += [self._tried(name_of(play, check), lambda: check(stage)) for check in play.checks]
                stage.close()
            results.append(no_complaints(play, stage))
        finally:
            stage.kill()
        for result in results:
            say(f"FAILED {result.name}: {result.problem}" if result.problem else f"ok {result.name}")
        say(f"   {play.name}: {time.monotonic() - start:.1f} s")
        return results

    def _is_wanted(self, name: str) -> bool:
        return not self._only or any(fnmatch.fnmatch(name, f"*{pattern}*") for pattern in self._only)

    @staticmethod
    def _tried(name: str, do: Callable[[], None]) -> Result:
        try:
            do()
        except Failed as failure:
            return Result(name, str(failure).replace("\n", " | "))
        return Result(name, None)


def begin(play: Play, stage: Stage) -> None:
    """Waits for the games, and sets the scene."""
    stage.wait_for_agents()
    play.begin(stage)


def name_of(play: Play, check: Callable[[Stage], None]) -> str:
    """A check is named by its function."""
    return f"{play.name}: {check.__name__.replace('_', ' ').strip()}"


def no_complaints(play: Play, stage: Stage) -> Result:
    """Whatever an engine has printed about a mistake, and no check has expected, is one."""
    left: Dict[str, List[str]] = {}
    for name, agent in stage.agents.items():
        lines = [line for line in agent.complaints() if not any(part in line for part in play.forgiven)]
        if lines:
            left[name] = lines
    text = "; ".join(f"{name}: {len(lines)}, such as {lines[0]}" for name, lines in left.items())
    return Result(f"{play.name}: nobody complains about anything else", text or None)


def arguments(words: Optional[Sequence[str]]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="rpc", description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN", help="plays with a check whose name has this")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="plays at a time (default 2)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep what the engines print there")
    return parser.parse_args(words)


def main(words: Optional[Sequence[str]] = None) -> int:
    """Runs the test."""
    options = arguments(words)
    engines = {"4": find_godot4()}
    godot3 = find_godot3()
    plays = all_plays()
    if godot3:
        engines["3"] = godot3
    else:
        say("note: NOT PLAYED: without Godot 3.6 only what Godot 4 plays alone")
        plays = [play for play in plays if not any(kind.startswith("3") for kind in play.cast.values())]
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rpc_") as name:
        folder = options.keep.resolve() if options.keep else Path(name)
        player = Player(engines, folder, options.only)
        with ThreadPoolExecutor(max(1, options.jobs)) as pool:
            results = [result for found in pool.map(player.play, plays) for result in found]
    if not results:
        raise ScriptError("no check has such a name")
    failed = sum(result.problem is not None for result in results)
    say(f"{len(results) - failed} passed, {failed} failed in {time.monotonic() - start:.0f} s")
    return 1 if failed else 0
