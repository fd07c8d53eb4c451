#!/usr/bin/env python3
"""Takes the pictures of the README and of the stores: the menu and a game of the arena, the debugger's tab, and the icon, drawn in a
display that nobody sees.

Linux only. The pictures go to godot_project/demo/pictures, into the addon, and to .github/store; --out names another folder for all.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import List, Mapping, Optional, Sequence

from arena import Child, wait_for
from build import build, prepare_project
from common import ADDON, PROJECT, REPO, ScriptError, main_guard, run, say
from demo import free_port
from editor_project import finished, make_project
from engines import find_godot4, picture_environment
from suites import home_in

PICTURES = PROJECT / "demo" / "pictures"
TAB_PICTURES = ADDON / "docs" / "pictures"
STORE = REPO / ".github" / "store"
SIZE = "1152x648"
EDITOR_SIZE = "1500x900"
STORE_SIZE = "1920x1080"
TAB_LOOKS = ("dark", "light")
LARGEST = 600_000
# Seconds for one engine.
LIMIT = 180
# How long the player of the picture plays before it is taken.
SECONDS = 20
PLAYERS = ("Ada", "Linus")
# What the clients of the tab's picture have.
NETWORKS = ("home_fiber", "home_dsl", "home_broadband", "mobile_5g")


def ready(folder: Path) -> Path:
    """Makes a folder for pictures, which the engine does not import."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gdignore").touch()
    return folder.resolve()


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


def on_display(words: Sequence[str], size: str = SIZE) -> List[str]:
    """The engine in a window of a virtual display."""
    display = ["xvfb-run", "--auto-servernum", "--server-args", f"-screen 0 {size}x24"]
    drawing = ["--rendering-driver", "opengl3", "--audio-driver", "Dummy", "--resolution", size]
    return [*display, *find_godot4(), *drawing, *words]


def without_display(words: Sequence[str]) -> List[str]:
    """The arena without a window."""
    return [*find_godot4(), "--headless", "--path", str(PROJECT), "--", *words]


def take(target: Path, home: Path, words: Sequence[str], size: str = SIZE) -> None:
    """One picture; the arena saves it itself when its time is up."""
    target.unlink(missing_ok=True)
    draw(on_display(["--path", str(PROJECT), "--", *words, "--picture", str(target)], size), home, [target])


def draw(command: Sequence[str], home: Path, targets: Sequence[Path], env: Optional[Mapping[str, str]] = None) -> None:
    """Runs an engine that saves pictures, and looks whether they are there."""
    code, text = finished(command, home, {**home_in(home), **picture_environment(), **(env or {})}, LIMIT)
    for target in targets:
        if code != 0 or not target.is_file() or "SCRIPT ERROR" in text:
            raise ScriptError(f"no picture {target.name} (exit code {code}):\n{text}")
        tell(target)


def tell(target: Path) -> None:
    """Says how large a picture is; it has to be fit for a repository."""
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


def take_game(target: Path, home: Path, size: str = SIZE) -> None:
    """A game that has gone on for a while: a server with bots, and clients that chat."""
    port = str(free_port())
    common = ["--compression", "zstd", "--dtls", "--port", port]
    server = Child("server", without_display(["--server", "--bots", "6", *common]), home)
    children = [server]
    try:
        wait_for("the server is ready", [server], lambda: bool(server.found("ready on .*")))
        join = ["--join", "127.0.0.1", "--bot", "--insecure", *common]
        children += [Child(name, without_display([*join, "--name", name]), home) for name in PLAYERS]
        take(target, home, [*join, "--name", "Grace", "--seconds", str(SECONDS)], size)
    finally:
        for child in children:
            child.kill()


def take_tab(folder: Path, home: Path, whole: bool = False) -> None:
    """The debugger's tab, in the real editor: an arena's server and clients with simulated networks, in a dark and a light theme; or the
    whole editor, for the stores."""
    port = free_port()
    common = f"--compression zstd --port {port} --seconds {LIMIT}"
    join = f"--headless -- --join 127.0.0.1 --bot {common}"
    games = [(f"--headless -- --server --bots 0 {common}", ""), *((join, network) for network in NETWORKS)]
    project = home / "project"
    make_project(project, [PROJECT / "project.godot", PROJECT / "demo"], games)
    with (project / "project.godot").open("a", encoding="utf-8") as settings:
        lines = (f'enet/simulation.{network}="{network}"' for network in NETWORKS)
        settings.write("\n".join(["", "[network]", "", *lines, ""]))
    finished([*find_godot4(), "--headless", "--path", str(project), "--import"], home, home_in(home), LIMIT)
    targets = [folder / "debugger_tab.png"] if whole else [folder / f"debugger_tab_{look}.png" for look in TAB_LOOKS]
    for target in targets:
        target.unlink(missing_ok=True)
    command = on_display(["--path", str(project), "--editor"], STORE_SIZE if whole else EDITOR_SIZE)
    draw(command, home, targets, {"TAB_PICTURES": str(folder), "TAB_PICTURES_WHOLE": "1" if whole else ""})


def take_store(folder: Path, home: Path) -> None:
    """What the stores show."""
    card = ["--path", str(PROJECT), "-s", str(STORE / "card.gd"), "--", str(folder)]
    draw(on_display(card, STORE_SIZE), home, [folder / "icon.png", folder / "thumbnail.png"])
    take_game(folder / "arena.png", home, STORE_SIZE)
    take_tab(folder, home, whole=True)


def main() -> int:
    """Builds unless told not to, and takes the pictures."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--no-build", action="store_true", help="use the library that is there")
    reader.add_argument("--out", type=Path, help="the folder for the pictures")
    reader.add_argument("--only", choices=["arena", "tab", "store"], help="not all of them")
    options = reader.parse_args()
    prepare_machine()
    if not options.no_build:
        build(flags=["--locked"])
    prepare_project()
    with tempfile.TemporaryDirectory(prefix="pictures_") as home:
        if options.only in (None, "arena"):
            folder = ready(options.out or PICTURES)
            take_menu(folder / "menu.png", Path(home))
            take_game(folder / "arena.png", Path(home))
        if options.only in (None, "tab"):
            take_tab(ready(options.out or TAB_PICTURES), Path(home))
        if options.only in (None, "store"):
            take_store(ready(options.out or STORE / "pictures"), Path(home))
    return 0


if __name__ == "__main__":
    main_guard(main)
