#!/usr/bin/env python3
"""Checks the licences of the crates the addon is made of, and writes the list that ships with it.

Which licences are allowed stands in .github/deny.toml.

Works without network once `cargo fetch --locked` has run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import tools
from common import REPO, ScriptError, main_guard, output, say

PACKAGE = "nme-godot"
# The list of allowed licences, and the systems that count; cargo-deny reads it, too.
SETTINGS = REPO / ".github" / "deny.toml"

TEXT_NAME = re.compile(r"^(licen[cs]e|copying|copyright|notice|unlicense)", re.IGNORECASE)
SOURCE_ENDINGS = {".rs", ".py", ".toml", ".json", ".c", ".h", ".sh"}
# Folders whose licence texts do not concern what is compiled.
UNSHIPPED_FOLDERS = {"tests", "test", "benches", "examples", "fuzz", "docs", "doc", "ci", "target"}
# How file names tell which licence they hold, for crates that leave the choice.
NAME_MARKS = {
    "MIT": "mit", "APACHE": "apache", "ZLIB": "zlib", "BSD": "bsd", "MPL": "mpl", "ISC": "isc", "BOOST": "bsl",
    "BSL": "bsl", "CC0": "cc0", "UNLICENSE": "unlicense", "UNICODE": "unicode", "LGPL": "lgpl", "GPL": "gpl",
}
STANDARD_TEXTS = "https://spdx.org/licenses"
RULE = "=" * 80


# --- Licences -------------------------------------------------------------------------------------


@cache
def settings() -> Dict[str, Any]:
    """What deny.toml says."""
    return tomllib.loads(SETTINGS.read_text(encoding="utf-8"))


def spdx() -> Any:
    """The reader of licence expressions, which knows all names of SPDX; it comes with the environment's Python."""
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()


@cache
def choose(expression: str) -> Optional[Tuple[str, ...]]:
    """The licences to use a crate under, or None if its expression allows none of ours.

    Of several ways, the one whose worst licence stands first in the list of allowed ones is taken.
    """
    from license_expression import ExpressionError

    licensing = spdx()
    allowed: List[str] = settings()["licenses"]["allow"]
    try:
        # The old slash between licences means OR.
        parsed = licensing.parse(expression.replace("/", " OR "))
    except ExpressionError:
        return None
    if parsed is None:
        return None
    ways = licensing.dnf(parsed)
    found: List[Tuple[str, ...]] = []
    for way in ways.args if isinstance(ways, licensing.OR) else [ways]:
        names = {str(licence) for licence in way.literals}
        if names <= set(allowed):
            found.append(tuple(sorted(names, key=expression.find)))
    return min(found, key=lambda names: sorted(map(allowed.index, names), reverse=True), default=None)


# --- The dependency tree --------------------------------------------------------------------------


class Crate(NamedTuple):
    """What the check needs to know of a package."""

    name: str
    version: str
    licence: str
    repository: str
    folder: Path
    licence_file: str

    @property
    def label(self) -> str:
        """Name and version for people."""
        return f"{self.name} {self.version}"

    @property
    def chosen(self) -> Optional[Tuple[str, ...]]:
        """The licences it is used under; None when nothing allowed is stated."""
        return choose(self.licence)


def crate_of(package: Dict[str, Any]) -> Crate:
    """Reads one package out of cargo's answer."""
    return Crate(
        name=package["name"],
        version=package["version"],
        licence=package.get("license") or "",
        repository=package.get("repository") or package.get("homepage") or "",
        folder=Path(package["manifest_path"]).parent,
        licence_file=package.get("license_file") or "",
    )


def cargo(workspace: Path, *words: str) -> str:
    """Asks cargo, offline and without touching Cargo.lock."""
    try:
        return output([os.environ.get("CARGO", "cargo"), *words, "--locked", "--offline"], cwd=workspace)
    except ScriptError as error:
        raise ScriptError(f"{error}\nRun `cargo fetch --locked` first.") from None


def foreign_crates(workspace: Path) -> List[Crate]:
    """Every crate that is not of the workspace, for the systems the addon is built for, sorted."""
    words = ["metadata", "--format-version", "1"]
    for target in settings()["graph"]["targets"]:
        words += ["--filter-platform", target]
    metadata = json.loads(cargo(workspace, *words))
    own = set(metadata["workspace_members"])
    return sorted(crate_of(package) for package in metadata["packages"] if package["id"] not in own)


def reached(workspace: Path, package: str, edges: str) -> set[str]:
    """The labels of all crates that these edges lead to when this package alone is built."""
    words = ["tree", "--package", package, "--edges", edges, "--prefix", "none", "--format", "{p}", "--color", "never"]
    for target in settings()["graph"]["targets"]:
        words += ["--target", target]
    lines = (line.split() for line in cargo(workspace, *words).splitlines() if line.strip())
    return {f"{name} {version.lstrip('v')}" for name, version, *_ in lines}


# --- The check ------------------------------------------------------------------------------------


def problems(crates: Iterable[Crate]) -> List[str]:
    """One line for each crate that may not be used as it is."""
    return [
        f"{crate.label}: {crate.licence or 'states no licence'} is not on the list of allowed licences"
        if crate.licence else f"{crate.label}: states no licence"
        for crate in crates if crate.chosen is None
    ]


def show(title: str, crates: Sequence[Crate]) -> None:
    """Lists crates with their licences."""
    say(f"\n{title} ({len(crates)}):")
    for crate in crates:
        mark = "" if crate.chosen else "   <- not on the list"
        say(f"  {crate.label:<34} {crate.licence or '-'}{mark}")


# --- The list that ships --------------------------------------------------------------------------


def texts_of(crate: Crate) -> List[Tuple[str, str]]:
    """Licence texts in the crate's folder, as (name, text); those of bundled code come with their path."""
    found: List[Tuple[str, str]] = []
    for path in sorted(crate.folder.rglob("*")):
        place = path.relative_to(crate.folder)
        named = place.as_posix() == Path(crate.licence_file).as_posix() or TEXT_NAME.match(path.name) is not None
        in_licence_folder = place.parts[0].lower() in ("licenses", "licences") and len(place.parts) > 1
        if not (named or in_licence_folder) or not path.is_file() or path.suffix.lower() in SOURCE_ENDINGS:
            continue
        if len(place.parts) > 4 or UNSHIPPED_FOLDERS & {part.lower() for part in place.parts[:-1]}:
            continue
        if concerns(path.name, crate.chosen or ()):
            text = path.read_text(encoding="utf-8", errors="replace")
            found.append((place.as_posix(), text.lstrip("\ufeff").replace("\r\n", "\n").strip("\n")))
    return found


def concerns(name: str, chosen: Sequence[str]) -> bool:
    """Whether a text is of a chosen licence, judged by its name; unmarked names always count."""
    words = re.split(r"[^A-Z0-9]+", name.upper())
    marks = {mark for word in words for start, mark in NAME_MARKS.items() if word.startswith(start)}
    return not marks or any(licence.lower().startswith(mark) for licence in chosen for mark in marks)


def third_party(crates: Sequence[Crate]) -> str:
    """The list: an overview, then every text once with the crates it came from."""
    lines = [
        "Third-party software in this addon",
        "",
        "The library is built from these crates and used under the licences named. It also contains",
        "parts of the Rust standard library (MIT OR Apache-2.0, https://github.com/rust-lang/rust).",
        "The source code of each crate is at its repository under the version named.",
        "",
    ]
    texts: Dict[str, List[str]] = {}
    for crate in crates:
        found = texts_of(crate)
        chosen = " AND ".join(crate.chosen or ())
        lines += [f"{crate.label}", f"    licence:    {chosen}   (offered: {crate.licence})"]
        lines += [f"    repository: {crate.repository}"] if crate.repository else []
        if not found:
            lines += [f"    text:       {STANDARD_TEXTS}/{licence}.html" for licence in crate.chosen or ()]
            say(f"note: {crate.label} carries no licence text; the list names where its licence is published")
        for name, text in found:
            texts.setdefault(text, []).append(f"{crate.label}: {name}")
    for text, places in texts.items():
        lines += ["", RULE, *places, RULE, "", text]
    return "\n".join(line.rstrip() for line in "\n".join(lines).split("\n")) + "\n"


def main() -> int:
    """Lists and checks; writes the list that ships on request."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--third-party", type=Path, metavar="PATH", help="write the list that ships with the addon")
    reader.add_argument("--package", default=PACKAGE, help="the package to start from (%(default)s)")
    reader.add_argument("--workspace", type=Path, default=REPO, help="folder of the workspace")
    options = reader.parse_args()

    crates = foreign_crates(options.workspace)
    compiled = reached(options.workspace, options.package, "normal,no-proc-macro")
    needed = reached(options.workspace, options.package, "normal")
    shipped = [crate for crate in crates if crate.label in compiled]
    macros = [crate for crate in crates if crate.label in needed - compiled]
    others = [crate for crate in crates if crate.label not in needed]
    show("Shipped", shipped)
    show("Compiler macros of shipped crates", macros)
    show("Only for builds and tests, not checked", others)

    found = problems([*shipped, *macros])
    if found:
        raise ScriptError("\n  ".join(["licences that are not allowed:", *found]))
    if options.third_party:
        options.third_party.parent.mkdir(parents=True, exist_ok=True)
        options.third_party.write_bytes(third_party(shipped).encode("utf-8"))
        say(f"\nwritten: {options.third_party}")
    say(f"\nlicences: {len(shipped) + len(macros)} crates checked, all allowed")
    return 0


if __name__ == "__main__":
    main_guard(lambda: tools.inside(main))
