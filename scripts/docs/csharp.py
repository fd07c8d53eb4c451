"""Checks the wrappers for C# against the classes, and runs them where Godot's .NET build is at hand."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

from common import ADDON, ScriptError, output, say, tail
from docs.pages import blocks_of
from docs.project import HARNESS, Project
from tools import program

WRAPPERS = ADDON / "csharp"
PAGE = ADDON / "docs" / "csharp.md"
CONSTANT = re.compile(r"\w+ = (\d+), // (\w+)")
TREE = Path(__file__).with_name("csharp_tree.py")
DOTNET_LINE = "csharp: both are connected"
KINDS = {"Call": "methods", "Get": "properties", "Set": "properties", "Connect": "signals", "Disconnect": "signals"}

Check = Tuple[str, List[str]]


def check(project: Project) -> Iterator[Check]:
    """The syntax, the names, and a run."""
    text = project.run("-s", "res://dump.gd")
    found = [line for line in text.splitlines() if line.startswith("@@ ")]
    if not found:
        raise ScriptError(f"the engine does not tell about the classes:\n{text}")
    facts = json.loads(found[0][3:])
    with tempfile.TemporaryDirectory(prefix="nme_csharp_") as name:
        sources = {f"{each}.cs": WRAPPERS / f"{each}.cs" for each in facts}
        for block in blocks_of(PAGE):
            if block.language == "csharp":
                sources[block.name] = Path(name) / f"block_{block.line}.cs"
                sources[block.name].write_text(block.code, encoding="utf-8")
        trees = json.loads(output([program("python"), TREE, *sources.values()]))
    for source, tree in zip(sources, trees):
        yield f"syntax of {source}", tree["errors"]
    for each, tree in zip(facts, trees):
        yield from check_calls(tree["calls"], facts[each])
        yield from check_constants((WRAPPERS / f"{each}.cs").read_text(encoding="utf-8"), facts[each])
    yield from run_dotnet(project)


def check_calls(calls: List[Dict[str, Any]], facts: Dict[str, Any]) -> Iterator[Check]:
    """What the wrapper calls is there, with as many arguments; and everything that is there is called."""
    for call in calls:
        kind, name, problems = KINDS[call["method"]], call["name"], []
        if name not in facts[kind]:
            problems.append(f"line {call['line']}: the class has no {name} among its {kind}")
        elif kind == "methods":
            most = facts["methods"][name]
            if call["more"] != most:
                problems.append(f"line {call['line']}: {name} takes {most} arguments, not {call['more']}")
        yield f"C#: {call['method']} {name}", problems
    used = {call["name"] for call in calls}
    for kind in ("method", "property", "signal"):
        missing = sorted(set(facts["entries"][kind]) - used)
        yield f"C#: every {kind}", [f"the wrapper has no {name}" for name in missing]


def check_constants(source: str, facts: Dict[str, Any]) -> Iterator[Check]:
    """The enums' values."""
    given = {name: int(value) for value, name in CONSTANT.findall(source)}
    wanted = {name: int(facts["constants"][name]) for name in facts["entries"]["constant"]}
    for name in sorted({*given, *wanted}):
        same = given.get(name) == wanted.get(name)
        yield f"C#: {name}", [] if same else [f"the wrapper has {given.get(name)}, the class {wanted.get(name)}"]


def run_dotnet(project: Project) -> Iterator[Check]:
    """A project with the wrapper, in Godot's .NET build."""
    engine = os.environ.get("GODOT_DOTNET")
    if not engine:
        say("note: the wrapper is not run; that takes Godot's .NET build, named by GODOT_DOTNET, and the .NET SDK")
        return
    version = re.match(r"(\d+\.\d+(?:\.\d+)?)", output([engine, "--version"]).strip())
    if not version:
        raise ScriptError(f"{engine} tells no version")
    sdk = version[1] if version[1].count(".") == 2 else f"{version[1]}.0"
    folder = HARNESS / "csharp"
    for path in folder.glob("[!.]*"):
        text = path.read_text(encoding="utf-8").replace("GODOT_SDK", sdk)
        (project.folder / path.name).write_text(text, encoding="utf-8")
    settings = project.folder / "project.godot"
    settings.write_text(
        settings.read_text(encoding="utf-8").replace('"4.3"', f'"{".".join(sdk.split(".")[:2])}", "C#"')
        + 'run/main_scene="res://main.tscn"\n\n[dotnet]\n\nproject/assembly_name="docs"\n', encoding="utf-8",
    )
    # The compiler looks for sources below the project only; a link would do, but not on every system.
    addon = project.folder / "addons" / ADDON.name
    if addon.is_symlink():
        addon.unlink()
        shutil.copytree(ADDON, addon)
    dotnet = Project([engine], project.folder)
    build = dotnet.run("--build-solutions", "--editor", "--quit", limit=300.0)
    try:
        text = dotnet.run(limit=60.0)
    except ScriptError as problem:
        text = str(problem)
    yield "C# in the .NET build", [] if DOTNET_LINE in text else [f"{tail(build, 5)}\n{tail(text, 10)}"]
