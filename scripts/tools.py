#!/usr/bin/env python3
"""Formatter and linter for GDScript, in a private Python environment below .cache/venv.

`tools.py` prints where they are; `tools.py gdlint FILES` (or gdformat) runs one of them.
"""

from __future__ import annotations

import shutil
import sys
import venv
from pathlib import Path
from typing import List

from common import ScriptError, cache_dir, locked, main_guard, run, say, timed

REQUIREMENTS = ("gdtoolkit==4.5.0",)
TOOLS = ("gdformat", "gdlint")


def venv_dir() -> Path:
    """The private environment."""
    return cache_dir() / "venv"


def program(name: str) -> Path:
    """Where a tool's program lies in the environment."""
    if sys.platform == "win32":
        return venv_dir() / "Scripts" / f"{name}.exe"
    return venv_dir() / "bin" / name


def stamp_text() -> str:
    """What the environment was made from; a move or another Python makes it useless."""
    return "\n".join([*REQUIREMENTS, str(venv_dir()), sys.base_prefix, ""])


def ready() -> bool:
    """Whether an earlier run finished with the same requirements."""
    stamp = venv_dir() / "ready.txt"
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == stamp_text() and program("gdlint").is_file()


def prepare() -> None:
    """Makes the environment; the stamp comes last, so a broken run is simply done again."""
    if ready():
        return
    with locked(cache_dir() / ".venv-lock"):
        if ready():
            return
        shutil.rmtree(venv_dir(), ignore_errors=True)
        with timed("GDScript tools"):
            venv.create(venv_dir(), with_pip=True)
            run([program("python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS])
        (venv_dir() / "ready.txt").write_text(stamp_text(), encoding="utf-8")


def gdformat() -> Path:
    """The formatter."""
    prepare()
    return program("gdformat")


def gdlint() -> Path:
    """The linter."""
    prepare()
    return program("gdlint")


def main() -> int:
    """Prints the paths, or runs the tool that is named first."""
    words: List[str] = sys.argv[1:]
    prepare()
    if not words:
        for name in TOOLS:
            say(f"{name}: {program(name)}")
        return 0
    if words[0] not in TOOLS:
        raise ScriptError(f"{words[0]} is none of: {', '.join(TOOLS)}")
    return run([program(words[0]), *words[1:]], check=False, quiet=True)


if __name__ == "__main__":
    main_guard(main)
