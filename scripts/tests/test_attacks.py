"""Strangers who attack a server with players at work, and faults of its network: the short form of `scripts/attacks`."""

from __future__ import annotations

from typing import List

import pytest

from attacks import run
from conftest import Check
from namespaces import played


@pytest.fixture(scope="module")
def built(namespaces: None, godot4: List[str]) -> None:
    """The programs that attack."""
    run.build(is_long=False)


@pytest.mark.parametrize("part", run.PARTS)
def test_players_do_not_suffer(part: str, built: None, check: Check) -> None:
    rows = played(run.play, [part], False, None)
    if part == "queues" and not rows:
        pytest.skip("NOT RUN: this wants tc (Debian: iproute2) and the kernel's sch_tbf")
    assert rows
    for row in rows:
        check(row.what, not row.problems, "\n".join(row.problems))
