"""Runs a suite of godot_project/tests in an engine process of its own, with network threads or without."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Optional, Sequence

from common import PROJECT

if TYPE_CHECKING:
    import pytest

SUITES = PROJECT / "tests" / "suites"

# Seconds for a whole suite; its tests have deadlines of their own and say what they waited for.
LIMIT = 240.0

# Tells the tests whether their peers have network threads; see tests/test_peer.gd.
THREADED = "TEST_THREADED"
MODES = {"inline": "0", "threaded": "1"}

BEGIN = "tests begin"
CLOSING = re.compile(r"^\d+ passed, \d+ failed$", re.MULTILINE)
# Comes before an error of a script that a test has caused on purpose.
EXPECTED = "expected "
RESULT = re.compile(r"^(ok|FAILED) (\S+?)(?::|$)", re.MULTILINE)

# What the engine prints when something went wrong that no test can see.
BAD_SIGNS = (
    "SCRIPT ERROR",
    "Can't open dynamic library",
    "Can't open GDExtension dynamic library",
    "Error loading extension",
    "Parse Error",
    "panicked at",
    "handle_crash",
    "ObjectDB instances leaked",
    "ObjectDB instances were leaked",
    "resources still in use",
    "RID allocations of type",
    "Leaked instance",
    "Orphan StringName",
    "AddressSanitizer",
)

# Suites that open no connection, or choose the mode themselves.
ONE_MODE = frozenset({"arguments", "class_reference", "framework", "network_thread"})
SUITES_AND_MODES = [
    (path.stem, mode) for path in sorted(SUITES.glob("*.gd")) for mode in MODES
    if path.stem not in ONE_MODE or mode == "inline"
]


class Result(NamedTuple):
    """How a suite went."""

    # Of each test, whether it has passed.
    tests: Dict[str, bool]
    # What went wrong apart from failed tests.
    problems: List[str]
    text: str


def play_suite(
    suite: str, mode: str, godot: Sequence[str], limit: float, subtests: pytest.Subtests, tests: Sequence[str] = ()
) -> None:
    """Fails for each test of a suite that has failed, and for what no test can see; without tests, all are played."""
    result = run_suite(godot, tests or [suite], mode, limit)
    for name, is_right in result.tests.items():
        with subtests.test(name):
            lines = result.text.splitlines()
            assert is_right, "\n".join(line for line in lines if line.startswith(f"FAILED {name}:"))
    assert result.tests and not result.problems, "\n".join([*result.problems, result.text])


def run_suite(godot: Sequence[str], words: Sequence[str], mode: str, limit: float) -> Result:
    """One engine process; its output is kept until it has ended."""
    command = [*godot, "--headless", "--path", str(PROJECT), "-s", "res://tests/runner.gd", "--", *words]
    code: Optional[int] = None
    with tempfile.TemporaryDirectory(prefix="suite_") as folder:
        log = Path(folder) / "output.txt"
        with log.open("wb") as out:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**home_in(Path(folder)), THREADED: MODES[mode]},
            )
            try:
                code = process.wait(timeout=limit)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        text = log.read_text(encoding="utf-8", errors="replace")
    # A test that fails is named in each line about it.
    tests = {name: word == "ok" for word, name in RESULT.findall(text)}
    return Result(tests, faults(text, code, not all(tests.values()), limit), text)


def home_in(folder: Path) -> Dict[str, str]:
    """An environment with a user folder of its own: engines rotate their log files there."""
    homes = {name: str(folder / "home") for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    return {**os.environ, **homes}


def faults(text: str, code: Optional[int], has_failed: bool, limit: float) -> List[str]:
    """What went wrong apart from failed tests."""
    said = [line.strip() for line in text.splitlines() if not line.startswith(("FAILED ", EXPECTED))]
    excused = {line.removeprefix(EXPECTED) for line in text.splitlines() if line.startswith(EXPECTED)}
    bad = [line for line in said if any(sign in line for sign in BAD_SIGNS)]
    problems = [f"printed: {line}" for line in bad if line not in excused]
    if code is None:
        problems.append(f"no end after {limit:g} s; it was killed")
    elif code < 0 or code > 1:
        problems.append(f"crashed: exit code {code}")
    elif not CLOSING.search(text):
        problems.append(f"ended early: exit code {code}")
    elif code == 1 and not has_failed:
        problems.append("exit code 1 without a failed test")
    before, begun, _ = text.partition(BEGIN)
    after = CLOSING.split(text)[-1] if CLOSING.search(text) else ""
    stray = before + after if begun else text
    problems += [f"outside of a test: {line}" for line in stray.splitlines() if line.startswith("ERROR:")]
    return list(dict.fromkeys(problems))
