"""Checks of coming and going: a client that comes back, calls on arrival, and a server that goes and comes back."""

from __future__ import annotations

from rpc.agent import Agent
from rpc.calls import rpc_to_all, rpc_to_one
from rpc.sets import rset_to_all_and_to_one
from rpc.stage import Stage


def begin(p: Stage) -> None:
    """Everyone greets whoever arrives."""
    p.add("Game")
    p.start(greets=True)


def greetings(p: Stage, arrived: Agent, before: dict) -> None:
    """All that reach the new one have called it when they saw it, and it has called them."""
    for other in p.others(arrived):
        for sender, target in ((arrived, other), (other, arrived)):
            target.wait_for(before[target.name], "call", method="hello", sender=sender.id, arguments=["welcome"])


def calls_during_peer_connected_arrive(p: Stage) -> None:
    """In both directions, from the first frame on."""
    before = {agent.name: 0 for agent in p.online}
    for agent in p.online[1:]:
        greetings(p, agent, before)


def a_client_that_comes_back(p: Stage) -> None:
    """What it has confirmed before is forgotten, so calls work both ways as on the first day."""
    for client in p.online[1:]:
        old = client.id
        for agent in p.online:
            agent.call("Game", "rpc", "hello", "before")
        p.settle()
        p.leave(client)
        p.settle()
        before = {agent.name: agent.position() for agent in p.agents.values()}
        p.join(client, greets=True)
        assert client.id != old, f"{client.name} has its old id"
        greetings(p, client, before)
        p.settle()
        rpc_to_all(p)


def a_client_that_is_killed(p: Stage) -> None:
    """Is missed by all in the end, and nobody else is. Its game starts anew, and calls work as on the first day."""
    victim = p.online[1]
    for agent in p.online:
        agent.call("Game", "rpc", "hello", "before")
    p.settle()
    left = victim.complaints()
    assert not left, f"{victim.name}: {left}"
    p.lose(victim)
    rpc_to_all(p)
    fresh = p.restart(victim)
    p.add("Game", to=[fresh])
    before = {agent.name: agent.position() for agent in p.agents.values()}
    p.join(fresh, greets=True)
    greetings(p, fresh, before)
    p.settle()
    rpc_to_all(p)
    rpc_to_one(p)


def a_server_that_comes_back(p: Stage) -> None:
    """Clients are told that it has gone, and start anew when it is back on its port."""
    server, *clients = p.online
    p.leave(server)
    for agent in p.agents.values():
        if not agent.is_godot3:
            assert agent.call("api", "get_peers")[1:] == [], f"{agent.name} still has peers"
    before = {agent.name: agent.position() for agent in p.agents.values()}
    p.host(server, greets=True)
    for client in clients:
        p.join(client, greets=True)
    for client in clients:
        greetings(p, client, before)
    p.settle()
    rpc_to_all(p)
    rpc_to_one(p)
    rset_to_all_and_to_one(p)


def a_client_that_is_thrown_out(p: Stage) -> None:
    """`disconnect_peer` of the server's API or peer; the others are told."""
    server, victim = p.online[0], p.online[1]
    before = {agent.name: agent.position() for agent in p.agents.values()}
    server.call("peer" if server.is_godot3 else "api", "disconnect_peer", victim.id)
    victim.wait_for(before[victim.name], "server_disconnected")
    for other in p.online:
        if other is not victim:
            other.wait_for(before[other.name], "peer_disconnected", id=victim.id)
    victim.ask("leave")
    p.online.remove(victim)
    before = {agent.name: agent.position() for agent in p.agents.values()}
    p.join(victim, greets=True)
    greetings(p, victim, before)
    p.settle()
    rpc_to_all(p)


def calls_without_a_peer(p: Stage) -> None:
    """Are an error, as in both engines. With the peer for games offline, the local part runs."""
    four = p.four
    p.leave(four)
    before = four.position()
    error = four.call("Game", "rpc", "everywhere", "nobody")
    assert error != 0, "no error"
    four.take_complaint("multiplayer_peer")
    four.set("api", "multiplayer_peer", {"new": "OfflineMultiplayerPeer"})
    four.call("Game", "rpc", "everywhere", "alone")
    line = four.wait_for(before, "call", method="everywhere")
    assert line["arguments"] == ["alone"] and line["sender"] == 1, f"called {line}"
    assert four.call("api", "is_server") is True, "not its own server"


ALL = [
    calls_during_peer_connected_arrive, a_client_that_comes_back, a_server_that_comes_back,
    a_client_that_is_thrown_out, calls_without_a_peer,
]
# Takes as long as it takes to miss a peer.
SLOW = [a_client_that_is_killed]
