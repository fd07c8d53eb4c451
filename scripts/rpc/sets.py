"""Checks of what is no call: properties that are set, and plain bytes."""

from __future__ import annotations

from rpc.agent import Agent, until
from rpc.calls import RETRY
from rpc.stage import Stage, setting
from rpc.values import rset


def rset_to_all_and_to_one(p: Stage) -> None:
    """Setters run on the others, and not here."""
    for sender in p.pair:
        target = p.others(sender)[0]
        with p.watch() as seen:
            sender.ask("call", **rset(sender, "score", 5))
            sender.ask("call", **rset(sender, "score", "six", target.id))
        lines = [setting("Game.score", value, by=sender) for value in (5, "six")]
        seen.expect({other: lines if other is target else lines[:1] for other in p.others(sender)}, sender.name)
        assert target.get("Game", "score") == "six", f"{target.name} has another value"


def rset_unreliable(p: Stage) -> None:
    """Is sent again until it came."""
    for sender in p.pair:
        for target in (0, p.others(sender)[0].id):
            before = {one.name: one.position() for one in p.online}
            value = f"unreliable {target}"
            receivers = [one for one in p.others(sender) if target in (0, one.id)]

            def has_come(sender: Agent = sender, target: int = target) -> bool:
                sender.ask("call", **rset(sender, "score", value, target, unreliable="_unreliable"))
                try:
                    for other in receivers:
                        other.wait_for(before[other.name], "set", RETRY, sender=sender.id, value=value)
                except AssertionError:
                    return False
                return True

            until(f"{sender.name}: the value reaches all", has_come)


def properties_without_a_mode_are_refused(p: Stage) -> None:
    """An error names the property, and it keeps its value."""
    for sender, target in (p.pair, p.pair[::-1]):
        with p.watch() as seen:
            sender.ask("call", **rset(sender, "name", "Stolen", target.id))
            sender.ask("call", **rset(sender, "script", None, target.id))
            sender.ask("call", **rset(sender, "score", 7, target.id))
        seen.expect({target: [setting("Game.score", 7, by=sender)]}, sender.name)
        target.take_complaint("name")
        target.take_complaint("script")


def plain_bytes(p: Stage) -> None:
    """`send_bytes` comes out of the signal for packets, to all and to one."""
    for sender in p.pair:
        target = p.others(sender)[0]
        with p.watch() as seen:
            sender.call("api", "send_bytes", {"bytes": "010203"})
            sender.call("api", "send_bytes", {"bytes": "00ff"}, target.id)
        lines = [f"{text} from {sender.name}" for text in ("010203", "00ff")]
        seen.expect({other: lines if other is target else lines[:1] for other in p.others(sender)}, sender.name)


ALL = [rset_to_all_and_to_one, rset_unreliable, properties_without_a_mode_are_refused, plain_bytes]
