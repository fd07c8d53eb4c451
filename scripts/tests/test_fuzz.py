"""Every fuzz target under AddressSanitizer, for `--fuzz-seconds` each; needs a nightly compiler and cargo-fuzz."""

from __future__ import annotations

import shutil

import pytest

from common import REPO, run, script

FOLDER = REPO / "rust" / "fuzz"
FUZZ = ["cargo", "+nightly", "fuzz"]
TARGETS = sorted(path.stem for path in (FOLDER / "fuzz_targets").glob("*.rs"))

# What begins so plays programs of many steps: libFuzzer's slow way to longer inputs would keep it at the first ones.
PROGRAMS = ("admission", "engine_", "session_", "stranger_")
LONG_INPUTS = ["-len_control=0", "-max_len=4096"]


@pytest.fixture(scope="module")
def corpus() -> None:
    """The test vectors of the codecs are in the corpus of their targets."""
    if shutil.which("cargo-fuzz") is None or run([*FUZZ, "--version"], cwd=REPO, check=False) != 0:
        # The targets' bodies run with random programs in the Rust tests, too.
        pytest.skip("NOT RUN: this wants `rustup toolchain install nightly` and `cargo install cargo-fuzz`")
    run(script("codec_vectors", "seeds"), cwd=REPO)


@pytest.mark.parametrize("target", TARGETS)
def test_target(target: str, corpus: None, pytestconfig: pytest.Config) -> None:
    # Seeds are kept though they may reach nothing new: a codec in C is not seen by the fuzzer.
    words = [f"-max_total_time={pytestconfig.getoption('fuzz_seconds')}", "-keep_seed=1"]
    if target.startswith(PROGRAMS):
        words += LONG_INPUTS
    assert run([*FUZZ, "run", "--fuzz-dir", FOLDER, target, "--", *words], cwd=REPO, check=False) == 0
