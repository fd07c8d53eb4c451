"""Plays a server and a client of a project in engines without windows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence

from common import say

NEW_CLASS = "NetworkedMultiplayerENet"
TOLD = re.compile(r"^@@ (\{.*\})$")
FAULT = re.compile(r"^(?:USER )?(?:SCRIPT )?ERROR: ")
# Where it came from in a script: in one of the lines behind it.
PLACE = re.compile(r"\w+ \(res://[^)]+\)")
PLACE_LINES = 4
# Peers' ids differ in each run, and lines are added.
NUMBER = re.compile(r"\d+")
IMPORT_SECONDS, RUN_SECONDS = 600, 90


class Recipe(NamedTuple):
    """How a project is made to host and to join."""

    server_scene: str = ""
    client_scene: str = ""
    server_steps: Sequence[str] = ()
    client_steps: Sequence[str] = ()
    # Files that are added to the copy: a project for an addon that has none.
    files: Dict[str, List[str]] = {}


class Side(NamedTuple):
    """What came of a server or a client."""

    peer_class: str
    peers: List[int]
    # What is below the root of the scene tree in the end, without autoloads.
    scenes: List[str]
    faults: List[str]

    @property
    def summary(self) -> str:
        """In a line."""
        state = f"connected to {len(self.peers)}" if self.peers else "not connected"
        scenes = " and ".join(self.scenes) or "nothing"
        return f"{self.peer_class or 'no peer'}, {state}, in {scenes}, {len(self.faults)} errors"


class Process:
    """An engine that plays one side."""

    def __init__(self, godot: Sequence[str], copy: Path, side: str, recipe: Recipe, seconds: float) -> None:
        scene, steps = getattr(recipe, f"{side}_scene"), getattr(recipe, f"{side}_steps")
        wish = json.dumps({"side": side, "steps": list(steps), "seconds": seconds})
        self.side = side
        self.log = Path(f"{copy}_{side}.log")
        self.lines: List[str] = []
        self.has_peer = threading.Event()
        self.process = subprocess.Popen(
            [*godot, "--headless", "--path", str(copy), *([scene] if scene else [])],
            env={**environment(copy, side), "TRY_DROP_IN": wish}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
        )
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        """Keeps what is printed until the process ends."""
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if '"what":"peer"' in line:
                self.has_peer.set()
        self.has_peer.set()

    def result(self) -> Side:
        """Waits for the end, and reads what was told."""
        try:
            self.process.wait(RUN_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.reader.join(10)
        self.log.write_text("\n".join(self.lines) + "\n", encoding="utf-8")
        told: List[Dict[str, Any]] = [json.loads(found[1]) for found in map(TOLD.match, self.lines) if found]
        values: Dict[str, List[Any]] = {}
        for entry in told:
            values.setdefault(entry["what"], []).append(entry["value"])
        faults = faults_of(self.lines)
        faults += [f"stuck: {step}" for step in values.get("stuck", [])]
        if "end" not in values or self.process.returncode:
            faults.append(f"it has not come to its end: exit code {self.process.returncode}")
        for how in ("pressed", "called"):
            for what in values.get(how, []):
                say(f"{self.side}: guessed: {how} {what}")
        scenes = (values.get("end") or [[]])[-1]
        return Side((values.get("peer") or [""])[-1], values.get("connected", []), scenes, faults)


def faults_of(lines: Sequence[str]) -> List[str]:
    """The errors, each with the function of the script that it came from."""
    faults = []
    for number, line in enumerate(lines):
        if FAULT.match(line):
            behind = map(PLACE.search, lines[number + 1:number + 1 + PLACE_LINES])
            place = next((f" in {found[0]}" for found in behind if found), "")
            faults.append(NUMBER.sub("N", line + place))
    return faults


def environment(copy: Path, side: str) -> Dict[str, str]:
    """A user folder of its own, beside the copy."""
    homes = {name: f"{copy}_{side}_home" for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    return {**os.environ, **homes}


def play(godot: Sequence[str], copy: Path, recipe: Recipe, seconds: float) -> List[Side]:
    """Imports the copy, and plays a server and a client of it."""
    done = subprocess.run(
        [*godot, "--headless", "--path", str(copy), "--import"], env=environment(copy, "import"), check=False,
        timeout=IMPORT_SECONDS, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    if done.returncode:
        say(f"note: the import ended with exit code {done.returncode}")
    server = Process(godot, copy, "server", recipe, seconds)
    with ExitStack() as cleanup:
        cleanup.callback(server.process.kill)
        server.has_peer.wait(RUN_SECONDS)
        client = Process(godot, copy, "client", recipe, seconds)
        cleanup.callback(client.process.kill)
        sides = [server.result(), client.result()]
    for name, side in zip(("server", "client"), sides):
        say(f"{name}: {side.summary}")
        for fault in sorted(set(side.faults)):
            say(f"   {fault} ({side.faults.count(fault)} times)")
    return sides


def judged(sides: Sequence[Side], before: Sequence[Side]) -> List[str]:
    """What went wrong; errors that the project prints without the addon, too, are its own."""
    names = ("server", "client")
    problems = [f"the {name} was not connected" for name, side in zip(names, sides) if not side.peers]
    problems += [f"the {name} has {side.peer_class or 'no peer'}" for name, side in zip(names, sides)
                 if side.peer_class != NEW_CLASS]
    for name, side, own in zip(names, sides, before):
        problems += [f"{name}: {fault}" for fault in sorted(set(side.faults) - set(own.faults))]
    return problems
