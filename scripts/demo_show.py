"""Processes that play together: starts them, prints their lines as they come, and looks for what is missing."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import sys
import threading
import time
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from common import say

# Seconds after which everything is stopped; each process gives up earlier and says why.
LIMIT = 90.0
# Seconds that the others get when one has failed.
GRACE = 2.0
RESET = "\033[0m"
FAULTS = ("SCRIPT ERROR", "USER SCRIPT ERROR", "ERROR:", "failed:", "panicked at")
# What each engine says before its part begins.
BANNERS = ("Godot Engine v",)


class Part(NamedTuple):
    """One process: how to start it, whose line to wait for before that, and what it must print, in any order."""

    name: str
    colour: str
    command: List[str]
    after: Sequence[Tuple[str, str]]
    expected: Sequence[str]


class Show:
    """Runs the parts, prints their lines as they come, and keeps them."""

    def __init__(self, parts: Sequence[Part], story: Optional[Dict[str, str]] = None) -> None:
        """`story` is what to tell before a line."""
        self.story = story or {}
        self.width = max(len(part.name) for part in parts)
        self.waiting = list(parts)
        self.colours = {part.name: part.colour for part in parts}
        self.running: Dict[str, subprocess.Popen] = {}
        self.lines: Dict[str, List[str]] = {part.name: [] for part in parts}
        self.codes: Dict[str, int] = {}
        # None in place of a line: the process has closed its output.
        self.heard: "queue.Queue[Tuple[str, Optional[str]]]" = queue.Queue()

    def play(self) -> None:
        """Returns when every process has ended, or the time is up."""
        limit = time.monotonic() + LIMIT
        try:
            self.start_due()
            while self.running and time.monotonic() < limit:
                try:
                    name, line = self.heard.get(timeout=0.5)
                except queue.Empty:
                    continue
                if line is None:
                    self.codes[name] = self.running.pop(name).wait()
                    if self.codes[name] != 0:
                        limit = min(limit, time.monotonic() + GRACE)
                else:
                    self.lines[name].append(line)
                    self.show(name, line)
                    self.start_due()
        finally:
            for process in self.running.values():
                process.kill()

    def start_due(self) -> None:
        """Starts every process whose cue has been heard."""
        for part in list(self.waiting):
            if all(cue in self.lines[speaker] for speaker, cue in part.after):
                self.waiting.remove(part)
                self.start(part)

    def start(self, part: Part) -> None:
        """Starts a process and a thread that listens to it."""
        process = subprocess.Popen(
            part.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", errors="replace",
        )
        self.running[part.name] = process
        threading.Thread(target=self.listen, args=(part.name, process), daemon=True).start()

    def listen(self, name: str, process: subprocess.Popen) -> None:
        """Passes a process's lines on."""
        for line in process.stdout:
            if line.strip():
                self.heard.put((name, line.rstrip()))
        self.heard.put((name, None))

    def show(self, name: str, line: str) -> None:
        """Prints a line behind its speaker, and the story where the next act begins."""
        if line.startswith(BANNERS):
            return
        if line in self.story:
            say(f"\n{self.story[line]}\n")
        label = f"{name:>{self.width}} |"
        say(f"{self.colours[name]}{label}{RESET} {line}" if coloured() else f"{label} {line}")

    def problems(self, parts: Sequence[Part]) -> List[str]:
        """What did not go as it should; who did not get to the end is not asked for its lines."""
        found: List[str] = []
        for part in parts:
            code, lines = self.codes.get(part.name), self.lines[part.name]
            found += [f"{part.name}: {line}" for line in lines if is_fault(line)]
            if part in self.waiting:
                found.append(f"{part.name}: was never started")
            elif code is None:
                found.append(f"{part.name}: was still running")
            elif code != 0:
                found.append(f"{part.name}: exit code {code}")
            else:
                found += missing(part, lines)
        return found


def missing(part: Part, lines: Sequence[str]) -> List[str]:
    """The expected lines that did not come."""
    found: List[str] = []
    for pattern in dict.fromkeys(part.expected):
        wanted, got = part.expected.count(pattern), sum(bool(re.fullmatch(pattern, line)) for line in lines)
        if got < wanted:
            found.append(f"{part.name}: {got} of {wanted} lines like: {pattern}")
    return found


def is_fault(line: str) -> bool:
    """Whether a line reports an error of the demo, the addon or the engine."""
    return any(mark in line for mark in FAULTS)


def coloured() -> bool:
    """Whether the reader's terminal shows colours."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
