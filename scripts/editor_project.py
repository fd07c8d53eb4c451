"""A project for the real editor: the addon and its plugin, and one that drives the editor (tests/editor/driver)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Mapping, Sequence, Tuple

from common import ADDON, ADDON_NAME, PROJECT

DRIVER = PROJECT / "tests" / "editor" / "driver"
PLUGINS = """
[editor_plugins]

enabled=PackedStringArray("res://addons/{addon}/plugin.cfg", "res://addons/driver/plugin.cfg")
"""
INSTANCE = """{{
"arguments": "{arguments}",
"features": "{feature}",
"override_args": true,
"override_features": true
}}"""
METADATA = """[debug_options]

multiple_instances_enabled=true
run_instance_count={count}
run_instances_config=Array[Dictionary]([{instances}])
"""


def make_project(folder: Path, parts: Sequence[Path], games: Sequence[Tuple[str, str]]) -> None:
    """Copies files and folders into a new project; each run will be as many games, with arguments and a feature tag."""
    folder.mkdir()
    for part in parts:
        if part.is_dir():
            shutil.copytree(part, folder / part.name)
        else:
            shutil.copy2(part, folder / part.name)
    addons = folder / "addons"
    shutil.copytree(ADDON, addons / ADDON_NAME)
    shutil.copytree(DRIVER, addons / "driver")
    with (folder / "project.godot").open("a", encoding="utf-8") as settings:
        settings.write(PLUGINS.format(addon=ADDON_NAME))
    # Left to find the extension by itself, an engine may crash as it ends (godotengine/godot#123511).
    hidden = folder / ".godot"
    (hidden / "editor").mkdir(parents=True)
    listing = f"res://addons/{ADDON_NAME}/{ADDON_NAME}.gdextension\n"
    (hidden / "extension_list.cfg").write_text(listing, encoding="utf-8")
    instances = ", ".join(INSTANCE.format(arguments=words, feature=feature) for words, feature in games)
    metadata = METADATA.format(count=len(games), instances=instances)
    (hidden / "editor" / "project_metadata.cfg").write_text(metadata, encoding="utf-8")


def finished(command: Sequence[str], folder: Path, env: Mapping[str, str], seconds: float) -> Tuple[int, str]:
    """Runs an editor to its end; exit code and output. Its games may outlive it, so there is no pipe to wait for."""
    log = folder / "output.txt"
    with log.open("wb") as out:
        process = subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=dict(env)
        )
        try:
            code = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.terminate()
            code = -1
    return code, log.read_text(encoding="utf-8", errors="replace")
