"""The wrappers for C#: what they call, and a run of them where Godot's .NET build is at hand."""

from __future__ import annotations

import re
import shutil
from typing import Dict, Iterator, List, NamedTuple

import tree_sitter_c_sharp
from tree_sitter import Language, Node, Parser

from common import ADDON, ScriptError, output
from docs.pages import blocks_of
from docs.project import HARNESS, Project

WRAPPERS = ADDON / "csharp"
PAGE = ADDON / "docs" / "csharp.md"
CONSTANT = re.compile(r"\w+ = (\d+), // (\w+)")
# Methods of GodotObject that take a member's name first, and what kind that is.
KINDS = {"Call": "methods", "Get": "properties", "Set": "properties", "Connect": "signals", "Disconnect": "signals"}


class Call(NamedTuple):
    """A call of a member by its name, with so many arguments more."""

    line: int
    method: str
    name: str
    more: int


def wrappers() -> Dict[str, str]:
    """The source of each wrapper, by its class."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(WRAPPERS.glob("*.cs"))}


def sources() -> Dict[str, str]:
    """All C# that ships, that of the page too."""
    return {**wrappers(), **{block.name: block.code for block in blocks_of(PAGE) if block.language == "csharp"}}


def nodes(source: str) -> Iterator[Node]:
    """Everything in a source."""
    waiting = [Parser(Language(tree_sitter_c_sharp.language())).parse(source.encode("utf-8")).root_node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)


def text_of(node: Node) -> str:
    """What stands in the source."""
    return node.text.decode("utf-8", "replace")


def syntax_errors(source: str) -> List[str]:
    """Where the source is no C#."""
    wrong = (node for node in nodes(source) if node.is_error or node.is_missing)
    return [f"line {node.start_point[0] + 1}: {text_of(node)[:60]!r}" for node in wrong]


def calls(source: str) -> List[Call]:
    """What a source does with members by their names."""
    found = []
    for node in nodes(source):
        if node.type != "invocation_expression":
            continue
        method = text_of(node.child_by_field_name("function")).rpartition(".")[2]
        arguments = [child for child in node.child_by_field_name("arguments").children if child.type == "argument"]
        if method in KINDS and arguments:
            found.append(Call(node.start_point[0] + 1, method, text_of(arguments[0]).strip('"'), len(arguments) - 1))
    return found


def constants(source: str) -> Dict[str, int]:
    """The enums' values, by the constants' names in Godot."""
    return {name: int(value) for value, name in CONSTANT.findall(source)}


def run_dotnet(engine: str, project: Project) -> str:
    """What a project with the wrapper prints as it is built and run in Godot's .NET build."""
    version = re.match(r"(\d+\.\d+(?:\.\d+)?)", output([engine, "--version"]).strip())
    if not version:
        raise ScriptError(f"{engine} tells no version")
    sdk = version[1] if version[1].count(".") == 2 else f"{version[1]}.0"
    for path in (HARNESS / "csharp").glob("[!.]*"):
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
    return build + dotnet.run(limit=60.0)
