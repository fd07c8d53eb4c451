"""Pages of Markdown, and the blocks of code in them.

A comment above a block says how it is tested: `<!-- example: with: server; expect: 1 + 1 == 2 -->`.
`godot_project/tests/docs/README.md` explains its words.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, List, NamedTuple

from common import ADDON, REPO, ScriptError

BLOCK = re.compile(
    r"^(?:<!-- example(?P<words>.*?)-->\s*\n)?```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
# What may stand in a comment; `example` alone asks for a run without errors.
WORDS = ("multiplayer", "with", "before", "call", "guest", "then", "expect", "prints", "error", "joins", "godot3", "not run")
# What a reader of the test's result can rely on.
VISIBLE = ("expect", "prints", "error", "godot3", "not run")
# Pages about another language than GDScript.
OTHER_LANGUAGES = ("csharp.md",)
# A link to a file, without the place in it.
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(?:#[\w-]+)?\)")


class Block(NamedTuple):
    """A block of code, and how to test it."""

    page: str
    line: int
    language: str
    code: str
    words: Dict[str, List[str]]

    @property
    def name(self) -> str:
        """Where to find it."""
        return f"{self.page}:{self.line}"

    def word(self, name: str) -> str:
        """The value of a word that comes once, or nothing."""
        return (self.words.get(name) or [""])[-1]


def all_pages() -> List[Path]:
    """Every page for users."""
    return [REPO / "README.md", ADDON / "README.md", *sorted((ADDON / "docs").glob("*.md"))]


def title(page: Path) -> str:
    """A page's name in messages."""
    return f"addon/{page.relative_to(ADDON).as_posix()}" if ADDON in page.parents else page.name


def blocks_of(page: Path) -> List[Block]:
    """The blocks of a page in their order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(text):
        line = text[:match.start("code")].count("\n") + 1
        words = words_of(match["words"] or "", f"{title(page)}:{line}")
        found.append(Block(title(page), line, match["language"], match["code"], words))
    return found


def words_of(text: str, where: str) -> Dict[str, List[str]]:
    """Reads a comment: words with values, separated by semicolons or lines. What begins with no word goes on with the
    value before it."""
    found: Dict[str, List[str]] = {}
    last: List[str] = []
    for part in re.split(r";\s|\n", text.strip().lstrip(":")):
        part = part.strip()
        name = next((word for word in WORDS if re.match(rf"{word}(?=:|$)", part)), None)
        if name is not None:
            last = found.setdefault(name, [])
            last.append(part[len(name):].lstrip(": "))
        elif part and last:
            last[-1] += "\n" + part
        elif part:
            raise ScriptError(f"{where}: a comment about an example has no word for {part!r}")
    return found
