"""Starts the RPC test; `python3 scripts/rpc` and, in scripts/, `python3 -m rpc` both work."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from common import main_guard  # noqa: E402
from rpc.runner import main  # noqa: E402

if __name__ == "__main__":
    main_guard(main)
