"""Stands in for Apple's SDK when a library for macOS is linked on another system.

A linker only has to know which names a framework has; the code is on the player's Mac. The crates that declare a
framework's functions have those names, so the stub is written from them. Nothing of Apple's is needed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Dict, Set

from build import cargo, target_directory
from common import REPO, ScriptError, output

# The crate that declares a framework.
FRAMEWORKS = {"security-framework-sys": "Security", "core-foundation-sys": "CoreFoundation"}
BLOCK = re.compile(r'^\s*(?:unsafe )?extern "C" \{$(.*?)^\s*\}$', re.MULTILINE | re.DOTALL)
NAME = re.compile(r"\bpub (?:safe |unsafe )?(?:fn|static) (?:mut )?(\w+)")
PROCESSORS = "[ arm64-macos, x86_64-macos ]"


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
        place.write_text(stub(framework, names), encoding="utf-8")
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


def stub(framework: str, names: Set[str]) -> str:
    """A text-based stub, in the format that Apple's linkers read."""
    symbols = ", ".join(f"_{name}" for name in sorted(names))
    return f"""--- !tapi-tbd
tbd-version: 4
targets: {PROCESSORS}
install-name: '/System/Library/Frameworks/{framework}.framework/Versions/A/{framework}'
exports:
  - targets: {PROCESSORS}
    symbols: [ {symbols} ]
...
"""
