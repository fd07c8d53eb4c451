"""The processes of a test: engines with servers or clients in them, and the programs that attack."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from namespaces import Namespace
from common import PROJECT, ScriptError
from engines import find_godot3, find_godot4
from godot3_project import godot3_words

# Kinds of counts, as the agents have them.
SENT_UNRELIABLE, SENT_RELIABLE, GOT_UNRELIABLE, GOT_RELIABLE = range(4)
CONNECTED = 2
NO_SAMPLE = "has told nothing"

Sample = Dict[str, Any]


class Contestant(NamedTuple):
    """A class, and the engine that has it."""

    name: str
    type: str
    command: Sequence[str]


def contestants() -> Dict[str, Contestant]:
    """The addon's class, that of Godot 4, and that of 3.6 if it is here."""
    four = [*find_godot4(), "--headless", "--path", str(PROJECT), "-s", "res://tests/attacks/agent.gd", "--"]
    found = {
        "addon": Contestant("addon", "NetworkedMultiplayerENet", four),
        "Godot 4": Contestant("Godot 4", "ENetMultiplayerPeer", four),
    }
    three = find_godot3()
    if three is not None:
        place = godot3_words("tests/attacks/agent.gd")
        found["Godot 3"] = Contestant("Godot 3", "NetworkedMultiplayerENet", [*three, *place])
    return found


class Agent:
    """A process that tells what it counts."""

    def __init__(self, name: str, command: Sequence[str], home: Path) -> None:
        self.name = name
        self.lines: List[str] = []
        self._sample: Optional[Sample] = None
        self._arrived = 0
        homes = {variable: str(home) for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", errors="replace", env={**os.environ, **homes},
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self.process.stdout or []:
            text = line.strip()
            if text.startswith("@@ "):
                self._sample = json.loads(text[3:])
                self._arrived += 1
            elif text and not text.startswith("Godot Engine v"):
                self.lines.append(text)

    def check(self) -> None:
        if self.process.poll() is not None:
            words = "\n".join(self.lines[-8:])
            raise ScriptError(f"{self.name} has ended with exit code {self.process.returncode}\n{words}")

    def cells(self) -> List[Sample]:
        """What it told last of its servers or clients."""
        self.check()
        return list(self._sample["cells"]) if self._sample else []

    def fresh(self, patience: float = 15.0) -> Sample:
        """The second sample from now on, so that all of it is later than this call."""
        wanted, limit = self._arrived + 2, time.monotonic() + patience
        while self._arrived < wanted:
            self.check()
            if time.monotonic() > limit:
                raise ScriptError(f"{self.name} {NO_SAMPLE} for {patience:g} s")
            time.sleep(0.02)
        return self._sample or {}

    def resident_kib(self) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0

    def waited(self) -> float:
        """Seconds for which it was ready to run and had no processor."""
        text = Path(f"/proc/{self.process.pid}/schedstat").read_text(encoding="ascii")
        return int(text.split()[1]) / 1e9

    def ports(self) -> List[int]:
        """The UDP ports of its sockets."""
        folder = Path(f"/proc/{self.process.pid}")
        sockets = set()
        for name in os.listdir(folder / "fd"):
            try:
                sockets.add(os.readlink(folder / "fd" / name))
            except FileNotFoundError:
                continue
        tables = [(folder / "net" / name).read_text(encoding="ascii") for name in ("udp", "udp6")]
        lines = [line.split() for table in tables for line in table.splitlines()[1:]]
        return [int(words[1].split(":")[1], 16) for words in lines if f"socket:[{words[9]}]" in sockets]

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


class Cast:
    """All processes of a test; none outlives it. They share a folder, in which files are signs."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="attacks_")
        self.folder = Path(self._folder.name)
        self._agents: List[Agent] = []
        self._others: List[subprocess.Popen] = []
        self.set_phase(0)

    def __enter__(self) -> "Cast":
        return self

    def start(self, name: str, where: Namespace, who: Contestant, words: Sequence[str]) -> Agent:
        all_words = [f"--class={who.type}", f"--folder={self.folder}", *words]
        # nsenter and the engine's start are one process: what is measured is the engine.
        command = where.command([*who.command, *all_words])
        agent = Agent(name, command, self.folder / f"{name}_home".replace(" ", "_"))
        self._agents.append(agent)
        return agent

    def program(self, where: Namespace, words: Sequence[str]) -> subprocess.Popen:
        process = subprocess.Popen(
            where.command(words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )
        self._others.append(process)
        return process

    def set_phase(self, phase: int) -> None:
        """What packets are counted under from now on."""
        half = self.folder / "phase.part"
        half.write_text(str(phase), encoding="ascii")
        half.replace(self.folder / "phase")

    def sign(self, name: str) -> None:
        (self.folder / name).touch()

    def wait_for(self, what: str, agent: Agent, is_so: Any, patience: float = 40.0) -> None:
        """Until the cells of an agent are as wanted."""
        limit = time.monotonic() + patience
        while not is_so(agent.cells()):
            if time.monotonic() > limit:
                words = "\n".join(agent.lines[-5:])
                raise ScriptError(f"{agent.name}: not {what} within {patience:g} s\n{agent.cells()}\n{words}")
            time.sleep(0.05)

    def __exit__(self, *_rest: object) -> None:
        for process in [*self._others, *(agent.process for agent in self._agents)]:
            process.kill()
            process.wait()
        self._folder.cleanup()


def ended(process: subprocess.Popen, patience: float) -> Sample:
    """What a program that attacks has done, when it is done."""
    try:
        text, _ = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        raise ScriptError(f"the attacker is not done after {patience:g} s") from None
    if process.returncode != 0:
        raise ScriptError(f"the attacker has ended with exit code {process.returncode}")
    return dict(json.loads(text.strip().splitlines()[-1]))


def counts(cells: Sequence[Sample], phase: Optional[int] = None) -> List[int]:
    """What all cells together have counted, under one number or under all."""
    total = [0, 0, 0, 0]
    for cell in cells:
        for of_phase, numbers in cell["counts"].items():
            if phase is None or int(of_phase) == phase:
                total = [a + int(b) for a, b in zip(total, numbers)]
    return total
