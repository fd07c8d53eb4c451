#!/usr/bin/env python3
"""Plays servers and clients over a path with a small MTU that tells nobody what it drops.

The path is this program, between two network namespaces of the test's own. It is what a router is that cuts datagrams
for a small link, but sends no word of those that may not be cut; and on request one behind which a firewall drops the
pieces. Without the addon's clients of Godot 3.6 or the rights for namespaces, that part is left out.

1. Pieces pass: nobody who may send them is lost, on a path with an MTU of 576.
2. Pieces are dropped: the clients and the server's log say that long datagrams get lost.
3. Pieces are dropped, and the server has a smaller `mtu`: nobody is lost, of Godot 3.6 neither.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import selectors
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from common import ScriptError, main_guard, say
from path_test import OURS, Company, Contestant, contestants

# Set in the namespace.
INSIDE = "NME_MTU_TEST_INSIDE"

NEAR, FAR = "10.9.0.1", "10.9.0.2"
DEVICES = ("mtu_near", "mtu_far")

# Of linux/if_tun.h: TUNSETIFF, and IFF_TUN | IFF_NO_PI.
SET_INTERFACE = 0x400454CA
PLAIN_TUN = 0x1001

IP_HEADER = 20
UDP_HEADER = 8
DONT_FRAGMENT = 0x4000
MORE_FRAGMENTS = 0x2000

# Seconds until all are connected, and of the traffic behind that.
JOINING = 60.0
PLAYING = 25.0
# Seconds more that connections may take to end.
ENDING = 40.0
# Clients of the addon and of Godot 3.6.
CLIENTS = 4
# Bytes of a long packet.
LONG = 1300


class SmallPath(threading.Thread):
    """Carries IPv4 between two devices, cuts what is longer than the MTU, and drops what may not be cut in silence."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ended = False
        self.mtu = 1500
        self.drops_pieces = False
        self.counts = {"passed": 0, "cut": 0, "not to be cut": 0, "pieces dropped": 0}
        self.devices = [self._open(name) for name in DEVICES]

    @staticmethod
    def _open(name: str) -> int:
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(device, SET_INTERFACE, struct.pack("16sH14x", name.encode(), PLAIN_TUN))
        return device

    def run(self) -> None:
        selector = selectors.DefaultSelector()
        for device, other in zip(self.devices, reversed(self.devices)):
            selector.register(device, selectors.EVENT_READ, other)
        while not self.ended:
            for key, _ in selector.select(0.2):
                with contextlib.suppress(BlockingIOError):
                    while True:
                        self._carry(os.read(key.fd, 65536), key.data)

    def _carry(self, packet: bytes, to: int) -> None:
        if packet[0] >> 4 != 4:
            return
        for piece in self._pieces(packet):
            with contextlib.suppress(BlockingIOError, OSError):
                os.write(to, piece)

    def _pieces(self, packet: bytes) -> List[bytes]:
        if len(packet) <= self.mtu:
            is_piece = struct.unpack_from("!H", packet, 6)[0] & (MORE_FRAGMENTS | 0x1FFF)
            if is_piece and self.drops_pieces:
                self.counts["pieces dropped"] += 1
                return []
            self.counts["passed"] += 1
            return [packet]
        if struct.unpack_from("!H", packet, 6)[0] & DONT_FRAGMENT:
            self.counts["not to be cut"] += 1
            return []
        self.counts["cut"] += 1
        if self.drops_pieces:
            self.counts["pieces dropped"] += 1
            return []
        step = (self.mtu - IP_HEADER) // 8 * 8
        body = packet[IP_HEADER:]
        first = struct.unpack_from("!H", packet, 6)[0]
        pieces = []
        for at in range(0, len(body), step):
            has_more = at + step < len(body) or bool(first & MORE_FRAGMENTS)
            pieces.append(piece_of(packet, body[at : at + step], (first & 0x1FFF) + at // 8, has_more))
        return pieces


def piece_of(packet: bytes, body: bytes, offset: int, has_more: bool) -> bytes:
    """A fragment of a packet without IP options."""
    header = bytearray(packet[:IP_HEADER])
    struct.pack_into("!H", header, 2, IP_HEADER + len(body))
    struct.pack_into("!H", header, 6, (MORE_FRAGMENTS if has_more else 0) | offset)
    struct.pack_into("!H", header, 10, 0)
    total = sum(struct.unpack("!10H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    struct.pack_into("!H", header, 10, total ^ 0xFFFF)
    return bytes(header) + body


class World(NamedTuple):
    """The path, and how a program is started behind it."""

    path: SmallPath
    behind: Sequence[str]


@contextlib.contextmanager
def world() -> Iterator[World]:
    far = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    try:
        own = os.readlink("/proc/self/ns/net")
        limit = time.monotonic() + 10
        while own == os.readlink(f"/proc/{far.pid}/ns/net"):
            if time.monotonic() > limit:
                raise ScriptError("no second network namespace")
            time.sleep(0.02)
        path = SmallPath()
        behind = ["nsenter", "--target", str(far.pid), "--net"]
        run("ip", "link", "set", DEVICES[1], "netns", str(far.pid))
        for prefix, device, address in (([], DEVICES[0], NEAR), (behind, DEVICES[1], FAR)):
            run(*prefix, "ip", "link", "set", "lo", "up")
            run(*prefix, "ip", "address", "add", f"{address}/24", "dev", device)
            run(*prefix, "ip", "link", "set", device, "mtu", "1500", "up")
        path.start()
        try:
            yield World(path, behind)
        finally:
            path.ended = True
            path.join()
    finally:
        far.kill()
        far.wait()


def run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ScriptError(f"{' '.join(words)}: {done.stderr.strip()}")


class Game(NamedTuple):
    """What is played over the path."""

    name: str
    path_mtu: int
    drops_pieces: bool
    # Of the addon's servers.
    mtu: Optional[int]
    # Godot 3.6 sends what may not be cut, so its clients send nothing long where that is the matter.
    old_clients_send_long: bool


GAMES = (
    Game("576, pieces pass", 576, False, None, False),
    Game("576, pieces dropped", 576, True, None, False),
    Game("1000, pieces dropped, mtu 972", 1000, True, 972, True),
)


def play(
    game: Game, place: World, servers: Sequence[Contestant], old: Optional[Contestant], folder: Path
) -> List[str]:
    """Each class has a server here, and clients behind the path. Problems."""
    for_ever = time.time() + 3600
    company = Company(folder, for_ever, for_ever)
    place.path.mtu = 1500
    place.path.drops_pieces = False
    place.path.counts = dict.fromkeys(place.path.counts, 0)
    clients: Dict[str, List[str]] = {server.name: [] for server in servers}
    long = f"--long={LONG}"
    try:
        for port, server in enumerate(servers, 4001):
            more = [f"--mtu={game.mtu}"] if game.mtu and server.name == OURS else []
            company.start(f"{server.name} server", server, "server", port, [long, *more])
            for i in range(CLIENTS):
                name = f"{server.name} client {i}"
                clients[server.name].append(name)
                company.start(name, behind(place, server), "client", port, [f"--address={NEAR}", long])
            for i in range(CLIENTS if old and server.name == OURS else 0):
                name = f"{server.name} client {CLIENTS + i} of {old.name}"
                clients[server.name].append(name)
                more = [long] if game.old_clients_send_long else []
                company.start(name, behind(place, old), "client", port, [f"--address={NEAR}", *more])
        limit = time.monotonic() + JOINING
        everyone = [(name, server) for server, names in clients.items() for name in names]
        while not all(company.times(name, "joined") for name, _ in everyone):
            if time.monotonic() > limit:
                missing = [name for name, _ in everyone if not company.times(name, "joined")]
                raise ScriptError(f"not joined within a minute: {missing}; {company.text(missing[0])[-300:]}")
            time.sleep(0.2)
        place.path.mtu = game.path_mtu
        place.path.drops_pieces = game.drops_pieces
        begin = time.time()
        time.sleep(PLAYING)
        limit = time.monotonic() + (ENDING if tells(game) else 0.0)
        while time.monotonic() < limit and not all(company.times(name, "lost") for name in clients[OURS]):
            time.sleep(0.2)
    finally:
        company.kill()
    lost = {}
    for server in servers:
        at = sorted(time - begin for time in company.times(f"{server.name} server", "lost"))
        lost[server.name] = at
        after = f", after {at[0]:.1f} to {at[-1]:.1f} s" if at else ""
        say(f"  {game.name:30} {server.name:8} {len(at)} of {len(clients[server.name])} lost{after}")
    counts = ", ".join(f"{count} {what}" for what, count in place.path.counts.items())
    say(f"  {game.name:30} on the path: {counts}")
    if tells(game):
        return check_reasons(company, clients[OURS])
    return [f"{game.name}: {len(lost[OURS])} of the addon's clients are lost"] if lost[OURS] else []


def tells(game: Game) -> bool:
    """Whether connections end, and the addon tells why."""
    return game.drops_pieces and game.mtu is None


def behind(place: World, contestant: Contestant) -> Contestant:
    return contestant._replace(command=[*place.behind, *contestant.command])


def check_reasons(company: Company, clients: Sequence[str]) -> List[str]:
    """The addon's clients and its server tell that long datagrams get lost."""
    problems = []
    own = [name for name in clients if " of " not in name]
    told = [name for name in own if "why Long datagrams got lost" in company.text(name)]
    warnings = company.text(f"{OURS} server").count("because long datagrams to it got lost")
    say(f"  {len(told)} of {len(own)} clients of the addon tell why, and the server warns {warnings} times")
    if len(told) != len(own):
        silent = next(name for name in own if name not in told)
        text = company.text(silent)[-300:]
        problems.append(f"{len(told)} of {len(own)} clients tell that long datagrams get lost: {text}")
    if warnings > 1 or (warnings == 0 and len(own) < len(clients)):
        problems.append(f"the server warns {warnings} times")
    return problems


def play_all(only: Optional[str]) -> int:
    cast = contestants()
    servers = [one for one in cast if one.name != "Godot 3"]
    old = next((one for one in cast if one.name == "Godot 3"), None)
    failed = 0
    games = [game for game in GAMES if only in (None, game.name)]
    with world() as place:
        for game in games:
            with tempfile.TemporaryDirectory(prefix="mtu_") as name:
                problems = play(game, place, servers, old, Path(name))
            failed += bool(problems)
            for problem in problems:
                say(f"FAILED: {problem}")
    say(f"\n{len(games) - failed} passed, {failed} failed")
    return 1 if failed else 0


def why_not() -> Optional[str]:
    """What is missing for namespaces with a path between them."""
    if not sys.platform.startswith("linux"):
        return "this needs Linux"
    missing = [tool for tool in ("ip", "nsenter", "unshare") if shutil.which(tool) is None]
    if missing:
        return f"there is no {', '.join(missing)}"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun cannot be opened"
    done = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"there are no namespaces: {done.stderr.strip()}"


NAMESPACE = ("unshare", "--user", "--map-root-user", "--net")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=[game.name for game in GAMES], help="play one of the games")
    only = parser.parse_args().only
    if INSIDE in os.environ:
        return play_all(only)
    problem = why_not()
    if problem:
        say(f"note: left out, {problem}\n\n0 passed, 0 failed")
        return 0
    command: Tuple[str, ...] = (*NAMESPACE, sys.executable, *sys.argv)
    return subprocess.run(command, env={**os.environ, INSIDE: "1"}, check=False).returncode


if __name__ == "__main__":
    main_guard(main)
