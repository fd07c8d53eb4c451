#!/usr/bin/env python3
"""Plays a demo in real engines, each process with its lines: `packets` (without a word) or `rpc`.

packets: Godot 4 processes chat over RPCs, then exchange packets with a Godot 3.6 client.
rpc: a game of Godot 3.6 and its port to Godot 4 call each other's functions, with a server of either engine.

Takes about ten seconds once the engines are there and the addon is built; fails when anything expected does not arrive.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import time
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import demo_rpc
from build import build, prepare_project
from common import PROJECT, ScriptError, heading, main_guard, say
from demo_show import Part, Show
from engines import dotted, find_godot3, find_godot4, version_of

SCENE = "res://demo/console/demo.tscn"


def story(guest: str) -> Dict[str, str]:
    """What is told when the server prints a line."""
    return {
        "the chat is open": "Act 1: a chat over RPCs. What alice and bob say to each other goes through the server.",
        "the packet server is open": f"Act 2: packets of bytes. {guest} joins.",
    }


def cast(godot3: Sequence[str], godot4: Sequence[str], port: int) -> List[Part]:
    """Everybody who takes part. Expected lines are patterns, as ids differ from run to run."""
    version4 = dotted(version_of(godot4))
    if godot3:
        version_guest = dotted(version_of(godot3))
        guest = [*godot3, "--path", str(PROJECT / "demo" / "console" / "godot3"), "--guest=carol", f"--port={port}"]
    else:
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


def play(parts: Sequence[Part], told: Optional[Dict[str, str]] = None) -> int:
    """Runs these processes to their end; how many lines were expected, all of which came."""
    show = Show(parts, told)
    show.play()
    problems = show.problems(parts)
    if problems:
        raise ScriptError("\n  ".join(["the demo did not go as it should:", *problems]))
    return sum(len(part.expected) for part in parts)


def play_packets(godot3: Sequence[str], godot4: Sequence[str]) -> int:
    """A chat, then packets together with Godot 3.6."""
    guest = f"carol in Godot {dotted(version_of(godot3 or godot4))}"
    return play(cast(godot3, godot4, free_port()), story(guest))


def play_rpc(godot3: Sequence[str], godot4: Sequence[str]) -> int:
    """The old game and its port, with a server of either engine."""
    version = version_of(godot4)
    if version and version < demo_rpc.NEEDED:
        say(f"left out: Godot {dotted(version)} does not tell extensions what @rpc says; this demo needs 4.4 or newer")
        return 0
    port, messages = free_port(), 0
    for act in demo_rpc.acts(godot3, godot4, (port, port + 1)):
        say(f"\n{act.title}\n")
        messages += play(act.parts)
    return messages


DEMOS = {"packets": play_packets, "rpc": play_rpc}


def main() -> int:
    """Builds, plays and judges."""
    text = argparse.RawDescriptionHelpFormatter
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=text)
    reader.add_argument("demo", nargs="?", choices=DEMOS, default="packets", help="what to play")
    reader.add_argument("--no-build", action="store_true", help="play with the library that is there")
    options = reader.parse_args()
    if os.name == "nt":
        os.system("")  # switches the terminal's colours on
    heading("Engines")
    say("What this machine has not is fetched now, once.")
    godot4, godot3 = find_godot4(), find_godot3() or []
    for engine in filter(None, (godot4, godot3)):
        say(f"{Path(engine[0]).name} {dotted(version_of(engine))}")
    if not godot3:
        say("note: there is no Godot 3.6 here, so Godot 4 plays its part")
    if not options.no_build:
        heading("Build")
        say("The first build takes about two minutes on two cores; the next ones take seconds.")
        build(flags=["--locked"])
    prepare_project()
    heading("Demo")
    start = time.monotonic()
    messages = DEMOS[options.demo](godot3, godot4)
    say(f"\nDemo finished in {time.monotonic() - start:.0f} s: all {messages} expected lines came.")
    return 0


if __name__ == "__main__":
    main_guard(main)
