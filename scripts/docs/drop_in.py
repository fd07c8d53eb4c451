"""The page about ENetMultiplayerPeer has the tables of scripts/try_drop_in.py, and a project goes through that."""

from __future__ import annotations

import os
import re
import subprocess
from typing import Iterator, List, Tuple

from common import ADDON, PROJECT, ScriptError, say, script, tail
from docs.examples import free_port
from drop_in.rules import BY_HAND, Line, peer_classes, replaced, tables

PAGE = ADDON / "docs" / "coming_from_enet_multiplayer_peer.md"
GAME = PROJECT / "tests" / "drop_in"
# Around the tables of the page, in their order.
MARKS = ("replaced", "left")
RUN_SECONDS = 300
NEW = "NetworkedMultiplayerENet"

# Lines of a script that names the class, and what becomes of them.
CASES: Tuple[Tuple[str, List[str]], ...] = (
    ("if p is ENetMultiplayerPeer:  # ENetMultiplayerPeer", [f"if p is {NEW}:  # ENetMultiplayerPeer"]),
    ("\tvar e := p as ENetMultiplayerPeer", [f"\tvar e := p as {NEW}"]),
    ("var all: Array[ENetPacketPeer] = []", [f"var all: Array[{NEW}Peer] = []"]),
    ("p.get_statistic(ENetPacketPeer.PEER_PACKET_LOSS)", ["p.get_statistic(ENetPacketPeer.PEER_PACKET_LOSS)"]),
    ("@export var m: ENetConnection.CompressionMode", ["@export var m: ENetConnection.CompressionMode"]),
    ("p.create_server(PORT, 16)", ["p.create_server(PORT, 16)"]),
    ("p.create_server(PORT, 16, 0, 1000)", ["p.create_server(PORT, 16, 1000)"]),
    ("p.create_server(PORT, 16, 1)", ["p.create_server(PORT, 16)"]),
    ("\tif p.create_server(PORT, f(1, 2), 5) != OK:", ["\tp.channel_count = 6", "\tif p.create_server(PORT, f(1, 2)) != OK:"]),
    ('p.create_client("a,b", 1, n, 0, 0, 7)', ["p.channel_count = clampi(n + 1, 3, 255)", 'p.create_client("a,b", 1, 0, 0, 7)']),
)
LEFT = ("elif p.create_server(1, 2, 5) == OK:", "p.create_server(1,", "peer.create_mesh(4)")


def check() -> Iterator[Tuple[str, List[str]]]:
    """One check for each thing."""
    wrong = [f"{old!r} becomes {replaced(old).new}" for old, new in CASES if replaced(old) != Line(new, "")]
    wrong += [f"{old!r} is not left" for old in LEFT if not replaced(old).problem]
    if replaced("p.create_server(1, 2)", channels=8).new[0] != "p.channel_count = 8":
        wrong.append("the channels of RPCs are not counted")
    call = "p.create_server(1, address, tls)"
    told = [replaced(call, peer_classes(text)).problem for text in ("", "WebSocketMultiplayerPeer or ENetMultiplayerPeer")]
    if told != [BY_HAND] * 2 or replaced(call, peer_classes("WebSocketMultiplayerPeer.new()")) != Line([call], ""):
        wrong.append("calls of other classes are not told apart")
    yield "lines that are replaced", wrong
    yield "a project that was written for ENetMultiplayerPeer", play()


def play() -> List[str]:
    """The small game, with buttons that have to be found; what went wrong."""
    done = subprocess.run(
        list(map(str, script("try_drop_in.py", GAME, "--seconds", "1"))), check=False, timeout=RUN_SECONDS,
        env={**os.environ, "NME_DROP_IN_PORT": str(free_port())}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
    )
    say(tail(done.stdout, 12))
    problems = [f"exit code {done.returncode}"] if done.returncode else []
    # Its client has this name once an RPC went there and back.
    runs = len(re.findall(r"^client: .* in Greeted_hello, 0 errors", done.stdout, re.MULTILINE))
    return problems + ([f"{runs} of 2 clients were greeted"] if runs != 2 else [])


def renewed() -> str:
    """The page with the newest tables."""
    page = PAGE.read_text(encoding="utf-8")
    for mark, table in zip(MARKS, tables()):
        begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
        if page.count(begin) != 1 or page.count(end) != 1:
            raise ScriptError(f"{PAGE.name} needs one {begin} and one {end}")
        page = re.sub(f"{begin}.*{end}", lambda _, b=begin, t=table, e=end: f"{b}\n{t}\n{e}", page, flags=re.DOTALL)
    return page


def write() -> int:
    """Renews the page."""
    PAGE.write_text(renewed(), encoding="utf-8")
    say(f"written: {PAGE.name}")
    return 0
