#!/usr/bin/env python3
"""Opens the real editor without a window, runs a game in it, and uses the debugger's tab "ENet".

A plugin of the test does what a user would (godot_project/tests/editor/driver) and prints what it sees.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path
from typing import List, Tuple

from build import build, prepare_project
from checks import Checks
from common import PROJECT, heading, main_guard, tail
from editor_project import finished, make_project
from engines import find_godot4
from godot_tests import BAD_SIGNS, home_in

GAME = PROJECT / "tests" / "editor" / "game"
# Seconds for the whole run; the driver has deadlines of its own.
LIMIT = 240.0
WANTED = """
without a game: Run the project to see the connections of its NetworkedMultiplayerENet peers here.
samples before the tab is shown: 0
row: Server: 2 peers
row: <0>
row: <1>
row: Client <0>
row: 1
row: Client <1>
row: 1
a chosen peer is drawn: true
a chosen connection is drawn: true
the mouse over a graph: true
Round Trip: true, true
Bytes Out: true, true
Bytes In: true, true
click 0 on a title sorts: true
click 1 on a title sorts: true
click 2 on a title sorts: true
samples while the tab is hidden: 0
rows after the game: 7
the end
""".strip().splitlines()


def drive(folder: Path) -> Tuple[int, str]:
    """Runs the editor to its end; exit code and output, with that of the game."""
    project = folder / "project"
    make_project(project, sorted(GAME.iterdir()), [("--headless", "")])
    godot = [*find_godot4(), "--headless", "--path", str(project)]
    # The first start imports the project.
    finished([*godot, "--import"], folder, home_in(folder), LIMIT)
    return finished([*godot, "--editor"], folder, home_in(folder), LIMIT)


def check(code: int, text: str, checks: Checks) -> None:
    """Compares what the driver has seen. Two clients connect in either order, so rows are compared as a set."""
    facts: List[str] = re.findall(r"^fact: (.*)$", text, re.MULTILINE)
    for wanted in dict.fromkeys(WANTED):
        right = facts.count(wanted) == WANTED.count(wanted)
        checks.check(wanted, right, f"facts: {facts}\n{tail(text)}")
    bad = [line for line in text.splitlines() if any(sign in line for sign in (*BAD_SIGNS, "ERROR:", "FAILED"))]
    checks.check("no errors in the editor and the game", code == 0 and not bad, f"exit code {code}, {bad}")


def main() -> int:
    """Builds unless told not to, and runs the editor."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--no-build", action="store_true", help="use the library that is there")
    options = reader.parse_args()
    if not options.no_build:
        build(flags=["--locked"])
    prepare_project()
    checks = Checks()
    heading("The debugger's tab")
    with tempfile.TemporaryDirectory(prefix="editor_test_") as folder:
        check(*drive(Path(folder)), checks)
    return checks.summary()


if __name__ == "__main__":
    main_guard(main)
