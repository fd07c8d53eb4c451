"""Checks below the calls: compression, encryption, a thread of its own for the peer, and more channels."""

from __future__ import annotations

from typing import Any, Dict

from dtls.certificates import fixtures
from dtls.processes import Program
from godot3_project import godot3_words
from interop.runner import take_ports
from rpc.calls import rpc_to_all, rpc_to_one
from rpc.sets import plain_bytes, rset_to_all_and_to_one
from rpc.stage import Stage, call

# Values of `compression_mode`, which are the same in both engines.
COMPRESSION = {"none": 0, "range coder": 1, "FastLZ": 2, "zlib": 3, "Zstandard": 4}
# More than fits into one datagram, and less than a minute's traffic.
LONG_TEXT = "Spieler " * 2500
# Its certificate is for this name, and clients connect to an address.
HOST = "localhost"


def begin(p: Stage) -> None:
    """Each check starts the connection anew."""
    p.add("Game")


def a_game_that_has_never_been_online(p: Stage) -> None:
    """Is its own server, and runs the local part of its calls."""
    four = p.four
    assert four.call("api", "is_server") is True, "not its own server"
    assert four.call("api", "get_unique_id") == 1, "another id than 1"
    before = four.position()
    four.call("Game", "rpc", "everywhere", 1)
    line = four.wait_for(before, "call", method="everywhere")
    assert line["sender"] == 1, f"the sender is {line['sender']}"


def works(p: Stage, what: str, **details: Any) -> None:
    """Starts with these settings, calls both ways, and leaves."""
    p.start(**details)
    rpc_to_all(p)
    rpc_to_one(p)
    rset_to_all_and_to_one(p)
    plain_bytes(p)
    for sender in p.pair:
        target = p.others(sender)[0]
        with p.watch() as seen:
            sender.call("Game", "rpc_id", target.id, "hello", LONG_TEXT)
        seen.expect({target: [call("Game.hello", LONG_TEXT, by=sender)]}, f"{what}: a long text")
    p.leave(p.online[0])


def every_compression_mode(p: Stage) -> None:
    """What one engine packs, the other unpacks."""
    for name, value in COMPRESSION.items():
        works(p, name, peer={"compression_mode": value})


def many_channels(p: Stage) -> None:
    """A channel of `@rpc` that both peers have only when told so."""
    p.start(peer={"channel_count": 8})
    for sender in p.pair:
        target = p.others(sender)[0]
        before = target.position()
        if sender.is_godot3:
            sender.set("peer", "transfer_channel", 4)
        sender.call("Game", "rpc_id", target.id, "on_channel_4", 1)
        target.wait_for(before, "call", method="on_channel_4", sender=sender.id)
        if sender.is_godot3:
            sender.set("peer", "transfer_channel", -1)
    p.leave(p.online[0])


def encryption(p: Stage) -> None:
    """Our class has its own DTLS; a program stands beside Godot 3.6."""
    server, client = p.agents.values()
    identity = fixtures("godot4")["rsa_2048"]
    (beside,) = take_ports(1)
    details: Dict[str, Any] = {
        "dtls": {"key": str(identity.key), "certificate": str(identity.certificate), "host": HOST},
    }
    place = godot3_words("tests/dtls/terminator.gd")
    words = [f"--listen={beside}", f"--to={p.port}", f"--certificate={identity.certificate}"]
    words += [f"--key={identity.key}"] if server.is_godot3 else []
    program = Program("terminator", [*p.engines["3"], *place, *words], p.folder)
    try:
        program.wait_for("listening")
        p.host(server, **details)
        p.join(client, port=beside, **details)
        rpc_to_all(p)
        rset_to_all_and_to_one(p)
        assert program.said("established") == 1, "nobody went through the program that speaks DTLS"
        p.leave(server)
    finally:
        program.kill()


ALL = [a_game_that_has_never_been_online, every_compression_mode, many_channels, encryption]
THREADED = [every_compression_mode]
