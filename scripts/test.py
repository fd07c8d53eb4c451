#!/usr/bin/env python3
"""Runs every check of this repository in a row and counts what passed.

Nothing stops at a failure: the summary at the end names all of them. The last line is `N passed, N failed`.
What stands behind `--` goes to pytest: `test.py --only interop -- -k kick_now -x`.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from functools import partial
from pathlib import Path
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple
from xml.etree import ElementTree

import tools
from common import (
    ADDON, PROJECT, REPO, ScriptError, Word, heading, install_packages, main_guard, merged, output, run, say, script, shown,
)
from tools import program

# Folders of GDScript that is not ours or not of Godot 4.
FOREIGN_FOLDERS = {"addons", "godot3", ".godot"}

CARGO_RESULT = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed", re.MULTILINE)
CLIPPY = ["cargo", "clippy", "--locked"]
# Miri takes minutes for what takes a second, and knows no C: not the plays of hours, and not zstd.
MIRI_TESTS = (
    ["nme-enet", "--lib", "--test", "arbitrary", "--test", "handshake", "--test", "malformed"],
    ["nme-godot3", "--lib", "--test", "hostile", "--test", "receive_vectors", "--test", "round_trip", "--test", "send_vectors"],
    ["nme-core", "--lib", "--", "codec::fastlz", "codec::range_coder"],
)
# What the caller has for pytest.
PYTEST_WORDS: List[str] = []

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Count(NamedTuple):
    """How many checks of a step passed and failed."""

    passed: int
    failed: int


class Step(NamedTuple):
    """One heading of the log."""

    name: str
    what: str
    do: Callable[[], Count]
    # Whether it is run without being named: some take too long beside all the others, and have a job of their own.
    by_default: bool = True


class Outcome(NamedTuple):
    """How a step went."""

    name: str
    count: Count
    seconds: float
    problem: str


# --- Running programs -----------------------------------------------------------------------------


def echoed(command: Sequence[Word], env: Optional[Mapping[str, str]] = None) -> Tuple[int, str]:
    """Runs a command in the open, `env` added to the environment, and also keeps what it prints."""
    words = [str(word) for word in command]
    say(f"$ {shown(words)}")
    try:
        process = subprocess.Popen(
            words, cwd=REPO, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=merged(env), encoding="utf-8", errors="replace",
        )
    except FileNotFoundError:
        raise ScriptError(f"{words[0]} was not found; is it installed and on the PATH?") from None
    lines: List[str] = []
    for line in process.stdout:
        say(line.rstrip("\n"))
        lines.append(line)
    return process.wait(), COLOUR.sub("", "".join(lines))


def cargo_tests(*commands: Sequence[Word], env: Optional[Mapping[str, str]] = None) -> Count:
    """Rust tests; a command that fails without a report counts as one failure."""
    passed = failed = 0
    for command in commands:
        code, text = echoed(command, env)
        results = [(int(good), int(bad)) for good, bad in CARGO_RESULT.findall(text)]
        bad = sum(count for _, count in results)
        passed += sum(count for count, _ in results)
        failed += bad or int(not results or code != 0)
    return Count(passed, failed)


def pytest(name: str, *options: str) -> Count:
    """The file of scripts/tests with this name; a subtest counts as a test does."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        file = Path("scripts") / "tests" / f"test_{name}.py"
        code, _ = echoed([sys.executable, "-m", "pytest", "-v", file, "--junitxml", report, *options, *PYTEST_WORDS])
        if not report.is_file():
            raise ScriptError(f"pytest has ended with {code} before its report")
        suite = ElementTree.parse(report).getroot().find("testsuite")
    total, failures, errors, skipped = (int(suite.get(key)) for key in ("tests", "failures", "errors", "skipped"))
    failed = failures + errors
    return Count(total - failed - skipped, failed or int(code != 0))


def plain(*commands: Sequence[Word]) -> Count:
    """Commands that only succeed or fail; each counts as one check."""
    failed = sum(run(command, cwd=REPO, check=False) != 0 for command in commands)
    return Count(len(commands) - failed, failed)


# --- The steps ------------------------------------------------------------------------------------


def check_format() -> Count:
    """Rust code is formatted."""
    return plain(["cargo", "fmt", "--all", "--check"])


def check_clippy() -> Count:
    """Rust code has no warnings, nor has its documentation."""
    deny = 'build.rustdocflags=["-D", "warnings"]'
    return plain(
        [*CLIPPY, "--workspace", "--all-targets", "--", "-D", "warnings"],
        ["cargo", "doc", "--locked", "--workspace", "--no-deps", "--config", deny],
    )


def check_features() -> Count:
    """Each crate that has features builds without them and with each alone, and has no warnings then."""
    packages = json.loads(output(["cargo", "metadata", "--format-version", "1", "--no-deps"], cwd=REPO))["packages"]
    commands: List[List[Word]] = []
    for package in packages:
        alone = [["--features", name] for name in sorted(package["features"]) if name != "default"]
        for features in [[], *alone] if alone else []:
            commands.append([*CLIPPY, "--package", package["name"], "--no-default-features", *features, "--", "-D", "warnings"])
    return plain(*commands)


def check_oldest_rust() -> Count:
    """The oldest Rust that Cargo.toml promises builds everything."""
    manifest = tomllib.loads((REPO / "Cargo.toml").read_text(encoding="utf-8"))
    oldest = manifest["workspace"]["package"]["rust-version"]
    names = output(["rustup", "toolchain", "list"]).split() if shutil.which("rustup") else []
    found = [name for name in names if re.match(rf"{re.escape(oldest)}[.-]", name)]
    if not found:
        return not_run("the oldest supported compiler", f"rustup toolchain install {oldest}")
    return plain(["cargo", f"+{found[0]}", "check", "--locked", "--workspace"])


def check_minimal_versions() -> Count:
    """The oldest versions of the dependencies that the manifests allow build."""
    if not has_nightly():
        return not_run("a nightly compiler", "rustup toolchain install nightly")
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for file in ("Cargo.toml", "Cargo.lock"):
            shutil.copy2(REPO / file, copy)
        shutil.copytree(REPO / "rust", copy / "rust", ignore=shutil.ignore_patterns("target", "corpus", "artifacts"))
        where = ["--manifest-path", copy / "Cargo.toml"]
        return plain(
            ["cargo", "+nightly", "update", "-Z", "direct-minimal-versions", *where],
            ["cargo", "check", "--locked", "--workspace", "--target-dir", REPO / "target" / "minimal", *where],
        )


def run_miri() -> Count:
    """Wire, engine, codecs and RPCs of Godot 3.6 in an interpreter that sees undefined behaviour."""
    if not has_nightly("miri"):
        return not_run("Miri", "rustup toolchain install nightly --component miri,rust-src")
    # Miri refuses proptest its look for the files of former failures unless it is told to let programs out.
    env = {"MIRIFLAGS": "-Zmiri-disable-isolation", "PROPTEST_CASES": "4"}
    return cargo_tests(*(["cargo", "+nightly", "miri", "test", "--locked", "--package", *words] for words in MIRI_TESTS), env=env)


def has_nightly(*component: str) -> bool:
    """Whether there is a nightly compiler, with this component of cargo."""
    words = ["cargo", "+nightly", *component, "--version"]
    try:
        return subprocess.run(words, cwd=REPO, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def not_run(needed: str, how: str) -> Count:
    """Says what this machine lacks for a step."""
    say(f"NOT RUN: this wants {needed}; `{how}` brings it")
    return Count(0, 0)


def run_cargo_tests() -> Count:
    """Tests without a game engine: of everything, and of the core over stock ENet."""
    everything = ["cargo", "test", "--locked", "--no-fail-fast"]
    return cargo_tests([*everything, "--workspace"], [*everything, "--package", "nme-core", "--features", "reference-engine"])


def run_concurrency() -> Count:
    """The handover between threads in many orders, and network threads under ThreadSanitizer."""
    handover = ["cargo", "test", "--locked", "--package", "nme-driver", "--features", "shuttle", "--lib"]
    threads = ["cargo", "+nightly", "test", "--package", "nme-driver", "--test", "thread", "-Zbuild-std"]
    threads += ["--target", "x86_64-unknown-linux-gnu", "--target-dir", "target/sanitizer"]
    threads += ["--config", 'build.rustflags=["-Zsanitizer=thread"]']
    root = output(["rustc", "+nightly", "--print", "sysroot"]).strip() if has_nightly() else ""
    if not (Path(root) / "lib" / "rustlib" / "src" / "rust" / "library" / "Cargo.lock").is_file():
        not_run("a nightly compiler with its sources for ThreadSanitizer", "rustup toolchain install nightly --component rust-src")
        return cargo_tests(handover)
    return cargo_tests(handover, threads)


def check_gdscript() -> Count:
    """GDScript is formatted and has no warnings."""
    files = [
        path for path in sorted([*PROJECT.rglob("*.gd"), *ADDON.rglob("*.gd")])
        if not FOREIGN_FOLDERS & set(path.relative_to(REPO).parts)
    ]
    names = [path.relative_to(REPO) for path in files]
    return plain([program("gdformat"), "--check", *names], [program("gdlint"), *names])


def check_workflows() -> Count:
    """The files of the hosted CI have no mistakes that show without running them."""
    files = sorted((REPO / ".github" / "workflows").glob("*.yml"))
    return plain([program("actionlint"), "-no-color", *(path.relative_to(REPO) for path in files)])


def check_licences() -> Count:
    """Only allowed licences, and the lists that ship with the addon are up to date."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "THIRDPARTY.txt"
        count = plain(["cargo", "fetch", "--locked"], script("licences.py", "--third-party", fresh))
        copies = [(fresh, ADDON / fresh.name)]
        copies += [(REPO / name, ADDON / name) for name in ("LICENSE-MIT", "LICENSE-APACHE")]
        stale = [copy for source, copy in copies if not same(source, copy)]
    for copy in stale:
        say(f"out of date: {copy.relative_to(REPO)}")
    if stale:
        say("Run: python3 scripts/licences.py --third-party addons/networked_multiplayer_enet/THIRDPARTY.txt")
    return Count(count.passed + len(copies) - len(stale), count.failed + len(stale))


def same(first: Path, second: Path) -> bool:
    """Whether two text files hold the same lines."""
    return first.is_file() and second.is_file() and first.read_text("utf-8") == second.read_text("utf-8")


def build_addon() -> Count:
    """The addon's library, and the project that loads it."""
    return plain(script("build.py", "--locked"))


def play_demo() -> Count:
    """The README's first commands."""
    return plain(script("demo.py", "packets", "--no-build"), script("demo.py", "rpc", "--no-build"))


STEPS = (
    Step("format", "cargo fmt --check", check_format),
    Step("clippy", "cargo clippy and cargo doc", check_clippy),
    Step("features", "each feature alone, and none", check_features),
    Step("rust", "the oldest supported Rust", check_oldest_rust),
    Step("cargo", "Rust tests", run_cargo_tests),
    Step("minimal", "the oldest versions of the dependencies; only when named", check_minimal_versions, by_default=False),
    Step("miri", "undefined behaviour in wire, engine and codecs; only when named", run_miri, by_default=False),
    Step("fuzz", "fuzz targets under AddressSanitizer, 20 seconds each; only when named", partial(pytest, "fuzz"), by_default=False),
    Step("concurrency", "what threads do in many orders, and for data races; only when named", run_concurrency,
         by_default=False),
    Step("windows", "Rust tests and the library under Wine; only when named", partial(pytest, "windows"), by_default=False),
    Step("arm64", "tests in Godot 4 for arm64 under qemu; only when named", partial(pytest, "arm64"), by_default=False),
    Step("gdscript", "gdformat and gdlint", check_gdscript),
    Step("workflows", "actionlint", check_workflows),
    Step("licences", "licences of the dependencies", check_licences),
    Step("readme", "what README and other pages refer to, and the pictures of the architecture",
         partial(pytest, "pages", "scripts/tests/test_architecture.py")),
    Step("build", "build of the addon", build_addon),
    Step("godot", "tests in Godot 4", partial(pytest, "godot", "-n", "3")),
    Step("editor", "the debugger's tab in the real editor", partial(pytest, "editor")),
    Step("interop", "tests against Godot 3.6", partial(pytest, "interop", "-n", "12")),
    Step("rpc", "calls between games of Godot 3.6 and Godot 4",
         partial(pytest, "rpc", "-n", "2", "--dist", "load", "--maxschedchunk", "1")),
    Step("path", "paths that change, beside the engines' classes", partial(pytest, "path")),
    Step("mtu", "a path with a small MTU that tells nobody", partial(pytest, "mtu")),
    Step("lan", "a search for servers in local networks", partial(pytest, "lan")),
    Step("attacks", "attacks on a server, and faults of its network", partial(pytest, "attacks")),
    Step("dtls", "DTLS against the engines and OpenSSL", partial(pytest, "dtls", "-n", "8")),
    Step("demo", "the demos: packets and RPCs", play_demo),
    Step("bench", "benchmarks with small numbers", partial(pytest, "bench")),
    Step("docs", "help, pages and their examples", partial(pytest, "docs", "-n", "2")),
    Step("arena", "the arena: a dedicated server and its clients", partial(pytest, "arena")),
    Step("fleet", "a server in a fleet, with a stand-in of Agones", partial(pytest, "fleet")),
    Step("container", "the server's container, built and run; only when named", partial(pytest, "container"),
         by_default=False),
    Step("release", "a release, tried in a clone", partial(pytest, "release")),
    Step("package", "the release package, installed and played", partial(pytest, "package")),
)


# --- The machine ----------------------------------------------------------------------------------


def prepare_machine() -> None:
    """Installs the Debian packages that are missing; on other systems, says what is."""
    if not shutil.which("cargo"):
        raise ScriptError("cargo was not found; install Rust from https://rustup.rs")
    missing = ["python3-venv"] if not has_venv() else []
    if sys.platform.startswith("linux") and not shutil.which("cc"):
        missing += ["gcc", "libc6-dev"]
    if not shutil.which("openssl"):
        missing.append("openssl")
    if missing and not install_packages(missing):
        say(f"note: this machine lacks what Debian has in: {', '.join(missing)}")


def has_venv() -> bool:
    """Whether Python can make private environments, which Debian packages apart."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return False
    return True


# --- All together ---------------------------------------------------------------------------------


def outcome_of(step: Step) -> Outcome:
    """Runs one step; whatever goes wrong in it is told and counted."""
    heading(f"{step.name}: {step.what}")
    start = time.monotonic()
    problem = ""
    try:
        count = step.do()
    except ScriptError as error:
        say(f"error: {error}")
        count, problem = Count(0, 1), str(error).splitlines()[0]
    seconds = time.monotonic() - start
    say(f"{step.name}: {count.passed} passed, {count.failed} failed in {seconds:.0f} s")
    return Outcome(step.name, count, seconds, problem)


def summary(outcomes: Sequence[Outcome]) -> int:
    """The table, the last line, and the exit code."""
    heading("Summary")
    for outcome in outcomes:
        passed, failed = outcome.count
        row = f"{'FAILED' if failed else 'ok' if passed else 'NOT RUN':8}{outcome.name:10}{passed:5} passed {failed:4} failed"
        say(f"{row} {outcome.seconds:6.0f} s  {outcome.problem}".rstrip())
    passed = sum(outcome.count.passed for outcome in outcomes)
    failed = sum(outcome.count.failed for outcome in outcomes)
    total = sum(outcome.seconds for outcome in outcomes)
    slowest = sorted(outcomes, key=lambda outcome: -outcome.seconds)[:5]
    shares = (f"{one.name} {one.seconds:.0f} s ({one.seconds / total:.0%})" for one in slowest)
    say(f"\n{total / 60:.1f} min in all; slowest: {', '.join(shares)}")
    say(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def chosen(names: Sequence[str]) -> List[Step]:
    """The steps of these names in their usual order; without names all that are run by default."""
    known: Dict[str, Step] = {step.name: step for step in STEPS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ScriptError(f"{', '.join(unknown)}: no such step; --list names them")
    return [step for step in STEPS if step.name in names or (not names and step.by_default)]


def main(words: Optional[Sequence[str]] = None) -> int:
    """Runs the steps that the options ask for."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--only", action="append", default=[], metavar="NAME", help="run this step; may be given again")
    reader.add_argument("--list", action="store_true", help="name the steps and stop")
    reader.add_argument("pytest", nargs="*", metavar="-- WORD", help="goes to pytest, of the steps that are its")
    options = reader.parse_args(words)
    if options.list:
        for step in STEPS:
            say(f"{step.name:10} {step.what}")
        return 0
    steps = chosen(options.only)
    prepare_machine()
    if Path(sys.prefix) != tools.ROOT:
        return run([program("python"), __file__, *(sys.argv[1:] if words is None else words)], check=False, quiet=True)
    PYTEST_WORDS.extend(options.pytest)
    return summary([outcome_of(step) for step in steps])


if __name__ == "__main__":
    main_guard(main)
