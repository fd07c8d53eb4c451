"""Makes a release in a clone of this repository, as it was committed last, and looks at what has become of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Tuple

import pytest

from common import REPO, output

VERSION = "98.76.54"


class Clone:
    """A clone of the last commit, with somebody to commit as."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.changelog = folder / "CHANGELOG.md"
        self.git("clone", "--quiet", "--no-hardlinks", str(REPO), ".")
        for name, value in (("user.name", "Releaser"), ("user.email", "releaser@example.com"),
                            ("commit.gpgsign", "false"), ("tag.gpgsign", "false")):
            self.git("config", name, value)

    def git(self, *words: str) -> str:
        """What git answers."""
        return output(["git", *words], cwd=self.folder)

    def release(self, *words: str) -> Tuple[int, str]:
        """The clone's own script; exit code and output."""
        done = subprocess.run(
            [sys.executable, self.folder / "scripts" / "release.py", *words], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", check=False,
        )
        return done.returncode, done.stdout


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone in which a release was made."""
    made = Clone(tmp_path_factory.mktemp("released"))
    code, text = made.release(VERSION)
    assert code == 0, text
    return made


def test_a_version_has_to_be_numbers(clone: Clone) -> None:
    code, text = clone.release("next")
    assert code == 1 and "not a version" in text, text


def test_everything_has_to_be_committed(clone: Clone) -> None:
    clone.changelog.write_text(clone.changelog.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    code, text = clone.release(VERSION)
    assert code == 1 and "not committed" in text, text


def test_the_commit_has_the_tag(released: Clone) -> None:
    assert released.git("tag", "--points-at", "HEAD").split() == [f"v{VERSION}"]


def test_nothing_is_left_to_commit(released: Clone) -> None:
    assert not released.git("status", "--porcelain")


@pytest.mark.parametrize("lock", ["Cargo.lock", "rust/fuzz/Cargo.lock"])
def test_a_lock_file_has_the_version(released: Clone, lock: str) -> None:
    text = (released.folder / lock).read_text(encoding="utf-8")
    own = dict(re.findall(r'^name = "(nme-[\w-]+)"\nversion = "([^"]+)"', text, re.MULTILINE))
    own.pop("nme-fuzz", None)
    assert set(own.values()) == {VERSION}, own


def test_the_tag_fits_what_is_checked_out(released: Clone) -> None:
    code, text = released.release("--check", f"v{VERSION}")
    assert code == 0, text


def test_another_tag_does_not_fit(released: Clone) -> None:
    code, text = released.release("--check", "v0.0.1")
    assert code == 1 and "is not the version" in text, text


def test_a_version_is_released_once(released: Clone) -> None:
    code, text = released.release(VERSION)
    assert code == 1 and "exists already" in text, text


def test_the_changelog_has_the_section_with_its_lines(released: Clone) -> None:
    lines = released.git("show", "HEAD~1:CHANGELOG.md").splitlines()
    first = next(line for line in lines[lines.index("## Unreleased") + 1:] if line.startswith("- "))
    text = released.changelog.read_text(encoding="utf-8")
    place = text.find(f"\n## {VERSION} (")
    assert 0 < text.find("\n## Unreleased\n") < place < text.find(f"\n{first}"), text[:400]


def test_the_list_names_what_is_missing(clone: Clone) -> None:
    code, text = clone.release("--check")
    assert code == 0, text
    assert "the owner has answered the Asset Store's question about AI" in text
    (clone.folder / ".github" / "store" / "pictures" / "icon.png").unlink()
    code, text = clone.release("--check")
    missing = re.findall(r"^NOT YET (.*)$", text, re.MULTILINE)
    assert code == 1 and missing == ["everything is committed", "icon.png has 256x256 pixels"], text


def test_the_branch_dist_has_what_is_in_the_package(released: Clone, tmp_path: Path) -> None:
    origin = tmp_path / "origin.git"
    output(["git", "init", "--quiet", "--bare", origin])
    released.git("remote", "set-url", "origin", str(origin))
    package = released.folder / "dist" / f"networked_multiplayer_enet-{VERSION}.zip"
    package.parent.mkdir(exist_ok=True)
    file = "addons/networked_multiplayer_enet/bin/library.so"
    for text in ("first", "second"):
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr(file, text)
            archive.writestr(f"{text}.txt", "")
        code, told = released.release("--dist", f"v{VERSION}")
        assert code == 0, told
        files = released.git("--git-dir", str(origin), "ls-tree", "-r", "--name-only", "dist").split()
        assert files == sorted([file, f"{text}.txt"])
        assert released.git("--git-dir", str(origin), "show", f"dist:{file}") == text
        assert released.git("--git-dir", str(origin), "tag", "--points-at", "dist").split() == [f"dist-v{VERSION}"]
        # The tag of a version stays where it is; the second turn is as another version would be.
        released.git("--git-dir", str(origin), "tag", "-d", f"dist-v{VERSION}")
    assert released.git("--git-dir", str(origin), "rev-list", "--count", "dist").strip() == "2"
    assert not released.git("status", "--porcelain")


@pytest.mark.skipif(not shutil.which("cargo-cyclonedx"), reason="cargo-cyclonedx is not there")
def test_the_sbom_names_the_crates_of_the_library_alone(released: Clone) -> None:
    code, text = released.release("--sbom")
    assert code == 0, text
    sbom = json.loads((released.folder / "dist" / f"networked_multiplayer_enet-{VERSION}.cdx.json").read_text(encoding="utf-8"))
    names = {part["name"] for part in sbom["components"]}
    assert sbom["bomFormat"] == "CycloneDX"
    assert {"nme-core", "nme-enet", "godot", "rtc-dtls", "zstd-sys"} <= names
    assert not {"proptest", "nme-bench", "nme-testing"} & names
    assert not released.git("status", "--porcelain")


def test_the_examples_for_addon_managers_name_what_is_in_the_package() -> None:
    page = (REPO / "addons" / "networked_multiplayer_enet" / "docs" / "install.md").read_text(encoding="utf-8")
    for text in re.findall(r"^```json\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        for name, addon in json.loads(text)["addons"].items():
            assert (REPO / addon["subfolder"] / f"{name}.gdextension").is_file(), text
