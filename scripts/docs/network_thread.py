"""The table of docs/network_thread.md: what a network thread costs and gives."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional

from bench.contestants import ALONE, NEW, OURS, THREADED
from bench.scenario import column_of
from docs.headlines import conditions

Figures = Dict[str, Any]


class Row(NamedTuple):
    """A line of the table: a figure of a scenario of scripts/bench. `above` names whose figure is taken off."""

    scenario: str
    figure: str
    what: str
    unit: str = ""
    above: str = ""


ROWS = (
    Row("broadcast_500", "cpu_ms", "20 packets of 48 bytes per frame to 500 clients: main thread, per frame", " ms"),
    Row("broadcast_500", "process_ms", "- all threads", " ms"),
    Row("rpc", "cpu_ms", "100 RPCs per frame to 8 clients: main thread, scripts and all", " ms"),
    Row("rpc", "cpu_ms", "- without what a game that plays alone takes for them", " ms", above=ALONE),
    Row("rpc", "process_ms", "- all threads", " ms"),
    Row("relay_32", "cpu_ms", "32 clients that send to all others, through the server: main thread", " ms"),
    Row("relay_32", "process_ms", "- all threads", " ms"),
    Row("relay_32", "latency_p50", "- how long half of the packets are on their way, at most", " ms"),
    Row("relay_32", "latency_p99", "- how long 99 of 100 are", " ms"),
    Row("bulk", "megabytes_second", "a large reliable transfer to another game", " MB/s"),
    Row("idle_100", "thread_load", "100 clients that do nothing: the thread, of a core"),
)


def table(results: Figures) -> str:
    """What stands between the marks."""
    titles = {OURS: "without", THREADED: "with `threaded`", NEW: "`ENetMultiplayerPeer`, Godot 4.6"}
    lines = [f"| | {' | '.join(titles.values())} |", "|---|---|---|---|"]
    for row in ROWS:
        measured = results["scenarios"].get(row.scenario, {}).get("measured", {})
        if THREADED in measured:
            lines.append(f"| {row.what} | {' | '.join(cell(row, measured, key) for key in titles)} |")
    return "\n".join([*lines, "", conditions(results)])


def cell(row: Row, measured: Figures, key: str) -> str:
    """A figure of a contestant."""
    value: Optional[float] = measured.get(key, {}).get(row.figure)
    if value is None or (row.figure == "thread_load" and key != THREADED):
        return ""
    if row.above:
        value -= measured.get(row.above, {}).get(row.figure, 0.0)
    return f"{column_of(row.figure).show(value)}{row.unit}"
