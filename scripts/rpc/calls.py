"""Checks of calls: to whom, with what path, and what is refused. Most are played with each engine as the server."""

from __future__ import annotations

from rpc.agent import Agent, called, order, until
from rpc.stage import Stage, call

# Numbers of arguments. A call has one byte for that.
COUNTS = (0, 1, 75, 255)
TOO_MANY = 256
# Seconds between tries of what may be lost.
RETRY = 0.4
NOT_A_PEER = 77
# What Godot 3.6 prints besides the path.
NOT_FOUND = "Requested node was not found"


# --- To whom ----------------------------------------------------------------------------------------------


def rpc_to_all(p: Stage) -> None:
    """`rpc` reaches everyone else once."""
    for sender in p.online:
        with p.watch() as seen:
            sender.call("Game", "rpc", "hello", 1, "two", None, True)
        line = call("Game.hello", 1, "two", None, True, by=sender)
        seen.expect({other: [line] for other in p.others(sender)}, sender.name)


def rpc_to_one(p: Stage) -> None:
    """`rpc_id` reaches that peer only."""
    for sender in p.online:
        for target in p.others(sender):
            with p.watch() as seen:
                sender.call("Game", "rpc_id", target.id, "hello", target.name)
            seen.expect({target: [call("Game.hello", target.name, by=sender)]}, f"{sender.name} to {target.name}")


def rpc_to_all_but_one(p: Stage) -> None:
    """A negative target leaves that peer out."""
    for sender in p.online:
        for spared in p.others(sender):
            with p.watch() as seen:
                sender.call("Game", "rpc_id", -spared.id, "hello", "not you")
            line = call("Game.hello", "not you", by=sender)
            seen.expect({one: [line] for one in p.others(sender) if one is not spared}, f"not {spared.name}")


def a_peer_that_is_not_there(p: Stage) -> None:
    """Is an error, and so is the sender itself, and all but the sender; nothing is sent."""
    for sender in p.pair:
        for target in (NOT_A_PEER, sender.id, -sender.id):
            with p.watch() as seen:
                error = sender.call("Game", "rpc_id", target, "hello", 1)
            seen.expect({}, f"{sender.name} to {target}")
            assert sender.is_godot3 or error != 0, f"{sender.name} to {target}: no error"
            sender.take_complaint("ERROR")


def unreliable_calls_arrive(p: Stage) -> None:
    """In the transfer mode of `@rpc`, of `rpc_unreliable` and of `rpc_unreliable_id`; sent again until they came."""
    four, three = p.four, p.three
    ways = [(four, ["rpc", "shout"], p.others(four)), (four, ["rpc", "stream"], p.others(four))]
    if three.is_godot3:
        ways += [(three, ["rpc_unreliable", "shout"], p.others(three)), (three, ["rpc_unreliable_id", four.id, "shout"], [four])]
    for sender, words, receivers in ways:
        before = {one.name: one.position() for one in p.online}
        method = words[-1]

        def has_come(sender: Agent = sender, words: list = words, receivers: list = receivers) -> bool:
            sender.call("Game", *words, "!")
            try:
                for other in receivers:
                    other.wait_for(before[other.name], "call", RETRY, method=words[-1], sender=sender.id, arguments=["!"])
            except AssertionError:
                return False
            return True

        until(f"{sender.name}: {method} reaches all", has_come)


# --- Arguments --------------------------------------------------------------------------------------------


def numbers_of_arguments(p: Stage) -> None:
    """0, 1, 75 and 255 arguments arrive in order."""
    for agent in p.online:
        agent.ask("add_many", node="Many", counts=COUNTS)
    for sender, target in (p.pair, p.pair[::-1]):
        with p.watch() as seen:
            for count in COUNTS:
                sender.call("Many", "rpc_id", target.id, f"take_{count}", *range(count))
        seen.expect({target: [call(f"Many.take_{count}", *range(count), by=sender) for count in COUNTS]}, sender.name)


def too_many_arguments(p: Stage) -> None:
    """256 arguments are an error, and nothing is sent."""
    for sender in p.pair:
        with p.watch() as seen:
            error = sender.call("Many", "rpc", "take_255", *range(TOO_MANY))
        seen.expect({}, sender.name)
        assert sender.is_godot3 or error != 0, f"{sender.name}: no error"
        sender.take_complaint("ERROR")


def wrong_number_of_arguments(p: Stage) -> None:
    """Is an error at the receiver, and nothing else."""
    for sender, target in (p.pair, p.pair[::-1]):
        with p.watch() as seen:
            sender.call("Game", "rpc_id", target.id, "two", 1)
            sender.call("Game", "rpc_id", target.id, "two", 1, 2)
        seen.expect({target: [call("Game.two", 1, 2, by=sender)]}, sender.name)
        target.take_complaint("two")


# --- Paths ------------------------------------------------------------------------------------------------


def path_confirmed_and_not(p: Stage) -> None:
    """The first calls go by path, those after the confirmation by id; nothing else differs."""
    p.add("Fresh")
    for sender in p.pair:
        two = [order("call", **called("Fresh", "rpc", "hello", i)) for i in (1, 2)]
        with p.watch() as seen:
            sender.ask("batch", orders=two)
            p.settle()
            sender.call("Fresh", "rpc", "hello", 3)
        lines = [call("Fresh.hello", i, by=sender) for i in (1, 2, 3)]
        seen.expect({other: lines for other in p.others(sender)}, sender.name)


def one_of_two_has_confirmed(p: Stage) -> None:
    """A call to all goes by id to the one and by path to the other."""
    p.add("Half")
    for sender in p.pair:
        first = p.others(sender)[0]
        with p.watch() as seen:
            sender.call("Half", "rpc_id", first.id, "hello", 1)
            p.settle()
            sender.call("Half", "rpc", "hello", 2)
            p.settle()
            sender.call("Half", "rpc", "hello", 3)
        wanted = {other: [call("Half.hello", i, by=sender) for i in (2, 3)] for other in p.others(sender)}
        wanted[first].insert(0, call("Half.hello", 1, by=sender))
        seen.expect(wanted, sender.name)


def a_node_that_comes_back(p: Stage) -> None:
    """A node freed and added again under its name is called as before, in both directions."""
    p.add("Fickle")
    with p.watch() as seen:
        for sender in p.pair:
            sender.call("Fickle", "rpc", "hello", "before")
        p.settle()
        for agent in p.online:
            agent.ask("free", node="Fickle")
        p.add("Fickle", to=p.online)
        for sender in p.pair:
            sender.call("Fickle", "rpc", "hello", "after")
    seen.expect({
        one: [call("Fickle.hello", when, by=sender) for when in ("before", "after") for sender in p.pair
              if sender is not one] for one in p.online
    }, ordered=False)


def a_node_that_is_missing(p: Stage) -> None:
    """Is an error at the receiver; a later call arrives when the node is there."""
    for sender, target in (p.pair, p.pair[::-1]):
        name = f"Late{sender.name}"
        p.add(name, to=[sender])
        with p.watch() as seen:
            sender.call(name, "rpc_id", target.id, "hello", 1)
            p.settle()
            target.take_complaint(name)
            p.add(name, to=[target])
            sender.call(name, "rpc_id", target.id, "hello", 2)
        seen.expect({target: [call(f"{name}.hello", 2, by=sender)]}, sender.name)
        target.forgive(name)
        target.forgive(NOT_FOUND)


def names_of_nodes(p: Stage) -> None:
    """Spaces and letters of any language, below each other; and the root itself."""
    names = ["Player 1", "Spielerin Größe", "Level", "Level/世界 🎮", "Level/世界 🎮/a b", "."]
    for name in names:
        p.add(name)
    for sender in p.pair:
        with p.watch() as seen:
            for name in names:
                sender.call(name, "rpc", "hello", name)
        lines = [call(f"{name}.hello", name, by=sender) for name in names]
        seen.expect({other: lines for other in p.others(sender)}, sender.name)


def automatic_names_never_match(p: Stage) -> None:
    """The engines make different ones, so such a call is an error at the receiver only."""
    for sender, target in (p.pair, p.pair[::-1]):
        name = sender.ask("add", node="", script="player", automatic=True)
        assert "@" in name, f"the automatic name is {name}"
        with p.watch() as seen:
            sender.call(name, "rpc_id", target.id, "hello", 1)
            sender.call("Game", "rpc_id", target.id, "hello", 2)
        seen.expect({target: [call("Game.hello", 2, by=sender)]}, sender.name)
        target.take_complaint(name)
        target.forgive(name)
        target.forgive(NOT_FOUND)


# --- Methods ----------------------------------------------------------------------------------------------


def names_of_methods(p: Stage) -> None:
    """Letters outside of ASCII, which scripts of Godot 3.6 can call and not have; one that the sender does not have."""
    with p.watch() as seen:
        p.three.call("Game", "rpc_id", p.four.id, "grüße", 1)
        p.four.call("Game", "rpc_id", p.three.id, "only_in_3", 1)
    seen.expect({p.four: [call("Game.grüße", 1, by=p.three)], p.three: [call("Game.only_in_3", 1, by=p.four)]})


def methods_without_a_mode_are_refused(p: Stage) -> None:
    """One error names the method, and so it does for one that the receiver does not have."""
    for sender, target in (p.pair, p.pair[::-1]):
        methods = ["private", "queue_free"] + ([] if target.is_godot3 else ["only_in_3"])
        with p.watch() as seen:
            for method in methods:
                sender.call("Game", "rpc_id", target.id, method, *([1] if method != "queue_free" else []))
        seen.expect({}, sender.name)
        for method in methods:
            target.take_complaint(method)


def calls_of_the_authority(p: Stage) -> None:
    """`@rpc("authority")` is `puppet`; with `call_local`, it is `puppetsync`."""
    server, *clients = p.online
    with p.watch() as seen:
        server.call("Game", "rpc", "from_master", 1)
        server.call("Game", "rpc", "from_master_everywhere", 2)
    lines = [call("Game.from_master", 1, by=server), call("Game.from_master_everywhere", 2, by=server)]
    seen.expect({server: lines[1:], **{client: lines for client in clients}})
    client = clients[0]
    with p.watch() as seen:
        client.call("Game", "rpc", "from_master", 1)
        client.call("Game", "rpc", "from_master_everywhere", 2)
    here = [call("Game.from_master_everywhere", 2, by=client)]
    # Godot 3.6 runs a puppet call of a puppet where it is made.
    here = [call("Game.from_master", 1, by=client), *here] if client.is_godot3 else here
    seen.expect({client: here}, "not the authority")
    for other in p.others(client):
        other.take_complaint("from_master")
        other.forgive("from_master")


def calls_to_the_master(p: Stage) -> None:
    """A mode that only Godot 3.6 has, and `Node.rpc_config` carries."""
    server, *clients = p.online
    for client in clients:
        with p.watch() as seen:
            client.call("Game", "rpc_id", 1, "to_master", 1)
        seen.expect({server: [call("Game.to_master", 1, by=client)]}, client.name)
    with p.watch() as seen:
        server.call("Game", "rpc_id", clients[0].id, "to_master", 1)
    seen.expect({}, "to a puppet")
    clients[0].take_complaint("to_master")


def ids_of_senders(p: Stage) -> None:
    """In a call from elsewhere, in the local part of one's own, in a call within a call, and outside of all."""
    for sender, target in (p.pair, p.pair[::-1]):
        with p.watch(rounds=2) as seen:
            sender.call("Game", "rpc_id", target.id, "nested", 1)
            sender.call("Game", "rpc", "everywhere", 2)
        inner, outer = call("Game.everywhere", "inner", by=target), call("Game.everywhere", 2, by=sender)
        first, last = call("Game.nested", 1, by=sender), call("Game.nested", "after", by=sender)
        wanted = {one: [inner, outer] for one in p.online}
        wanted[target] = [first, inner, last, outer]
        seen.expect(wanted, sender.name, ordered=False)
        assert seen.lines(target) == wanted[target], f"{target.name}: {seen.lines(target)}"
    assert p.four.call("api", "get_remote_sender_id") == 0, "there is a sender outside of calls"


def second_channel(p: Stage) -> None:
    """A channel of `@rpc`, and one of the peer's property."""
    for sender, target in (p.pair, p.pair[::-1]):
        before = target.position()
        sender.call("Game", "rpc_id", target.id, "on_channel_2", 1)
        target.wait_for(before, "call", method="on_channel_2", sender=sender.id)
        sender.set("peer", "transfer_channel", 2)
        sender.call("Game", "rpc_id", target.id, "hello", "channel")
        target.wait_for(before, "call", method="hello", sender=sender.id, arguments=["channel"])
        sender.set("peer", "transfer_channel", -1)


def what_the_api_says(p: Stage) -> None:
    """Ids and peers are those that Godot 3.6 has."""
    four = p.four
    assert four.call("api", "get_unique_id") == four.id, "get_unique_id"
    assert four.call("api", "is_server") == (four is p.online[0]), "is_server"
    peers = four.call("api", "get_peers")
    assert sorted(peers[1:]) == sorted(one.id for one in p.others(four)), f"get_peers: {peers}"


TARGETS = [rpc_to_all, rpc_to_one, rpc_to_all_but_one, path_confirmed_and_not, one_of_two_has_confirmed, ids_of_senders]

ALL = [
    *TARGETS, a_peer_that_is_not_there, unreliable_calls_arrive, numbers_of_arguments, too_many_arguments,
    wrong_number_of_arguments, a_node_that_comes_back, a_node_that_is_missing, names_of_nodes,
    automatic_names_never_match, names_of_methods, methods_without_a_mode_are_refused, calls_of_the_authority,
    calls_to_the_master, second_channel, what_the_api_says,
]
