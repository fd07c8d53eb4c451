"""Opens the real editor without a window, runs a game in it, and uses the debugger's tab "ENet".

A plugin of the test does what a user would (godot_project/tests/editor/driver) and prints what it sees.
"""

from __future__ import annotations

import re
import socket
import threading
from pathlib import Path
from typing import List, NamedTuple

import pytest

from common import PROJECT, tail
from editor_project import finished, make_project
from suites import BAD_SIGNS, home_in

GAME = PROJECT / "tests" / "editor" / "game"
# Seconds for the whole run; the driver has deadlines of its own.
LIMIT = 240.0
# Two clients connect in either order, so that the order of facts does not count.
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


class Session(NamedTuple):
    """An editor's exit code and output, with that of its game."""

    code: int
    text: str

    @property
    def facts(self) -> List[str]:
        """What the driver has seen."""
        return re.findall(r"^fact: (.*)$", self.text, re.MULTILINE)


@pytest.fixture(scope="module")
def session(godot4: List[str], tmp_path_factory: pytest.TempPathFactory) -> Session:
    """An editor that was driven to its end."""
    folder = tmp_path_factory.mktemp("editor")
    project = folder / "project"
    make_project(project, sorted(GAME.iterdir()), [("--headless", "")])
    godot = [*godot4, "--headless", "--path", str(project)]
    # The first start imports the project.
    finished([*godot, "--import"], folder, home_in(folder), LIMIT)
    return Session(*finished([*godot, "--editor"], folder, home_in(folder), LIMIT))


@pytest.mark.parametrize("wanted", dict.fromkeys(WANTED))
def test_the_driver_sees(session: Session, wanted: str) -> None:
    assert session.facts.count(wanted) == WANTED.count(wanted), f"facts: {session.facts}\n{tail(session.text)}"


def test_nothing_is_printed_as_an_error(session: Session) -> None:
    bad = [line for line in session.text.splitlines() if any(sign in line for sign in (*BAD_SIGNS, "ERROR:", "FAILED"))]
    assert session.code == 0 and not bad, f"exit code {session.code}, {bad}"


@pytest.mark.parametrize("has_debugger", [False, True])
def test_a_game_that_hangs_is_not_given_up_under_a_debugger(
    has_debugger: bool, godot4: List[str], tmp_path: Path
) -> None:
    command = [*godot4, "--headless", "--path", str(PROJECT), "-s", "res://tests/editor/stall.gd"]
    with socket.create_server(("127.0.0.1", 0)) as debugger:
        if has_debugger:
            command += ["--remote-debug", f"tcp://127.0.0.1:{debugger.getsockname()[1]}"]
            threading.Thread(target=listen, args=(debugger,), daemon=True).start()
        code, text = finished(command, tmp_path, home_in(tmp_path), 60.0)
    told = str(has_debugger).lower()
    assert f"debugger: {told}, the client is there: {told}" in text and code == 0, tail(text)


def listen(debugger: socket.socket) -> None:
    """A debugger that only listens."""
    connection, _ = debugger.accept()
    with connection:
        while connection.recv(65536):
            pass
