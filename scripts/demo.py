#!/usr/bin/env python3
"""Plays the demo: a Godot 4 server, two Godot 4 clients and a Godot 3.6 client, each in its own process.

First the Godot 4 processes chat over RPCs, then all four exchange packets. Takes about ten seconds
once the engines are there and the addon is built; fails when anything expected does not arrive.
"""

from __future__ import annotations

import argparse
import os
import queue
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from build import build, prepare_project
from common import PROJECT, ScriptError, heading, main_guard, say
from engines import dotted, find_godot3, find_godot4, version_of

SCENE = "res://demo/console/demo.tscn"
# Seconds after which everything is stopped; each process gives up earlier and says why.
LIMIT = 90.0
# Seconds that the others get when one has failed.
GRACE = 2.0
RESET = "\033[0m"
FAULTS = ("SCRIPT ERROR", "USER SCRIPT ERROR", "ERROR:", "failed:", "panicked at")
# What each engine says before the demo begins.
BANNERS = ("Godot Engine v",)
# Told when the server says so.
STORY = {
    "the chat is open": "Act 1: a chat over RPCs. What alice and bob say to each other goes through the server.",
    "the packet server is open": "Act 2: packets of bytes. {guest} joins.",
}


class Part(NamedTuple):
    """One process: how to start it, whose line to wait for before that, and what it must print, in any order."""

    name: str
    colour: str
    command: List[str]
    after: Sequence[Tuple[str, str]]
    expected: Sequence[str]


def cast(port: int) -> List[Part]:
    """Everybody who takes part. Expected lines are patterns, as ids differ from run to run."""
    godot4, godot3 = find_godot4(), find_godot3()
    version4 = dotted(version_of(godot4))
    if godot3:
        version_guest = dotted(version_of(godot3))
        guest = [*godot3, "--path", str(PROJECT / "demo" / "console" / "godot3"), "--guest=carol", f"--port={port}"]
    else:
        say("note: there is no Godot 3.6 here, so a Godot 4 client plays its part")
        version_guest = version4
        guest = []

    def project(*words: str) -> List[str]:
        return [*godot4, "--headless", "--path", str(PROJECT), SCENE, "--", *words, "--port", str(port)]

    joined = [r"peer \d+ is here"] * 3
    hello = rf"packet from peer \d+: Hello from carol in Godot {re.escape(version_guest)}"
    server = [
        "the chat is open", "alice is here", "bob is here",
        "alice: Hello, everybody!", "bob: Hello, everybody!", "alice has left", "bob has left",
        "the packet server is open", *joined, hello, *[r"peer \d+ has left"] * 3,
    ]

    def client(other: str) -> List[str]:
        return [
            "server is here", f"{other} is here", "server: Welcome!",
            f"{other}: Hello, everybody!", f"{other} whispers: Only you can read this.",
            "peer 1 is here", *joined, hello, r"peer \d+ has left",
        ]

    answers = [
        rf"packet from peer {peer}: {name} in Godot {re.escape(version4)} has read it"
        for name, peer in (("server", "1"), ("alice", r"\d+"), ("bob", r"\d+"))
    ]
    open_chat = [("server", "the chat is open")]
    both_in = [("alice", "peer 1 is here"), ("bob", "peer 1 is here")]
    return [
        Part("server", "\033[33m", project("--server"), [], server),
        Part("alice", "\033[36m", project("--client", "alice"), open_chat, client("bob")),
        Part("bob", "\033[32m", project("--client", "bob"), open_chat, client("alice")),
        Part("carol", "\033[35m", guest or project("--guest", "carol"), both_in, [*joined, *answers]),
    ]


# --- The processes --------------------------------------------------------------------------------


class Show:
    """Runs the parts, prints their lines as they come, and keeps them."""

    def __init__(self, parts: Sequence[Part], guest: str) -> None:
        self.guest = guest
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
        if line in STORY:
            say(f"\n{STORY[line].format(guest=self.guest)}\n")
        label = f"{name:>6} |"
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


def free_port() -> int:
    """A UDP port that is free together with the one behind it."""
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second:
                try:
                    second.bind(("127.0.0.1", port + 1))
                except (OSError, OverflowError):
                    continue
        return port
    raise ScriptError("no two free UDP ports in a row were found")


def main() -> int:
    """Builds, plays and judges."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--no-build", action="store_true", help="play with the library that is there")
    options = reader.parse_args()
    if os.name == "nt":
        os.system("")  # switches the terminal's colours on
    heading("Engines")
    parts = cast(free_port())
    for part in (parts[0], parts[-1]):
        say(f"{part.name}: {Path(part.command[0]).name} {dotted(version_of(part.command[:1]))}")
    if not options.no_build:
        heading("Build")
        build(flags=["--locked"])
    prepare_project()
    heading("Demo")
    show = Show(parts, f"carol in Godot {dotted(version_of(parts[-1].command[:1]))}")
    start = time.monotonic()
    show.play()
    problems = show.problems(parts)
    if problems:
        raise ScriptError("\n  ".join(["the demo did not go as it should:", *problems]))
    messages = sum(len(part.expected) for part in parts)
    say(f"\nDemo finished in {time.monotonic() - start:.0f} s: all {messages} expected lines came.")
    return 0


if __name__ == "__main__":
    main_guard(main)
