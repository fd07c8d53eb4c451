"""What a scenario's logs say, in a form that two engines can be compared by."""

from __future__ import annotations

import json
from typing import Any, Dict, List, NamedTuple, Optional, Set

from interop.payload import MODES, ORDERED, RELIABLE
from interop.scenario import Scenario

PREFIX = "@@ "
CONNECTING = "call get_connection_status() = 1"
FOREIGN_BIND = 'call set_bind_ip("203.0.113.7") = null'
DISCONNECTED = "call get_connection_status() = 0"
Raw = List[Dict[str, Any]]
Summary = Dict[str, Any]


class Run(NamedTuple):
    """The logs of one run, and which engine wrote each."""

    scenario: Scenario
    ports: List[int]
    engines: Dict[str, str]
    logs: Dict[str, Raw]


def parse(text: str) -> Raw:
    """The agent's lines out of what the engine printed."""
    return [json.loads(line[len(PREFIX):]) for line in text.splitlines() if line.startswith(PREFIX)]


# --- Names instead of numbers ---------------------------------------------------------------------


class Names:
    """Ids and ports differ from run to run; names take their place."""

    def __init__(self, run: Run) -> None:
        self.ids: Dict[int, str] = {}
        for name, log in run.logs.items():
            for event in log:
                if event["event"] == "id":
                    self.ids[int(event["id"])] = "server" if event["id"] == 1 else name
        self.ids.setdefault(1, "server")
        self.ports = {port: f"port {i}" for i, port in enumerate(run.ports)}

    def peer(self, number: Any) -> str:
        """A peer id, or what a broken engine reported as one."""
        return self.ids.get(int(number), f"unknown id {number}")

    def value(self, value: Any) -> Any:
        """The result of a call; small numbers are never ids or ports."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return value
        number = int(value) if value == int(value) else value
        if isinstance(number, int) and number > 1000:
            return self.ports.get(number) or self.ids.get(number, number)
        return number


def line_of(event: Dict[str, Any], names: Names) -> str:
    """One event as a line that people can read."""
    kind = event["event"]
    if "peer" in event:
        return f"{kind} {names.peer(event['peer'])}"
    if kind in ("set", "get"):
        return f"{kind} {event['name']} {json.dumps(names.value(event['value']))}"
    if kind == "call":
        words = ", ".join(argument_text(argument) for argument in event["arguments"])
        return f"call {event['method']}({words}) = {json.dumps(names.value(event['result']))}"
    if kind == "created":
        return f"created {event['kind']} {event['error']:g}"
    if kind == "put_error":
        return f"put_error {event['size']:g} bytes to {event['to']}: {event['error']:g}"
    return kind


def argument_text(argument: Any) -> str:
    """An argument as the scenario has it."""
    if isinstance(argument, dict):
        return str(argument["id"]) if "id" in argument else f"port {argument['port']:g}"
    return json.dumps(int(argument) if isinstance(argument, float) else argument)


# --- One participant's log ------------------------------------------------------------------------


def summary(run: Run, name: str) -> Summary:
    """Events in order; packets in order for each sender and channel, unreliable ones as a set.

    Packets from different senders, and packets and events, may overtake each other: not compared.
    """
    names = Names(run)
    log = run.logs[name]
    events = [line_of(event, names) for event in log if event["event"] not in ("packet", "id", "bursts")]
    events = sorted_runs(events, "peer_connected ")
    reliable: Dict[str, List[str]] = {}
    unreliable: Dict[str, Set[str]] = {}
    for event in log:
        if event["event"] == "packet":
            stream = f"from {names.peer(event['from'])} channel {event['channel']}"
            if "last_channel" in event:
                stream += f" (get_last_packet_channel {event['last_channel']})"
            packet = run.scenario.packets.get(event["md5"])
            label = packet.label if packet else f"unknown {event['size']} {event['md5']}"
            if packet is None or packet.mode == RELIABLE:
                reliable.setdefault(stream, []).append(label)
            else:
                unreliable.setdefault(stream, set()).add(label)
    return {
        "events": events,
        "reliable": reliable,
        "unreliable": {stream: sorted(labels, key=by_number) for stream, labels in unreliable.items()},
    }


def by_number(label: str) -> int:
    return int(label.rpartition("#")[2])


def sorted_runs(events: List[str], prefix: str) -> List[str]:
    """Sorts neighbours that start alike: 3.6's server names older clients to a new one by random id."""
    result: List[str] = []
    for event in events:
        place = len(result)
        if event.startswith(prefix):
            while place > 0 and result[place - 1].startswith(prefix) and result[place - 1] > event:
                place -= 1
        result.insert(place, event)
    return result


def as_godot4_must(events: List[str]) -> List[str]:
    """A log of 3.6 with the changes that Godot 4 forces on a client.

    Lost server: SceneMultiplayer and applications clean up by peer_disconnected alone, so the class emits
    it for each peer that is still known, the server included, directly before server_disconnected.
    Failed attempt: SceneMultiplayer takes the failure from the status, so the status is "disconnected"
    afterwards, where 3.6 says "connecting" until the application closes.

    One difference is our own: a server's bind address that the machine does not have is a wrong parameter
    (31), where 3.6 says only that the server cannot be created (20).
    """
    result: List[str] = []
    known: Set[str] = set()
    for event in events:
        what, _, who = event.partition(" ")
        if event == CONNECTING and result and result[-1] == "connection_failed":
            event = DISCONNECTED
        elif event.startswith("call create_server") and result and result[-1] == FOREIGN_BIND:
            event = event.replace(" = 20", " = 31")
        elif what == "created":
            known.clear()
        elif what == "peer_connected":
            known.add(who)
        elif what == "peer_disconnected":
            known.discard(who)
        elif what == "server_disconnected":
            result += [f"peer_disconnected {lost}" for lost in known]
            known.clear()
        result.append(event)
    return sorted_runs(result, "peer_disconnected ")


# --- What must hold in each run -------------------------------------------------------------------


def faults(run: Run) -> List[str]:
    """Promises that need no other run to compare with."""
    found: List[str] = []
    names = Names(run)
    bursts = {name: sum(int(e["count"]) - 1 for e in log if e["event"] == "bursts") for name, log in run.logs.items()}
    for name, log in run.logs.items():
        gone: Set[str] = set()
        last: Dict[str, int] = {}
        back: Dict[str, int] = {}
        for event in log:
            who = names.peer(event.get("from", event.get("peer", 0)))
            if event["event"] == "peer_disconnected":
                gone.add(who)
            elif event["event"] == "peer_connected":
                gone.discard(who)
            elif event["event"] == "packet":
                # 3.6 reports both in one poll, so its application sees the disconnect first.
                if who in gone and run.engines[name].startswith("4"):
                    found.append(f"{name}: a packet from {who} after its peer_disconnected")
                packet = run.scenario.packets.get(event["md5"])
                if packet and packet.mode == ORDERED:
                    stream = f"{who} channel {event['channel']}"
                    back[stream] = back.get(stream, 0) + (packet.number <= last.get(stream, -1))
                    last[stream] = packet.number
                    # Only sending a group again may step back in the order.
                    if back[stream] > bursts.get(who, 0):
                        found.append(f"{name}: {MODES[ORDERED]} packets from {stream} are out of order")
    return found


def first_difference(
    expected: Dict[str, Summary], actual: Dict[str, Summary], engines: Dict[str, str]
) -> Optional[str]:
    """Where a run differs first from the log of 3.6, as text; None when they are the same."""
    for name, wanted in expected.items():
        got = actual.get(name)
        if got is None:
            return f"{name}: no log"
        events, got_events = wanted["events"], got["events"]
        if engines[name].startswith("4"):
            events, got_events = as_godot4_must(events), sorted_runs(got_events, "peer_disconnected ")
            if not any(event.startswith("put_error ") for event in events):
                # Ours fails where 3.6 drops in silence what a peer with fewer channels cannot get (31). Whether
                # everybody else gets it is compared below.
                got_events = [e for e in got_events if not (e.startswith("put_error ") and e.endswith(": 31"))]
        difference = in_list("events", events, got_events)
        for part in ("reliable", "unreliable"):
            for stream in sorted({*wanted[part], *got[part]}):
                title = f"{part} {stream}"
                difference = difference or in_list(title, wanted[part].get(stream, []), got[part].get(stream, []))
        if difference:
            return f"{name}: {difference}"
    return None


def in_list(title: str, expected: List[str], actual: List[str]) -> Optional[str]:
    for i in range(max(len(expected), len(actual))):
        wanted = expected[i] if i < len(expected) else "nothing"
        got = actual[i] if i < len(actual) else "nothing"
        if wanted != got:
            return f"{title}[{i}]: expected {wanted}, got {got}"
    return None
