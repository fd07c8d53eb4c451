#!/usr/bin/env python3
"""Installs the release package into an empty project as a user would, exports the game, and plays it.

Makes the package for this machine first, unless --made or --zip says that there is one. A server and two clients run from the exported game,
plain, with DTLS and over a simulated network, and tell what reached them. Without an export template, which only the private engine of Debian
has, they run from the project.
"""

from __future__ import annotations

import argparse
import re
import shutil
import socket
import subprocess
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from checks import Checks
from common import ADDON, ADDON_NAME, PROJECT, ScriptError, heading, main_guard, run, say, script, tail
from engines import find_godot4, find_template
from godot_tests import BAD_SIGNS, home_in
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


def packing(checks: Checks) -> None:
    """What a package names, and what is not let into one, also for systems that this machine cannot build for."""
    text = (ADDON / f"{ADDON_NAME}.gdextension").read_text(encoding="utf-8")
    everything = {re.sub(r"(macos.*)\.(arm64|x86_64)\.", r"\1.universal.", one.shipped_name) for one in TARGETS}
    entry = re.compile(r'^(\S+) = "bin/(\S+)"$', re.MULTILINE)
    entries = dict(entry.findall(packaged_extension(text, everything)))
    tags = [f"{system}.{kind}{processor}" for system, processor in (
        ("linux", ".x86_64"), ("linux", ".arm64"), ("windows", ".x86_64"), ("macos", ""), ("android", ".arm64"),
    ) for kind in ("debug", "release")]
    named = sorted(entries) == sorted(tags) and set(entries.values()) == everything
    checks.check("a full package names every platform", named, f"{entries}")
    apple = f"lib{ADDON_NAME}.macos.template_release.arm64.dylib"
    entries = dict(entry.findall(packaged_extension(text, [apple])))
    named = entries == {"macos.debug.arm64": apple, "macos.release.arm64": apple}
    checks.check("a package with one library names that one", named, f"{entries}")
    good = {
        "format": "elf", "processors": ["AARCH64"], "exports": [ENTRY_SYMBOL], "stripped": True, "needs": ["libc.so.6"],
        "glibc": "2.17", "alignment": 16384,
    }
    bad = {
        "exports": [ENTRY_SYMBOL, "malloc"], "stripped": False, "needs": ["libssl.so.3"], "glibc": "2.34", "alignment": 4096,
    }
    let_in = [key for key, value in bad.items() if len(faults({**good, key: value}, SIZE_LIMIT)) != 1]
    right = not faults(good, SIZE_LIMIT) and len(faults(good, SIZE_LIMIT + 1)) == 1 and not let_in
    checks.check("a library that is not fit for a package is refused", right, f"{let_in}")


# --- Installing -----------------------------------------------------------------------------------


def install(package: Path, project: Path, checks: Checks) -> None:
    """Unpacks the package over an empty project."""
    shutil.copytree(GAME, project)
    (project / ".gdignore").unlink()
    with zipfile.ZipFile(package) as packed:
        names = packed.namelist()
        packed.extractall(project)
    root = f"addons/{ADDON_NAME}/"
    strangers = [name for name in names if not name.startswith(root)]
    checks.check("the package holds the addon's folder only", not strangers, ", ".join(strangers))
    missing = WANTED_FILES - {name[len(root):] for name in names}
    checks.check("the package has its papers", not missing, ", ".join(sorted(missing)))
    extension = (project / root / f"{ADDON_NAME}.gdextension").read_text(encoding="utf-8")
    named = set(re.findall(r'"((?:bin|icons)/[^"]+)"', extension))
    absent = [name for name in sorted(named) if root + name not in names]
    checks.check("the package has what its .gdextension names", bool(named) and not absent, ", ".join(absent))


def open_in_editor(godot: Sequence[str], project: Path, checks: Checks) -> bool:
    """The first start of the editor, and whether it knows the class afterwards."""
    opening = [*godot, "--headless", "--path", str(project), "--import"]
    # An engine that meets a new extension may crash as it ends (godotengine/godot#123511); the second start counts.
    finished(opening, project)
    code, text = finished(opening, project)
    checks.check("the editor imports the project", code == 0 and not signs(text), f"exit code {code}\n{tail(text)}")
    help_folder = project.parent / "help"
    help_folder.mkdir()
    documenting = [*godot, "--headless", "--path", str(project), "--doctool", str(help_folder), "--gdextension-docs"]
    code, text = finished(documenting, project)
    page = next(help_folder.rglob("NetworkedMultiplayerENet.xml"), None)
    written = page.read_text(encoding="utf-8") if page else ""
    known = "create_server" in written and re.search(r"<brief_description>\s*\S", written) is not None
    return checks.check("the editor has the class and its help", known, f"exit code {code}\n{tail(text)}")


def export(godot: Sequence[str], project: Path, template: Path, checks: Checks) -> Optional[List[str]]:
    """A release export; the command that starts the game."""
    presets = project / "export_presets.cfg"
    presets.write_text(presets.read_text(encoding="utf-8").replace("@TEMPLATE@", str(template)), encoding="utf-8")
    game = project.parent / "game" / "game"
    game.parent.mkdir()
    command = [*godot, "--headless", "--path", str(project), "--export-release", "Linux", str(game)]
    code, text = finished(command, project)
    libraries = [path.name for path in game.parent.glob("*.so")]
    good = code == 0 and game.is_file() and any(ADDON_NAME in name for name in libraries)
    checks.check("the game is exported, with the library", good, f"exit code {code}, {libraries}\n{tail(text)}")
    packed = b"".join(path.read_bytes() for path in game.parent.glob("*.pck"))
    is_clean = f"{ADDON_NAME}/editor".encode() not in packed
    checks.check("nothing of the editor's plugin is exported", bool(packed) and is_clean)
    return [str(game), "--headless"] if good else None


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


def play(command: Sequence[str], folder: Path, mode: str, checks: Checks) -> None:
    """A server and two clients, to their end."""
    folder.mkdir()
    words = [f"--port={free_port()}"]
    words += [f"--certificate={folder / 'server.crt'}"] if mode == "dtls" else []
    words += ["--enet-sim=home_dsl"] if mode == "simulated" else []
    until = time.monotonic() + LIMIT
    players = [Player("server", [*command, "--", "--server", *words], folder)]
    try:
        if players[0].wait_for("listening", until):
            players += [Player(name, [*command, "--", f"--client={name}", *words], folder) for name in CLIENTS]
        codes = {player.name: player.wait(until) for player in players}
    finally:
        for player in players:
            player.stop()
    ids = dict(re.findall(r"^(\w+) is peer (\d+)$", "\n".join(players[0].facts), re.MULTILINE))
    for player in players:
        problems = differences(player.facts, expected(player.name, ids)) + signs(player.text)
        problems += [] if codes[player.name] == 0 else [f"exit code {codes[player.name]}\n{tail(player.text)}"]
        checks.check(f"{mode}: {player.name} has got everything, once", not problems, "\n  ".join(problems))
    told = [player.name for player in players if SIMULATED in player.text]
    right = len(told) == (len(players) if mode == "simulated" else 0)
    checks.check(f"{mode}: who simulates a bad network says so", right, f"said by {told}")
    checks.check(f"{mode}: everybody took part", len(players) == 3 and len(ids) == 2, f"ids: {ids}")


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


def release_template() -> Optional[Path]:
    """The export template, or None after saying why there is none."""
    try:
        return find_template("release")
    except ScriptError as error:
        say(f"note: {error}")
        return None


def main() -> int:
    """Makes the package, installs it, plays."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--zip", type=Path, help="test this package instead of a new one")
    reader.add_argument("--made", action="store_true", help="test the package that lies in dist")
    options = reader.parse_args()
    if not (options.zip or options.made):
        run(script("package.py", "--target", "host"))
    package = options.zip or package_path()
    godot = find_godot4()
    template = release_template()
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="package_test_") as name:
        folder = Path(name)
        project = folder / "project"
        heading("Packing")
        packing(checks)
        heading("Installed into an empty project")
        install(package, project, checks)
        if open_in_editor(godot, project, checks):
            heading("Exported and played" if template else "Played from the project; there is no export template here")
            game: Optional[List[str]] = [*godot, "--headless", "--path", str(project)]
            if template:
                game = export(godot, project, template, checks)
            for mode in ("plain", "dtls", "simulated") if game else ():
                play(game, folder / mode, mode, checks)
    return checks.summary()


if __name__ == "__main__":
    main_guard(main)
