#!/usr/bin/env python3
"""Formatter and linter for GDScript, in a private Python environment below .cache/venv.

`tools.py` prints where they are; `tools.py gdlint FILES` (or gdformat) runs one of them.
"""

from __future__ import annotations

import shutil
import sys
import venv
from pathlib import Path
from typing import List, NamedTuple, Tuple

from common import ScriptError, cache_dir, locked, main_guard, run, say, timed

TOOLS = ("gdformat", "gdlint")


class Environment(NamedTuple):
    """A private Python environment."""

    name: str
    what: str
    requirements: Tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return cache_dir() / self.name

    @property
    def stamp(self) -> Path:
        """Written last, so that a broken run is simply done again."""
        return self.folder / "ready.txt"

    def program(self, name: str) -> Path:
        """Where a program lies in it."""
        if sys.platform == "win32":
            return self.folder / "Scripts" / f"{name}.exe"
        return self.folder / "bin" / name

    def stamp_text(self) -> str:
        """What it was made from; a move or another Python makes it useless."""
        return "\n".join([*self.requirements, str(self.folder), sys.base_prefix, ""])

    def ready(self) -> bool:
        """Whether an earlier run finished with the same requirements."""
        has_stamp = self.stamp.is_file() and self.stamp.read_text(encoding="utf-8") == self.stamp_text()
        return has_stamp and self.program("python").is_file()

    def prepare(self) -> None:
        """Makes it, unless it is there."""
        if self.ready():
            return
        with locked(cache_dir() / f".{self.name}-lock"):
            if self.ready():
                return
            shutil.rmtree(self.folder, ignore_errors=True)
            with timed(self.what):
                venv.create(self.folder, with_pip=True)
                pip = [self.program("python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
                run([*pip, *self.requirements])
            self.stamp.write_text(self.stamp_text(), encoding="utf-8")


GDSCRIPT = Environment("venv", "GDScript tools", ("gdtoolkit==4.5.0",))
# Versions that run on Python 3.9.
CSHARP = Environment("venv_csharp", "parser for C#", ("tree-sitter==0.23.2", "tree-sitter-c-sharp==0.23.0"))


def gdformat() -> Path:
    """The formatter."""
    GDSCRIPT.prepare()
    return GDSCRIPT.program("gdformat")


def gdlint() -> Path:
    """The linter."""
    GDSCRIPT.prepare()
    return GDSCRIPT.program("gdlint")


def main() -> int:
    """Prints the paths, or runs the tool that is named first."""
    words: List[str] = sys.argv[1:]
    GDSCRIPT.prepare()
    if not words:
        for name in TOOLS:
            say(f"{name}: {GDSCRIPT.program(name)}")
        return 0
    if words[0] not in TOOLS:
        raise ScriptError(f"{words[0]} is none of: {', '.join(TOOLS)}")
    return run([GDSCRIPT.program(words[0]), *words[1:]], check=False, quiet=True)


if __name__ == "__main__":
    main_guard(main)
