"""Tables that are made from the figures of the benchmarks: `python3 scripts/docs --write` puts them into their pages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, NamedTuple, Optional, Set

from bench.scenarios import all_scenarios
from common import ADDON, PROJECT, REPO, ScriptError, say
from docs import headlines, network_thread, sizing

FIGURES = PROJECT / "bench" / "results" / "figures.json"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
NONE_YET = "No figures have been taken yet."

Figures = Dict[str, Any]


class Page(NamedTuple):
    """A page with a table between two marks."""

    path: Path
    table: Callable[[Figures], str]

    @property
    def name(self) -> str:
        """As people write it."""
        return str(self.path.relative_to(REPO))

    def text(self) -> str:
        """As it is."""
        return self.path.read_text(encoding="utf-8")

    def renewed(self, results: Optional[Figures]) -> str:
        """With the table of these results."""
        page = self.text()
        if page.count(BEGIN) != 1 or page.count(END) != 1:
            raise ScriptError(f"{self.name} needs one {BEGIN} and one {END}")
        body = self.table(results) if results else NONE_YET
        return re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{body}\n{END}", page, flags=re.DOTALL)


PAGES = (
    Page(ADDON / "docs" / "sizing.md", sizing.table), Page(ADDON / "docs" / "fleets.md", sizing.fleet_table),
    Page(ADDON / "docs" / "compared.md", headlines.table), Page(ADDON / "docs" / "network_thread.md", network_thread.table),
    Page(REPO / "README.md", headlines.few),
)


def figures(path: Path = FIGURES) -> Optional[Figures]:
    """The results, unless there are none or they are of a smoke run."""
    if not path.is_file():
        return None
    results: Figures = json.loads(path.read_text(encoding="utf-8"))
    if results["quick"]:
        raise ScriptError(f"{path.relative_to(REPO)} is of a smoke run; python3 scripts/bench makes real ones")
    return results


def used_scenarios() -> Set[str]:
    """Names of all that the tables show."""
    return {row.scenario for row in (*sizing.ROWS, *sizing.LOADS, *headlines.ROWS, *network_thread.ROWS)}


def known_scenarios() -> Set[str]:
    """Names of all that scripts/bench measures."""
    return {scenario.name for scenario in all_scenarios()}


def write() -> None:
    """Renews the pages."""
    for page in PAGES:
        page.path.write_text(page.renewed(figures()), encoding="utf-8")
        say(f"written: {page.name}")
