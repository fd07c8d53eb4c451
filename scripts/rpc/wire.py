"""Checks of bytes: what Godot 4 sends to a game of Godot 3.6 is what another game of Godot 3.6 sends, bit by bit.

Two networks beside each other, with the same nodes and the same orders: in each, one game calls, as server or as client, and the
other one only looks at packets.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, List, Tuple

from interop.runner import take_ports
from rpc.agent import Agent
from rpc.stage import Stage
from rpc.values import UNCLEAN, rset

NODE = "Game"
# What a client that knows the path answers.
CONFIRMATION = "03" + NODE.encode("ascii").hex() + "00"
# Ends what is compared.
LAST = b"hello".hex() + "00" + "01" + "04000000" + "04000000" + b"last".hex()

Packet = Tuple[int, str]


def begin(p: Stage, callers_serve: bool) -> None:
    """A server and a client in each network."""
    p.add(NODE, to=[p.four_caller, p.three_caller])
    for caller, watcher in pairs(p):
        (port,) = take_ports(1)
        server, client = (caller, watcher) if callers_serve else (watcher, caller)
        before = caller.position()
        p.open(server, True, port=port)
        p.open(client, False, port=port)
        caller.wait_for(before, "peer_connected", id=watcher.id)


begin_servers, begin_clients = (partial(begin, callers_serve=serve) for serve in (True, False))


def pairs(p: Stage) -> List[Tuple[Agent, Agent]]:
    """Each game that calls, with the one that looks."""
    return [(p.four_caller, p.four_watcher), (p.three_caller, p.three_watcher)]


def compare(p: Stage, do: Callable[[Agent, Agent], None], confirm: bool = False) -> List[Packet]:
    """What both that look get, which is the same."""
    found: List[List[Packet]] = []
    for caller, watcher in pairs(p):
        before = watcher.position()
        do(caller, watcher)
        caller.call(NODE, "rpc", "hello", "last")
        found.append(packets_until_last(watcher, before))
        if confirm:
            watcher.call("peer", "set_target_peer", caller.id)
            watcher.call("peer", "put_packet", {"bytes": CONFIRMATION})
    ours, theirs = found
    wrong = [f"{one} instead of {other}" for one, other in zip(ours, theirs) if one != other]
    assert not wrong, f"{len(wrong)} differ: {'; '.join(wrong[:3])}"
    assert len(ours) == len(theirs), f"{len(ours)} packets instead of {len(theirs)}: {ours[-1]}"
    return ours


def packets_until_last(watcher: Agent, before: int) -> List[Packet]:
    """As channel and bytes; who looks reads packets itself, so their order between channels may differ."""
    watcher.wait_for(before, "packet", channel=1)
    number = 1
    while True:
        line = watcher.wait_for(before, "packet", times=number)
        if LAST in line["bytes"]:
            break
        number += 1
    packets = [(one["channel"], one["bytes"]) for one in watcher.reports[before:] if one["event"] == "packet"]
    return sorted(packets, key=lambda packet: packet[0])


def calls_before_the_path_is_confirmed(p: Stage) -> None:
    """The announcement, and calls that carry the path."""
    def do(caller: Agent, watcher: Agent) -> None:
        caller.call(NODE, "rpc", "hello", 1)
        caller.call(NODE, "rpc_id", watcher.id, "everywhere", "two")
        caller.ask("call", **rset(caller, "score", 3))

    packets = compare(p, do, confirm=True)
    assert packets[0] == (1, "0201000000" + NODE.encode("ascii").hex() + "00"), f"announced as {packets[0]}"
    assert len(packets) == 5, f"{len(packets)} packets"


def calls_after_the_path_is_confirmed(p: Stage) -> None:
    """By id; the announcement is not repeated."""
    for caller, watcher in pairs(p):
        # The confirmation is on its way: calls are by id as soon as it has come.
        number = 0
        before = watcher.position()
        while True:
            number += 1
            caller.call(NODE, "rpc", "hello", "ping")
            if watcher.wait_for(before, "packet", times=number)["bytes"].startswith("0001000000"):
                break

    def do(caller: Agent, watcher: Agent) -> None:
        caller.call(NODE, "rpc", "hello", 1, "zwei", 2.5, None)
        caller.call(NODE, "rpc_id", watcher.id, "everywhere")
        caller.ask("call", **rset(caller, "score", "x", watcher.id))
        caller.call("api", "send_bytes", {"bytes": "010203"})

    packets = compare(p, do)
    assert len(packets) == 5, f"{len(packets)} packets"


def every_type(p: Stage) -> None:
    """Each sample as argument and as value. Godot 3.6 pads strings of node paths with what was there before."""
    names = [name for name in p.three_caller.ask("samples") if UNCLEAN not in name]

    def do(caller: Agent, watcher: Agent) -> None:
        for name in names:
            caller.call(NODE, "rpc", "hello", {"sample": name})
            caller.ask("call", **rset(caller, "any_value", {"sample": name}))

    packets = compare(p, do)
    assert len(packets) == 2 * len(names) + 1, f"{len(packets)} packets for {len(names)} samples"


def channels(p: Stage) -> None:
    """Reliable ones are on 1, unreliable ones on 2, and others where the peer or `@rpc` says."""
    def do(caller: Agent, watcher: Agent) -> None:
        three = caller.is_godot3
        caller.call(NODE, "rpc_unreliable" if three else "rpc", "shout", 1)
        caller.ask("call", **rset(caller, "score", 2, unreliable="_unreliable"))
        with_channel(caller, three, lambda: caller.call(NODE, "rpc", "on_channel_2", 3))
        with_channel(caller, True, lambda: caller.call(NODE, "rpc", "hello", 4))

    packets = compare(p, do)
    found = [channel for channel, _ in packets]
    assert found == [1, 2, 2, 2, 2], f"channels {found}"


def with_channel(caller: Agent, by_property: bool, do: Callable[[], Any]) -> None:
    """Calls while the peer's property names the second channel."""
    if by_property:
        caller.set("peer", "transfer_channel", 2)
    do()
    if by_property:
        caller.set("peer", "transfer_channel", -1)


ALL = [calls_before_the_path_is_confirmed, calls_after_the_path_is_confirmed, every_type, channels]
