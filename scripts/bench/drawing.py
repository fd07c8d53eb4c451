"""Draws the plot, with Matplotlib."""

from __future__ import annotations

from pathlib import Path

from common import run
from tools import program

PROGRAM = Path(__file__).resolve().parent / "plot.py"


def draw(data: Path, picture: Path) -> None:
    """Turns the figures of a run into a PNG."""
    run([program("python"), PROGRAM, data, picture], quiet=True, timeout=120)
