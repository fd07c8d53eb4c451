#!/usr/bin/env python3
"""Takes the README's pictures: the menu and a game of the arena, drawn in a display that nobody sees.

Linux only. The pictures go to godot_project/demo/pictures; --out names another folder.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List, Sequence

from arena_test import Child, wait_for
from build import build, prepare_project
from common import PROJECT, ScriptError, main_guard, run, say
from demo import free_port
from engines import find_godot4, picture_environment

PICTURES = PROJECT / "demo" / "pictures"
SIZE = "1152x648"
LARGEST = 200_000
# How long the player of the picture plays before it is taken.
SECONDS = 20
PLAYERS = ("Ada", "Linus")


def prepare_machine() -> None:
    """Installs the virtual display when it is missing and that is allowed; else says what is."""
    if not sys.platform.startswith("linux"):
        raise ScriptError("pictures are taken on Linux only")
    if shutil.which("xvfb-run") and shutil.which("xauth"):
        return
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise ScriptError("xvfb-run was not found; install Debian's packages xvfb and xauth")
    run(["apt-get", "update", "-qq"])
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "xvfb", "xauth"]
    run(install, env={"DEBIAN_FRONTEND": "noninteractive"})


def on_display(words: Sequence[str]) -> List[str]:
    """The arena in a window of a virtual display."""
    display = ["xvfb-run", "--auto-servernum", "--server-args", f"-screen 0 {SIZE}x24"]
    drawing = ["--rendering-driver", "opengl3", "--audio-driver", "Dummy", "--resolution", SIZE]
    return [*display, *find_godot4(), *drawing, "--path", str(PROJECT), "--", *words]


def without_display(words: Sequence[str]) -> List[str]:
    """The arena without a window."""
    return [*find_godot4(), "--headless", "--path", str(PROJECT), "--", *words]


def take(target: Path, home: Path, words: Sequence[str]) -> None:
    """One picture; the arena saves it itself when its time is up."""
    env = {**os.environ, **picture_environment(), "XDG_DATA_HOME": str(home)}
    command = on_display([*words, "--picture", str(target)])
    target.unlink(missing_ok=True)
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", errors="replace", env=env, timeout=120, check=False,
    )
    if done.returncode != 0 or not target.is_file() or "SCRIPT ERROR" in done.stdout:
        raise ScriptError(f"no picture {target.name} (exit code {done.returncode}):\n{done.stdout}")
    size = target.stat().st_size
    if size > LARGEST:
        raise ScriptError(f"{target.name} has {size} bytes; {LARGEST} are allowed")
    say(f"{target.name}: {size} bytes")


def take_menu(target: Path, home: Path) -> None:
    """The menu, with a game in its list."""
    port = str(free_port())
    server = Child("server", without_display(["--server", "--port", port]), home)
    try:
        wait_for("the server is ready", [server], lambda: bool(server.found("ready on .*")))
        take(target, home, ["--seconds", "5", "--port", port])
    finally:
        server.kill()


def take_game(target: Path, home: Path) -> None:
    """A game that has gone on for a while: a server with bots, and clients that chat."""
    port = str(free_port())
    common = ["--compression", "zstd", "--dtls", "--port", port]
    server = Child("server", without_display(["--server", "--bots", "6", *common]), home)
    children = [server]
    try:
        wait_for("the server is ready", [server], lambda: bool(server.found("ready on .*")))
        join = ["--join", "127.0.0.1", "--bot", "--insecure", *common]
        children += [Child(name, without_display([*join, "--name", name]), home) for name in PLAYERS]
        take(target, home, [*join, "--name", "Grace", "--seconds", str(SECONDS)])
    finally:
        for child in children:
            child.kill()


def main() -> int:
    """Builds unless told not to, and takes both pictures."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--no-build", action="store_true", help="use the library that is there")
    reader.add_argument("--out", type=Path, default=PICTURES, help="the folder for the pictures")
    options = reader.parse_args()
    prepare_machine()
    if not options.no_build:
        build(flags=["--locked"])
    prepare_project()
    folder = options.out.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    # Keeps the engine from importing them.
    (folder / ".gdignore").touch()
    with tempfile.TemporaryDirectory(prefix="pictures_") as home:
        take_menu(folder / "menu.png", Path(home))
        take_game(folder / "arena.png", Path(home))
    return 0


if __name__ == "__main__":
    main_guard(main)
