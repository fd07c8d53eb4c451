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


ALL = [changed_names]
