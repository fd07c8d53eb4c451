"""Every benchmark with small numbers: that each contestant can be measured, not what comes out."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from common import REPO, run, script


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the benchmarks count what only Linux tells")
def test_all_are_measured(tmp_path: Path, subtests: pytest.Subtests) -> None:
    code = run(script("bench", "--quick", "--output", tmp_path), cwd=REPO, check=False)
    scenarios = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))["scenarios"]
    for name, scenario in scenarios.items():
        problems = scenario["problems"]
        for contestant in [*scenario["measured"], *problems]:
            with subtests.test(f"{name}, {contestant}"):
                assert contestant not in problems, problems[contestant]
    assert code == 0
