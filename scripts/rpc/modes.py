"""Checks of the RPC modes of Godot 3.6: who accepts a call and a set, and who runs it where it is made.

The same 210 calls and as many sets are made in each play:
one of Godot 3.6 alone, which shows that the rules here are those of the engine, and those with Godot 4.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Set

from rpc.agent import Agent, Line, called, order
from rpc.stage import Stage
from rpc.values import rset

MODES = ("remote", "master", "puppet", "remotesync", "mastersync", "puppetsync", "none")
# The nodes: of one the server is the master, of the other a client.
BY_SERVER, BY_CLIENT = "ByServer", "ByClient"


def begin(p: Stage) -> None:
    """Three games, and two nodes in each."""
    for agent in p.agents.values():
        p.add("Game", to=[agent])
        # Both ways to tell a mode have their turn.
        for name, by_node in ((BY_SERVER, True), (BY_CLIENT, False)):
            p.add(name, "modes", to=[agent], properties={"by_node": by_node})
    p.start()
    master = p.online[1]
    for agent in p.online:
        method = "set_network_master" if agent.is_godot3 else "set_multiplayer_authority"
        agent.call(BY_CLIENT, method, master.id)


def who_runs(p: Stage, mode: str, node: str, sender: Agent, target: int) -> Set[Agent]:
    """By the rules of Godot 3.6, from its class reference and what the engine does."""
    master = p.online[0] if node == BY_SERVER else p.online[1]
    is_master = sender is master
    here = mode in ("remotesync", "puppetsync", "mastersync") or (mode == "master" and is_master) or (
        mode == "puppet" and not is_master
    )
    here = here and (target in (0, sender.id) or (target < 0 and target != -sender.id))
    runs = {sender} if here else set()
    # A call to the master by itself goes nowhere else, unless one peer is named.
    if mode in ("master", "mastersync") and is_master and target <= 0:
        return runs
    for other in p.others(sender):
        is_meant = target in (0, other.id) or (target < 0 and target != -other.id and target != -sender.id)
        accepts = {
            "remote": True,
            "master": other is master,
            "puppet": other is not master and is_master,
            "none": False,
        }[mode.replace("sync", "")]
        if is_meant and accepts:
            runs.add(other)
    return runs


def targets(p: Stage, sender: Agent) -> Dict[str, int]:
    """All, one, itself, all but one, and all but itself."""
    first = p.others(sender)[0].id
    return {"all": 0, "one": first, "itself": sender.id, "not one": -first, "not itself": -sender.id}


def everyone_calls(p: Stage, kind: str) -> Optional[str]:
    """Makes all calls or sets, each with a word of its own, and compares who has run which."""
    before = {agent.name: agent.position() for agent in p.online}
    wanted: Dict[str, Set[str]] = {}
    for sender in p.online:
        orders: List[Line] = []
        for node in (BY_SERVER, BY_CLIENT):
            for mode in MODES:
                for what, target in targets(p, sender).items():
                    tag = f"{kind} {mode} of {node} by {sender.name} to {what}"
                    wanted[tag] = {one.name for one in who_runs(p, mode, node, sender, target)}
                    orders.append(order("call", **made(kind, sender, node, mode, tag, target)))
        sender.ask("batch", orders=orders)
    p.settle()
    ran: Dict[str, Set[str]] = {tag: set() for tag in wanted}
    for agent in p.online:
        for line in agent.reports[before[agent.name]:]:
            if line["event"] in ("call", "set"):
                ran[line["arguments"][0] if line["event"] == "call" else line["value"]].add(agent.name)
    wrong = [f"{tag}: {names(ran[tag])} instead of {names(wanted[tag])}" for tag in wanted if ran[tag] != wanted[tag]]
    return f"{len(wrong)} of {len(wanted)}: {'; '.join(wrong[:6])}" if wrong else None


def made(kind: str, sender: Agent, node: str, mode: str, tag: str, target: int) -> Any:
    """A call or a set, to all in the way that games do it."""
    if kind == "set":
        return rset(sender, f"v_{mode}", tag, target, node)
    return called(node, "rpc_id", target, f"m_{mode}", tag) if target else called(node, "rpc", f"m_{mode}", tag)


def names(found: Set[str]) -> str:
    """For a failure's text."""
    return ", ".join(sorted(found)) or "nobody"


def calls_run_where_they_do_in_godot_3(p: Stage) -> None:
    """All modes, for each master, sender and target."""
    problem = everyone_calls(p, "call")
    assert problem is None, str(problem)


def sets_run_where_they_do_in_godot_3(p: Stage) -> None:
    """The same for properties."""
    problem = everyone_calls(p, "set")
    assert problem is None, str(problem)


ALL = [calls_run_where_they_do_in_godot_3, sets_run_where_they_do_in_godot_3]
