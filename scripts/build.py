#!/usr/bin/env python3
"""Builds the addon's library and prepares godot_project, so that the engine can load it.

The project sees the addon as a user's project would: below addons/, through its .gdextension file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple, Optional, Sequence, Set

from common import ADDON, ADDON_NAME, ADDONS, PROJECT, REPO, ScriptError, locked, main_guard, output, run, say, shown, timed
from engines import find_godot4

PACKAGE = "nme-godot"
LIBRARY = ADDON_NAME
APPLE_TARGETS = ("aarch64-apple-darwin", "x86_64-apple-darwin")
# How often a build tells how far it is.
PROGRESS_SECONDS = 10
ARCHITECTURES = {
    "x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64",
    "i686": "x86_32", "i586": "x86_32", "armv7": "arm32", "thumbv7neon": "arm32",
}


class Platform(NamedTuple):
    """A system in the words of .gdextension files."""

    system: str
    architecture: str

    @property
    def prefix(self) -> str:
        """Start of a library's name."""
        return "" if self.system == "windows" else "lib"

    @property
    def suffix(self) -> str:
        """End of a library's name."""
        return {"windows": "dll", "macos": "dylib"}.get(self.system, "so")

    @property
    def built_name(self) -> str:
        """What cargo calls the library."""
        return f"{self.prefix}{LIBRARY}.{self.suffix}"

    def shipped_name(self, release: bool) -> str:
        """What the .gdextension file calls the library."""
        kind = "template_release" if release else "template_debug"
        architecture = "universal" if self.system == "macos" else self.architecture
        return f"{self.prefix}{LIBRARY}.{self.system}.{kind}.{architecture}.{self.suffix}"


def platform_of(triple: Optional[str]) -> Platform:
    """The platform of a Rust target, or of this machine."""
    if triple is None:
        systems = {"win32": "windows", "darwin": "macos"}
        return Platform(systems.get(sys.platform, "linux"), architecture_of(platform.machine()))
    for word, system in (("android", "android"), ("linux", "linux"), ("windows", "windows"), ("darwin", "macos")):
        if word in triple:
            return Platform(system, architecture_of(triple.split("-")[0]))
    raise ScriptError(f"no name is known for libraries of the target {triple}")


def architecture_of(name: str) -> str:
    """Godot's word for a processor."""
    try:
        return ARCHITECTURES[name.lower()]
    except KeyError:
        raise ScriptError(f"no name is known for libraries of the processor {name}") from None


def cargo() -> str:
    """The cargo that runs this script, if one does, else the one on the PATH."""
    return os.environ.get("CARGO", "cargo")


def target_directory() -> Path:
    """Where cargo builds; asked from cargo, since variables and configuration files can move it."""
    answer = output([cargo(), "metadata", "--format-version", "1", "--no-deps"], cwd=REPO)
    return Path(json.loads(answer)["target_directory"])


def compile_library(release: bool, triple: Optional[str], flags: Sequence[str] = ()) -> Path:
    """One cargo build; returns the library it wrote."""
    command = [cargo(), "build", "--package", PACKAGE, *flags]
    command += ["--release"] if release else []
    command += ["--target", triple] if triple else []
    with timed("cargo build"):
        compile_in_the_open(command)
    library = target_directory() / (triple or "") / ("release" if release else "debug") / platform_of(triple).built_name
    if not library.is_file():
        raise ScriptError(f"cargo succeeded, but {library} is not there")
    return library


def compile_in_the_open(command: Sequence[str]) -> None:
    """Runs cargo; without a terminal, where it has no bar, a line tells now and then how far it is."""
    if sys.stderr.isatty():
        run(command, cwd=REPO)
        return
    tree = ["tree", "--locked", "--package", PACKAGE, "--edges", "normal,build", "--prefix", "none", "--format", "{p}"]
    total = len({line.split(" (")[0] for line in output([cargo(), *tree], cwd=REPO).splitlines()})
    say(f"$ {shown(command)}")
    built: Set[str] = set()
    last = time.monotonic()
    quiet = [*command, "--quiet", "--message-format", "json-render-diagnostics"]
    with subprocess.Popen(quiet, cwd=REPO, stdout=subprocess.PIPE, encoding="utf-8") as process:
        for message in map(json.loads, process.stdout):
            if message["reason"] == "compiler-artifact":
                built.add(message["package_id"])
            if time.monotonic() - last > PROGRESS_SECONDS:
                last = time.monotonic()
                say(f"built {len(built)} of {total} crates")
    if process.returncode != 0:
        raise ScriptError(f"exit code {process.returncode} from: {shown(command)}")


def put_library(library: Path, target: Path) -> None:
    """Replaces a library in one step: an engine that runs keeps the one it has loaded."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f".{target.name}.part")
    shutil.copy2(library, half)
    try:
        half.replace(target)
    except PermissionError:
        half.unlink()
        raise ScriptError(f"{target} is in use; close the engine that has loaded it") from None
    say(f"library: {target.relative_to(REPO)}")


def build(release: bool = False, triple: Optional[str] = None, flags: Sequence[str] = ()) -> Path:
    """Builds for one target and puts the library into the addon."""
    library = compile_library(release, triple, flags)
    target = ADDON / "bin" / platform_of(triple).shipped_name(release)
    put_library(library, target)
    return target


def build_universal(release: bool = False, flags: Sequence[str] = ()) -> Path:
    """Builds for both processors of macOS and joins the libraries into one; works on macOS only."""
    parts = [compile_library(release, triple, flags) for triple in APPLE_TARGETS]
    joined = parts[0].with_name(f"universal_{parts[0].name}")
    run(["lipo", "-create", *parts, "-output", joined])
    target = ADDON / "bin" / platform_of(APPLE_TARGETS[0]).shipped_name(release)
    put_library(joined, target)
    return target


def link_addons() -> None:
    """Makes the addons folder part of the test project; systems that refuse a link get a fresh copy."""
    link = PROJECT / "addons"
    if link.is_symlink() and link.resolve() == ADDONS.resolve():
        return
    if link.is_symlink():
        link.unlink()
    if not link.exists():
        try:
            link.symlink_to(Path("..") / ADDONS.name, target_is_directory=True)
            return
        except OSError:
            say("this system allows no links; the addons are copied")
    shutil.rmtree(link, ignore_errors=True)
    shutil.copytree(ADDONS, link, dirs_exist_ok=True)


def list_extension() -> None:
    """Notes the addon where the engine looks for extensions before anything else.

    Left to find it during an import, a headless engine crashes as it ends (godotengine/godot#123511).
    """
    listing = PROJECT / ".godot" / "extension_list.cfg"
    listed = listing.read_text(encoding="utf-8").splitlines() if listing.is_file() else []
    wanted = [f"res://addons/{ADDON_NAME}/{path.name}" for path in sorted(ADDON.glob("*.gdextension"))]
    missing = [name for name in wanted if name not in listed]
    if missing:
        listing.parent.mkdir(exist_ok=True)
        listing.write_text("\n".join([*listed, *missing]) + "\n", encoding="utf-8")


def import_needed(stamp: Path) -> bool:
    """Whether the project changed since its last import: new classes and scenes are known only after one."""
    if not stamp.is_file():
        return True
    last = stamp.stat().st_mtime
    for folder, names, files in os.walk(PROJECT):
        names[:] = [name for name in names if name not in (".godot", "addons")]
        if any((Path(folder) / file).stat().st_mtime > last for file in [*files, "."]):
            return True
    return False


def prepare_project(godot: Optional[Sequence[str]] = None) -> None:
    """Links the addon and lets the engine import the project when that is due."""
    if not (PROJECT / "project.godot").is_file():
        raise ScriptError(f"{PROJECT} is not a Godot project")
    if not list(ADDON.glob("*.gdextension")):
        raise ScriptError(f"{ADDON} has no .gdextension file")
    stamp = PROJECT / ".godot" / "imported_by_build"
    # Tests that run side by side may ask for it at once.
    with locked(stamp.with_name("import.lock")):
        link_addons()
        list_extension()
        if import_needed(stamp):
            with timed("import"):
                output([*(godot or find_godot4()), "--headless", "--path", PROJECT, "--import"], timeout=300)
            stamp.touch()


def main() -> int:
    """Builds what the options ask for; the project is prepared unless a foreign target is built."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--release", action="store_true", help="build the optimised library")
    reader.add_argument("--target", help="Rust target to build for instead of this machine")
    reader.add_argument("--universal", action="store_true", help="macOS: one library for both processors")
    reader.add_argument("--locked", action="store_true", help="refuse to change Cargo.lock")
    reader.add_argument("--no-import", action="store_true", help="build only, leave godot_project alone")
    options = reader.parse_args()
    flags = ["--locked"] if options.locked else []
    if options.universal:
        build_universal(options.release, flags)
    else:
        build(options.release, options.target, flags)
    if not (options.no_import or options.target):
        prepare_project()
    return 0


if __name__ == "__main__":
    main_guard(main)
