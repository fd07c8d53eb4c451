#!/usr/bin/env python3
"""Plays the classes of both engines and the addon's at once over the same path, which changes meanwhile.

The path is a forwarder between two UDP ports of this machine, so it needs no rights. Each class has a server and a
client, in processes of their own, which send each other 60 unreliable packets a second. Of the addon's, no fewer may
arrive than of the engines'. Then clients are stopped: the addon's server may not give them up sooner than those of
the engines, and a client that goes on is told at once. Last, a client of the addon and one of Godot 3.6 send large
reliable packets to a server of Godot 3.6 over a path of 100 ms there and back.
"""

from __future__ import annotations

import argparse
import heapq
import os
import random
import selectors
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from common import PROJECT, ScriptError, main_guard, say
from engines import find_godot3, find_godot4
from godot3_project import godot3_words

OURS = "addon"

# Seconds: until everyone is connected and settled, of the changed path, and for what is late.
START = 8.0
CHANGED = 20.0
LATE = 2.0

# The share that chance may take: processes do not begin and end a frame at the same time.
CHANCE = 0.01

# Seconds that a client is stopped; a server gives up after 5 to 10.3 on a short path.
STOPPED = 24.0
STOPPED_CLIENTS = 4
# Seconds from the last one's joining until they are stopped.
SETTLED = 4.0
# Times out are multiples of round trips that depend on how frames meet: seconds that medians may differ by.
SCATTER = 1.0
# Seconds after which a client that goes on has to know.
PROMPT = 2.0

# Datagrams that the path takes from one socket before it looks at the others.
MOST_AT_ONCE = 64

# Reliable packets to a server of Godot 3.6: seconds one way, seconds of sending, and bytes of a packet.
BULK_DELAY = 0.05
BULK_TIME = 15.0
BULK_PACKET = 262_144
# Times as fast as the engine's own, even on a machine that has other work.
BULK_GAIN = 2.0


class Course(NamedTuple):
    """The one-way delay in seconds, as a function of the seconds since the change and a random number."""

    name: str
    before: Callable[[float], float]
    after: Callable[[float], float]


PATHS = (
    Course("60 ms more", lambda _: 0.01, lambda _: 0.04),
    Course("0 to 100 ms", lambda _: 0.0, lambda _: 0.05),
    Course("300 ± 100 ms", lambda _: 0.0, lambda chance: 0.1 + 0.1 * chance),
)


class Forwarder(threading.Thread):
    """Carries datagrams between clients and servers, and delays them."""

    def __init__(self, delay: Callable[[], float]) -> None:
        super().__init__(daemon=True)
        self.delay = delay
        self.selector = selectors.DefaultSelector()
        self.waiting: List[Tuple[float, int, socket.socket, bytes, Tuple[str, int]]] = []
        self.count = 0
        self.ended = False

    def between(self, server: int) -> int:
        """The port that leads to a server's."""
        front, back = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for one in (front, back):
            one.bind(("127.0.0.1", 0))
            one.setblocking(False)
            # A window may come at once. The system gives as much of it as it permits.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        client: List[Tuple[str, int]] = []
        self.selector.register(front, selectors.EVENT_READ, (back, [("127.0.0.1", server)], client))
        self.selector.register(back, selectors.EVENT_READ, (front, client, []))
        return int(front.getsockname()[1])

    def run(self) -> None:
        while not self.ended:
            now = time.monotonic()
            while self.waiting and self.waiting[0][0] <= now:
                _, _, out, datagram, to = heapq.heappop(self.waiting)
                out.sendto(datagram, to)
            pause = min(0.05, self.waiting[0][0] - now) if self.waiting else 0.05
            for key, _ in self.selector.select(max(0.0, pause)):
                self.take(*key.data, key.fileobj)
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]

    def take(self, out: socket.socket, to: list, seen: list, came: socket.socket) -> None:
        """Takes what has come to a socket, for the place that the other one sends to."""
        for _ in range(MOST_AT_ONCE):
            try:
                datagram, sender = came.recvfrom(4096)
            except OSError:
                return
            seen[:] = [sender]
            if to:
                self.count += 1
                due = time.monotonic() + self.delay()
                heapq.heappush(self.waiting, (due, self.count, out, datagram, to[0]))


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


def free_ports(count: int) -> List[int]:
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def play_path(path: Course, cast: Sequence[Contestant], folder: Path) -> List[str]:
    """The share that arrives, of each class; problems."""
    begin = time.time()
    change = time.monotonic() + START
    chance = random.Random(1)
    forwarder = Forwarder(
        lambda: (path.before if time.monotonic() < change else path.after)(chance.random())
    )
    company = Company(folder, begin + START + CHANGED, begin + START + CHANGED + LATE)
    ports = free_ports(len(cast))
    entries = [forwarder.between(port) for port in ports]
    forwarder.start()
    for contestant, port in zip(cast, ports):
        company.start(f"{contestant.name} server", contestant, "server", port)
    for contestant, port in zip(cast, entries):
        company.start(f"{contestant.name} client", contestant, "client", port)
    company.finish(START + CHANGED + LATE + 20)
    forwarder.ended = True
    forwarder.join()
    shares = {}
    for contestant in cast:
        ends = [company.totals(f"{contestant.name} {role}") for role in ("server", "client")]
        sent, received = (sum(end[i] for end in ends) for i in (0, 1))
        shares[contestant.name] = received / max(1, sent)
        say(f"  {path.name:14} {contestant.name:8} {received:5} of {sent:5} arrive, {shares[contestant.name]:.2%}")
    best = max(share for name, share in shares.items() if name != OURS)
    if shares[OURS] < best - CHANCE:
        return [f"{path.name}: {shares[OURS]:.2%} of the addon's packets arrive, {best:.2%} of an engine's"]
    return []


def play_silence(cast: Sequence[Contestant], folder: Path) -> List[str]:
    """Clients are stopped for longer than servers wait."""
    for_ever = time.time() + 3600
    company = Company(folder, for_ever, for_ever)
    try:
        for contestant, port in zip(cast, free_ports(len(cast))):
            company.start(f"{contestant.name} server", contestant, "server", port)
            for i in range(STOPPED_CLIENTS):
                company.start(f"{contestant.name} client {i}", contestant, "client", port)
        limit = time.monotonic() + 60
        while any(len(company.times(f"{one.name} server", "joined")) < STOPPED_CLIENTS for one in cast):
            if time.monotonic() > limit:
                raise ScriptError("not every client has joined within a minute")
            time.sleep(0.2)
        time.sleep(SETTLED)
        clients = [process for name, process in company.running.items() if " client " in name]
        for process in clients:
            process.send_signal(signal.SIGSTOP)
        stopped = time.time()
        time.sleep(STOPPED)
        for process in clients:
            process.send_signal(signal.SIGCONT)
        going_on = time.time()
        time.sleep(3 * PROMPT)
    finally:
        company.kill()
    medians = {}
    problems = []
    for contestant in cast:
        waits = sorted(at - stopped for at in company.times(f"{contestant.name} server", "lost"))
        if len(waits) != STOPPED_CLIENTS or waits[-1] > STOPPED:
            problems.append(f"{contestant.name}: {len(waits)} of {STOPPED_CLIENTS} clients were given up: {waits}")
            continue
        medians[contestant.name] = statistics.median(waits)
        say(f"  stopped clients {contestant.name:8} given up after {', '.join(f'{wait:.2f}' for wait in waits)} s")
    soonest = min((wait for name, wait in medians.items() if name != OURS), default=0.0)
    if OURS in medians and medians[OURS] < soonest - SCATTER:
        problems.append(f"the addon gives up after {medians[OURS]:.2f} s, an engine after {soonest:.2f} s")
    for i in range(STOPPED_CLIENTS):
        told: Optional[float] = next(iter(company.times(f"{OURS} client {i}", "lost")), None)
        if told is not None:
            say(f"  a client of the addon goes on: told after {told - going_on:.2f} s")
        if told is None or told > going_on + PROMPT:
            after = "never" if told is None else f"after {told - going_on:.2f} s"
            problems.append(f"a client that goes on was told {after} that it has been given up")
    return problems


def play_bulk(cast: Sequence[Contestant], folder: Path) -> List[str]:
    """How fast large reliable packets get to a server of Godot 3.6."""
    sides = {contestant.name: contestant for contestant in cast}
    until = time.time() + BULK_TIME + 4
    company = Company(folder, until, until, "--bulk=1")
    forwarder = Forwarder(lambda: BULK_DELAY)
    senders = [sides[OURS], sides["Godot 3"]]
    ports = free_ports(len(senders))
    entries = [forwarder.between(port) for port in ports]
    forwarder.start()
    for sender, port in zip(senders, ports):
        company.start(f"server of {sender.name}", sides["Godot 3"], "server", port)
    for sender, port in zip(senders, entries):
        company.start(sender.name, sender, "client", port)
    company.finish(BULK_TIME + 20)
    forwarder.ended = True
    forwarder.join()
    speeds = {}
    for sender in senders:
        arrivals = company.times(f"server of {sender.name}", "bulk")
        begin = next(iter(company.times(f"server of {sender.name}", "joined")), 0.0)
        if not arrivals:
            return [f"{sender.name}: nothing arrives; {company.text(sender.name)[-300:]}"]
        speeds[sender.name] = len(arrivals) * BULK_PACKET / (arrivals[-1] - begin) / 1e6
        say(f"  bulk to 3.6, 100 ms {sender.name:8} {speeds[sender.name]:.2f} MB/s, {len(arrivals)} packets")
    if speeds[OURS] < BULK_GAIN * speeds["Godot 3"]:
        return [f"the addon sends {speeds[OURS]:.2f} MB/s, the engine {speeds['Godot 3']:.2f}"]
    return []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("paths", "silence", "bulk"), help="play a part")
    only = parser.parse_args().only
    cast = contestants()
    games: List[Callable[[Path], List[str]]] = [
        (lambda folder, path=path: play_path(path, cast, folder)) for path in PATHS  # type: ignore[misc]
    ]
    if only in ("silence", "bulk"):
        games.clear()
    if only in ("paths", "bulk"):
        pass
    elif hasattr(signal, "SIGSTOP"):
        games.append(lambda folder: play_silence(cast, folder))
    else:
        say("note: this system cannot stop processes, so silence is not played")
    if only not in ("paths", "silence") and any(contestant.name == "Godot 3" for contestant in cast):
        games.append(lambda folder: play_bulk(cast, folder))
    failed = 0
    for game in games:
        with tempfile.TemporaryDirectory(prefix="path_") as name:
            problems = game(Path(name))
        failed += bool(problems)
        for problem in problems:
            say(f"FAILED: {problem}")
    say(f"\n{len(games) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    main_guard(main)
