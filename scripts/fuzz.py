#!/usr/bin/env python3
"""Runs every fuzz target for some time; needs a nightly compiler and cargo-fuzz.

All targets run, also after one has found something; the exit code tells whether any did.
"""

from __future__ import annotations

import argparse
from typing import List

from common import REPO, ScriptError, heading, main_guard, output, run, say, script

FUZZ = ["cargo", "+nightly", "fuzz"]
FOLDER = ["--fuzz-dir", str(REPO / "rust" / "fuzz")]

# What begins so plays programs of many steps: libFuzzer's slow way to longer inputs would keep it at the first ones.
PROGRAMS = ("admission", "engine_", "session_", "stranger_")
LONG_INPUTS = ["-len_control=0", "-max_len=4096"]


def main() -> int:
    """Fills the corpus with the test vectors, then runs the targets one after the other."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--seconds", type=int, default=600, help="time for each target (%(default)s)")
    reader.add_argument("--only", action="append", default=[], metavar="TARGET", help="this target; may be given again")
    options = reader.parse_args()
    targets = output([*FUZZ, "list", *FOLDER], cwd=REPO).split()
    unknown = [name for name in options.only if name not in targets]
    if unknown or not targets:
        raise ScriptError(f"{', '.join(unknown) or 'nothing'} is a fuzz target; there are: {', '.join(targets)}")
    run(script("codec_vectors", "seeds"), cwd=REPO)
    failed: List[str] = []
    for name in options.only or targets:
        heading(name)
        # Seeds are kept though they may reach nothing new: a codec in C is not seen by the fuzzer.
        limits = [f"-max_total_time={options.seconds}", "-keep_seed=1"]
        if name.startswith(PROGRAMS):
            limits += LONG_INPUTS
        if run([*FUZZ, "run", *FOLDER, name, "--", *limits], cwd=REPO, check=False) != 0:
            failed.append(name)
    heading("Summary")
    say(f"targets with findings: {', '.join(failed) or 'none'}")
    say(f"{len(options.only or targets) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    main_guard(main)
