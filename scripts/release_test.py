#!/usr/bin/env python3
"""Makes a release in a clone of this repository, as it was committed last, and looks at what has become of it."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Tuple

from checks import Checks
from common import REPO, ScriptError, main_guard, output

VERSION = "98.76.54"


def release(clone: Path, *words: str) -> Tuple[int, str]:
    """The clone's own script; exit code and output."""
    done = subprocess.run(
        [sys.executable, clone / "scripts" / "release.py", *words], cwd=clone, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", check=False,
    )
    return done.returncode, done.stdout


def make_clone(clone: Path) -> None:
    """A clone of the last commit, with somebody to commit as."""
    try:
        output(["git", "clone", "--quiet", "--no-hardlinks", REPO, clone])
    except ScriptError as error:
        raise ScriptError(f"a release is made in a git repository, and this is none:\n{error}") from None
    for name, value in (("user.name", "Releaser"), ("user.email", "releaser@example.com"), ("commit.gpgsign", "false"),
                        ("tag.gpgsign", "false")):
        output(["git", "config", name, value], cwd=clone)


def try_release(clone: Path, checks: Checks) -> None:
    """Refusals first, then a release, then the questions that the workflow asks."""
    changelog = clone / "CHANGELOG.md"
    lines = changelog.read_text(encoding="utf-8").splitlines(keepends=True)
    start = lines.index("## Unreleased\n") + 1
    first = next(line for line in lines[start:] if line.startswith("- "))
    code, text = release(clone, "next")
    checks.check("a version has to be numbers", code == 1 and "not a version" in text, text)
    changelog.write_text("".join(lines) + "\n", encoding="utf-8")
    code, text = release(clone, VERSION)
    checks.check("everything has to be committed", code == 1 and "not committed" in text, text)
    output(["git", "checkout", "--quiet", "."], cwd=clone)

    code, text = release(clone, VERSION)
    checks.check("a release is made", code == 0, text)
    tags = output(["git", "tag", "--points-at", "HEAD"], cwd=clone).split()
    checks.check("the commit has the tag", tags == [f"v{VERSION}"], f"{tags}")
    rest = output(["git", "status", "--porcelain"], cwd=clone)
    checks.check("nothing is left to commit", not rest, rest)
    for lock in ("Cargo.lock", "rust/fuzz/Cargo.lock"):
        own = dict(re.findall(r'^name = "(nme-[\w-]+)"\nversion = "([^"]+)"', (clone / lock).read_text(), re.MULTILINE))
        own.pop("nme-fuzz", None)
        checks.check(f"{lock} has the version", bool(own) and set(own.values()) == {VERSION}, f"{own}")
    code, text = release(clone, "--check", f"v{VERSION}")
    checks.check("the tag fits what is checked out", code == 0, text)
    code, text = release(clone, "--check", "v0.0.1")
    checks.check("another tag does not", code == 1 and "is not the version" in text, text)
    code, text = release(clone, VERSION)
    checks.check("a version is released once", code == 1 and "exists already" in text, text)
    written = changelog.read_text(encoding="utf-8")
    place = written.find(f"\n## {VERSION} (")
    in_order = 0 < written.find("\n## Unreleased\n") < place < written.find(f"\n{first}")
    checks.check("the changelog has the section, with its lines", in_order, written[:400])


def main() -> int:
    """Clones, releases, counts."""
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="release_test_") as folder:
        clone = Path(folder) / "clone"
        make_clone(clone)
        try_release(clone, checks)
    return checks.summary()


if __name__ == "__main__":
    main_guard(main)
