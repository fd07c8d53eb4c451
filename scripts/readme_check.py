#!/usr/bin/env python3
"""Checks what the pages for visitors and developers refer to: files, links, and the tests that the table of coverage names.

The table must have a row for every member of Godot 3.6's class reference, and a test in every row.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Dict, Iterator, List, Set

from common import PROJECT, REPO, main_guard, say
from interop.scenarios import all_scenarios

# The pages whose files and links have to exist. Those of the addon are tested by scripts/docs.
PAGES = (
    REPO / "README.md", REPO / "ARCHITECTURE.md", REPO / "CONTRIBUTING.md", REPO / "SECURITY.md",
    PROJECT / "tests" / "README.md", PROJECT / "tests" / "coverage.md",
)
COVERAGE = PROJECT / "tests" / "coverage.md"
REFERENCE = PROJECT / "tests" / "data" / "class_reference.json"
FOLDERS = ("rust", "scripts", "godot_project", "addons", ".github", ".ci")

CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
GODOT_TEST = re.compile(r"^func (test_\w+)\(", re.MULTILINE)
RUST_TEST = re.compile(r"#\[test\](?:\s*#\[[^\]]*\])*\s*fn (\w+)\(")


def known_tests() -> Set[str]:
    """Every test that the table may name, as suite.test."""
    found = {f"interop.{scenario.name}" for scenario in all_scenarios()}
    for path in (PROJECT / "tests" / "suites").glob("*.gd"):
        found |= {f"{path.stem}.{test}" for test in GODOT_TEST.findall(path.read_text(encoding="utf-8"))}
    for path in (REPO / "rust").glob("*/tests/*.rs"):
        found |= {f"{path.stem}.{test}" for test in RUST_TEST.findall(path.read_text(encoding="utf-8"))}
    return found


def rows(text: str) -> Iterator[List[str]]:
    """The cells of every row of the coverage tables, without heads and rules."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and "`" in line and len(cells) == 2:
            yield cells


def members() -> Set[str]:
    """The properties, methods and constants of the class in 3.6."""
    reference: Dict = json.loads(REFERENCE.read_text(encoding="utf-8"))
    found = {entry["name"] for part in ("properties", "methods") for entry in reference[part]}
    return found.union(*reference["enums"].values())


def missing_files(page: Path) -> List[str]:
    """Paths and links of a page to nothing. Paths begin at the top of the repository, links at the page."""
    text = page.read_text(encoding="utf-8")
    spans = [span for span in CODE.findall(text) if span.split("/")[0] in FOLDERS and " " not in span]
    absent = [span for span in spans if not any(REPO.glob(span.rstrip("/")))]
    return sorted({*absent, *(link for link in LINK.findall(text) if not (page.parent / link).exists())})


def main() -> int:
    """One check for each row, member, and reference to a file."""
    text = COVERAGE.read_text(encoding="utf-8")
    tests, covered, problems, passed = known_tests(), set(), [], 0
    for first, second in rows(text):
        named = CODE.findall(second)
        wrong = [name for name in named if name not in tests]
        problems += [f"{first}: there is no test {name}" for name in wrong]
        problems += [f"{first}: no test is named"] if not named else []
        passed += bool(named) and not wrong
        covered |= {word for span in CODE.findall(first) for word in re.findall(r"\w+", span)}
    uncovered = sorted(members() - covered)
    problems += [f"no row of the coverage table is about {name}" for name in uncovered]
    passed += len(members()) - len(uncovered)
    for page in PAGES:
        absent = missing_files(page)
        problems += [f"{page.relative_to(REPO)}: {path} does not exist" for path in absent]
        passed += not absent
    for problem in problems:
        say(problem)
    say(f"{passed} passed, {len(problems)} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    main_guard(main)
