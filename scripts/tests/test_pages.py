"""What pages refer to and promise to list: files, links, tests, errors, and figures."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Sequence, Set

import pytest

from common import ADDON, PROJECT, REPO, output
from docs import drop_in, errors, figures
from docs.pages import LINK, OTHER_LANGUAGES, VISIBLE, all_pages, blocks_of, title
from interop.scenarios import all_scenarios

REFERENCE = PROJECT / "tests" / "data" / "class_reference.json"
FOLDERS = ("rust", "scripts", "godot_project", "addons", ".github")
# It names what was there once.
HISTORY = REPO / "CHANGELOG.md"
INDEX = ADDON / "README.md"
SHIPPED = all_pages()[1:]

CODE = re.compile(r"`([^`\n]+)`")
GODOT_TEST = re.compile(r"^func (test_\w+)\(", re.MULTILINE)
RUST_TEST = re.compile(r"#\[test\](?:\s*#\[[^\]]*\])*\s*fn (\w+)\(")


class Row(NamedTuple):
    """A line of a table: what is covered, and by which tests."""

    subject: str
    tests: List[str]


def markdown() -> List[Path]:
    """Every page, for users or for developers."""
    listed = output(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=REPO)
    found = (REPO / line for line in listed.splitlines())
    return sorted(path for path in found if path.is_file() and path != HISTORY)


def name(page: Path) -> str:
    """A page's name in the names of tests."""
    return page.relative_to(REPO).as_posix()


def rows(pages: Sequence[Path]) -> Iterator[Row]:
    """The rows of every table whose second and last column is called `tests`."""
    for page in pages:
        is_wanted = False
        for line in page.read_text(encoding="utf-8").splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if not line.startswith("|"):
                is_wanted = False
            elif len(cells) == 2 and cells[1] == "tests":
                is_wanted = True
            elif is_wanted and not set(cells[1]) <= set("-:"):
                yield Row(cells[0], CODE.findall(cells[1]))


def members() -> List[str]:
    """The properties, methods and constants of the class in 3.6."""
    reference: Dict = json.loads(REFERENCE.read_text(encoding="utf-8"))
    found = {entry["name"] for part in ("properties", "methods") for entry in reference[part]}
    return sorted(found.union(*reference["enums"].values()))


MARKDOWN = markdown()
ROWS = tuple(rows(MARKDOWN))


@pytest.fixture(scope="module")
def known_tests() -> Set[str]:
    """Every test that a table may name, as suite.test."""
    found = {f"interop.{scenario.name}" for scenario in all_scenarios()}
    for path in (PROJECT / "tests" / "suites").glob("*.gd"):
        found |= {f"{path.stem}.{test}" for test in GODOT_TEST.findall(path.read_text(encoding="utf-8"))}
    for path in (REPO / "rust").glob("*/tests/*.rs"):
        found |= {f"{path.stem}.{test}" for test in RUST_TEST.findall(path.read_text(encoding="utf-8"))}
    return found


# --- The coverage of the class reference ----------------------------------------------------------


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.subject)
def test_the_tests_of_a_row_exist(row: Row, known_tests: Set[str]) -> None:
    assert row.tests and set(row.tests) <= known_tests, sorted(set(row.tests) - known_tests)


@pytest.mark.parametrize("member", members())
def test_a_member_has_a_row(member: str) -> None:
    assert any(member in re.findall(r"\w+", span) for row in ROWS for span in CODE.findall(row.subject))


# --- Files and links ------------------------------------------------------------------------------


@pytest.mark.parametrize("page", MARKDOWN, ids=name)
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    spans = [span for span in CODE.findall(text) if span.split("/")[0] in FOLDERS and " " not in span]
    absent = [path for path in spans if not any(REPO.glob(path.rstrip("/")))]
    absent += [target for target in LINK.findall(text) if not (page.parent / target).exists()]
    assert not absent


@pytest.mark.parametrize("page", SHIPPED, ids=title)
def test_links_of_a_page_lead_to_what_ships_with_it(page: Path) -> None:
    targets = [(page.parent / target).resolve() for target in LINK.findall(page.read_text(encoding="utf-8"))]
    assert not [target for target in targets if ADDON not in target.parents or not target.exists()]


def test_the_addons_readme_leads_to_every_page() -> None:
    linked = {(INDEX.parent / target).resolve() for target in LINK.findall(INDEX.read_text(encoding="utf-8"))}
    assert not {page.resolve() for page in SHIPPED} - {INDEX.resolve()} - linked


# --- Examples -------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", SHIPPED, ids=title)
def test_a_page_has_examples_that_show_something(page: Path) -> None:
    code = [block for block in blocks_of(page) if block.language == "gdscript"]
    assert code or page.name in OTHER_LANGUAGES, "it has no example"
    untold = [block.name for block in code if not block.words.keys() & set(VISIBLE)]
    assert not untold, f"these examples need one of {VISIBLE} in their comments"


# --- Errors ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def explained() -> str:
    """What the pages of errors say, as errors.plain gives it."""
    return "".join(errors.plain(page.read_text(encoding="utf-8")) for page in (errors.PAGE, errors.CONNECTIONS))


@pytest.mark.parametrize("piece", errors.pieces())
def test_an_error_is_explained(piece: str, explained: str) -> None:
    assert piece in explained


@pytest.mark.parametrize("constant", errors.connection_errors())
def test_a_connection_error_is_explained(constant: str, explained: str) -> None:
    assert constant.lower() in explained


# --- Tables that are made -------------------------------------------------------------------------


@pytest.mark.parametrize("page", figures.PAGES, ids=lambda page: page.name)
def test_a_page_has_the_newest_figures(page: figures.Page) -> None:
    assert page.text() == page.renewed(figures.figures()), "run: python3 scripts/docs --write"


def test_the_scenarios_of_the_figures_exist() -> None:
    assert figures.used_scenarios() <= figures.known_scenarios()


def test_the_page_about_another_class_has_what_is_replaced() -> None:
    assert drop_in.PAGE.read_text(encoding="utf-8") == drop_in.renewed(), "run: python3 scripts/docs --write"
