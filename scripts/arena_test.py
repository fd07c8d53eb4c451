#!/usr/bin/env python3
"""Plays the arena of godot_project/demo without windows: a dedicated server and clients that play by themselves.

Once plain and once with DTLS and another compression, everybody's report is compared: positions, scores, chat, pings and
bytes. In the end the server is sent a signal, and has to end gracefully.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Sequence, Set, Tuple

from build import build, prepare_project
from common import PROJECT, ScriptError, heading, main_guard, say, tail
from demo import free_port
from engines import find_godot4

# Seconds for each wait. Nothing here takes that long; a busy machine may be slow.
PATIENCE = 40.0
# What everybody must have reported before the end.
STATES = 12
COINS = 3
# Positions are sent in steps of 1/32 pixel, and printed with two digits.
TOLERANCE = 1 / 32 + 0.01
MOVED = 20.0

SERVE = PROJECT / "demo" / "server" / "serve.sh"
FAULTS = ("SCRIPT ERROR", "ERROR:", "Parse Error", "panicked at", "leaked at exit", "resources still in use")

Positions = Dict[int, Tuple[float, float]]


class Setup(NamedTuple):
    """One game: what the server and each client get as further arguments, and how the server is ended."""

    name: str
    both: List[str]
    clients: Dict[str, List[str]]
    stop: signal.Signals
    max_clients: int
    # The arguments of health checks on this server, and their exit codes.
    checks: Dict[str, Tuple[List[str], int]]


def setups(certificate: Path) -> List[Setup]:
    """The games that are played."""
    trusting = ["--certificate", str(certificate)]
    safe = ["--dtls", "--compression", "zstd"]
    plain = Setup(
        "plain", [], {"Ada": [], "Bob": [], "Cleo": []}, signal.SIGTERM, 3,
        {"a full server": ([], 0), "another compression": (["--compression", "zlib"], 1)},
    )
    dtls = Setup(
        "dtls", [*safe, "--threaded"], {"Ada": trusting, "Bob": ["--insecure"]}, signal.SIGINT, 8,
        {"a server with DTLS": (safe, 0), "a check without DTLS": (["--compression", "zstd"], 1)},
    )
    return [plain, dtls]


# --- Processes ------------------------------------------------------------------------------------


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


def wait_for(what: str, children: Sequence[Child], condition: Callable[[], bool]) -> None:
    """Looks again and again; an error that shows everybody's last lines when the time is up."""
    limit = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > limit:
            last = "\n".join(f"{child.name}:\n{tail(child.text(), 8)}" for child in children)
            raise ScriptError(f"{what}: not within {PATIENCE:g} s\n{last}")
        time.sleep(0.02)


# --- A game ---------------------------------------------------------------------------------------


class Game:
    """A server, its clients, and what they report."""

    def __init__(self, setup: Setup, home: Path) -> None:
        self.setup = setup
        self.home = home
        self.port = free_port()
        self.stop_file = home / f"stop-{setup.name}"
        self.children: List[Child] = []
        self.problems: List[str] = []
        self.passed = 0

    def check(self, is_right: bool, what: str) -> None:
        """Counts one check."""
        self.passed += bool(is_right)
        if not is_right:
            self.problems.append(f"{self.setup.name}: {what}")

    def child(self, name: str, *words: str, wrapper: Sequence[str] = ()) -> Child:
        """One engine with the arena."""
        command = [*wrapper, *find_godot4(), "--headless", "--path", str(PROJECT), "--", *words]
        made = Child(name, [*command, "--port", str(self.port)], self.home)
        self.children.append(made)
        return made

    def play(self) -> None:
        """Plays, ends, and compares."""
        heading(f"{self.setup.name}: {len(self.setup.clients)} clients, {' '.join(self.setup.both) or 'as by default'}")
        try:
            server = self.start_server()
            clients = [
                self.child(name, "--join", "127.0.0.1", "--bot", "--log", "--name", name, *self.setup.both, *words)
                for name, words in self.setup.clients.items()
            ]
            wait_for("everybody plays", self.children, lambda: self.is_going(server, clients))
            self.ask_for_health()
            self.stop(server)
            self.compare(server, clients)
        finally:
            for child in self.children:
                child.kill()

    def start_server(self) -> Child:
        """The server, behind the script that catches signals where there is a shell."""
        words = ["--server", "--log", "--max-clients", str(self.setup.max_clients), "--bots", "2", *self.setup.both]
        if os.name == "nt":
            server = self.child("server", *words, "--stop-file", str(self.stop_file))
        else:
            server = self.child("server", *words, wrapper=["sh", str(SERVE)])
        ready = rf"ready on UDP port {self.port}: up to {self.setup.max_clients} clients, .*"
        wait_for("the server is ready", [server], lambda: bool(server.found(ready)))
        self.check(len(server.found(ready)) == 1, "the server says once that it is ready")
        return server

    def ids(self, server: Child) -> Dict[str, int]:
        """The id of each client, as the server tells."""
        joined = server.found(r"joined (\d+) (\w+)")
        return {match[2]: int(match[1]) for match in joined}

    def is_going(self, server: Child, clients: Sequence[Child]) -> bool:
        """Whether everybody has seen enough of everybody."""
        ids = self.ids(server)
        if len(ids) < len(clients) or len(server.found(r"taken \d+")) < COINS:
            return False
        for client in clients:
            complete = [row for row in states(client).values() if set(ids.values()) <= set(row)]
            greetings = [text for _, text in chats(client) if text.startswith("Hi, ")]
            if len(complete) < STATES or len(greetings) < len(clients) - 1:
                return False
        return True

    def ask_for_health(self) -> None:
        """Health checks, on this server and where there is none."""
        asked = {what: (self.child(what, "--health-check", *words), code) for what, (words, code) in self.setup.checks.items()}
        for what, (child, code) in asked.items():
            got = child.end()
            self.check(got == code, f"health of {what}: exit code {got}\n{tail(child.text())}")
            self.children.remove(child)

    def stop(self, server: Child) -> None:
        """Sends the signal, or makes the file, that ends the server."""
        if os.name == "nt":
            self.stop_file.touch()
        else:
            # Ctrl+C reaches the script and the engine, SIGTERM the script alone.
            send = os.killpg if self.setup.stop == signal.SIGINT else os.kill
            send(server.process.pid, self.setup.stop)
        for child in self.children:
            code = child.end()
            self.check(code == 0, f"exit code {code} of {child.name}\n{tail(child.text())}")

    def compare(self, server: Child, clients: Sequence[Child]) -> None:
        """Looks at everybody's report."""
        ids = self.ids(server)
        for child in self.children:
            faults = [line for line in child.lines if any(fault in line for fault in FAULTS)]
            self.check(not faults, f"{child.name} printed: {faults[:3]}")
            told = child.found("closing: The server is shutting down.")
            self.check(len(told) == 1, f"{child.name} hears once that the server closes")
            sent, received = numbers(child, r"bytes (\d+) (\d+)")
            self.check(min(sent, received) > 1000, f"{child.name} counts its bytes: {sent}, {received}")
            final = [match[1] for match in child.found("scores (.*)")]
            wanted = [match[1] for match in server.found("scores (.*)")]
            self.check(len(final) == 1 and sorted_words(final) == sorted_words(wanted), f"scores of {child.name}: {final}")
        for client in clients:
            self.compare_client(server, client, ids)
        say(f"{len(states(server))} reports of the server; bytes: {[numbers(child, r'bytes (.+) (.+)') for child in self.children]}")

    def compare_client(self, server: Child, client: Child, ids: Dict[str, int]) -> None:
        """What one client has seen."""
        seen, real = states(client), states(server)
        common = sorted(set(seen) & set(real))
        self.check(len(common) >= STATES, f"{client.name} and the server report {len(common)} ticks in common")
        wrong = [tick for tick in common if not agree(seen[tick], real[tick])]
        self.check(not wrong, f"{client.name} sees other positions than the server in the ticks {wrong[:5]}")
        for name, player in ids.items():
            self.check(travelled(seen, player) > MOVED, f"{client.name} sees {name} move")
        others = {(ids[name], f"Hi, I am {name}!") for name in ids if name != client.name}
        heard = chats(client)
        self.check(others <= heard, f"{client.name} is greeted by each other client: {heard}, not {others}")
        greetings = {said for said in heard if said[1].startswith("Hi, ")}
        self.check(greetings == others, f"{client.name} hears no greeting of its own, or of somebody else: {greetings}")
        self.check({said[0] for said in heard} <= set(ids.values()), f"{client.name} knows all who chat: {heard}")
        pings = {int(match[1]): float(match[2]) for match in client.found(r"ping (-?\d+) ([\d.]+)")}
        measured = all(0.0 < pings.get(player, 0.0) < 5000.0 for player in ids.values())
        self.check(measured, f"{client.name} knows everybody's ping: {pings}")
        ended = client.found(r"ended: The server is shutting down\.")
        self.check(len(ended) == 1, f"{client.name} hears once that the connection has ended, and why")


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


def host_alone(home: Path) -> List[str]:
    """Problems of a host with nobody but bots; one check."""
    words = ["--host", "--bot", "--log", "--name", "Hedy", "--bots", "2", "--seconds", "4", "--port", str(free_port())]
    child = Child("host", [*find_godot4(), "--headless", "--path", str(PROJECT), "--", *words], home)
    try:
        code = child.end()
    finally:
        child.kill()
    joined = [match[1] for match in child.found(r"joined (-?\d+) .*")]
    scores = child.found("scores 1=.* -1=.* -2=.*")
    faults = [line for line in child.lines if any(fault in line for fault in FAULTS)]
    moved = travelled(states(child), 1) > MOVED
    if code == 0 and joined == ["1", "-1", "-2"] and scores and moved and not faults:
        return []
    return [f"a host alone with two bots: exit code {code}, joined {joined}\n{tail(child.text())}"]


def wrong_arguments(home: Path) -> List[str]:
    """Problems with how the arena refuses arguments; each is one check."""
    problems = []
    for words in (["--port", "0"], ["--compression", "best"], ["--sever"], ["--join"]):
        child = Child(" ".join(words), [*find_godot4(), "--headless", "--path", str(PROJECT), "--", *words], home)
        try:
            code = child.end()
        finally:
            child.kill()
        if code != 2 or words[0] not in child.text() and "best" not in child.text():
            problems.append(f"{child.name}: exit code {code}")
    return problems


def main() -> int:
    """Builds unless told not to, plays, and counts."""
    # A shell starts what it does not wait for with Ctrl+C ignored, and no child could hear it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--no-build", action="store_true", help="play with the library that is there")
    options = reader.parse_args()
    if not options.no_build:
        build(flags=["--locked"])
    prepare_project()
    passed, problems = 0, []
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="arena_") as folder:
        home = Path(folder)
        certificate = home / "godot" / "app_userdata" / "NetworkedMultiplayerENet" / "arena_server.crt"
        for setup in setups(certificate):
            game = Game(setup, home)
            game.play()
            passed += game.passed
            problems += game.problems
        others = [*host_alone(home), *wrong_arguments(home)]
        passed += 5 - len(others)
        problems += others
    for problem in problems:
        say(f"FAILED {problem}")
    say(f"{time.monotonic() - start:.0f} s\n{passed} passed, {len(problems)} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    main_guard(main)
