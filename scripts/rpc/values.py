"""Checks of values: every type as argument and as property, there and back, and bytes on their own."""

from __future__ import annotations

from typing import Any, List

from rpc.agent import Agent, called, order
from rpc.stage import Stage, call, setting

# Godot 3.6 leaves what was in the buffer before where strings of node paths are padded.
UNCLEAN = "node_path"
# Godot 4's code for "an argument is wrong".
ERR_INVALID_PARAMETER = 31


def both_have_the_same_samples(p: Stage) -> None:
    """What follows compares values by their types and bits."""
    four, three = (agent.ask("samples") for agent in p.pair)
    assert len(four) > 60, f"few samples: {len(four)}"
    different = [name for name in four if four[name][0] != three[name][0]]
    assert not different, f"the samples differ: {different}"


def variants_there_and_back(p: Stage) -> None:
    """Every type arrives, and what the other side sends back is the same again."""
    samples = p.three.ask("samples")
    for sender, target in (p.pair, p.pair[::-1]):
        orders = [
            order("call", **called("Game", "rpc_id", target.id, "echo", name, {"sample": name})) for name in samples
        ]
        with p.watch(rounds=2) as seen:
            sender.ask("batch", orders=orders)
        compare(p, seen.lines(target), [call("Game.echo", name, samples[name][0], by=sender) for name in samples])
        compare(p, seen.lines(sender), [call("Game.echoed", name, samples[name][0], by=target) for name in samples])


def compare(p: Stage, got: List[str], wanted: List[str]) -> None:
    """Tells which are wrong, as all of them would be too long."""
    assert len(got) == len(wanted), f"{len(got)} calls instead of {len(wanted)}"
    wrong = [f"{one} instead of {other}" for one, other in zip(got, wanted) if one != other]
    assert not wrong, f"{len(wrong)} are wrong: {'; '.join(wrong[:3])}"


def variants_as_properties(p: Stage) -> None:
    """Every type is set by `rset`, and the setters run."""
    samples = p.three.ask("samples")
    for sender, target in (p.pair, p.pair[::-1]):
        orders = [order("call", **rset(sender, "any_value", {"sample": name}, target.id)) for name in samples]
        with p.watch() as seen:
            sender.ask("batch", orders=orders)
        wanted = [setting("Game.any_value", samples[name][0], by=sender) for name in samples]
        compare(p, seen.lines(target), wanted)


def rset(sender: Agent, prop: str, value: Any, target: int = 0, node: str = "Game", unreliable: str = "") -> Any:
    """How each engine sets a property of others."""
    if sender.is_godot3 and target:
        return called(node, f"rset{unreliable}_id", target, prop, value)
    if sender.is_godot3:
        return called(node, f"rset{unreliable}", prop, value)
    return called("api", f"rset{unreliable}", {"node": node}, prop, value, target)


def relatives_arrive(p: Stage) -> None:
    """Types that only Godot 4 has arrive as those that they resemble."""
    values = p.four.ask("relatives")
    names = [name for name in values if not name.endswith("_as")]
    with p.watch() as seen:
        for name in names:
            p.four.call("Game", "rpc_id", p.three.id, "hello", name, {"relative": name})
    compare(p, seen.lines(p.three), [call("Game.hello", name, values[f"{name}_as"][0], by=p.four) for name in names])


def values_without_a_counterpart_are_refused(p: Stage) -> None:
    """The error names the argument, and nothing is sent."""
    for name in p.four.ask("refused"):
        with p.watch() as seen:
            error = p.four.call("Game", "rpc", "hello", 1, {"refused": name})
        seen.expect({}, name)
        assert error == ERR_INVALID_PARAMETER, f"{name}: error {error}"
        p.four.take_complaint("argument 2 of hello")
        with p.watch() as seen:
            error = p.four.ask("call", **rset(p.four, "score", {"refused": name}))
        seen.expect({}, f"rset {name}")
        assert error == ERR_INVALID_PARAMETER, f"rset {name}: error {error}"
        p.four.take_complaint("score")


def objects_arrive_as_their_ids(p: Stage) -> None:
    """Neither side lets whole objects in without being told to."""
    for sender, target in (p.pair, p.pair[::-1]):
        before = target.position()
        sender.call("Game", "rpc_id", target.id, "hello", {"node": "Game"})
        line = target.wait_for(before, "call", method="hello", sender=sender.id)
        kind = line["arguments"][0]
        assert isinstance(kind, list) and kind[0] == "object_id", f"{target.name} has {line['arguments']}"


def whole_objects_where_they_are_allowed(p: Stage) -> None:
    """Once both sides say so; a resource that both engines have."""
    for agent in p.online:
        agent.set("api", "allow_object_decoding", True)
    for sender, target in (p.pair, p.pair[::-1]):
        before = target.position()
        sender.call("Game", "rpc_id", target.id, "hello", {"new": "Gradient"})
        line = target.wait_for(before, "call", method="hello", sender=sender.id)
        assert line["arguments"][0][:2] == ["object", "Gradient"], f"{target.name} has {line['arguments']}"
    for agent in p.online:
        agent.set("api", "allow_object_decoding", False)


def bytes_of_values(p: Stage) -> None:
    """`variant_to_bytes` gives what `var2bytes` of Godot 3.6 gives, and `bytes_to_variant` reads it."""
    four, three = (agent.ask("samples") for agent in p.pair)
    wrong = [name for name in three if UNCLEAN not in name and four[name][1] != three[name][1]]
    assert not wrong, f"other bytes: {wrong}"
    read = {name: p.four.call("api", "bytes_to_variant", {"bytes": three[name][1]}) for name in three}
    wrong = [name for name, value in read.items() if value != three[name][0]]
    assert not wrong, f"read as something else: {wrong}"


ALL = [
    both_have_the_same_samples, variants_there_and_back, variants_as_properties, relatives_arrive,
    values_without_a_counterpart_are_refused, objects_arrive_as_their_ids, whole_objects_where_they_are_allowed,
    bytes_of_values,
]
