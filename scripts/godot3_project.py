#!/usr/bin/env python3
"""The test programs and benchmarks of `godot_project` as a project for Godot 3.6.

They are written once, in GDScript of Godot 4, and translated line by line when a test needs them. What no rule can
translate has a file of the same name, written by hand, in a folder `godot3` beside it, which is taken instead.

`python3 scripts/godot3_project.py FOLDER` writes the project there, to look at it.
"""

from __future__ import annotations

import functools
import re
import sys
import tempfile
import threading
from pathlib import Path

from common import PROJECT

FOLDERS = ("tests", "tests/interop", "tests/rpc", "tests/dtls", "tests/attacks", "tests/path", "bench")
SETTINGS = 'config_version=4\n\n[application]\n\nconfig/name="Godot 3.6 side"\nrun/flush_stdout_on_print=true\n'

# What has another name in Godot 3.6.
NAMES = {
    "Engine.max_fps": "Engine.target_fps",
    "ClassDB.instantiate": "ClassDB.instance",
    "Time.get_ticks_usec": "OS.get_ticks_usec",
    "JSON.stringify": "to_json",
    "JSON.parse_string": "parse_json",
    "MultiplayerPeer": "NetworkedMultiplayerPeer",
    "PackedByteArray": "PoolByteArray",
    "PackedInt32Array": "PoolIntArray",
    "PackedFloat32Array": "PoolRealArray",
    "PackedStringArray": "PoolStringArray",
    "PackedVector2Array": "PoolVector2Array",
    "PackedVector3Array": "PoolVector3Array",
    "PackedColorArray": "PoolColorArray",
    "Quaternion": "Quat",
    "RefCounted": "Reference",
    "Transform3D": "Transform",
    "floorf": "floor",
    "is_empty": "empty",
    "is_valid_int": "is_valid_integer",
    "maxi": "max",
    "mini": "min",
    "process_frame": "idle_frame",
    "to_utf8_buffer": "to_utf8",
}
# Godot 3.6 knows neither `Variant` nor what arrays and loops hold, and infers fewer types.
PATTERNS = (
    (r"(: |-> )Variant\b", ""),
    (r" (?=:$)", ""),
    (r"\bArray\[\w+\]", "Array"),
    (r"\bfor (\w+): \w+ in\b", r"for \1 in"),
    (r"^(\t*var \w+) :=", r"\1 ="),
    # How a call travels is said by who calls, not in front of the function.
    (r"^@rpc\(.*\)\n(?=func )", "remote "),
)
CONNECT = re.compile(r"^(\t*)(.+\.)?(\w+)\.connect\((\w+)(?:\.bind\((.+)\))?\)$", re.MULTILINE)


def translate(source: str) -> str:
    """A program of Godot 4 for Godot 3.6."""
    for pattern, replacement in PATTERNS:
        source = re.sub(pattern, replacement, source, flags=re.MULTILINE)
    source = CONNECT.sub(_connect, source)
    names = "|".join(map(re.escape, NAMES))
    return re.sub(rf"\b({names})\b", lambda found: NAMES[found[0]], source)


def _connect(found: re.Match[str]) -> str:
    indent, sender, signal, method, bound = found.groups(default="")
    more = f", [{bound}]" if bound else ""
    return f'{indent}{sender}connect("{signal}", self, "{method}"{more})'


def write_project(target: Path) -> None:
    """Writes the whole project into a folder; each program has the path that it has in `godot_project`."""
    for folder in FOLDERS:
        (target / folder).mkdir(parents=True, exist_ok=True)
        for file in (PROJECT / folder).glob("*.gd"):
            (target / folder / file.name).write_text(translate(file.read_text(encoding="utf-8")), encoding="utf-8")
        for file in (PROJECT / folder / "godot3").glob("*.gd"):
            (target / folder / file.name).write_bytes(file.read_bytes())
    (target / "project.godot").write_text(SETTINGS, encoding="utf-8")


def godot3_words(program: str) -> list[str]:
    """The words behind the engine's name that start a program, such as `tests/dtls/client.gd`, in Godot 3.6."""
    return ["--path", _folder().name, "-s", f"res://{program}"]


@functools.lru_cache(maxsize=None)
def _made_folder() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="godot3_project_")
    write_project(Path(folder.name))
    return folder


def _folder() -> tempfile.TemporaryDirectory[str]:
    # Tests start engines from several threads; two folders would be made, and the first removed while it is in use.
    with _LOCK:
        return _made_folder()


_LOCK = threading.Lock()


if __name__ == "__main__":
    write_project(Path(sys.argv[1]))
