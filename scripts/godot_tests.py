#!/usr/bin/env python3
"""Runs the suites of godot_project/tests in Godot 4, each in an engine process of its own, with and without network threads."""

from __future__ import annotations

import argparse
import fnmatch
import os
import re
import subprocess
import tempfile
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence

from build import build, prepare_project
from common import PROJECT, ScriptError, heading, main_guard, say, shown, tail
from engines import find_godot4

SUITES = PROJECT / "tests" / "suites"

# Seconds for a whole suite; its tests have deadlines of their own and say what they waited for.
LIMIT = 240.0
PARALLEL = 3

# Tells the tests whether their peers have network threads; see tests/test_peer.gd.
THREADED = "TEST_THREADED"
MODES = {"inline": "0", "threaded": "1"}

BEGIN = "tests begin"
CLOSING = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)
TEST = re.compile(r"^func (test_\w+)\(", re.MULTILINE)
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


class Result(NamedTuple):
    """How a suite went."""

    name: str
    mode: str
    passed: int
    failed: int
    seconds: float
    problems: List[str]
    text: str


def chosen(patterns: Sequence[str]) -> Dict[str, List[str]]:
    """The suites to run, and for each the tests; an empty list means all of them."""
    found: Dict[str, List[str]] = {}
    for path in sorted(SUITES.glob("*.gd")):
        name = path.stem
        if not patterns or any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
            found[name] = []
            continue
        tests = TEST.findall(path.read_text(encoding="utf-8"))
        picked = [test for test in tests if any(fnmatch.fnmatch(f"{name}.{test}", pattern) for pattern in patterns)]
        if picked:
            found[name] = [f"{name}.{test}" for test in picked]
    if not found:
        raise ScriptError(f"no suite and no test is called {' or '.join(patterns) or 'anything'}")
    return found


def run_suite(godot: Sequence[str], name: str, tests: Sequence[str], mode: str, limit: float) -> Result:
    """One engine process; its output is kept until it has ended."""
    command = [*godot, "--headless", "--path", str(PROJECT), "-s", "res://tests/runner.gd", "--", *(tests or [name])]
    began = time.monotonic()
    code: Optional[int] = None
    with tempfile.TemporaryDirectory(prefix="godot_tests_") as folder:
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
    closing = CLOSING.search(text)
    passed, failed = (int(count) for count in closing.groups()) if closing else counted(text)
    problems = faults(text, code, failed, limit)
    return Result(name, mode, passed, failed, time.monotonic() - began, problems, text)


def home_in(folder: Path) -> Dict[str, str]:
    """An environment with a user folder of its own: engines rotate their log files there."""
    homes = {name: str(folder / "home") for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    return {**os.environ, **homes}


def counted(text: str) -> List[int]:
    """Tests passed and failed, of a run without a closing line."""
    results = {test: word for word, test in RESULT.findall(text)}
    return [list(results.values()).count(word) for word in ("ok", "FAILED")]


def faults(text: str, code: Optional[int], failed: int, limit: float) -> List[str]:
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
    elif code == 1 and failed == 0:
        problems.append("exit code 1 without a failed test")
    before, begun, _ = text.partition(BEGIN)
    after = CLOSING.split(text)[-1] if CLOSING.search(text) else ""
    stray = before + after if begun else text
    problems += [f"outside of a test: {line}" for line in stray.splitlines() if line.startswith("ERROR:")]
    return list(dict.fromkeys(problems))


def tell(result: Result, verbose: bool) -> None:
    """The lines of one suite."""
    heading(f"{result.name}, {result.mode} ({result.seconds:.1f} s)")
    for line in result.text.splitlines():
        if line.startswith(("ok ", "FAILED ")):
            say(line)
        elif verbose:
            say(f"  {line}")
    for problem in result.problems:
        say(f"FAILED {result.name}, {result.mode}: {problem}")
    if result.problems and not verbose:
        say(f"the end of its output:\n{textwrap.indent(tail(result.text, 30), '  ')}")


def run_all(
    godot: Sequence[str], suites: Dict[str, List[str]], modes: Sequence[str], limit: float, verbose: bool
) -> int:
    """Runs the suites in each mode, some at a time; the exit code."""
    passed = failed = 0
    with ThreadPoolExecutor(max_workers=PARALLEL) as pool:
        runs = [
            pool.submit(run_suite, godot, name, tests, mode, limit)
            for name, tests in suites.items()
            for mode in (modes if name not in ONE_MODE else modes[:1])
        ]
        for run in runs:
            result = run.result()
            tell(result, verbose)
            passed += result.passed
            failed += max(result.failed, 1 if result.problems else 0)
    say(f"\n{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


def main() -> int:
    """Builds, imports, runs."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--only", nargs="+", default=[], metavar="PATTERN",
                        help="suites or suite.test_name, * allowed")
    reader.add_argument("--mode", choices=list(MODES), help="only with or without network threads; both if not given")
    reader.add_argument("--no-build", action="store_true", help="take the library that is there")
    reader.add_argument("--release", action="store_true", help="build the optimised library")
    reader.add_argument("--limit", type=float, default=LIMIT, help="seconds for one suite")
    reader.add_argument("--verbose", action="store_true", help="show all that the engines print")
    options = reader.parse_args()
    godot = find_godot4()
    say(f"engine: {shown(godot)}")
    if not options.no_build:
        build(options.release)
    prepare_project(godot)
    modes = [options.mode] if options.mode else list(MODES)
    return run_all(godot, chosen(options.only), modes, options.limit, options.verbose)


if __name__ == "__main__":
    main_guard(main)
