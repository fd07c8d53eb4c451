"""Checks of bytes: what Godot 4 sends to a client of Godot 3.6 is what a server of Godot 3.6 sends, bit by bit.

Two networks beside each other, with the same nodes and the same orders; the clients only look at packets.
"""

from __future__ import annotations

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


def begin(p: Stage) -> None:
    """A server and a client for each engine."""
    p.add(NODE, to=[p.four_server, p.three_server])
    for server, client in pairs(p):
        (port,) = take_ports(1)
        before = server.position()
        p.open(server, True, port=port)
        p.open(client, False, port=port)
        server.wait_for(before, "peer_connected", id=client.id)


def pairs(p: Stage) -> List[Tuple[Agent, Agent]]:
    """Each server with its client."""
    return [(p.four_server, p.four_client), (p.three_server, p.three_client)]


def compare(p: Stage, do: Callable[[Agent, Agent], None], confirm: bool = False) -> List[Packet]:
    """What both clients get, which is the same."""
    found: List[List[Packet]] = []
    for server, client in pairs(p):
        before = client.position()
        do(server, client)
        server.call(NODE, "rpc", "hello", "last")
        found.append(packets_until_last(client, before))
        if confirm:
            client.call("peer", "set_target_peer", 1)
            client.call("peer", "put_packet", {"bytes": CONFIRMATION})
    ours, theirs = found
    wrong = [f"{one} instead of {other}" for one, other in zip(ours, theirs) if one != other]
    assert not wrong, f"{len(wrong)} differ: {'; '.join(wrong[:3])}"
    assert len(ours) == len(theirs), f"{len(ours)} packets instead of {len(theirs)}: {ours[-1]}"
    return ours


def packets_until_last(client: Agent, before: int) -> List[Packet]:
    """As channel and bytes; the client reads packets itself, so their order between channels may differ."""
    client.wait_for(before, "packet", channel=1)
    number = 1
    while True:
        line = client.wait_for(before, "packet", times=number)
        if LAST in line["bytes"]:
            break
        number += 1
    packets = [(one["channel"], one["bytes"]) for one in client.reports[before:] if one["event"] == "packet"]
    return sorted(packets, key=lambda packet: packet[0])


def calls_before_the_path_is_confirmed(p: Stage) -> None:
    """The announcement, and calls that carry the path."""
    def do(server: Agent, client: Agent) -> None:
        server.call(NODE, "rpc", "hello", 1)
        server.call(NODE, "rpc_id", client.id, "everywhere", "two")
        server.ask("call", **rset(server, "score", 3))

    packets = compare(p, do, confirm=True)
    assert packets[0] == (1, "0201000000" + NODE.encode("ascii").hex() + "00"), f"announced as {packets[0]}"
    assert len(packets) == 5, f"{len(packets)} packets"


def calls_after_the_path_is_confirmed(p: Stage) -> None:
    """By id; the announcement is not repeated."""
    for server, client in pairs(p):
        # The confirmation is on its way: calls are by id as soon as it has come.
        number = 0
        before = client.position()
        while True:
            number += 1
            server.call(NODE, "rpc", "hello", "ping")
            if client.wait_for(before, "packet", times=number)["bytes"].startswith("0001000000"):
                break

    def do(server: Agent, client: Agent) -> None:
        server.call(NODE, "rpc", "hello", 1, "zwei", 2.5, None)
        server.call(NODE, "rpc_id", client.id, "everywhere")
        server.ask("call", **rset(server, "score", "x", client.id))
        server.call("api", "send_bytes", {"bytes": "010203"})

    packets = compare(p, do)
    assert len(packets) == 5, f"{len(packets)} packets"


def every_type(p: Stage) -> None:
    """Each sample as argument and as value. Godot 3.6 pads strings of node paths with what was there before."""
    names = [name for name in p.three_server.ask("samples") if UNCLEAN not in name]

    def do(server: Agent, client: Agent) -> None:
        for name in names:
            server.call(NODE, "rpc", "hello", {"sample": name})
            server.ask("call", **rset(server, "any_value", {"sample": name}))

    packets = compare(p, do)
    assert len(packets) == 2 * len(names) + 1, f"{len(packets)} packets for {len(names)} samples"


def channels(p: Stage) -> None:
    """Reliable ones are on 1, unreliable ones on 2, and others where the peer or `@rpc` says."""
    def do(server: Agent, client: Agent) -> None:
        three = server.is_godot3
        server.call(NODE, "rpc_unreliable" if three else "rpc", "shout", 1)
        server.ask("call", **rset(server, "score", 2, unreliable="_unreliable"))
        with_channel(server, three, lambda: server.call(NODE, "rpc", "on_channel_2", 3))
        with_channel(server, True, lambda: server.call(NODE, "rpc", "hello", 4))

    packets = compare(p, do)
    found = [channel for channel, _ in packets]
    assert found == [1, 2, 2, 2, 2], f"channels {found}"


def with_channel(server: Agent, by_property: bool, do: Callable[[], Any]) -> None:
    """Calls while the peer's property names the second channel."""
    if by_property:
        server.set("peer", "transfer_channel", 2)
    do()
    if by_property:
        server.set("peer", "transfer_channel", -1)


ALL = [calls_before_the_path_is_confirmed, calls_after_the_path_is_confirmed, every_type, channels]
