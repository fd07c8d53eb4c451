"""Draws the plot, with Matplotlib in a private Python environment below the cache folder."""

from __future__ import annotations

import shutil
import sys
import venv
from pathlib import Path

from common import cache_dir, locked, run, timed

REQUIREMENTS = ("matplotlib==3.9.4",)
PROGRAM = Path(__file__).resolve().parent / "plot.py"


def draw(data: Path, picture: Path) -> None:
    """Turns the figures of a run into a PNG."""
    run([python(), PROGRAM, data, picture], quiet=True, timeout=120)


def python() -> Path:
    """The environment's Python; the stamp comes last, so a broken installation is simply done again."""
    folder = cache_dir() / "plot-venv"
    program = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp = folder / "ready.txt"
    text = "\n".join([*REQUIREMENTS, str(folder), sys.base_prefix, ""])
    with locked(cache_dir() / ".plot-venv-lock"):
        if not (stamp.is_file() and stamp.read_text(encoding="utf-8") == text and program.is_file()):
            shutil.rmtree(folder, ignore_errors=True)
            with timed("plotting tools"):
                venv.create(folder, with_pip=True)
                run([program, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS])
            stamp.write_text(text, encoding="utf-8")
    return program
