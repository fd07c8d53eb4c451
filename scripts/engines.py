#!/usr/bin/env python3
"""Finds or fetches the real engines that the tests run: Godot 4, and Godot 3.6 for its original class.

The order is: the GODOT / GODOT3 environment variables, a suitable engine on the PATH, on Debian
(x86_64) a private copy of the testing suite's packages, the official release archive.
Nothing is installed on the machine: all downloads stay below .cache/engines (NME_CACHE moves it).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Optional, Sequence, Tuple

from common import ScriptError, locked, main_guard, say, shown, timed
from debian_prefix import (
    EXTRA_PACKAGES, Command, debian_like, debian_prefix, engines_dir, from_debian, read_json, write_json,
)

Version = Tuple[int, int, int]

GODOT4_VERSION = "4.6.3"
GODOT3_VERSION = "3.6.2"
OLDEST_GODOT4: Version = (4, 3, 0)
RELEASES = "https://github.com/godotengine/godot/releases/download"


# --- Asking an engine for its version -------------------------------------------------------------


def version_of(command: Sequence[str]) -> Optional[Version]:
    """The version an engine reports, or None if it does not start or is no Godot."""
    try:
        done = subprocess.run(
            [*command, "--version"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, encoding="utf-8", errors="replace", timeout=60, check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # Godot 3 gives an exit code other than 0 here, so only the text counts.
    match = re.search(r"^(\d+)\.(\d+)(?:\.(\d+))?\.[a-z]", done.stdout, re.MULTILINE)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def wanted_version4() -> Optional[str]:
    """One exact Godot 4 version, asked for by a CI matrix; None accepts any that is new enough."""
    return os.environ.get("NME_GODOT4_VERSION") or None


def new_enough(version: Optional[Version]) -> bool:
    """Whether the addon can be tested with this engine."""
    return version is not None and OLDEST_GODOT4 <= version < (5, 0, 0)


def suits_godot4(version: Optional[Version]) -> bool:
    """Whether an engine met by chance is good enough; one that GODOT names need not be the exact version."""
    exact = wanted_version4()
    return version == parsed(exact) if exact else new_enough(version)


def suits_godot3(version: Optional[Version]) -> bool:
    """Whether this engine has the original class in its last form."""
    return version is not None and version[:2] == (3, 6)


def parsed(text: str) -> Version:
    """A version such as 4.3 or 4.6.3 as three numbers."""
    numbers = [int(part) for part in text.split(".")] + [0, 0]
    return (numbers[0], numbers[1], numbers[2])


# --- The user's own engines -----------------------------------------------------------------------


def from_environment(variable: str, suits: Callable[[Optional[Version]], bool], needed: str) -> Optional[Command]:
    """The engine a variable names; a wrong one is an error, since ignoring it would surprise."""
    value = os.environ.get(variable)
    if not value:
        return None
    program = shutil.which(value) or shutil.which(str(Path(value).expanduser()))
    if not program:
        raise ScriptError(f"{variable} names {value}, which is not a program")
    version = version_of([program])
    if not suits(version):
        raise ScriptError(f"{variable} names {value}, which reports version {dotted(version)}; needed: {needed}")
    return [program]


def from_path(names: Iterable[str], suits: Callable[[Optional[Version]], bool]) -> Optional[Command]:
    """The first program of these names whose version fits."""
    for name in names:
        program = shutil.which(name)
        if program and suits(version_of([program])):
            return [program]
    return None


def dotted(version: Optional[Version]) -> str:
    """A version for people."""
    return ".".join(map(str, version)) if version else "unknown"


# --- The official release archives ----------------------------------------------------------------


def official_names4(version: str) -> Tuple[str, str]:
    """Archive and program inside it, for Godot 4 on this system."""
    stem = f"Godot_v{version}-stable"
    if sys.platform == "win32":
        return f"{stem}_win64.exe.zip", f"{stem}_win64_console.exe"
    if sys.platform == "darwin":
        return f"{stem}_macos.universal.zip", "Godot.app/Contents/MacOS/Godot"
    kind = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    return f"{stem}_linux.{kind}.zip", f"{stem}_linux.{kind}"


def official(version: str, archive: str, program: str) -> Command:
    """The program of an official archive, downloaded and checked on first use."""
    home = engines_dir() / f"official-{version}"
    target = home / program
    stamp = home / "ready.json"
    if not (target.is_file() and read_json(stamp).get("archive") == archive):
        with locked(engines_dir() / ".lock"):
            if read_json(stamp).get("archive") != archive:
                shutil.rmtree(home, ignore_errors=True)
                home.mkdir(parents=True)
                fetch_official(f"{RELEASES}/{version}-stable", archive, home)
                write_json(stamp, {"archive": archive})
    if not target.is_file():
        raise ScriptError(f"{archive} does not contain {program}")
    return [str(target)]


def fetch_official(base: str, archive: str, home: Path) -> None:
    """Downloads an archive, compares it with the published checksum, and only then unpacks it."""
    sums = home / "SHA512-SUMS.txt"
    packed = home / archive
    with timed(archive):
        download(f"{base}/{sums.name}", sums)
        download(f"{base}/{archive}", packed)
    expected = published_sum(sums.read_text(encoding="utf-8"), archive)
    if sha512(packed) != expected:
        packed.unlink()
        raise ScriptError(f"{archive} does not have its published checksum; it was deleted")
    unzip(packed, home)
    packed.unlink()


def download(url: str, target: Path) -> None:
    """Fetches one file; a broken transfer leaves nothing that looks complete."""
    say(f"downloading {url}")
    half = target.with_name(target.name + ".part")
    try:
        with urllib.request.urlopen(url, timeout=60) as reply, half.open("wb") as file:
            shutil.copyfileobj(reply, file, 1 << 20)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise ScriptError(f"{url}: {error}") from None
    half.replace(target)


def published_sum(sums: str, archive: str) -> str:
    """The checksum of one archive out of the list beside the release."""
    for line in sums.splitlines():
        digest, _, name = line.strip().partition(" ")
        if name.strip().lstrip("*") == archive:
            return digest.lower()
    raise ScriptError(f"no checksum is published for {archive}")


def sha512(path: Path) -> str:
    """Checksum of a file, read in pieces."""
    digest = hashlib.sha512()
    with path.open("rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def unzip(archive: Path, target: Path) -> None:
    """Unpacks with the stored file modes, which zipfile alone forgets."""
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            written = Path(packed.extract(entry, target))
            mode = entry.external_attr >> 16
            if written.is_file() and mode & stat.S_IXUSR:
                written.chmod(stat.S_IMODE(mode))


# --- What other scripts call ----------------------------------------------------------------------


def first_that_works(what: str, ways: Sequence[Tuple[str, Callable[[], Optional[Command]]]], hint: str) -> Command:
    """Tries each way; if none works, the reasons of all are told together."""
    reasons: List[str] = []
    for name, way in ways:
        try:
            command = way()
        except ScriptError as error:
            reasons.append(f"{name}: {error}")
            continue
        if command:
            return command
        reasons.append(f"{name}: not there")
    listed = "\n".join(f"  - {reason}" for reason in reasons)
    raise ScriptError(f"{what} was not found.\n{listed}\n{hint}")


def find_godot4() -> Command:
    """The command that starts Godot 4; raises ScriptError with what to do when there is none."""
    own = from_environment("GODOT", new_enough, "4.3 or newer") or from_path(("godot4", "godot"), suits_godot4)
    if own:
        return own
    ways: List[Tuple[str, Callable[[], Optional[Command]]]] = []
    if debian_like() and not wanted_version4():
        ways.append(("private copy of Debian's packages", lambda: from_debian("godot4")))
    version = wanted_version4() or GODOT4_VERSION
    ways.append(("official archive", lambda: official(version, *official_names4(version))))
    return first_that_works("Godot 4", ways, "Install Godot 4.3 or newer and set GODOT to its program.")


def find_godot3() -> Optional[Command]:
    """The command that starts Godot 3.6 without a window, or None after saying why there is none."""
    try:
        own = from_environment("GODOT3", suits_godot3, "3.6.x") or from_path(("godot3-server", "godot3"), suits_godot3)
        return own or fetched_godot3()
    except ScriptError as error:
        say(f"note: {error}")
        return None


def fetched_godot3() -> Command:
    """Godot 3.6's server build, which exists for Linux only."""
    hint = "Install Godot 3.6 and set GODOT3 to its program; tests against the original class are skipped without it."
    if not sys.platform.startswith("linux"):
        raise ScriptError(f"Godot 3 is not fetched on this system. {hint}")
    ways: List[Tuple[str, Callable[[], Optional[Command]]]] = []
    if debian_like():
        ways.append(("private copy of Debian's packages", lambda: from_debian("godot3")))
    if platform.machine() in ("x86_64", "AMD64"):
        stem = f"Godot_v{GODOT3_VERSION}-stable_linux_server.64"
        ways.append(("official archive", lambda: official(GODOT3_VERSION, f"{stem}.zip", stem)))
    return first_that_works("Godot 3", ways, hint)


def find_template(kind: str) -> Optional[Path]:
    """A runnable export template ("release" or "debug") of the private prefix, for export tests.

    A game exported from it needs no wrapper; export with a separate .pck file.
    """
    if not debian_like():
        return None
    template = debian_prefix(["templates"]).bin / f"godot-template-{kind}"
    return template if template.is_file() else None


def picture_environment() -> Dict[str, str]:
    """What lets a Godot of the private prefix draw without a graphics card, below xvfb-run."""
    if not debian_like():
        return {}
    paths = debian_prefix(["pictures"])
    return {
        "LIBGL_DRIVERS_PATH": str(paths.libraries / "dri"),
        "__EGL_VENDOR_LIBRARY_DIRS": str(paths.prefix / "usr" / "share" / "glvnd" / "egl_vendor.d"),
    }


def report(name: str, command: Optional[Command]) -> None:
    """One line for the user: version and command."""
    if command:
        say(f"{name}: {dotted(version_of(command))}  {shown(command)}")
    else:
        say(f"{name}: missing")


def main() -> int:
    """Prints both engines; fails only without Godot 4, since Godot 3 is optional."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--with", dest="extras", nargs="+", choices=sorted(EXTRA_PACKAGES), default=[],
                        help="also fetch export templates or software rendering (Debian only)")
    extras = reader.parse_args().extras
    if extras:
        if not debian_like():
            raise ScriptError("--with works on Debian x86_64 only")
        debian_prefix(extras)
    godot4 = find_godot4()
    report("Godot 4", godot4)
    report("Godot 3", find_godot3())
    return 0 if version_of(godot4) else 1


if __name__ == "__main__":
    main_guard(main)
