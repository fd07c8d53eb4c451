"""Installs the release package into an empty project as a user would, exports the game, and plays it.

Makes the package for this machine first; with `--made`, the one that lies in dist is taken. A server and two clients run
from the exported game, plain, with DTLS and over a simulated network, and tell what reached them. Without an export
template, which only the private engine of Debian has, they run from the project.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
import zipfile
from functools import cache
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import pytest

from common import ADDON, ADDON_NAME, PROJECT, ScriptError, run, script, tail
from conftest import Check
from engines import find_template
from suites import BAD_SIGNS, home_in
from package import ENTRY_SYMBOL, SIZE_LIMIT, faults, package_path, packaged_extension
from targets import TARGETS

GAME = PROJECT / "tests" / "package"
CLIENTS = ("alice", "bob")
SIMULATED = "the network simulator is ON, by the argument --enet-sim"
SIZES = (1, 1400, 100_000)
# Seconds for one process; the game has a shorter deadline of its own.
LIMIT = 90.0
WANTED_FILES = {
    f"{ADDON_NAME}.gdextension", "plugin.cfg", "editor/plugin.gd", "editor/.gdignore",
    "README.md", "LICENSE-MIT", "LICENSE-APACHE", "THIRDPARTY.txt", "PLATFORMS.txt",
}


# --- Packing --------------------------------------------------------------------------------------


def entries(names: Sequence[str]) -> Dict[str, str]:
    """What the .gdextension file of a package with these libraries names."""
    text = (ADDON / f"{ADDON_NAME}.gdextension").read_text(encoding="utf-8")
    return dict(re.findall(r'^(\S+) = "bin/(\S+)"$', packaged_extension(text, names), re.MULTILINE))


def test_a_full_package_names_every_platform() -> None:
    everything = {re.sub(r"(macos.*)\.(arm64|x86_64)\.", r"\1.universal.", one.shipped_name) for one in TARGETS}
    tags = {f"{system}.{kind}{processor}" for system, processor in (
        ("linux", ".x86_64"), ("linux", ".arm64"), ("windows", ".x86_64"), ("macos", ""), ("android", ".arm64"),
    ) for kind in ("debug", "release")}
    named = entries(sorted(everything))
    assert set(named) == tags
    assert set(named.values()) == everything


def test_a_package_with_one_library_names_that_one() -> None:
    apple = f"lib{ADDON_NAME}.macos.template_release.arm64.dylib"
    assert entries([apple]) == {"macos.debug.arm64": apple, "macos.release.arm64": apple}


GOOD = {
    "format": "elf", "processors": ["AARCH64"], "exports": [ENTRY_SYMBOL], "stripped": True, "needs": ["libc.so.6"],
    "glibc": "2.17", "alignment": 16384,
}


def test_a_library_that_is_fit_for_a_package_is_let_in() -> None:
    assert not faults(GOOD, SIZE_LIMIT)


@pytest.mark.parametrize(("change", "size"), [
    ({}, SIZE_LIMIT + 1), ({"exports": [ENTRY_SYMBOL, "malloc"]}, SIZE_LIMIT), ({"stripped": False}, SIZE_LIMIT),
    ({"needs": ["libssl.so.3"]}, SIZE_LIMIT), ({"glibc": "2.34"}, SIZE_LIMIT), ({"alignment": 4096}, SIZE_LIMIT),
], ids=["size", "exports", "stripped", "needs", "glibc", "alignment"])
def test_a_library_that_is_not_fit_for_a_package_is_refused(change: Dict[str, object], size: int) -> None:
    assert len(faults({**GOOD, **change}, size)) == 1


# --- Installing -----------------------------------------------------------------------------------


class Installed(NamedTuple):
    """A project with the addon in it."""

    project: Path
    # Of the package's files.
    names: List[str]


ROOT = f"addons/{ADDON_NAME}/"


@pytest.fixture(scope="module")
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The package, unpacked over an empty project."""
    if not request.config.getoption("made"):
        run(script("package.py", "--target", "host"))
    project = tmp_path_factory.mktemp("package") / "project"
    shutil.copytree(GAME, project)
    (project / ".gdignore").unlink()
    with zipfile.ZipFile(package_path()) as packed:
        packed.extractall(project)
        return Installed(project, packed.namelist())


def test_the_package_holds_the_addons_folder_only(installed: Installed) -> None:
    assert [name for name in installed.names if not name.startswith(ROOT)] == []


def test_the_package_has_its_papers(installed: Installed) -> None:
    assert WANTED_FILES - {name.removeprefix(ROOT) for name in installed.names} == set()


def test_the_package_has_what_its_gdextension_names(installed: Installed) -> None:
    extension = (installed.project / ROOT / f"{ADDON_NAME}.gdextension").read_text(encoding="utf-8")
    named = set(re.findall(r'"((?:bin|icons)/[^"]+)"', extension))
    assert named
    assert {ROOT + name for name in named} - set(installed.names) == set()


@pytest.fixture(scope="module")
def opened(godot4: List[str], installed: Installed) -> Path:
    """The project, after the editor has imported it."""
    opening = [*godot4, "--headless", "--path", str(installed.project), "--import"]
    # An engine that meets a new extension may crash as it ends (godotengine/godot#123511); the second start counts.
    finished(opening, installed.project)
    code, text = finished(opening, installed.project)
    assert code == 0 and not signs(text), f"exit code {code}\n{tail(text)}"
    return installed.project


def test_the_editor_imports_the_project(opened: Path) -> None:
    assert (opened / ".godot").is_dir()


def test_the_editor_has_the_class_and_its_help(godot4: List[str], opened: Path, tmp_path: Path) -> None:
    command = [*godot4, "--headless", "--path", str(opened), "--doctool", str(tmp_path), "--gdextension-docs"]
    code, text = finished(command, opened)
    page = next(tmp_path.rglob("NetworkedMultiplayerENet.xml"), None)
    assert page, f"exit code {code}\n{tail(text)}"
    written = page.read_text(encoding="utf-8")
    assert "create_server" in written
    assert re.search(r"<brief_description>\s*\S", written)


@pytest.fixture(scope="module")
def exported(godot4: List[str], opened: Path) -> Path:
    """The game of a release export."""
    template = release_template()
    if not template:
        pytest.skip("there is no export template here")
    presets = opened / "export_presets.cfg"
    presets.write_text(presets.read_text(encoding="utf-8").replace("@TEMPLATE@", str(template)), encoding="utf-8")
    game = opened.parent / "game" / "game"
    game.parent.mkdir()
    code, text = finished([*godot4, "--headless", "--path", str(opened), "--export-release", "Linux", str(game)], opened)
    assert code == 0 and game.is_file(), f"exit code {code}\n{tail(text)}"
    return game


def test_the_game_is_exported_with_the_library(exported: Path) -> None:
    assert [path for path in exported.parent.glob("*.so") if ADDON_NAME in path.name]


def test_nothing_of_the_editors_plugin_is_exported(exported: Path) -> None:
    packed = b"".join(path.read_bytes() for path in exported.parent.glob("*.pck"))
    assert packed
    assert f"{ADDON_NAME}/editor".encode() not in packed


def finished(command: Sequence[str], project: Path) -> Tuple[int, str]:
    """Runs an engine to its end; exit code and output."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            env=home_in(project.parent), encoding="utf-8", errors="replace", timeout=LIMIT * 2,
        )
    except subprocess.TimeoutExpired as error:
        return -1, f"no end after {error.timeout:g} s"
    return done.returncode, done.stdout


def signs(text: str) -> List[str]:
    """Lines that tell of trouble."""
    return [line for line in text.splitlines() if any(sign in line for sign in BAD_SIGNS)]


# --- Playing --------------------------------------------------------------------------------------


class Player:
    """One process of the game; its output goes to a file."""

    def __init__(self, name: str, command: Sequence[str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.txt"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=home_in(folder / name)
            )

    @property
    def text(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def facts(self) -> List[str]:
        """The facts among it."""
        return re.findall(r"^fact: (.*)$", self.text, re.MULTILINE)

    def wait_for(self, fact: str, until: float) -> bool:
        """Waits for one fact; False when it can no longer come."""
        while fact not in self.facts:
            if self.process.poll() is not None or time.monotonic() > until:
                return fact in self.facts
            time.sleep(0.02)
        return True

    def wait(self, until: float) -> Optional[int]:
        """The exit code; None if it had to be stopped."""
        try:
            return self.process.wait(timeout=max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """Ends the process if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def game(request: pytest.FixtureRequest, godot4: List[str], opened: Path) -> List[str]:
    """The command that starts the game: the exported one, where it can be exported."""
    if release_template():
        return [str(request.getfixturevalue("exported")), "--headless"]
    return [*godot4, "--headless", "--path", str(opened)]


@pytest.mark.parametrize("mode", ["plain", "dtls", "simulated"])
def test_a_server_and_two_clients_get_everything(mode: str, game: List[str], tmp_path: Path, check: Check) -> None:
    words = [f"--port={free_port()}"]
    words += [f"--certificate={tmp_path / 'server.crt'}"] if mode == "dtls" else []
    words += ["--enet-sim=home_dsl"] if mode == "simulated" else []
    until = time.monotonic() + LIMIT
    players = [Player("server", [*game, "--", "--server", *words], tmp_path)]
    try:
        if players[0].wait_for("listening", until):
            players += [Player(name, [*game, "--", f"--client={name}", *words], tmp_path) for name in CLIENTS]
        codes = {player.name: player.wait(until) for player in players}
    finally:
        for player in players:
            player.stop()
    ids = dict(re.findall(r"^(\w+) is peer (\d+)$", "\n".join(players[0].facts), re.MULTILINE))
    for player in players:
        problems = differences(player.facts, expected(player.name, ids)) + signs(player.text)
        problems += [] if codes[player.name] == 0 else [f"exit code {codes[player.name]}\n{tail(player.text)}"]
        check(f"{player.name} has got everything, once", not problems, "\n  ".join(problems))
    told = [player.name for player in players if SIMULATED in player.text]
    right = len(told) == (len(players) if mode == "simulated" else 0)
    check("who simulates a bad network says so", right, f"said by {told}")
    check("everybody took part", len(players) == 3 and len(ids) == 2, f"ids: {ids}")


def free_port() -> int:
    """A UDP port that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def expected(name: str, ids: Dict[str, str]) -> List[str]:
    """The facts that a process has to tell, in any order; ids are those that the server has seen."""
    if name == "server":
        facts = ["listening"]
        for client in CLIENTS:
            facts += [f"{client} is peer {ids.get(client, '?')}", f"{client} has got 6 things"]
            facts += [f"packet of {client}: {size} bytes, equal" for size in SIZES]
        return facts
    other = next(client for client in CLIENTS if client != name)
    return [
        f"I am peer {ids.get(name, '?')}", f"call of server: Hello, {name}!",
        *(f"packet of server: {size} bytes, equal" for size in SIZES),
        f"call of {other}: Only {name} can read this.", f"packet of {other}: 1000 bytes, equal",
        "the server has gone",
    ]


def differences(told: Sequence[str], wanted: Sequence[str]) -> List[str]:
    """What is missing, and what is too much."""
    rest = list(told)
    missing = []
    for fact in wanted:
        if fact in rest:
            rest.remove(fact)
        else:
            missing.append(f"missing: {fact}")
    return missing + [f"unexpected: {fact}" for fact in rest]


@cache
def release_template() -> Optional[Path]:
    """The export template; None where there is none."""
    try:
        return find_template("release")
    except ScriptError as error:
        print(f"note: {error}")
        return None
