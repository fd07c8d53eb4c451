"""Compares the pictures of ARCHITECTURE.md with the crates, their modules, and who depends on whom."""

from __future__ import annotations

import json
import re
from typing import Dict, Iterator, List, NamedTuple, Set, Tuple

import pytest

from build import cargo
from common import REPO, output

PAGE = REPO / "ARCHITECTURE.md"
# Crates whose modules are shown.
OPENED = ("nme-core", "nme-driver", "nme-enet", "nme-godot")

MODULE = re.compile(r"^(?:pub )?mod (\w+)", re.MULTILINE)
SUBGRAPH = re.compile(r'^subgraph (\w+) \["([\w-]+): .+"\]$')
BOX = re.compile(r'^(\w+)\["([\w, -]+)<br/>(.+)"\]$')
END = re.compile(r'^(\w+)\(\["(.+)"\]\)$')
ROW = re.compile(r"^\| `([\w-]+)` \| ([\w, ]+) \| (.+) \|$", re.MULTILINE)
ARROW = re.compile(r" (==>|-->|-\.->) ")

Arrow = Tuple[str, str]


class Box(NamedTuple):
    """A box: its crate, the names on it, and what these know."""

    crate: str
    names: List[str]
    what: str


class Picture:
    """What a picture in Mermaid shows."""

    def __init__(self, name: str) -> None:
        code = PAGE.read_text(encoding="utf-8").split(f"<!-- {name} -->\n```mermaid\nflowchart TB\n")[1].split("```")[0]
        self.boxes: Dict[str, Box] = {}
        self.crates: List[str] = []
        self.ends: List[str] = []
        self.arrows: Dict[str, List[Arrow]] = {"==>": [], "-->": [], "-.->": []}
        inside = ""
        for line in filter(None, map(str.strip, code.splitlines())):
            if opened := SUBGRAPH.match(line):
                assert opened[1] == opened[2].replace("-", "_"), line
                inside = opened[2]
                self.crates.append(inside)
            elif line == "end":
                inside = ""
            elif box := BOX.match(line):
                assert box[1] not in self.boxes, f"there are two boxes {box[1]}"
                names = box[2].split(", ")
                self.crates += [] if inside else names
                self.boxes[box[1]] = Box(inside or names[0], names, box[3])
            elif end := END.match(line):
                self.ends.append(end[1])
            else:
                self._read_arrows(line)

    def _read_arrows(self, line: str) -> None:
        words = ARROW.split(line)
        assert len(words) >= 3, f"what is this? {line}"
        for start, kind, stop in zip(words[::2], words[1::2], words[2::2]):
            self.arrows[kind] += [(one, another) for one in start.split(" & ") for another in stop.split(" & ")]
        known = {*self.boxes, *self.ends}
        unknown = {name for word in words[::2] for name in word.split(" & ")} - known
        assert not unknown, f"an arrow leads to no box: {unknown}"


def way(arrows: List[Arrow], start: str) -> Iterator[str]:
    """The boxes that one meets; a way has no fork."""
    following = dict(arrows)
    assert len(following) == len(arrows), "a way has a fork"
    while start in following:
        yield start
        start = following.pop(start)
    assert not following, f"nothing leads to {', '.join(following)}"
    yield start


@pytest.fixture(scope="module")
def modules() -> Picture:
    """The picture of the way of a packet."""
    return Picture("modules")


@pytest.fixture(scope="module")
def beside() -> List[Box]:
    """The rows of the table of what is not on the way; a crate that is there as a whole has no names."""
    table = PAGE.read_text(encoding="utf-8").split("<!-- beside -->\n")[1].split("\n\n")[0]
    return [Box(crate, [] if names == "all" else names.split(", "), what) for crate, names, what in ROW.findall(table)]


@pytest.fixture(scope="module")
def crates() -> Picture:
    """The picture of the crates."""
    return Picture("crates")


@pytest.fixture(scope="module")
def dependencies() -> Dict[str, Dict[str, bool]]:
    """For each crate of the workspace those that it needs, and whether it can do without; tests' dependencies apart."""
    answer = json.loads(output([cargo(), "metadata", "--format-version", "1", "--no-deps"], cwd=REPO))
    names = {package["name"] for package in answer["packages"]}
    return {
        package["name"]: {
            needed["name"]: needed["optional"] for needed in package["dependencies"]
            if needed["name"] in names and needed["kind"] is None
        }
        for package in answer["packages"]
    }


@pytest.mark.parametrize("crate", OPENED)
def test_the_modules_are_shown(modules: Picture, beside: List[Box], crate: str) -> None:
    """Each module stands in one box of its crate or one row of the table, and there is nothing else."""
    source = (REPO / "rust" / crate / "src" / "lib.rs").read_text(encoding="utf-8")
    shown = [name for box in [*modules.boxes.values(), *beside] if box.crate == crate for name in box.names]
    assert sorted(shown) == sorted(MODULE.findall(source))


def test_every_crate_of_the_library_is_shown(
    modules: Picture, beside: List[Box], dependencies: Dict[str, Dict[str, bool]]
) -> None:
    """Those that the library is linked from, without stock ENet, which only tests use."""
    wanted: Set[str] = set()
    left = ["nme-godot"]
    while left:
        crate = left.pop()
        wanted.add(crate)
        left += [needed for needed in dependencies[crate] if needed not in wanted | {"nme-reference"}]
    assert {*modules.crates, *(row.crate for row in beside)} == wanted


def test_every_crate_has_one_box(crates: Picture, dependencies: Dict[str, Dict[str, bool]]) -> None:
    """The crates of the workspace, and no others."""
    assert sorted(crates.crates) == sorted(dependencies)
    assert all(crates.boxes[name.replace("-", "_")].names == [name] for name in dependencies)


@pytest.mark.parametrize(("kind", "is_optional"), [("-->", False), ("-.->", True)])
def test_the_arrows_are_the_dependencies(
    crates: Picture, dependencies: Dict[str, Dict[str, bool]], kind: str, is_optional: bool
) -> None:
    """Between crates, as cargo knows them."""
    shown = sorted((crates.boxes[start].crate, crates.boxes[stop].crate) for start, stop in crates.arrows[kind])
    assert shown == sorted(
        (crate, needed) for crate, all_needed in dependencies.items() for needed, optional in all_needed.items()
        if optional == is_optional
    )


@pytest.mark.parametrize(("kind", "start", "stop"), [("==>", "network", "game"), ("-->", "game", "network")])
def test_a_packet_goes_all_the_way(
    modules: Picture, dependencies: Dict[str, Dict[str, bool]], kind: str, start: str, stop: str
) -> None:
    """A way begins and ends outside, and passes only between crates of which one depends on the other."""
    boxes = list(way(modules.arrows[kind], start))
    assert boxes[-1] == stop
    assert {modules.boxes[name].crate for name in boxes[1:-1]} == {*OPENED, "nme-udp"}
    steps = [(modules.boxes[one].crate, modules.boxes[other].crate) for one, other in zip(boxes[1:-2], boxes[2:-1])]
    strangers = [
        step for step in steps
        if step[0] != step[1] and step[1] not in dependencies[step[0]] and step[0] not in dependencies[step[1]]
    ]
    assert not strangers
