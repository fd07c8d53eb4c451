"""The tables of the benchmarks: a few rows in README.md, and all of them in docs/compared.md."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Sequence

from bench.contestants import NEW, OLD, OURS
from bench.scenario import column_of

Figures = Dict[str, Any]


class Row(NamedTuple):
    """A line of the table: a figure of a scenario of scripts/bench. `unit` stands behind each value."""

    scenario: str
    figure: str
    what: str
    unit: str = ""
    # Whether less is better, so that a factor means something.
    compared: bool = True
    # What it is called in README.md, if it stands there.
    headline: str = ""


ROWS = (
    Row("rpc", "datagrams", "100 nodes, an RPC each to 8 clients: datagrams per frame",
        headline="datagrams per frame for RPCs of 100 nodes to 8 clients"),
    Row("rpc", "cpu_ms", "- server CPU per frame, the RPCs of Godot included", " ms"),
    Row("broadcast_100", "cpu_ms", "20 packets per frame to 100 clients: server CPU per frame", " ms"),
    Row("broadcast_500", "cpu_ms", "the same to 500 clients", " ms",
        headline="server CPU per frame for 20 packets to each of 500 clients"),
    Row("broadcast_500", "delivered", "- delivered", compared=False),
    Row("uplink_500", "delivered", "500 clients send a packet per frame each: arrived", compared=False,
        headline="what arrives when 500 clients send a packet in each frame"),
    Row("join_500", "join_seconds", "500 clients join a server at 60 frames per second", " s",
        headline="until 500 clients have joined a server at 60 frames per second"),
    Row("join_2000_relay", "joined", "2000 join with relay: how many are in after 20 s", compared=False),
    Row("relay_32", "datagrams", "32 clients send to all others through the server: datagrams per frame"),
    Row("relay_32", "cpu_ms", "- server CPU per frame", " ms"),
    Row("relay_32", "latency_p50", "- latency, median", " ms", compared=False),
    Row("loopback", "usec:unreliable_100", "put_packet to get_packet in one process, 64 bytes: CPU per packet", " µs"),
    Row("rpc_uplink", "packets_up", "an RPC of a client to 31 others: packets uplink"),
    Row("idle", "connected:4000", "4000 clients, a packet to each in every frame: still connected", compared=False,
        headline="of 4000 clients that get a packet in each frame, still connected"),
)


def few(results: Figures) -> str:
    """What stands between the marks of README.md."""
    return table(results, tuple(row._replace(what=row.headline) for row in ROWS if row.headline))


def table(results: Figures, rows: Sequence[Row] = ROWS) -> str:
    """What stands between the marks of a page that has all rows."""
    titles = {OURS: "this addon", NEW: "`ENetMultiplayerPeer`, Godot 4.6", OLD: "Godot 3.6"}
    lines = [f"| | {' | '.join(titles.values())} |", "|---|---|---|---|"]
    for row in rows:
        measured = results["scenarios"].get(row.scenario, {}).get("measured", {})
        ours = measured.get(OURS, {}).get(row.figure)
        if ours is None:
            continue
        cells = [cell(row, measured.get(key), ours if key != OURS else None) for key in titles]
        lines.append(f"| {row.what} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"Compression is off. {conditions(results)}"])


def conditions(results: Figures) -> str:
    """Where and how often it was measured."""
    facts = [fact for fact in results["facts"] if fact.split(":")[0] in ("processor", "system", "runs")]
    return f"{'; '.join(facts)}."


def cell(row: Row, figures: Optional[Figures], reference: Optional[float]) -> str:
    """A figure, and how many times ours it is."""
    if figures is None:
        return "not measured"
    value = figures.get(row.figure)
    if value is None:
        return "-"
    text = f"{column_of(row.figure).show(value)}{row.unit}"
    return f"{text} ({value / reference:.1f}×)" if row.compared and reference else text

