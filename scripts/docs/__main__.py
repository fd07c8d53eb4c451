"""Writes the tables of pages anew, of figures and of what is replaced: `python3 scripts/docs --write`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from common import main_guard  # noqa: E402
from docs import drop_in, figures  # noqa: E402


def main() -> int:
    """Writes what the option asks for."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--write", action="store_true", required=True, help="write the tables into their pages")
    reader.parse_args()
    figures.write()
    drop_in.write()
    return 0


if __name__ == "__main__":
    main_guard(main)
