"""Who plays what. An agent's kind is its engine, and behind it what is special.

`3` is a game of Godot 3.6 with the engine's own classes, `3raw` one that only looks at packets. `4` is a game of
Godot 4 with our API over our peer, `4t` with a thread for the peer, `4engine` over the engine's own peer, `4part` for
a part of the tree only, and `4scene` has the engine's own API over our peer.
"""

from __future__ import annotations

from typing import Callable, Dict, List, NamedTuple, Sequence

from rpc import calls, lifecycle, mixed, modes, names, sets, transport, values, wire
from rpc.stage import Stage


class Play(NamedTuple):
    """Games that stay for several checks; starting engines takes longer than any check."""

    name: str
    # By name; the first one is the server.
    cast: Dict[str, str]
    # Sets the scene, once all have started.
    begin: Callable[[Stage], None]
    # Come one after the other, and each leaves things as it has found them.
    checks: Sequence[Callable[[Stage], None]]
    # Parts of lines about mistakes that are no failure.
    forgiven: Sequence[str] = ()


def start(p: Stage) -> None:
    """Everyone has the node Game and is connected."""
    p.add("Game")
    p.start()


# Refusals, of which the plays with all modes have hundreds.
REFUSALS = ("RPC", "RSET", "rpc", "rset", "Attempt to call", "peer", "remote")


def three(server: str, first: str, second: str) -> Dict[str, str]:
    """A server and two clients."""
    return {"server": server, "a": first, "b": second}


def all_plays() -> List[Play]:
    """The longest first."""
    everything = [*calls.ALL, *sets.ALL, *values.ALL]
    few = [*calls.TARGETS, calls.unreliable_calls_arrive, *sets.ALL]
    usual = [calls.rpc_to_all, calls.rpc_to_one, calls.unreliable_calls_arrive, *sets.ALL]
    mixed_cast = {"server": "4", "old": "3", "talkative": "4scene", "silent": "4scene"}
    wire_cast = {"four_caller": "4", "four_watcher": "3raw", "three_caller": "3", "three_watcher": "3raw"}
    two = {"server": "4", "a": "3"}
    return [
        Play("mixed", mixed_cast, mixed.begin, mixed.ALL),
        Play("server 4", three("4", "3", "3"), start, everything),
        Play("server 3", three("3", "4", "3"), start, everything),
        Play("a killed client of 3", three("4", "3", "4"), lifecycle.begin, lifecycle.SLOW),
        Play("a killed client of 4", three("3", "4", "4"), lifecycle.begin, lifecycle.SLOW),
        Play("lifecycle, server 4", three("4", "3", "3"), lifecycle.begin, lifecycle.ALL),
        Play("lifecycle, server 3", three("3", "4", "3"), lifecycle.begin, lifecycle.ALL),
        Play("lifecycle, threaded server", three("4t", "3", "4t"), lifecycle.begin, lifecycle.ALL),
        Play("relay through 4", three("4", "4", "3"), start, few),
        Play("relay through 3", three("3", "4", "4"), start, few),
        Play("modes, Godot 3 alone", three("3", "3", "3"), modes.begin, modes.ALL, REFUSALS),
        Play("modes, server 4", three("4", "3", "3"), modes.begin, modes.ALL, REFUSALS),
        Play("modes, server 3", three("3", "4", "3"), modes.begin, modes.ALL, REFUSALS),
        Play("modes, other client 4", three("3", "3", "4"), modes.begin, modes.ALL, REFUSALS),
        Play("wire, servers call", wire_cast, wire.begin_servers, wire.ALL),
        Play("wire, clients call", wire_cast, wire.begin_clients, wire.ALL),
        Play("transport, server 4", two, transport.begin, [*transport.ALL, *names.ALL]),
        Play("transport, server 3", {"server": "3", "a": "4"}, transport.begin, [*transport.ALL, *names.ALL]),
        Play("transport, threaded server", {"server": "4t", "a": "3"}, transport.begin, transport.THREADED),
        Play("transport, threaded client", {"server": "3", "a": "4t"}, transport.begin, transport.THREADED),
        Play("a part of the tree", {"server": "3", "a": "4part"}, start, usual),
        Play("engine's peer", {"server": "4engine", "a": "4engine"}, start, few),
    ]
