#!/usr/bin/env python3
"""Checks the licences of the crates the addon is made of, and writes the list that ships with it.

Works without network once `cargo fetch --locked` has run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from pathlib import Path
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

from common import REPO, ScriptError, main_guard, output, say

PACKAGE = "nme-godot"

# Best first: where a crate leaves the choice, the first of these is taken.
ALLOWED = (
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "BSL-1.0",
    "CC0-1.0",
    "Unicode-3.0",
    "MPL-2.0",
)

# The systems the addon is built for; crates that only other systems need do not count.
TARGETS = (
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-pc-windows-gnu",
    "x86_64-pc-windows-msvc",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "aarch64-linux-android",
    "x86_64-linux-android",
)

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


# --- SPDX expressions -----------------------------------------------------------------------------


def tokens(expression: str) -> List[str]:
    """Words and brackets; the old slash between licences means OR."""
    return re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))


class Choice(NamedTuple):
    """A way to satisfy an expression: the licences that then apply, none of them forbidden."""

    licences: Tuple[str, ...]

    @property
    def cost(self) -> Tuple[int, int]:
        """The less liked its worst licence and the more licences, the dearer."""
        return max(map(ALLOWED.index, self.licences)), len(self.licences)


class Reader:
    """Recursive descent over one expression: OR binds weaker than AND, AND weaker than WITH."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.rest = tokens(expression)

    def read(self) -> Optional[Choice]:
        """The best allowed choice of the whole expression."""
        choice = self.any_of()
        if self.rest:
            raise self.broken()
        return choice

    def any_of(self) -> Optional[Choice]:
        """Alternatives: the best one that is allowed."""
        found = [self.all_of()]
        while self.take("OR"):
            found.append(self.all_of())
        allowed = [choice for choice in found if choice]
        return min(allowed, key=lambda choice: choice.cost) if allowed else None

    def all_of(self) -> Optional[Choice]:
        """Licences that apply together: one forbidden one forbids all."""
        found = [self.one()]
        while self.take("AND"):
            found.append(self.one())
        licences: List[str] = []
        for choice in found:
            if choice is None:
                return None
            licences += [licence for licence in choice.licences if licence not in licences]
        return Choice(tuple(licences))

    def one(self) -> Optional[Choice]:
        """A licence, with its exception if it has one, or an expression in brackets."""
        if self.take("("):
            choice = self.any_of()
            if not self.take(")"):
                raise self.broken()
            return choice
        name = self.word()
        if self.take("WITH"):
            name = f"{name} WITH {self.word()}"
        known = {licence.lower(): licence for licence in ALLOWED}.get(name.lower().rstrip("+"))
        return Choice((known,)) if known else None

    def word(self) -> str:
        """The next word, which must be a name."""
        if not self.rest or self.rest[0].upper() in ("(", ")", "AND", "OR", "WITH"):
            raise self.broken()
        return self.rest.pop(0)

    def take(self, word: str) -> bool:
        """Steps over a keyword or bracket if it comes next."""
        if self.rest and self.rest[0].upper() == word:
            self.rest.pop(0)
            return True
        return False

    def broken(self) -> ScriptError:
        """What to raise for an expression that cannot be read."""
        return ScriptError(f"not a licence expression: {self.expression}")


def choose(expression: str) -> Optional[Tuple[str, ...]]:
    """The licences to use a crate under, or None if its expression allows none of ours."""
    choice = Reader(expression).read()
    return choice.licences if choice else None


# --- The dependency tree --------------------------------------------------------------------------


class Crate(NamedTuple):
    """What the check needs to know of a package."""

    name: str
    version: str
    licence: str
    repository: str
    folder: Path
    licence_file: str
    own: bool
    proc_macro: bool

    @property
    def label(self) -> str:
        """Name and version for people."""
        return f"{self.name} {self.version}"

    @property
    def chosen(self) -> Optional[Tuple[str, ...]]:
        """The licences it is used under; None when nothing allowed is stated."""
        try:
            return choose(self.licence)
        except ScriptError:
            return None


class Tree:
    """The resolved dependencies of the package that becomes the addon."""

    def __init__(self, metadata: Dict) -> None:
        own = set(metadata["workspace_members"])
        self.crates = {package["id"]: crate_of(package, package["id"] in own) for package in metadata["packages"]}
        self.edges: Dict[str, List[Tuple[str, Set[str]]]] = {
            node["id"]: [(edge["pkg"], {kind["kind"] or "normal" for kind in edge["dep_kinds"]}) for edge in node["deps"]]
            for node in metadata["resolve"]["nodes"]
        }

    def root(self, name: str) -> str:
        """The id of the package the addon is built from."""
        for key, crate in self.crates.items():
            if crate.own and crate.name == name:
                return key
        raise ScriptError(f"the workspace has no package {name}")

    def reach(self, starts: Iterable[str], kinds: Set[str], through_macros: bool) -> Set[str]:
        """Every package that edges of these kinds lead to; macros run in the compiler and may be left out."""
        seen: Set[str] = set()
        waiting = list(starts)
        while waiting:
            key = waiting.pop()
            if key in seen or (self.crates[key].proc_macro and not through_macros):
                continue
            seen.add(key)
            waiting += [to for to, found in self.edges.get(key, []) if found & kinds]
        return seen

    def foreign(self, keys: Iterable[str]) -> List[Crate]:
        """The crates behind the ids that are not our own, sorted."""
        return sorted(crate for crate in (self.crates[key] for key in keys) if not crate.own)


def crate_of(package: Dict, own: bool) -> Crate:
    """Reads one package out of cargo's answer."""
    kinds = {kind for target in package["targets"] for kind in target["kind"]}
    return Crate(
        name=package["name"],
        version=package["version"],
        licence=package.get("license") or "",
        repository=package.get("repository") or package.get("homepage") or "",
        folder=Path(package["manifest_path"]).parent,
        licence_file=package.get("license_file") or "",
        own=own,
        proc_macro="proc-macro" in kinds,
    )


def read_tree(workspace: Path) -> Tree:
    """Asks cargo, offline and without touching Cargo.lock, for the systems the addon is built for."""
    command = [os.environ.get("CARGO", "cargo"), "metadata", "--format-version", "1", "--locked", "--offline"]
    for target in TARGETS:
        command += ["--filter-platform", target]
    try:
        return Tree(json.loads(output(command, cwd=workspace)))
    except ScriptError as error:
        raise ScriptError(f"{error}\nRun `cargo fetch --locked` first.") from None


def built_in(workspace: Path, package: str) -> Set[Tuple[str, str]]:
    """Name and version of every crate whose code a build of this package alone contains.

    `cargo metadata` also follows dependencies that only a feature of some test's dependency switches on.
    """
    command = [os.environ.get("CARGO", "cargo"), "tree", "--package", package, "--edges", "normal,no-proc-macro"]
    command += ["--prefix", "none", "--format", "{p}", "--color", "never", "--locked", "--offline"]
    for target in TARGETS:
        command += ["--target", target]
    lines = (line.split() for line in output(command, cwd=workspace).splitlines() if line.strip())
    return {(words[0], words[1].lstrip("v")) for words in lines}


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

    tree = read_tree(options.workspace)
    root = tree.root(options.package)
    normal = tree.reach([root], {"normal"}, through_macros=True)
    built = built_in(options.workspace, options.package)
    reached = tree.foreign(tree.reach([root], {"normal"}, through_macros=False))
    shipped = [crate for crate in reached if (crate.name, crate.version) in built]
    macros = [crate for crate in tree.foreign(normal) if crate not in reached]
    others = tree.foreign(set(tree.edges) - normal)
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
    main_guard(main)
