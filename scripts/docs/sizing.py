"""The tables of docs/sizing.md and docs/fleets.md."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Sequence, Tuple

from bench.contestants import NEW, OURS

# Milliseconds that a server has for a frame.
FRAME = 1000 / 60
FRAMES_PER_SECOND = 60

Figures = Dict[str, Any]


class Row(NamedTuple):
    """A line of a table: a scenario of scripts/bench, in a game developer's words. `case` is a number of clients."""

    scenario: str
    what: str
    clients: int
    case: str = ""


ROWS = (
    Row("broadcast_100", "the server sends each client 20 packets of 48 bytes per frame", 100),
    Row("broadcast_100_range_coder", "the same, with the default compression", 100),
    Row("broadcast_500", "the same, without compression", 500),
    Row("uplink_500", "each client sends the server a packet of 48 bytes per frame", 500),
    Row("relay_32", "each client sends all others a packet of 48 bytes per frame, through the server", 32),
    Row("relay_32_range_coder", "the same, with the default compression", 32),
    Row("rpc", "100 nodes, each an RPC with a Vector3 per frame", 8),
    Row("idle", "clients that only listen to 4 bytes per frame", 1000, ":1000"),
    Row("idle", "the same", 2000, ":2000"),
    Row("idle", "the same", 4000, ":4000"),
)


def table(results: Figures) -> str:
    """What stands between the marks."""
    lines = [
        "| what happens | clients | CPU per frame | of a frame at 60 Hz | per client and second "
        "| `ENetMultiplayerPeer`: CPU |",
        "|---|---|---|---|---|---|",
    ]
    for row in ROWS:
        cpu, kilobytes = measured(results, row, OURS)
        if cpu is None:
            continue
        theirs, _ = measured(results, row, NEW)
        lines.append(
            f"| {row.what} | {row.clients} | {cpu:.2f} ms | {cpu / FRAME:.0%} | {shown_bytes(kilobytes, row.clients)} "
            f"| {'not measured' if theirs is None else f'{theirs:.2f} ms'} |"
        )
    return with_facts(lines, results, ("processor", "system", "ours", "4.6", "addon"))


# Of the table of fleets: a server in each.
LOADS = (
    Row("relay_32_range_coder", "everybody sends to everybody, default compression", 32),
    Row("broadcast_100", "the server sends 20 packets to each per frame, no compression", 100),
    Row("broadcast_100_range_coder", "the same, default compression", 100),
    Row("broadcast_500", "the same, no compression", 500),
)
# What the network may have of a core; the rest is for the game.
SHARE = 0.5
# Cores of a node, and those of them that are left to the system, Kubernetes and the side-cars.
NODE_CORES, KEPT_CORES = 8, 1


def fleet_table(results: Figures) -> str:
    """What stands between the marks of docs/fleets.md: whole servers for a core and for a node."""
    lines = [
        "| each server | players | CPU of the network | players for each core | servers on a node "
        "| players for each node | the node's line |",
        "|---|---|---|---|---|---|---|",
    ]
    for load in LOADS:
        cpu, kilobytes = measured(results, load, OURS)
        if cpu is None or kilobytes is None:
            continue
        servers = int(SHARE / (cpu / FRAME))
        on_node = servers * (NODE_CORES - KEPT_CORES)
        players = on_node * load.clients
        megabits = kilobytes * FRAMES_PER_SECOND * on_node * 8 / 1000
        lines.append(
            f"| {load.what} | {load.clients} | {cpu / FRAME * 1000:.0f}m | {servers * load.clients} | {on_node} | {players} "
            f"| {megabits:.0f} Mbit/s |"
        )
    return with_facts(lines, results, ("processor", "addon"))


def measured(results: Figures, row: Row, contestant: str) -> Tuple[Optional[float], Optional[float]]:
    """The server's processor time for a frame, in milliseconds, and the kilobytes on its line; `None` for what was not measured."""
    figures = results["scenarios"].get(row.scenario, {}).get("measured", {}).get(contestant, {})
    return figures.get(f"cpu_ms{row.case}"), figures.get(f"kilobytes{row.case}")


def with_facts(lines: Sequence[str], results: Figures, names: Sequence[str]) -> str:
    """A table, and below it what it was measured on and with."""
    facts = [fact for fact in results["facts"] if fact.split(":")[0] in names]
    return "\n".join([*lines, "", *(f"- {fact}" for fact in facts)])


def shown_bytes(kilobytes: Optional[float], clients: int) -> str:
    """Kilobytes of a frame, both directions, as those of one client in a second."""
    return "-" if kilobytes is None else f"{kilobytes * FRAMES_PER_SECOND / clients:.1f} kB"
