"""The table of docs/sizing.md, made from the figures of the benchmarks: `python3 scripts/docs --write`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

from bench.contestants import NEW, OURS
from bench.scenarios import all_scenarios
from common import ADDON, PROJECT, REPO, ScriptError, say

PAGE = ADDON / "docs" / "sizing.md"
FIGURES = PROJECT / "bench" / "results" / "figures.json"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
NONE_YET = "No figures have been taken yet."
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


def figures(path: Path = FIGURES) -> Optional[Figures]:
    """The results, unless there are none or they are of a smoke run."""
    if not path.is_file():
        return None
    results: Figures = json.loads(path.read_text(encoding="utf-8"))
    if results["quick"]:
        raise ScriptError(f"{path.relative_to(REPO)} is of a smoke run; python3 scripts/bench makes real ones")
    return results


def renewed(page: str, results: Optional[Figures]) -> str:
    """The page with the table of these results."""
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise ScriptError(f"{PAGE.name} needs one {BEGIN} and one {END}")
    body = table(results) if results else NONE_YET
    return re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{body}\n{END}", page, flags=re.DOTALL)


def check() -> Iterator[Tuple[str, List[str]]]:
    """The page has the newest figures."""
    page = PAGE.read_text(encoding="utf-8")
    same = page == renewed(page, figures())
    yield "the table of docs/sizing.md", [] if same else ["it is out of date; run: python3 scripts/docs --write"]
    unknown = sorted({row.scenario for row in ROWS} - known_scenarios())
    yield "the scenarios of docs/sizing.md", [f"there is no scenario {name}" for name in unknown]


def known_scenarios() -> Set[str]:
    """Names of all that scripts/bench measures."""
    return {scenario.name for scenario in all_scenarios()}


def write() -> int:
    """Renews the page."""
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), figures()), encoding="utf-8")
    say(f"written: {PAGE.relative_to(REPO)}")
    return 0
