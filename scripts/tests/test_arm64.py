"""The library of a package for Linux on arm64: the tests in Godot 4, all of it run by qemu."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator, List

import pytest

from build import platform_of, put_library
from common import ADDON
from foreign import ARM64, NotHere, qemu_with_engine, rust_for
from package import checked
from suites import LIMIT, SUITES_AND_MODES, play_suite
from targets import build_library, target

# How many times as long as elsewhere a suite, and what its tests wait for, may take.
SLOWNESS = 6


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
def test_suite(suite: str, mode: str, godot: List[str], subtests: pytest.Subtests) -> None:
    play_suite(suite, mode, godot, LIMIT * SLOWNESS, subtests)
