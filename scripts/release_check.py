"""The list of all that a release needs: what a script can see, and what a person has to look at."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Iterator, NamedTuple, Tuple

from common import ADDON, REPO, output, say

STORE = REPO / ".github" / "store"
PICTURES = {"icon.png": (256, 256), "thumbnail.png": (1920, 1080), "arena.png": (1920, 1080), "debugger_tab.png": (1920, 1080)}
# Letters that the Asset Store's summary may have, with some to spare.
SUMMARY_LIMIT = 140
FOR_A_PERSON = (
    "the CI is green on main, and the nightly fuzzing, too",
    "the changelog's section says what users notice, and marks what breaks as (breaking)",
    "the pictures of .github/store and of the README show the addon as it is now",
    "OWNER/REPOSITORY is replaced where a text of .github/store goes into a form",
    "the owner has answered the Asset Store's question about AI",
    "docs/platforms.md says what was seen with this version",
)


class Point(NamedTuple):
    """A point of the list that a script can see."""

    what: str
    holds: bool


def size_of(png: Path) -> Tuple[int, int]:
    """Width and height of a PNG, in pixels; (0, 0) of anything else."""
    head = png.read_bytes()[:24] if png.is_file() else b""
    return struct.unpack(">II", head[16:24]) if head[:8] == b"\x89PNG\r\n\x1a\n" else (0, 0)


def quoted(page: Path) -> str:
    """The text that a page of the store gives for a form."""
    found = re.search(r"^```text\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def points(changes: str) -> Iterator[Point]:
    """Goes through the list."""
    yield Point("the changelog says what is new", changes.count("\n- ") + changes.startswith("- ") > 0)
    yield Point("everything is committed", not output(["git", "status", "--porcelain"], cwd=REPO).strip())
    yield Point("no submodules", not (REPO / ".gitmodules").exists())
    yield Point("a .gitignore", (REPO / ".gitignore").is_file())
    licence = (REPO / "LICENSE.md").read_text(encoding="utf-8")
    yield Point("LICENSE.md names the year and the holder", bool(re.search(r"Copyright \(c\) \d{4} \w+", licence)))
    mit = (REPO / "LICENSE-MIT").read_text(encoding="utf-8").split("\n\n", 2)[2].strip()
    yield Point("LICENSE.md has the text of the MIT License", mit in licence)
    for name in ("README.md", "LICENSE-MIT", "LICENSE-APACHE", "THIRDPARTY.txt"):
        yield Point(f"{name} lies in the addon", (ADDON / name).is_file())
    for name, size in PICTURES.items():
        yield Point(f"{name} has {size[0]}x{size[1]} pixels", size_of(STORE / "pictures" / name) == size)
    yield Point("the engine does not import the stores' pictures", (STORE / "pictures" / ".gdignore").is_file())
    yield Point("a description for the Asset Library", len(quoted(STORE / "asset_library.md")) > 200)
    summary = quoted(STORE / "asset_store.md")
    yield Point(f"a summary of up to {SUMMARY_LIMIT} letters for the Asset Store", 0 < len(summary) <= SUMMARY_LIMIT)


def go_through(changes: str) -> int:
    """Tells every point, and the exit code: 0 if nothing that a script can see speaks against a release."""
    failed = 0
    for what, holds in points(changes):
        say(f"{'ok     ' if holds else 'NOT YET'} {what}")
        failed += not holds
    for what in FOR_A_PERSON:
        say(f"look    {what}")
    say(f"\nNot met: {failed}" if failed else "\nNothing speaks against a release; the points to look at are yours.")
    return 1 if failed else 0
