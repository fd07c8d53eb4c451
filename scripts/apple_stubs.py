"""Stands in for Apple's SDK and linker when a library for macOS is made on another system.

A linker only has to know which names a framework has; the code is on the player's Mac. The crates that declare a
framework's functions have those names, so the stubs are written from them, and zig has one of the system's own library.
The linker is the one that comes with Rust: unlike zig's, it can be told which symbols to show.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Dict, List, Set

from build import cargo, target_directory
from common import REPO, ScriptError, output
from tools import program

# The crate that declares a framework.
FRAMEWORKS = {"security-framework-sys": "Security", "core-foundation-sys": "CoreFoundation"}
BLOCK = re.compile(r'^\s*(?:unsafe )?extern "C" \{$(.*?)^\s*\}$', re.MULTILINE | re.DOTALL)
NAME = re.compile(r"\bpub (?:safe |unsafe )?(?:fn|static) (?:mut )?(\w+)")
PROCESSORS = "[ arm64-macos, x86_64-macos ]"


def linker() -> Path:
    """The linker that comes with Rust, for every system; some distributions leave it out."""
    host = re.search(r"^host: (\S+)$", output(["rustc", "-vV"], cwd=REPO), re.MULTILINE)
    root = output(["rustc", "--print", "sysroot"], cwd=REPO).strip()
    return Path(root) / "lib" / "rustlib" / (host[1] if host else "") / "bin" / "rust-lld"


def linking() -> List[str]:
    """What the compiler has to be told about linking."""
    folder = write_stubs()
    choice = ["-C", f"linker={linker()}", "-C", "linker-flavor=ld64.lld"]
    return [*choice, "-C", f"link-arg=-L{folder}", "-L", f"framework={folder}"]


def write_stubs() -> Path:
    """Writes the stubs beside what cargo builds; returns the folder for the linker."""
    folder = target_directory() / "apple-stubs"
    for crate, source in crate_sources().items():
        names: Set[str] = set()
        for path in sorted(source.rglob("*.rs")):
            for block in BLOCK.findall(path.read_text(encoding="utf-8")):
                names.update(NAME.findall(block))
        framework = FRAMEWORKS[crate]
        place = folder / f"{framework}.framework" / f"{framework}.tbd"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(stub(f"/System/Library/Frameworks/{framework}.framework/Versions/A/{framework}", names), "utf-8")
    asking = [program("python"), "-c", "import ziglang; print(ziglang.__path__[0])"]
    system = Path(output(asking).strip()) / "lib" / "libc" / "darwin" / "libSystem.tbd"
    for name in ("libSystem", "libc", "libm"):
        shutil.copyfile(system, folder / f"{name}.tbd")
    # Rust's standard library names it, and uses nothing of it.
    (folder / "libiconv.tbd").write_text(stub("/usr/lib/libiconv.2.dylib", set()), "utf-8")
    return folder


def crate_sources() -> Dict[str, Path]:
    """Where the declaring crates lie."""
    command = [cargo(), "metadata", "--format-version", "1", "--locked", "--filter-platform", "aarch64-apple-darwin"]
    packages = json.loads(output(command, cwd=REPO))["packages"]
    found = {
        package["name"]: Path(package["manifest_path"]).parent / "src"
        for package in packages if package["name"] in FRAMEWORKS
    }
    missing = set(FRAMEWORKS) - set(found)
    if missing:
        raise ScriptError(f"the library no longer uses {', '.join(missing)}; scripts/apple_stubs.py has to follow")
    return found


def stub(install_name: str, names: Set[str]) -> str:
    """A text-based stub, in the format that Apple's linkers read."""
    lines = ["--- !tapi-tbd", "tbd-version: 4", f"targets: {PROCESSORS}", f"install-name: '{install_name}'"]
    if names:
        symbols = ", ".join(f"_{name}" for name in sorted(names))
        lines += ["exports:", f"  - targets: {PROCESSORS}", f"    symbols: [ {symbols} ]"]
    return "\n".join([*lines, "...", ""])
