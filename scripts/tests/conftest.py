"""What the tests share: engines, and checks of which one may fail without ending the test."""

from __future__ import annotations

from itertools import cycle
from typing import Callable, Dict, Iterable, List

import pytest

import namespaces as networks
from build import prepare_project
from engines import find_godot3, find_godot4
from interop.runner import CASTINGS, MORE_CASTINGS, Job

Check = Callable[..., None]
Engines = Callable[[Iterable[str]], Dict[str, List[str]]]
# So many fast scenarios at a time, in pytest-xdist's groups; the slow ones mostly wait, so they run beside them.
LANES = 3


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("interop")
    group.addoption("--casting", action="append", choices=[*CASTINGS, *MORE_CASTINGS],
                    help="engine of the server / of the clients; may be given again")
    group.addoption("--record", action="store_true", help="write the expected logs; plays Godot 3.6 alone")
    parser.addoption("--suite-test", action="append", default=[], metavar="SUITE.TEST", help="play this test of a suite in Godot 4")
    parser.addoption("--fuzz-seconds", type=int, default=20, metavar="SECONDS", help="for each target (%(default)s)")
    parser.addoption("--made", action="store_true", help="test the package that lies in dist, instead of a new one")


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


@pytest.fixture(scope="session")
def engines(request: pytest.FixtureRequest) -> Engines:
    """`engines("34")`: the commands of the engines with these numbers; without one of them, the test is skipped."""

    def find(numbers: Iterable[str]) -> Dict[str, List[str]]:
        return {number: request.getfixturevalue(f"godot{number}") for number in sorted(set(numbers))}

    return find


def job_parameters(jobs: Iterable[Job]) -> list:
    """For a test that plays these jobs of the interop test."""
    lanes = cycle(f"lane{i}" for i in range(LANES))
    return [
        pytest.param(job, id=f"{job.scenario.name}-{job.casting}",
                     marks=[] if job.scenario.slow else pytest.mark.xdist_group(next(lanes)))
        for job in jobs
    ]


@pytest.fixture(scope="session")
def namespaces() -> None:
    """What needs network namespaces is skipped where there are none."""
    problem = networks.obstacle()
    if problem:
        pytest.skip(problem)
