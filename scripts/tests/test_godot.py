"""The suites of godot_project/tests in Godot 4, each with network threads and without.

`-k "packets and inline"` picks suites; `--suite-test packets.test_sizes` plays one test of a suite, and may be given again.
"""

from __future__ import annotations

from typing import List

import pytest

from suites import LIMIT, SUITES_AND_MODES, play_suite


@pytest.mark.parametrize(("suite", "mode"), SUITES_AND_MODES)
def test_suite(
    suite: str, mode: str, godot4: List[str], pytestconfig: pytest.Config, subtests: pytest.Subtests
) -> None:
    chosen = pytestconfig.getoption("suite_test")
    tests = [test for test in chosen if test.partition(".")[0] == suite]
    if chosen and not tests:
        pytest.skip("none of its tests was chosen")
    play_suite(suite, mode, godot4, LIMIT, subtests, tests)
