"""Plays a scenario with a contestant: starts the processes, passes orders on, and collects what they counted."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any, Callable, List, Optional

from bench.children import Child, Event, Family
from bench.contestants import ALONE, Contestant, Words, compression_number
from bench.scenario import Figures, Scenario
from bench.uplink import Uplink

# Seconds for starting engines, over what a scenario itself may take.
GRACE = 30.0
FRAME_MSEC = 1000 / 60


class Played:
    """What the processes of a run counted."""

    def __init__(self) -> None:
        self.levels: List[Event] = []
        self.growth: List[Event] = []
        self.crowd: Event = {}
        self.idle_cpu_nsec = 0.0


def play(scenario: Scenario, contestant: Contestant, quick: bool, crowd: Path) -> Figures:
    """One run; the figures that the scenario shows, and some more."""
    words = scenario.words_for(contestant.key, quick)
    player: Callable[[Contestant, Words, Path], Figures] = {
        "server": play_server, "rpc": play_rpc, "uplink": play_uplink, "loopback": play_loopback,
        "bulk": play_bulk,
    }[scenario.kind]
    return player(contestant, words, crowd)


def free_port() -> int:
    """A UDP port that is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def engine_words(words: Words, **more: Any) -> Words:
    """The words as the programs of godot_project/bench want them."""
    return {**words, "compression": compression_number(str(words["compression"])), **more}


def limit_for(words: Words) -> float:
    """When a run is given up, by time.monotonic()."""
    levels = str(words.get("levels", "1")).count(",") + 1
    one = sum(float(str(words.get(name, 0))) for name in ("settle", "seconds", "join_limit")) + 2
    return time.monotonic() + GRACE + levels * one + float(str(words.get("last_seconds", 0)))


# --- A server and the crowd -------------------------------------------------------------------------


def play_server(contestant: Contestant, words: Words, crowd: Path) -> Figures:
    """A server under test in one process, its clients in another."""
    # The addon's class and that of 3.6 relay by themselves; 4.6's needs a SceneMultiplayer for it.
    through_api = words["api"] == 1 and contestant.dialect(True) == "scene"
    port = free_port()
    limit = limit_for(words)
    played = Played()
    with Family() as family:
        engine = engine_words(words, port=port, api=int(through_api), last_seconds=words.get("last_seconds", 0))
        server = family.start("server", contestant.command("server", engine))
        dialect = contestant.dialect(through_api)
        crowd_words = [port, dialect, words["compression"], words["traffic"], words["size"]]
        clients = family.start("crowd", [str(crowd), *map(str, crowd_words)])
        lead(server, clients, played, limit)
        clients.order("stop")
        while not played.crowd:
            event = clients.next_event(limit)
            if event["event"] == "growing":
                played.growth.append(event)
            elif event["event"] == "report":
                played.crowd = event
        server.check()
    return server_figures(played, words)


def lead(server: Child, clients: Child, played: Played, limit: float) -> None:
    """Passes on what the server wants from its clients."""
    while True:
        event = server.next_event(limit, clients.check)
        kind = event["event"]
        if kind == "ready":
            played.idle_cpu_nsec = event["idle_cpu_nsec"]
        elif kind == "want":
            clients.order(f"grow {event['clients']}")
        elif kind in ("send", "begin", "end"):
            clients.order(kind)
        elif kind == "level":
            played.levels.append(event)
        elif kind == "done":
            return


def server_figures(played: Played, words: Words) -> Figures:
    """Figures of the last level, and of each under figure:level."""
    figures: Figures = {}
    for level, growth in zip(played.levels, played.growth):
        of_level = level_figures(level, growth)
        figures.update(of_level)
        figures.update({f"{name}:{level['clients']:.0f}": value for name, value in of_level.items()})
    crowd = played.crowd
    clients = played.levels[-1]["connected"]
    received, expected = crowd["marked_received"], sum(level["marked_sent"] for level in played.levels)
    if words["traffic"] == "server":
        received, expected = sum(level["marked_received"] for level in played.levels), crowd["marked_sent"]
    elif words["traffic"] == "all":
        expected = crowd["marked_sent"] * (clients - 1)
    figures["delivered"] = share(received, expected)
    figures["cpu_usec_delivered"] = share(sum(level["cpu_nsec"] for level in played.levels) / 1e3, received)
    figures["idle_cpu_ms"] = played.idle_cpu_nsec / 1e6
    figures["latency_p50"], figures["latency_p99"] = crowd["latency_p50"], crowd["latency_p99"]
    for name in ("load", "life_load", "skipped"):
        figures[f"crowd_{name}"] = crowd[name]
    figures["budget"] = budget(played)
    return figures


def share(part: float, whole: float) -> Optional[float]:
    """A quotient, unless there is nothing to divide by."""
    return part / whole if whole else None


def frame_figures(level: Event) -> Figures:
    """What every measured stretch of frames has."""
    frames = max(1.0, level["frames"])
    others = level["process_nsec"] - level["cpu_nsec"] if "process_nsec" in level else None
    return {
        "cpu_ms": level["cpu_nsec"] / frames / 1e6,
        "process_ms": level["process_nsec"] / frames / 1e6 if "process_nsec" in level else None,
        "thread_load": others / level["seconds"] / 1e9 if others is not None else None,
        "datagrams": level["datagrams"] / frames,
        "kilobytes": level["bytes"] / frames / 1e3,
        "fps": level["frames"] / level["seconds"],
        "late": level["late_frames"] / frames,
        "drops": level["receive_drops"],
        "connected": level["connected"],
    }


def level_figures(level: Event, growth: Event) -> Figures:
    """A level: how its clients came in, and what the frames with them cost."""
    joined_at = level["joined_at"]
    return {
        **frame_figures(level),
        "joined": level["joined"],
        "join_seconds": None if joined_at is None else joined_at - growth["unix"],
        "join_cpu_ms": level["join_cpu_nsec"] / 1e6,
        "join_datagrams": level["join_datagrams"],
        "lost": level["lost"],
    }


def budget(played: Played) -> float:
    """How many clients it takes to fill a frame of 60 Hz: along the line between two levels, or beyond the last."""
    costs = [(level["connected"], level["cpu_nsec"] / max(1, level["frames"]) / 1e6) for level in played.levels]
    # A server that loses clients may have fewer of them in a later level.
    points = [(0.0, played.idle_cpu_nsec / 1e6), *sorted(costs)]
    for (fewer, less), (more, most) in zip(points, points[1:]):
        if most >= FRAME_MSEC > less:
            return fewer + (more - fewer) * (FRAME_MSEC - less) / (most - less)
    (_, less), (clients, most) = points[0], points[-1]
    return clients * (FRAME_MSEC - less) / max(most - less, 1e-6)


# --- Scene trees ------------------------------------------------------------------------------------


def play_rpc(contestant: Contestant, words: Words, _crowd: Path) -> Figures:
    """A server whose nodes call RPCs, and a process with all clients."""
    port = free_port()
    limit = limit_for(words)
    with Family() as family:
        common = engine_words(words, port=port)
        if contestant.key == ALONE:
            common["clients"] = 0
        server = family.start("server", contestant.command("rpc", {**common, "role": "server"}))
        server.wait_for("ready", limit)
        if contestant.key == ALONE:
            return frame_figures(server.wait_for("level", limit))
        clients = family.start("clients", contestant.command("rpc", {**common, "role": "clients"}))
        level = server.wait_for("level", limit)
        received = clients.wait_for("done", limit)["marked_received"]
        for child in (server, clients):
            child.check()
    return {**frame_figures(level), "delivered": share(received, level["marked_sent"])}


def play_uplink(contestant: Contestant, words: Words, _crowd: Path) -> Figures:
    """One client whose datagrams are counted on their way to the server."""
    limit = limit_for(words)
    port = free_port()
    with Family() as family:
        common = engine_words(words)
        others = family.start("others", contestant.command("rpc", {**common, "role": "others", "port": port}))
        others.wait_for("ready", limit)
        uplink = Uplink(port)
        try:
            words = {**common, "role": "sender", "port": uplink.port}
            sender = family.start("sender", contestant.command("rpc", words))
            sender.wait_for("begin", limit)
            before = uplink.count
            sender.wait_for("end", limit)
            sent = uplink.count.since(before)
            level = sender.wait_for("level", limit)
            received = others.wait_for("done", limit)["marked_received"]
        finally:
            uplink.close()
        for child in (sender, others):
            child.check()
    frames = max(1.0, level["frames"])
    return {
        **frame_figures(level),
        "packets_up": sent.packets / frames,
        "datagrams_up": sent.datagrams / frames,
        "bytes_up": sent.bytes / frames,
        "delivered": share(received, level["marked_sent"]),
    }


# --- Two games ----------------------------------------------------------------------------------------


def play_bulk(contestant: Contestant, words: Words, _crowd: Path) -> Figures:
    """A sender and a receiver."""
    limit = limit_for(words)
    common = engine_words(words, port=free_port())
    with Family() as family:
        receiver = family.start("receiver", contestant.command("bulk", {**common, "role": "receiver"}))
        receiver.wait_for("ready", limit)
        family.start("sender", contestant.command("bulk", {**common, "role": "sender"}))
        level = receiver.wait_for("level", limit)
        receiver.check()
    return {**frame_figures(level), "megabytes_second": level["received"] / level["seconds"] / 1e6}


# --- One process ------------------------------------------------------------------------------------


def play_loopback(contestant: Contestant, words: Words, _crowd: Path) -> Figures:
    """Both sides in one process."""
    limit = limit_for(words) + 4 * float(str(words["seconds"]))
    with Family() as family:
        engine = family.start("engine", contestant.command("loopback", engine_words(words, port=free_port())))
        level = engine.wait_for("level", limit)
        engine.wait_for("done", limit)
        engine.check()
    figures: Figures = {}
    for case in level["cases"]:
        name = f"{case['mode']}_{case['count']:.0f}"
        figures[f"usec:{name}"] = case["cpu_nsec"] / max(1, case["received"]) / 1e3
        figures[f"datagrams:{name}"] = case["datagrams"] / max(1, case["received"])
        figures[f"delivered:{name}"] = case["received"] / max(1, case["sent"])
    floor = level.get("floor")
    return {**figures, "floor_usec": None if floor is None else floor / 1e3}
