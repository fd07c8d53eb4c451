"""Engines that play the arena of godot_project/demo without windows, and what they report."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Callable, Dict, List, Sequence, Set, Tuple

from common import PROJECT, ScriptError, tail
from engines import find_godot4

# Seconds for each wait. Nothing here takes that long; a busy machine may be slow.
PATIENCE = 40.0
# Positions are sent in steps of 1/32 pixel, and printed with two digits.
TOLERANCE = 1 / 32 + 0.01

FAULTS = ("SCRIPT ERROR", "ERROR:", "Parse Error", "panicked at", "leaked at exit", "resources still in use")

Positions = Dict[int, Tuple[float, float]]


def arena(*words: str) -> List[str]:
    """The command that starts it with these arguments."""
    return [*find_godot4(), "--headless", "--path", str(PROJECT), "--", *words]


class Child:
    """A process whose lines are kept."""

    def __init__(self, name: str, command: Sequence[str], home: Path) -> None:
        self.name = name
        self.lines: List[str] = []
        # user:// of the server and the clients is a new one.
        env = {**os.environ, "XDG_DATA_HOME": str(home), "XDG_CONFIG_HOME": str(home)}
        self.process = subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", errors="replace", env=env,
            # A group of its own, as a terminal gives it; a signal to the group is Ctrl+C.
            start_new_session=True,
        )
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self) -> None:
        """Keeps the lines as they come."""
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def found(self, pattern: str) -> List["re.Match[str]"]:
        """The lines that match as a whole, so far."""
        matches = (re.fullmatch(pattern, line) for line in list(self.lines))
        return [match for match in matches if match]

    def end(self, seconds: float = PATIENCE) -> int:
        """The exit code."""
        try:
            code = self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise ScriptError(f"{self.name} did not end:\n{tail(self.text())}") from None
        self.thread.join(timeout=seconds)
        return code

    def kill(self) -> None:
        """Ends it by force, with all that it has started."""
        if os.name == "nt":
            self.process.kill()
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it has ended

    def text(self) -> str:
        """Everything it printed."""
        return "\n".join(self.lines)

    def faults(self) -> List[str]:
        """The lines that tell of an error."""
        return [line for line in self.lines if any(fault in line for fault in FAULTS)]


def wait_for(what: str, children: Sequence[Child], condition: Callable[[], bool]) -> None:
    """Looks again and again; an error that shows everybody's last lines when the time is up."""
    limit = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > limit:
            last = "\n".join(f"{child.name}:\n{tail(child.text(), 8)}" for child in children)
            raise ScriptError(f"{what}: not within {PATIENCE:g} s\n{last}")
        time.sleep(0.02)


# --- Reports --------------------------------------------------------------------------------------


def states(child: Child) -> Dict[int, Positions]:
    """Positions by tick."""
    found: Dict[int, Positions] = {}
    for match in child.found(r"state (\d+) (.*)"):
        words = [re.fullmatch(r"(-?\d+):([-\d.]+),([-\d.]+)", word) for word in match[2].split()]
        found[int(match[1])] = {int(word[1]): (float(word[2]), float(word[3])) for word in words}
    return found


def agree(first: Positions, second: Positions) -> bool:
    """Whether the same players are in the same places."""
    if set(first) != set(second):
        return False
    pairs = [(first[player][axis], second[player][axis]) for player in first for axis in (0, 1)]
    return all(abs(one - other) <= TOLERANCE for one, other in pairs)


def travelled(seen: Dict[int, Positions], player: int) -> float:
    """How far the places of a player lie apart along one axis."""
    places = [row[player] for row in seen.values() if player in row]
    return max((max(axis) - min(axis) for axis in zip(*places)), default=0.0)


def chats(child: Child) -> Set[Tuple[int, str]]:
    """Sender and text of everything said."""
    return {(int(match[1]), match[2]) for match in child.found(r"chat (\d+) (.*)")}


def numbers(child: Child, pattern: str) -> Tuple[int, int]:
    """Two numbers of the last line of this kind."""
    found = child.found(pattern)
    return (int(found[-1][1]), int(found[-1][2])) if found else (0, 0)


def sorted_words(lines: Sequence[str]) -> List[str]:
    """The words of all lines, in order."""
    return sorted(word for line in lines for word in line.split())
