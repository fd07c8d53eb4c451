"""Plays scenarios with Godot 3.6, Godot 4, and both; what 3.6 has shown alone is what all have to show.

The raw logs of a run stay in its temporary folder; `--basetemp FOLDER` says where that is.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Engines, job_parameters
from interop.runner import CASTINGS, REFERENCE, Job, Player, all_jobs, compare_with_expected, save_expected


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every scenario with every casting that was asked for."""
    config = metafunc.config
    castings = [REFERENCE] if config.getoption("record") else config.getoption("casting") or CASTINGS
    metafunc.parametrize("job", job_parameters(all_jobs(castings)))


def test_scenario(job: Job, engines: Engines, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    summaries = Player(engines(job.engines)).play(job, tmp_path)
    if pytestconfig.getoption("record"):
        save_expected(job.scenario, summaries)
    else:
        compare_with_expected(job, summaries)
