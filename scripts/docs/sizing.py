"""The table of docs/sizing.md."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional

from bench.contestants import NEW, OURS

# Milliseconds that a server has for a frame.
FRAME = 1000 / 60
FRAMES_PER_SECOND = 60

Figures = Dict[str, Any]


class Row(NamedTuple):
    """A line of the table: a scenario of scripts/bench, in a game developer's words. `case` is a number of clients."""

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
        measured = results["scenarios"].get(row.scenario, {}).get("measured", {})
        cpu = measured.get(OURS, {}).get(f"cpu_ms{row.case}")
        if cpu is None:
            continue
        theirs = measured.get(NEW, {}).get(f"cpu_ms{row.case}")
        kilobytes = measured[OURS].get(f"kilobytes{row.case}")
        lines.append(
            f"| {row.what} | {row.clients} | {cpu:.2f} ms | {cpu / FRAME:.0%} | {shown_bytes(kilobytes, row.clients)} "
            f"| {'not measured' if theirs is None else f'{theirs:.2f} ms'} |"
        )
    facts = [fact for fact in results["facts"] if fact.split(":")[0] in ("processor", "system", "ours", "4.6", "addon")]
    return "\n".join([*lines, "", *(f"- {fact}" for fact in facts)])


def shown_bytes(kilobytes: Optional[float], clients: int) -> str:
    """Kilobytes of a frame, both directions, as those of one client in a second."""
    return "-" if kilobytes is None else f"{kilobytes * FRAMES_PER_SECOND / clients:.1f} kB"
