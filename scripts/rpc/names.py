"""Checks of names that a port has changed: of nodes, methods and properties."""

from __future__ import annotations

from rpc.stage import Stage, call, setting
from rpc.values import rset


def changed_names(p: Stage) -> None:
    """Tables of the API say what a name of Godot 4 is on the wire; the game of Godot 3.6 knows nothing of it."""
    four, three = p.pair
    four.call("api", "map_path", "Old", "New/Place")
    four.call("api", "map_method", "only_in_3", "shout")
    four.call("api", "map_property", "score", "any_value")
    for name in ("New", "New/Place", "New/Place/Below"):
        p.add(name, to=[four])
    for name in ("Old", "Old/Below"):
        p.add(name, to=[three])
    p.start()
    with p.watch() as seen:
        three.call("Old", "rpc", "hello", 1)
        three.call("Old/Below", "rpc", "only_in_3", 2)
        three.ask("call", **rset(three, "score", 3, node="Old"))
        four.call("New/Place", "rpc", "hello", 4)
        four.call("New/Place/Below", "rpc", "everywhere", 5)
        before = three.position()
        four.call("New/Place", "rpc", "shout", 7)
        three.wait_for(before, "call", method="only_in_3")
        four.ask("call", **rset(four, "any_value", 6, node="New/Place"))
    seen.expect({
        four: [
            call("New/Place.hello", 1, by=three), call("New/Place/Below.shout", 2, by=three),
            setting("New/Place.any_value", 3, by=three), call("New/Place/Below.everywhere", 5, by=four),
        ],
        three: [
            call("Old.hello", 4, by=four), call("Old/Below.everywhere", 5, by=four), call("Old.only_in_3", 7, by=four),
            setting("Old.score", 6, by=four),
        ],
    }, ordered=False)
    p.leave(p.online[0])


def another_root(p: Stage) -> None:
    """`root_path` is where paths begin: a part of the game of Godot 4 is the whole of the other one."""
    four, three = p.pair
    for name in ("World", "World/Shared"):
        p.add(name, to=[four])
    p.add("Shared", to=[three])
    p.start(api={"root_path": "/root/World"})
    before = {agent: agent.position() for agent in p.pair}
    for sender, target in ((four, three), (three, four)):
        node = {four: "World/Shared", three: "Shared"}
        sender.call(node[sender], "rpc", "hello", 1)
        line = target.wait_for(before[target], "call", method="hello")
        assert line["node"] == node[target], f"{target.name} was called at {line['node']}"
    # Nobody may reach what is outside.
    assert four.call("Game", "rpc", "hello", 2) != 0, "a call from outside of the root is no error"
    four.take_complaint("root")
    three.call("Game", "rpc", "hello", 3)
    four.take_complaint("Game")
    assert not any(line.get("arguments") == [3] for line in four.reports[before[four]:]), "called outside of the root"
    p.leave(p.online[0])
    four.set("api", "root_path", "/root")


ALL = [another_root, changed_names]
