#!/usr/bin/env python3
"""Makes a release: the version, the changelog's section, a commit and a tag. With --push, the tag starts the rest.

The version is written in Cargo.toml alone; the lock files follow it. `--check` goes through the list of all that a release
needs (release_check.py). The release workflow uses `--check TAG`, which fails if a tag is not the version that is checked
out, `--sbom`, `--publish TAG`, which makes the release on GitHub, and `--dist TAG`, which fills the branch `dist`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import List

import release_check
from build import cargo
from common import ADDON_NAME, REPO, ScriptError, main_guard, output, run, say
from package import DIST, package_path, version

MANIFEST = REPO / "Cargo.toml"
CHANGELOG = REPO / "CHANGELOG.md"
LOCKS = (REPO / "Cargo.lock", REPO / "rust" / "fuzz" / "Cargo.lock")
UNRELEASED = "## Unreleased"
VERSION = re.compile(r"\d+\.\d+\.\d+")


def section(text: str, title: str) -> str:
    """What the changelog says below a heading, up to the next one."""
    found = re.search(rf"^## {re.escape(title)}(?: [^\n]*)?\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if not found or not found[1].strip():
        raise ScriptError(f"{CHANGELOG.name} has nothing below `## {title}`")
    return found[1].strip()


def ready_to_release(new: str) -> None:
    """Stops before anything is written if the release cannot be made."""
    if not VERSION.fullmatch(new):
        raise ScriptError(f"{new} is not a version such as 0.2.0")
    if output(["git", "status", "--porcelain"], cwd=REPO).strip():
        raise ScriptError("there are changes that are not committed")
    if output(["git", "tag", "--list", f"v{new}"], cwd=REPO).strip():
        raise ScriptError(f"the tag v{new} exists already")
    section(CHANGELOG.read_text(encoding="utf-8"), UNRELEASED[3:])


def write_version(old: str, new: str) -> List[Path]:
    """Puts the version into the manifest and the lock files; returns the files it belongs to."""
    replace(MANIFEST, rf'^version = "{re.escape(old)}"', f'version = "{new}"', 1)
    for lock in LOCKS:
        replace(lock, rf'^(name = "nme-[\w-]+"\nversion = )"{re.escape(old)}"', rf'\g<1>"{new}"', 0)
    return [MANIFEST, *LOCKS]


def replace(path: Path, pattern: str, text: str, count: int) -> None:
    """Replaces in a file, where there has to be something to replace; count 0 is everywhere."""
    before = path.read_text(encoding="utf-8")
    after, times = re.subn(pattern, text, before, count=count, flags=re.MULTILINE)
    if not times:
        raise ScriptError(f"{path.relative_to(REPO)} does not have the old version")
    path.write_bytes(after.encode("utf-8"))


def write_changelog(new: str) -> Path:
    """Gives the unreleased section its version and day, with an empty one above it."""
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    replace(CHANGELOG, rf"^{UNRELEASED}$", f"{UNRELEASED}\n\n## {new} ({today})", 1)
    return CHANGELOG


def release(new: str, push: bool) -> None:
    """The whole of it."""
    ready_to_release(new)
    old = version()
    changed = [write_changelog(new)]
    if new != old:
        changed += write_version(old, new)
    # Fails if a lock file does not fit; `cargo metadata` compiles nothing.
    output(["cargo", "metadata", "--format-version", "1", "--no-deps", "--locked"], cwd=REPO)
    run(["git", "add", *changed], cwd=REPO)
    run(["git", "commit", "--quiet", "--message", f"Release {new}"], cwd=REPO)
    run(["git", "tag", "--annotate", f"v{new}", "--message", f"Version {new}"], cwd=REPO)
    push_command = ["git", "push", "--atomic", "origin", "HEAD", f"v{new}"]
    if push:
        run(push_command, cwd=REPO)
    else:
        say(f"Not pushed yet. To publish: {' '.join(push_command)}")


def check(tag: str) -> None:
    """Fails if a tag does not fit what is checked out."""
    if tag != f"v{version()}":
        raise ScriptError(f"the tag {tag} is not the version {version()}")
    section(CHANGELOG.read_text(encoding="utf-8"), version())
    say(f"{tag} is the version that is checked out, and the changelog has it")


def sbom_path() -> Path:
    """Where the list of the library's parts lies (CycloneDX)."""
    return package_path().with_suffix(".cdx.json")


def make_sbom() -> None:
    """Lists every crate that a library contains, on any system. Needs cargo-cyclonedx."""
    if not shutil.which("cargo-cyclonedx"):
        raise ScriptError("cargo-cyclonedx was not found; `cargo install cargo-cyclonedx` brings it")
    crate = REPO / "rust" / "nme-godot"
    run([cargo(), "cyclonedx", "--quiet", "--manifest-path", crate / "Cargo.toml", "--format", "json", "--spec-version", "1.5",
         "--describe", "binaries", "--target", "all", "--no-build-deps"], cwd=REPO)
    made = {path.name: path for path in REPO.glob("rust/*/*.cdx.json")}
    library = made.pop(f"{ADDON_NAME}_cdylib.cdx.json")
    # It describes every program of the workspace; those are for tests.
    for path in made.values():
        path.unlink()
    DIST.mkdir(exist_ok=True)
    shutil.move(library, sbom_path())
    parts = json.loads(sbom_path().read_text(encoding="utf-8"))["components"]
    say(f"{sbom_path().name}: {len(parts)} components")


def fill_dist(tag: str) -> None:
    """Pushes what is in the package as a commit of the branch `dist`, with a tag, for tools that take addons from git."""
    check(tag)
    name = f"dist-{tag}"
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        run(["git", "worktree", "add", "--quiet", "--detach", "--no-checkout", tree], cwd=REPO)
        try:
            known = output(["git", "ls-remote", "--heads", "origin", "dist"], cwd=REPO).strip()
            if known:
                run(["git", "fetch", "--quiet", "origin", "dist"], cwd=tree)
                run(["git", "checkout", "--quiet", "--detach", "FETCH_HEAD"], cwd=tree)
                run(["git", "rm", "--quiet", "-r", "."], cwd=tree)
            else:
                run(["git", "switch", "--quiet", "--orphan", name], cwd=tree)
            with zipfile.ZipFile(package_path()) as package:
                package.extractall(tree)
            run(["git", "add", "--force", "--all", "."], cwd=tree)
            run(["git", "commit", "--quiet", "--message", f"Version {version()}"], cwd=tree)
            run(["git", "push", "--quiet", "--atomic", "origin", "HEAD:refs/heads/dist", f"HEAD:refs/tags/{name}"], cwd=tree)
        finally:
            run(["git", "worktree", "remove", "--force", tree], cwd=REPO)
            run(["git", "branch", "--quiet", "-D", name], cwd=REPO, check=False, quiet=True)


def publish(tag: str) -> None:
    """Makes the release on GitHub: the package, its checksum, its SBOM, and the changelog's section. Needs `gh`, signed in."""
    check(tag)
    package = package_path()
    files = [package, package.with_name(f"{package.name}.sha256"), sbom_path()]
    missing = [path.name for path in files if not path.is_file()]
    if missing:
        raise ScriptError(f"{', '.join(missing)} is not in {DIST.relative_to(REPO)}")
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "notes.md"
        notes.write_text(section(CHANGELOG.read_text(encoding="utf-8"), version()) + "\n", encoding="utf-8")
        run(["gh", "release", "create", tag, *files, "--verify-tag", "--title", tag, "--notes-file", notes], cwd=REPO)


def main() -> int:
    """Makes a release, or answers the release workflow."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = reader.add_mutually_exclusive_group(required=True)
    what.add_argument("version", nargs="?", help="the new version")
    what.add_argument("--check", nargs="?", const="", metavar="TAG",
                      help="go through the list; with a tag: compare it with the version that is checked out")
    what.add_argument("--sbom", action="store_true", help="list the library's parts, into dist")
    what.add_argument("--publish", metavar="TAG", help="make the release on GitHub from what lies in dist")
    what.add_argument("--dist", metavar="TAG", help="push what is in the package to the branch dist of origin")
    reader.add_argument("--push", action="store_true", help="push the commit and the tag, which publishes the release")
    options = reader.parse_args()
    if options.check == "":
        return release_check.go_through(section(CHANGELOG.read_text(encoding="utf-8"), UNRELEASED[3:]))
    if options.check:
        check(options.check)
    elif options.sbom:
        make_sbom()
    elif options.dist:
        fill_dist(options.dist)
    elif options.publish:
        publish(options.publish)
    else:
        release(options.version, options.push)
    return 0


if __name__ == "__main__":
    main_guard(main)
