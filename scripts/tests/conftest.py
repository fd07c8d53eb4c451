"""What the tests share: engines, and checks of which one may fail without ending the test."""

from __future__ import annotations

from typing import Callable, List

import pytest

from build import prepare_project
from engines import find_godot3, find_godot4

Check = Callable[..., None]


@pytest.fixture
def check(subtests: pytest.Subtests) -> Check:
    """`check(what, is_right, why)`: a check after which the test goes on even if it has failed."""

    def one(what: str, is_right: bool, why: str = "") -> None:
        with subtests.test(what):
            assert is_right, why

    return one


@pytest.fixture(scope="session")
def godot4() -> List[str]:
    """The command of Godot 4, with a project that is ready for it."""
    command = find_godot4()
    prepare_project(command)
    return command


@pytest.fixture(scope="session")
def godot3() -> List[str]:
    """The command of Godot 3.6; without one, what needs it is skipped."""
    command = find_godot3()
    if not command:
        pytest.skip("Godot 3.6 is not there")
    return command
