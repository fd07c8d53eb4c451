"""A project that has nothing but the addon, as a user's first one, and engines that run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Sequence

from common import ADDON, ADDON_NAME, PROJECT, ScriptError, tail

HARNESS = PROJECT / "tests" / "docs"
# What pages tell users to copy into their project.
COPIED = (PROJECT / "demo" / "server" / "agones.gd",)

SETTINGS = """config_version=5

[application]

config/name="docs"
config/features=PackedStringArray("4.3")
"""


class Project(NamedTuple):
    """A folder with a project, and the engine for it."""

    godot: Sequence[str]
    folder: Path

    @property
    def environment(self) -> Dict[str, str]:
        """One with a user folder of its own."""
        homes = {name: str(self.folder / "home") for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
        return {**os.environ, **homes}

    def command(self, *words: str) -> List[str]:
        """How to start the engine."""
        return [*self.godot, "--headless", "--path", str(self.folder), *words]

    def run(self, *words: str, limit: float = 120.0) -> str:
        """What the engine prints. Scripts tell in there how it went, so of the exit code only a crash counts."""
        try:
            done = subprocess.run(
                self.command(*words), env=self.environment, timeout=limit, check=False, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
            )
        except subprocess.TimeoutExpired as problem:
            text = problem.stdout or b""
            text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
            raise ScriptError(f"no end after {limit:g} s: {' '.join(words)}\n{tail(text)}") from None
        if done.returncode < 0:
            raise ScriptError(f"the engine crashed ({done.returncode}): {' '.join(words)}\n{tail(done.stdout)}")
        return done.stdout


@contextmanager
def new_project(godot: Sequence[str]) -> Iterator[Project]:
    """Makes a project in a folder that goes again."""
    with tempfile.TemporaryDirectory(prefix="nme_docs_") as name:
        folder = Path(name)
        (folder / "project.godot").write_text(SETTINGS, encoding="utf-8")
        # The list is what an editor would write: found only in an import, the engine crashes as it ends.
        (folder / ".godot").mkdir()
        extension = f"res://addons/{ADDON_NAME}/{ADDON_NAME}.gdextension"
        (folder / ".godot" / "extension_list.cfg").write_text(extension + "\n", encoding="utf-8")
        (folder / "home").mkdir()
        (folder / "home" / ".gdignore").touch()
        (folder / "addons").mkdir()
        try:
            (folder / "addons" / ADDON_NAME).symlink_to(ADDON, target_is_directory=True)
        except OSError:
            shutil.copytree(ADDON, folder / "addons" / ADDON_NAME)
        for path in (*HARNESS.glob("*.gd"), *COPIED):
            shutil.copy2(path, folder)
        yield Project(godot, folder)
