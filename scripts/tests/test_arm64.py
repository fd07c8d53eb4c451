"""The library of a package for Linux on arm64: the tests in Godot 4, all of it run by qemu."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator, List

import pytest

from build import platform_of, put_library
from common import ADDON
from conftest import Check
from foreign import ARM64, NotHere, qemu_with_engine, rust_for
from godot_tests import LIMIT, MODES, ONE_MODE, RESULT, SUITES, run_suite
from package import checked
from targets import build_library, target

# How many times as long as elsewhere a suite, and what its tests wait for, may take.
SLOWNESS = 6
SUITES_AND_MODES = [
    (path.stem, mode) for path in sorted(SUITES.glob("*.gd")) for mode in MODES
    if path.stem not in ONE_MODE or mode == "inline"
]


@pytest.fixture(scope="module")
def engine() -> str:
    """The engine of the other processor."""
    try:
        return str(qemu_with_engine())
    except NotHere as error:
        pytest.skip(f"NOT RUN: {error}")


@pytest.fixture(scope="module")
def library() -> Path:
    """The library as it is shipped."""
    with pytest.MonkeyPatch.context() as patch:
        try:
            for name, value in rust_for(ARM64).items():
                patch.setenv(name, value)
        except NotHere as error:
            pytest.skip(f"NOT RUN: {error}")
        return build_library(target(ARM64))


@pytest.fixture(scope="module")
def godot(engine: str, library: Path, godot4: List[str]) -> Iterator[List[str]]:
    """The engine with a project that has the library; this machine's own engine has imported it, which is faster."""
    put_library(library, ADDON / "bin" / platform_of(ARM64).shipped_name(release=False))
    with pytest.MonkeyPatch.context() as patch:
        # See tests/child.gd and tests/suite.gd.
        patch.setenv("TEST_ENGINE", engine)
        patch.setenv("TEST_SLOWNESS", str(SLOWNESS))
        yield [engine]


def test_the_library_is_fit_for_a_package(library: Path) -> None:
    assert checked([library])[0].processors == ("AARCH64",)


@pytest.mark.parametrize(("suite", "mode"), SUITES_AND_MODES)
def test_suite(suite: str, mode: str, godot: List[str], check: Check) -> None:
    result = run_suite(godot, suite, [], mode, LIMIT * SLOWNESS)
    # A test that fails is named in each line about it.
    for name, word in {name: word for word, name in RESULT.findall(result.text)}.items():
        check(name, word == "ok", result.text)
    assert not result.problems and not result.failed and result.passed, "\n".join([*result.problems, result.text])
