"""Checks of a server for both dialects: a client of Godot 3.6 and plain clients of Godot 4 at once."""

from __future__ import annotations

import time

from rpc.agent import until
from rpc.stage import Stage, call

# Values of `default_peer_dialect`.
DETECT, GODOT_3, GODOT_4 = 0, 1, 2
# Seconds; a client that says nothing is taken for Godot 4 then, and not much later.
SILENCE = 2.0
TOO_LATE = SILENCE + 3.0


def begin(p: Stage) -> None:
    """The server alone; clients come in the checks."""
    p.add("Game")
    p.add("Arena", "arena", to=[p.server, p.silent, p.talkative])
    p.relay = False
    p.host(p.server, api={"default_peer_dialect": DETECT}, peer={"server_relay": False})


def a_client_of_godot_3_is_found_out(p: Stage) -> None:
    """By its answer to the probe, long before a silent one would be."""
    start = time.monotonic()
    p.join(p.old)
    assert time.monotonic() - start < SILENCE, "as late as a silent client"
    assert p.server.call("api", "get_peer_dialect", p.old.id) == GODOT_3, "taken for Godot 4"


def a_client_of_godot_4_that_calls_is_found_out(p: Stage) -> None:
    """By its first packet; the call itself is not lost."""
    before, start = p.server.position(), time.monotonic()
    p.join(p.talkative, greets=True)
    assert time.monotonic() - start < SILENCE, "as late as a silent client"
    assert p.server.call("api", "get_peer_dialect", p.talkative.id) == GODOT_4, "taken for Godot 3.6"
    p.server.wait_for(before, "call", method="hello", sender=p.talkative.id, arguments=["welcome"])


def a_silent_client_is_taken_for_godot_4(p: Stage) -> None:
    """It becomes visible late, and not before."""
    before = p.server.position()
    p.open(p.silent, False)
    start = time.monotonic()
    p.silent.wait_for(0, "peer_connected", id=1)
    p.online.append(p.silent)
    assert p.silent.id not in p.server.call("api", "get_peers"), "visible at once"
    p.server.wait_for(before, "peer_connected", id=p.silent.id, within=TOO_LATE)
    waited = time.monotonic() - start
    assert waited > SILENCE - 0.5, f"visible after {waited:.1f} s"
    assert p.server.call("api", "get_peer_dialect", p.silent.id) == GODOT_4, "taken for Godot 3.6"
    assert p.silent.id in p.server.call("api", "get_peers"), "not visible"


def calls_of_the_server_reach_both(p: Stage) -> None:
    """To all, to one, and to all but one."""
    clients = [p.old, p.talkative, p.silent]
    with p.watch() as seen:
        p.server.call("Game", "rpc", "hello", 1, "two")
        p.server.call("Game", "rpc", "from_master_everywhere", 3)
    lines = [call("Game.hello", 1, "two", by=p.server), call("Game.from_master_everywhere", 3, by=p.server)]
    seen.expect({p.server: lines[1:], **{client: lines for client in clients}})
    for chosen in clients:
        with p.watch() as seen:
            p.server.call("Game", "rpc_id", chosen.id, "hello", "you")
            p.server.call("Game", "rpc_id", -chosen.id, "hello", "others")
        others = [call("Game.hello", "others", by=p.server)]
        seen.expect({
            client: [call("Game.hello", "you", by=p.server)] if client is chosen else others for client in clients
        }, chosen.name)


def calls_of_both_reach_the_server(p: Stage) -> None:
    """With the right sender, also in the calls that they lead to."""
    for client in (p.old, p.talkative, p.silent):
        with p.watch(rounds=2) as seen:
            client.call("Game", "rpc_id", 1, "hello", {"bytes": "0102"}, 1.5)
            client.call("Game", "rpc_id", 1, "echo", "back", "text")
        seen.expect({
            p.server: [call("Game.hello", ["bytes", "0102"], ["float", "000000000000f83f"], by=client),
                       call("Game.echo", "back", "text", by=client)],
            client: [call("Game.echoed", "back", "text", by=p.server)],
        }, client.name)


def calls_in_calls_have_their_senders(p: Stage) -> None:
    """A client's call makes the server call all."""
    for client in (p.old, p.talkative):
        with p.watch(rounds=2) as seen:
            client.call("Game", "rpc_id", 1, "nested", 1)
        inner = call("Game.everywhere", "inner", by=p.server)
        nested = [call("Game.nested", 1, by=client), inner, call("Game.nested", "after", by=client)]
        seen.expect({one: nested if one is p.server else [inner] for one in p.online}, client.name)


def spawners_work_for_godot_4(p: Stage) -> None:
    """What the server spawns appears there, and its properties follow; Godot 3.6 is left alone."""
    p.server.call("Arena", "spawn", "thing")
    p.server.set("Arena/thing", "level", 5)
    for client in (p.talkative, p.silent):
        until(f"{client.name} has the thing", lambda: client.call("Arena", "has_node", "thing") is True, 5.0)
        until(f"{client.name} has its level", lambda: client.get("Arena/thing", "level") == 5, 5.0)
    p.server.call("Arena", "remove", "thing")
    for client in (p.talkative, p.silent):
        until(f"{client.name} has lost it", lambda: client.call("Arena", "has_node", "thing") is False, 5.0)
    assert not p.old.complaints(), f"Godot 3.6 says {p.old.complaints()[:1]}"


def clients_leave(p: Stage) -> None:
    """One of each; the server knows, and the rest goes on. One that comes back is found out anew."""
    for client in (p.old, p.silent):
        p.leave(client)
        assert client.id not in p.server.call("api", "get_peers"), f"{client.name} is still a peer"
    with p.watch() as seen:
        p.server.call("Game", "rpc", "hello", 1)
    seen.expect({p.talkative: [call("Game.hello", 1, by=p.server)]})
    p.join(p.old)
    with p.watch() as seen:
        p.server.call("Game", "rpc", "hello", 2)
    seen.expect({client: [call("Game.hello", 2, by=p.server)] for client in (p.talkative, p.old)})


def a_dialect_that_is_given(p: Stage) -> None:
    """By `default_peer_dialect`, so that nobody waits."""
    p.leave(p.server)
    p.host(p.server, api={"default_peer_dialect": GODOT_4}, peer={"server_relay": False})
    start = time.monotonic()
    p.join(p.silent)
    assert time.monotonic() - start < SILENCE, "waits though the dialect is given"
    with p.watch() as seen:
        p.server.call("Game", "rpc", "hello", 1)
    seen.expect({p.silent: [call("Game.hello", 1, by=p.server)]})
    p.leave(p.server)


def set_peer_dialect_ends_the_waiting(p: Stage) -> None:
    """A game that knows better need not wait for the answer of a silent peer."""
    p.host(p.server, api={"default_peer_dialect": DETECT}, peer={"server_relay": False})
    before, start = p.server.position(), time.monotonic()
    p.open(p.silent, False)
    p.silent.wait_for(0, "peer_connected", id=1)
    until("its dialect is set", lambda: p.server.call("api", "set_peer_dialect", p.silent.id, GODOT_4) == 0)
    # The server may not have seen it at the first tries.
    p.server.forgive("set_peer_dialect")
    p.server.wait_for(before, "peer_connected", id=p.silent.id)
    assert time.monotonic() - start < SILENCE, "waits though the dialect is given"
    p.online.append(p.silent)
    p.leave(p.server)


def a_relay_between_dialects_gives_one_warning(p: Stage) -> None:
    """Clients of different dialects cannot call each other, so the relay has to be off."""
    p.host(p.server, api={"default_peer_dialect": DETECT}, peer={"server_relay": True})
    assert p.server.forgive("server_relay") == 0, "warns before there is a reason"
    before = p.server.position()
    for client in (p.old, p.talkative):
        p.open(client, False)
        p.online.append(client)
        p.server.wait_for(before, "peer_connected", id=client.id)
    p.server.take_complaint("WARNING", "server_relay")
    p.leave(p.server)
    assert p.server.forgive("server_relay") == 0, "warns twice"


ALL = [
    a_client_of_godot_3_is_found_out, a_client_of_godot_4_that_calls_is_found_out,
    a_silent_client_is_taken_for_godot_4, calls_of_the_server_reach_both, calls_of_both_reach_the_server,
    calls_in_calls_have_their_senders, spawners_work_for_godot_4, clients_leave, a_dialect_that_is_given,
    set_peer_dialect_ends_the_waiting, a_relay_between_dialects_gives_one_warning,
]
