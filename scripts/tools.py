#!/usr/bin/env python3
"""The Python environment below .cache with what requirements.txt names.

`tools.py` prints where its Python is; `tools.py gdlint FILES` (or another program) runs a program of it.
"""

from __future__ import annotations

import shutil
import sys
import venv
from pathlib import Path
from typing import Callable

from common import REPO, ScriptError, cache_dir, locked, main_guard, run, say, timed

REQUIREMENTS = REPO / "scripts" / "requirements.txt"
ROOT = cache_dir() / "venv"
PROGRAMS = ROOT / ("Scripts" if sys.platform == "win32" else "bin")


def program(name: str) -> Path:
    """A program of the environment, which is there afterwards."""
    prepare()
    path = PROGRAMS / (f"{name}.exe" if sys.platform == "win32" else name)
    if not path.is_file():
        raise ScriptError(f"{REQUIREMENTS.name} brings no {name}")
    return path


def prepare() -> None:
    """Makes the environment; its stamp comes last, so a broken run is simply done again."""
    # A move or another Python makes it useless.
    wanted = "\n".join([REQUIREMENTS.read_text(encoding="utf-8"), str(ROOT), sys.base_prefix, ""])
    stamp = ROOT / "ready.txt"

    def is_ready() -> bool:
        return stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted

    if is_ready():
        return
    with locked(ROOT.with_name(".venv-lock")):
        if is_ready():
            return
        shutil.rmtree(ROOT, ignore_errors=True)
        with timed("Python environment"):
            venv.create(ROOT, with_pip=True)
            python = PROGRAMS / ("python.exe" if sys.platform == "win32" else "python")
            run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS])
        stamp.write_text(wanted, encoding="utf-8")


def inside(main: Callable[[], int]) -> int:
    """Runs a script's main in the environment's Python: in this process, or else the script from its beginning."""
    if Path(sys.prefix) == ROOT:
        return main()
    return run([program("python"), *sys.argv], check=False, quiet=True)


def main() -> int:
    """Prints where Python is, or runs the program that is named first."""
    words = sys.argv[1:]
    if not words:
        say(str(program("python")))
        return 0
    return run([program(words[0]), *words[1:]], check=False, quiet=True)


if __name__ == "__main__":
    main_guard(main)
