"""Tests of the documentation: the editor's help, the pages' examples, and what the pages promise to list.

The last line is `N passed, N failed`.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
from typing import Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from build import prepare_project
from common import ScriptError, heading, main_guard, say, shown
from docs import class_help, csharp, drop_in, examples, figures, pages, shell
from docs.editor import complaints, editor
from docs.project import new_project
from engines import dotted, find_godot3, find_godot4, version_of

Check = Tuple[str, List[str]]

# Prints what ClassDB knows of the class.
DUMP = "res://dump.gd"
# The first engine with a Logger.
NEEDED = (4, 5, 0)


def check_help(godot: Sequence[str]) -> Iterator[Check]:
    """The editor's help (F1) says something about everything, and its examples are GDScript."""
    with new_project(godot) as project:
        text = project.run("-s", DUMP)
        found = [line for line in text.splitlines() if line.startswith("@@ ")]
        if not found:
            raise ScriptError(f"the engine does not tell about the class:\n{text}")
        with editor(project) as connection:
            symbols = []
            for name, facts in json.loads(found[0][3:]).items():
                yield from class_help.check(connection, name, facts["entries"])
                symbols.append(connection.symbol(name, name))
        yield "an editor with the addon", complaints(project)
        entries = [entry for symbol in symbols for entry in class_help.entries(symbol)]
        codes = {entry.name: entry.code for entry in entries if entry.code}
        yield from examples.check_help(project, codes)


def check_examples(godot: Sequence[str]) -> Iterator[Check]:
    """The examples of the pages run."""
    old = []
    for page in pages.all_pages():
        blocks = pages.blocks_of(page)
        code = [block for block in blocks if block.language == "gdscript" and "not run" not in block.words]
        old += [block for block in code if "godot3" in block.words]
        with new_project(godot) as project:
            yield from shell.run(project, blocks)
            new = [block for block in code if "godot3" not in block.words]
            if new:
                yield from examples.run_page(project, new)
    godot3 = find_godot3() if old else None
    if godot3:
        yield from examples.check_godot3(godot3, old)


def check_csharp(godot: Sequence[str]) -> Iterator[Check]:
    """The wrapper for C#."""
    with new_project(godot) as project:
        yield from csharp.check(project)


def check_drop_in(_: Sequence[str]) -> Iterator[Check]:
    """What scripts/try_drop_in.py replaces, and a small project that goes through it."""
    yield from drop_in.check()


PARTS: Dict[str, Callable[[Sequence[str]], Iterator[Check]]] = {
    "help": check_help, "examples": check_examples, "csharp": check_csharp, "drop_in": check_drop_in,
}


def main(words: Optional[Sequence[str]] = None) -> int:
    """Runs the parts that the options ask for."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--only", nargs="+", default=["*"], metavar="PATTERN", help=f"parts: {', '.join(PARTS)}")
    reader.add_argument("--write", action="store_true", help="write the tables of figures and of what is replaced anew, and stop")
    options = reader.parse_args(words)
    if options.write:
        return figures.write() or drop_in.write()
    godot = find_godot4()
    say(f"engine: {shown(godot)}")
    prepare_project(godot)
    passed = failed = 0
    if (version_of(godot) or NEEDED) < NEEDED:
        say(f"error: this needs Godot {dotted(NEEDED)} or newer, which tells what it prints")
        return 1
    for name, part in PARTS.items():
        if not any(fnmatch.fnmatch(name, pattern) for pattern in options.only):
            continue
        heading(f"{name}: {part.__doc__}")
        for what, problems in part(godot):
            say(f"ok {what}" if not problems else "\n".join(f"FAILED {what}: {problem}" for problem in problems))
            passed += not problems
            failed += bool(problems)
    say(f"\n{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    main_guard(main)
