"""The processes of a test: engines with a server or a client in them, which tell what they count."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence, Tuple

from common import PROJECT, ScriptError, say
from engines import find_godot3, find_godot4
from godot3_project import godot3_words

OURS = "addon"


class Contestant(NamedTuple):
    """A class, and how the engine that has it is started."""

    name: str
    type: str
    command: Sequence[str]


class Company:
    """The processes of one test."""

    def __init__(self, folder: Path, quiet: float, until: float, *words: str) -> None:
        self.folder = folder
        self.words = [f"--quiet={quiet:f}", f"--until={until:f}", *words]
        self.running: Dict[str, subprocess.Popen] = {}

    def start(
        self, name: str, contestant: Contestant, role: str, port: int, more: Sequence[str] = ()
    ) -> None:
        words = [*self.words, *more, f"--role={role}", f"--class={contestant.type}", f"--port={port}"]
        home = str(self.folder / f"{name}_home")
        homes = {variable: home for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
        with (self.folder / name).open("wb") as out:
            self.running[name] = subprocess.Popen(
                [*contestant.command, *words], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env={**os.environ, **homes},
            )

    def finish(self, patience: float) -> None:
        limit = time.monotonic() + patience
        try:
            for name, process in self.running.items():
                process.wait(max(0.1, limit - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise ScriptError(f"{name}: no end; {self.text(name)[-300:]}") from error
        finally:
            self.kill()

    def kill(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8", errors="replace")

    def times(self, name: str, word: str) -> List[float]:
        """When something happened, as a process tells it."""
        lines = (line.split() for line in self.text(name).splitlines())
        return [float(line[1]) for line in lines if len(line) == 2 and line[0] == word]

    def totals(self, name: str) -> Tuple[int, int]:
        for line in self.text(name).splitlines():
            words = line.split()
            if len(words) == 3 and words[0] == "total":
                return int(words[1]), int(words[2])
        raise ScriptError(f"{name} has counted nothing: {self.text(name)[-300:]}")


def contestants() -> List[Contestant]:
    four = [*find_godot4(), "--headless", "--path", str(PROJECT), "-s", "res://tests/path/agent.gd", "--"]
    found = [Contestant(OURS, "NetworkedMultiplayerENet", four), Contestant("Godot 4", "ENetMultiplayerPeer", four)]
    three = find_godot3()
    if three is None:
        say("note: Godot 3.6 is not here, so it does not take part")
        return found
    place = godot3_words("tests/path/agent.gd")
    return [*found, Contestant("Godot 3", "NetworkedMultiplayerENet", [*three, *place])]
