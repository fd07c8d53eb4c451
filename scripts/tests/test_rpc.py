"""Plays games of Godot 3.6 and of Godot 4 that call each other.

What the engines print stays in the temporary folder of a play; `--basetemp FOLDER` says where that is.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conftest import Engines
from rpc.plays import Play, all_plays
from rpc.stage import Stage


def id_of(play: Play) -> str:
    """Something that `-k` takes."""
    return re.sub(r"\W+", "_", play.name)


@pytest.mark.parametrize("play", all_plays(), ids=id_of)
def test_play(play: Play, engines: Engines, tmp_path: Path, subtests: pytest.Subtests) -> None:
    """The checks of a play may rest on those before; after a failed one the next is tried all the same."""
    stage = Stage(play.cast, tmp_path, engines(kind[0] for kind in play.cast.values()))
    try:
        stage.wait_for_agents()
        play.begin(stage)
        for check in play.checks:
            with subtests.test(check.__name__.replace("_", " ").strip()):
                check(stage)
        stage.close()
    finally:
        with subtests.test("nobody complains about anything else"):
            left = [
                f"{name}: {line}" for name, agent in stage.agents.items() for line in agent.complaints()
                if not any(part in line for part in play.forgiven)
            ]
            assert not left, left
        stage.kill()
