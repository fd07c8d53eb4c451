#!/usr/bin/env python3
"""Tries the addon in a project that was written for the engine's ENetMultiplayerPeer.

Copies the project, puts the addon into it, replaces in its scripts what has another name, and tells each line that it replaced
and each that somebody has to look at. Then it starts a server and a client of the copy without windows, twice: as the project
is, and with the addon's class. What to press or to call is said with --server-step and --client-step, or guessed.
Exit code 0: both were connected, and nothing was printed as an error that is not printed without the addon.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from common import ADDON, ADDON_NAME, REPO, ScriptError, heading, main_guard, say, shown
from drop_in.rules import CSHARP, DEFAULT_CHANNELS, ENGINE_CLASSES, Line, channels_used, peer_classes, replaced
from drop_in.runs import NEW_CLASS, Recipe, judged, play
from engines import find_godot4

PLAYER = REPO / "scripts" / "drop_in" / "player.gd"
RECIPES = REPO / "scripts" / "drop_in" / "recipes.json"
PLAYER_NAME = "try_drop_in_player"
LEFT_OUT = shutil.ignore_patterns(".git", ".godot", ADDON_NAME)


# --- The copy -------------------------------------------------------------------------------------


def copied(project: Path, target: Path, recipe: Recipe) -> Path:
    """A copy of the project with the addon and with the script that plays."""
    if not project.is_dir():
        raise ScriptError(f"{project} is no folder; name the folder of a Godot project")
    if target.exists():
        raise ScriptError(f"{target} is there already; name a new folder for the copies, or delete it")
    shutil.copytree(project, target, ignore=LEFT_OUT, symlinks=True)
    for name, text in recipe.files.items():
        (target / name).write_text("\n".join(text) + "\n", encoding="utf-8")
    settings = target / "project.godot"
    if not settings.is_file():
        raise ScriptError(f"{project} has no project.godot; name the folder of a Godot project")
    # One in a folder of tests hides the project from the one around it, and would hide the copy from itself.
    (target / ".gdignore").unlink(missing_ok=True)
    shutil.copytree(ADDON, target / "addons" / ADDON_NAME)
    shutil.copy2(PLAYER, target / f"{PLAYER_NAME}.gd")
    # Found only in an import, the engine crashes as it ends.
    (target / ".godot").mkdir()
    extensions = sorted(path.relative_to(target).as_posix() for path in target.rglob("*.gdextension"))
    listed = "".join(f"res://{extension}\n" for extension in extensions)
    (target / ".godot" / "extension_list.cfg").write_text(listed, encoding="utf-8")
    text = settings.read_text(encoding="utf-8")
    entry = f'{PLAYER_NAME}="*res://{PLAYER_NAME}.gd"\n'
    # The last one of the autoloads: the project's own are there when it begins.
    begin, found, rest = text.partition("[autoload]\n")
    own, bracket, behind = rest.partition("\n[")
    text = f"{begin}{found}{own}\n{entry}{bracket}{behind}" if found else f"{text}\n[autoload]\n\n{entry}"
    settings.write_text(text, encoding="utf-8")
    return target


def replace_all(copy: Path) -> int:
    """Replaces in all scripts, and tells each line; how many a person has to look at."""
    own = copy / "addons" / ADDON_NAME
    # Folders may be called so, too.
    found = (path for path in sorted(copy.rglob("*")) if path.suffix in (".gd", ".tscn", ".cs") and path.is_file())
    paths = [path for path in found if own not in path.parents]
    texts = {path: path.read_text(encoding="utf-8", errors="surrogateescape") for path in paths}
    highest = max(set().union(*map(channels_used, texts.values())), default=0)
    changed = left = 0
    for path, text in texts.items():
        classes = peer_classes(text)
        lines: List[str] = []
        for number, old in enumerate(text.split("\n"), 1):
            if path.suffix == ".cs":
                line = Line([old], CSHARP if ENGINE_CLASSES.search(old) else "")
            else:
                line = replaced(old, classes, highest + 1 if highest >= DEFAULT_CHANNELS else 0)
            lines += line.new
            where = f"{path.relative_to(copy).as_posix()}:{number}"
            if line.problem:
                say(f"LEFT {where}: {old.strip()}\n     {line.problem}")
                left += 1
            elif line.new != [old]:
                say(f"{where}\n   - {old.strip()}" + "".join(f"\n   + {new.strip()}" for new in line.new))
                changed += 1
        if lines != text.split("\n"):
            path.write_text("\n".join(lines), encoding="utf-8", errors="surrogateescape")
    say(f"{changed} lines replaced, {left} left to look at")
    return left


# --- All together ----------------------------------------------------------------------------------


def recipe_of(options: argparse.Namespace) -> Recipe:
    """The recipe of this name, and what the options say beside it."""
    known: Dict[str, Any] = json.loads(RECIPES.read_text(encoding="utf-8"))
    if options.recipe and options.recipe not in known:
        raise ScriptError(f"{options.recipe}: no such recipe; there are {', '.join(known)}")
    chosen = {key: value for key, value in known.get(options.recipe, {}).items() if key in Recipe._fields}
    given = {key: getattr(options, key) for key in Recipe._fields if getattr(options, key, None)}
    return Recipe(**{**chosen, **given})


def main(words: Optional[Sequence[str]] = None) -> int:
    """Copies, replaces, plays, and judges."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog=f"Steps: see {PLAYER.relative_to(REPO)}.")
    reader.add_argument("project", type=Path, help="the folder with the project.godot; it is not changed")
    reader.add_argument("--output", type=Path, help="a new folder for copies and logs; without it they are deleted")
    reader.add_argument("--recipe", help=f"a known project of {RECIPES.relative_to(REPO)}")
    for side in ("server", "client"):
        reader.add_argument(f"--{side}-scene", metavar="res://SCENE", help="in place of the main scene")
        reader.add_argument(f"--{side}-step", dest=f"{side}_steps", action="append", metavar="STEP",
                            help="an expression such as press(\"Menu/Host\"); may be given again")
    reader.add_argument("--seconds", type=float, default=5.0, help="how long to play once connected (default: %(default)s)")
    reader.add_argument("--only-replace", action="store_true", help="replace, and start nothing")
    options = reader.parse_args(words)
    recipe = recipe_of(options)
    with ExitStack() as cleanup:
        folder = options.output or Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="nme_drop_in_")))
        after = copied(options.project.resolve(), folder.resolve() / "after", recipe)
        heading("Replaced")
        left = replace_all(after)
        if options.only_replace:
            return 0
        if not list((ADDON / "bin").glob("*")):
            raise ScriptError("the addon has no library; run: python3 scripts/build.py")
        godot = find_godot4()
        say(f"engine: {shown(godot)}")
        heading("As the project is")
        before = play(godot, copied(options.project.resolve(), folder.resolve() / "before", recipe), recipe, options.seconds)
        heading(f"With {NEW_CLASS}")
        problems = judged(play(godot, after, recipe, options.seconds), before)
    heading("Result")
    say("\n".join(problems) if problems else f"It runs. Lines to look at: {left}.")
    return 1 if problems else 0


if __name__ == "__main__":
    main_guard(main)
