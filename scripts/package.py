#!/usr/bin/env python3
"""Makes the release package: dist/networked_multiplayer_enet-VERSION.zip, and its SHA-256 beside it.

Builds a library for every system that this machine has the tools for, checks each one, and packs them with the addon.
A hosted CI builds on several machines (`--only-libraries`) and joins what they made (`--join`).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Sequence, Tuple

from build import cargo
from common import ADDON, ADDON_NAME, REPO, ScriptError, heading, main_guard, output, run, say
from targets import GLIBC, TARGETS, Target, build_library, host_target, obstacle, target
from tools import program

DIST = REPO / "dist"
LIBRARIES = DIST / "libraries"
ENTRY_SYMBOL = f"{ADDON_NAME}_init"
EXTENSION = f"{ADDON_NAME}.gdextension"
PLUGIN = "plugin.cfg"
# 5.5 MiB.
SIZE_LIMIT = 11 << 19
# The memory pages of new Android devices, and of some arm64 computers; a library with smaller parts cannot be loaded there.
PAGE_SIZE = 16384
# What a system has by itself; a library that needs more would not start on a player's machine.
SYSTEM_LIBRARIES = {
    "elf": re.compile(r"(lib(c|m|dl|pthread|rt|log|gcc_s)\.so(\.\d+)?|ld-linux-[\w-]+\.so\.\d)"),
    "pe": re.compile(
        r"(kernel32|ntdll|ws2_32|userenv|advapi32|bcrypt|bcryptprimitives|crypt32|iphlpapi|msvcrt|psapi|secur32|shell32|user32|"
        r"ucrtbase|api-ms-win-[\w-]+)\.dll", re.IGNORECASE,
    ),
    "macho": re.compile(r"/usr/lib/lib(System\.B|iconv\.2|objc\.A)\.dylib|/System/Library/Frameworks/.*"),
}
# What the engine makes again in the user's project, and what editors leave behind.
UNSHIPPED_ENDINGS = (".import", ".tmp", ".TMP", ".part", "~", ".pyc")
# The same time in every package, so that equal contents make equal packages.
PACKED_AT = (1980, 1, 1, 0, 0, 0)


class Library(NamedTuple):
    """A checked library, and what a releaser wants to know of it."""

    path: Path
    size: int
    processors: Tuple[str, ...]
    glibc: str

    @property
    def line(self) -> str:
        """One row of the overview."""
        needs = f"  glibc {self.glibc} or newer" if self.glibc else ""
        return f"{self.path.name}  {self.size / 1e6:.2f} MB{needs}"


def version() -> str:
    """The version, which is written in Cargo.toml alone."""
    answer = json.loads(output([cargo(), "metadata", "--format-version", "1", "--no-deps"], cwd=REPO))
    return next(package["version"] for package in answer["packages"] if package["name"] == "nme-godot")


def package_path() -> Path:
    """Where the package of this version lies."""
    return DIST / f"{ADDON_NAME}-{version()}.zip"


# --- Building and checking ------------------------------------------------------------------------


def build_all(targets: Sequence[Target]) -> None:
    """Builds for each target into dist/libraries."""
    LIBRARIES.mkdir(parents=True, exist_ok=True)
    for one in targets:
        shutil.copy2(build_library(one), LIBRARIES / one.shipped_name)
    if sys.platform == "darwin":
        join_apple()


def join_apple() -> None:
    """Makes one library of those for both processors of macOS, by Apple's own tool."""
    stem = f"lib{ADDON_NAME}.macos.template_release"
    parts = [LIBRARIES / f"{stem}.{processor}.dylib" for processor in ("arm64", "x86_64")]
    if all(part.is_file() for part in parts):
        run(["lipo", "-create", *parts, "-output", LIBRARIES / f"{stem}.universal.dylib"])
        for part in parts:
            part.unlink()


def checked(paths: Sequence[Path]) -> List[Library]:
    """Inspects every library; all that is wrong with them is told together."""
    if not paths:
        raise ScriptError(f"no library is in {LIBRARIES.relative_to(REPO)}")
    inspector = REPO / "scripts" / "library_facts.py"
    all_facts = json.loads(output([program("python"), inspector, *paths]))
    problems: List[str] = []
    libraries: List[Library] = []
    for path in paths:
        facts = all_facts[str(path)]
        size = path.stat().st_size
        problems += [f"{path.name}: {problem}" for problem in faults(facts, size)]
        libraries.append(Library(path, size, tuple(facts["processors"]), facts["glibc"] or ""))
        say(libraries[-1].line)
    if problems:
        raise ScriptError("\n  ".join(["the libraries cannot be shipped:", *problems]))
    return libraries


def faults(facts: Dict[str, Any], size: int) -> List[str]:
    """What speaks against shipping a library."""
    found: List[str] = []
    if facts["exports"] != [ENTRY_SYMBOL]:
        shown = ", ".join(facts["exports"][:8])
        found.append(f"shows {len(facts['exports'])} symbols, not only {ENTRY_SYMBOL}: {shown}")
    if size > SIZE_LIMIT:
        found.append(f"has {size} bytes, more than {SIZE_LIMIT}")
    if not facts["stripped"]:
        found.append("has symbols of its inside, which nobody needs")
    foreign = [name for name in facts["needs"] if not SYSTEM_LIBRARIES[facts["format"]].fullmatch(name)]
    if foreign:
        found.append(f"needs {', '.join(foreign)}")
    if facts["glibc"] and numbers(facts["glibc"]) > numbers(GLIBC):
        found.append(f"needs glibc {facts['glibc']}; {GLIBC} was asked for")
    if "AARCH64" in facts["processors"] and facts["alignment"] < PAGE_SIZE:
        found.append(f"is aligned to {facts['alignment']} bytes, and some systems have memory pages of {PAGE_SIZE}")
    return found


def numbers(text: str) -> Tuple[int, ...]:
    """A dotted version in a form that compares."""
    return tuple(map(int, text.split(".")))


# --- Packing --------------------------------------------------------------------------------------


def packaged_extension(text: str, names: Iterable[str]) -> str:
    """The .gdextension file of a package: names the libraries that are in it, and no others.

    Debug entries get the optimised library too: the one for development is twenty times its size.
    """
    there = set(names)
    used = set()
    lines: List[str] = []
    for line in text.splitlines():
        entry = re.fullmatch(r'(\S+) = "bin/(\S+)"', line)
        if not entry:
            # Only for development: a game has nothing to reload.
            lines += [] if line.startswith("reloadable") else [line]
            continue
        tags, name = entry[1], entry[2].replace("template_debug", "template_release")
        choices = [(tags, name)]
        if "universal" in name:
            choices += [(f"{tags}.{one}", name.replace("universal", one)) for one in ("arm64", "x86_64")]
        for key, choice in choices:
            if choice in there:
                used.add(choice)
                lines.append(f'{key} = "bin/{choice}"')
                if key == tags:
                    break
    if there - used:
        raise ScriptError(f"{EXTENSION} names no such library: {', '.join(sorted(there - used))}")
    return "\n".join(lines) + "\n"


def addon_files() -> List[Path]:
    """What ships of the addon's folder, apart from libraries."""
    return [
        path for path in sorted(ADDON.rglob("*"))
        if path.is_file() and path.relative_to(ADDON).parts[0] != "bin" and not path.name.endswith(UNSHIPPED_ENDINGS)
        and (not path.name.startswith(".") or path.name == ".gdignore")
    ]


def platforms_text(libraries: Sequence[Library], missing: Sequence[str]) -> str:
    """The page of a package that tells what it runs on."""
    lines = [f"NetworkedMultiplayerENet {version()} for Godot 4.3 and newer", "", "Libraries in this package:", ""]
    lines += [f"  {library.line}" for library in libraries]
    lines += ["", "Each is used by the editor, and by debug and release exports."]
    if missing:
        lines += ["", "Not in this package:", "", *(f"  {reason}" for reason in missing)]
    return "\n".join(lines) + "\n"


def pack(libraries: Sequence[Library], missing: Sequence[str]) -> Path:
    """Writes the zip and its checksum; returns the zip."""
    target_path = package_path()
    extension = (ADDON / EXTENSION).read_text(encoding="utf-8")
    made = {
        EXTENSION: packaged_extension(extension, [library.path.name for library in libraries]),
        "PLATFORMS.txt": platforms_text(libraries, missing),
        PLUGIN: (ADDON / PLUGIN).read_text(encoding="utf-8").replace("in development", version()),
    }
    contents = {path.relative_to(ADDON).as_posix(): path.read_bytes() for path in addon_files()}
    contents.update({name: text.encode("utf-8") for name, text in made.items()})
    contents.update({f"bin/{library.path.name}": library.path.read_bytes() for library in libraries})
    half = target_path.with_suffix(".part")
    with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(f"addons/{ADDON_NAME}/{name}", PACKED_AT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            packed.writestr(entry, contents[name])
    half.replace(target_path)
    digest = hashlib.sha256(target_path.read_bytes()).hexdigest()
    sums = target_path.with_name(f"{target_path.name}.sha256")
    sums.write_bytes(f"{digest}  {target_path.name}\n".encode("ascii"))
    say(f"{target_path.relative_to(REPO)}: {len(contents)} files, {target_path.stat().st_size / 1e6:.2f} MB")
    say(f"{sums.relative_to(REPO)}: {digest}")
    return target_path


def absent(libraries: Sequence[Library], reasons: Dict[str, str]) -> List[str]:
    """The systems without a library in a package, and why."""
    there = {library.path.name for library in libraries}
    found: List[str] = []
    for one in TARGETS:
        universal = re.sub(r"arm64|x86_64", "universal", one.shipped_name)
        if one.shipped_name not in there and universal not in there:
            found.append(f"{one.label}: {reasons.get(one.triple, 'it was not built')}")
    return found


def chosen(triples: Sequence[str]) -> Tuple[List[Target], Dict[str, str]]:
    """What to build, and the reasons against the rest; a target that is asked for by name has to work."""
    obstacles = {one.triple: obstacle(one) for one in TARGETS}
    wanted = [host_target() if triple == "host" else target(triple) for triple in triples]
    for one in wanted:
        if obstacles[one.triple]:
            raise ScriptError(f"{one.triple}: {obstacles[one.triple]}")
    todo = wanted or [one for one in TARGETS if not obstacles[one.triple]]
    reasons = {triple: reason for triple, reason in obstacles.items() if reason}
    return todo, {**reasons, **{one.triple: "it was not asked for" for one in TARGETS if wanted and one not in wanted}}


def main() -> int:
    """Builds, checks and packs what the options ask for."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--target", nargs="+", default=[], metavar="TRIPLE",
                        help="build for these Rust targets, or `host` (default: all that work here)")
    reader.add_argument("--only-libraries", action="store_true", help="leave the libraries in dist/libraries, pack nothing")
    reader.add_argument("--join", action="store_true", help="build nothing, pack what lies in dist/libraries")
    options = reader.parse_args()
    reasons: Dict[str, str] = {}
    if not options.join:
        targets, reasons = chosen(options.target)
        shutil.rmtree(LIBRARIES, ignore_errors=True)
        build_all(targets)
    heading("Libraries")
    libraries = checked(sorted(path for path in LIBRARIES.rglob("*") if path.is_file()))
    missing = absent(libraries, reasons)
    for reason in missing:
        say(f"left out: {reason}")
    if not options.only_libraries:
        heading("Package")
        pack(libraries, missing)
    return 0


if __name__ == "__main__":
    main_guard(main)
