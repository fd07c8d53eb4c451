#!/usr/bin/env python3
"""Makes a release: the version, the changelog's section, a commit and a tag. With --push, the tag starts the rest.

The version is written in Cargo.toml alone; the lock files follow it. The release workflow uses `--check TAG`, which
fails if a tag is not the version that is checked out, and `--publish TAG`, which makes the release on GitHub.
"""

from __future__ import annotations

import argparse
import datetime
import re
import tempfile
from pathlib import Path
from typing import List

from common import REPO, ScriptError, main_guard, output, run, say
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


def publish(tag: str) -> None:
    """Makes the release on GitHub: the package, its checksum, and the changelog's section. Needs `gh`, signed in."""
    check(tag)
    package = package_path()
    files = [package, package.with_name(f"{package.name}.sha256")]
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
    what.add_argument("--check", metavar="TAG", help="compare a tag with the version that is checked out")
    what.add_argument("--publish", metavar="TAG", help="make the release on GitHub from what lies in dist")
    reader.add_argument("--push", action="store_true", help="push the commit and the tag, which publishes the release")
    options = reader.parse_args()
    if options.check:
        check(options.check)
    elif options.publish:
        publish(options.publish)
    else:
        release(options.version, options.push)
    return 0


if __name__ == "__main__":
    main_guard(main)
