"""What was measured, beside what is wanted."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Sequence

from common import say

# A row that only says how things are.
NOTED = "(noted)"


class Row(NamedTuple):
    """One attack or fault."""

    what: str
    measured: str
    wanted: str
    problems: Sequence[str] = ()
    others: str = ""


def show(rows: Sequence[Row]) -> int:
    """Prints the table; the number of rows with problems."""
    head = Row("attack or fault", "measured", "wanted", (), "the engines' own classes")
    lines = [head, *rows]
    say("")
    for number, row in enumerate(lines):
        mark = "FAILED " if row.problems else ""
        say(f"| {mark}{row.what} | {row.measured} | {row.wanted} | {row.others} |")
        if number == 0:
            say("|---|---|---|---|")
    failed = 0
    for row in rows:
        failed += bool(row.problems)
        for problem in row.problems:
            say(f"FAILED: {row.what}: {problem}")
    return failed


def merged(own: Sequence[Row], others: Dict[str, List[Row]]) -> List[Row]:
    """The addon's rows, with what the same attack did to the classes of the engines."""
    result = []
    for row in own:
        beside = [
            f"{name}: {other.measured}" for name, rows in others.items() for other in rows if other.what == row.what
        ]
        result.append(row._replace(others="; ".join(beside)))
    return result
