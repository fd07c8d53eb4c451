#!/usr/bin/env python3
"""Rewrites the table of Godot 3.6's class, with which a test compares the addon's class.

The source is 3.6's own page of the class reference (class_networkedmultiplayerenet.rst in Godot's documentation).
Only the table is committed: this script is needed only to check or repeat it.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any, Dict, List, Optional

from common import PROJECT, REPO, ScriptError, main_guard, say

SOURCE = REPO.parent / "shared" / "spec" / "class_reference_3.6.rst"
TABLE = PROJECT / "tests" / "data" / "class_reference.json"

LINK = re.compile(r":(?:ref|doc):`([^<`]*?)\s*<[^>]*>`")
ARGUMENT = re.compile(r"^(\w+) (\w+)(?:=(.+))?$")
CALL = re.compile(r"^(\w+) \*\*(\w+)\*\* \*\*\(\*\* ?(.*?) ?\*\*\)\*\*(.*)$")
PROPERTY = re.compile(r"^(\w+) \*\*(\w+)\*\* = ``(.*)``$")
CONSTANT = re.compile(r"^(\w+) \*\*(\w+)\*\* = ``(-?\d+)``$")
INHERITS = re.compile(r"^\*\*Inherits:\*\* (.*)$", re.MULTILINE)


def plain(text: str) -> str:
    """The text without links."""
    return LINK.sub(r"\1", text)


def part(text: str, title: str) -> str:
    """One section of the page; sections end at the next one's title."""
    match = re.search(rf"^{title}\n-+\n(.*?)(?=^[A-Z][\w ]+\n-+\n|\Z)", text, re.MULTILINE | re.DOTALL)
    if not match:
        raise ScriptError(f"the page has no section {title}")
    return match.group(1)


def call(line: str) -> Optional[Dict[str, Any]]:
    """A method's line, such as `Error **name** **(** int port, int max_clients=32 **)**`."""
    match = CALL.match(line)
    if not match:
        return None
    returns, name, arguments, rest = match.groups()
    return {"name": name, "returns": returns, "arguments": parsed_arguments(arguments), "const": "|const|" in rest}


def parsed_arguments(text: str) -> List[Dict[str, str]]:
    """The arguments; a default is kept as written."""
    arguments: List[Dict[str, str]] = []
    for word in filter(None, text.split(", ")):
        match = ARGUMENT.match(word)
        if not match:
            raise ScriptError(f"not understood: {word}")
        kind, name, default = match.groups()
        arguments.append({"name": name, "type": kind, **({"default": default} if default else {})})
    return arguments


def properties(text: str) -> List[Dict[str, Any]]:
    """Each property with what sets and gets it."""
    found: List[Dict[str, Any]] = []
    for line in text.splitlines():
        match = PROPERTY.match(line)
        if match:
            kind, name, default = match.groups()
            found.append({"name": name, "type": kind, "default": default})
        accessor = call(line[2:]) if line.startswith("- ") else None
        if accessor and found:
            found[-1]["setter" if accessor["returns"] == "void" else "getter"] = accessor["name"]
    return found


def table(page: str) -> Dict[str, Any]:
    """Everything about the class."""
    text = plain(page)
    inherits = INHERITS.search(text)
    if not inherits:
        raise ScriptError("the page does not say what the class inherits")
    enums: Dict[str, Dict[str, int]] = {}
    for match in filter(None, map(CONSTANT.match, part(text, "Enumerations").splitlines())):
        enums.setdefault(match.group(1), {})[match.group(2)] = int(match.group(3))
    methods = [found for found in map(call, part(text, "Method Descriptions").splitlines()) if found]
    return {
        "class": re.search(r"^(\w+)\n=+$", text, re.MULTILINE).group(1),
        "inherits": inherits.group(1).split(" **<** "),
        "properties": properties(part(text, "Property Descriptions")),
        "methods": methods,
        "enums": enums,
    }


def main() -> int:
    """Writes the table, or with --check only compares."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("page", nargs="?", type=Path, default=SOURCE, help="the page's .rst file")
    reader.add_argument("--check", action="store_true", help="change nothing; fail when the table differs")
    options = reader.parse_args()
    if not options.page.is_file():
        hint = "give the path of class_networkedmultiplayerenet.rst of Godot 3.6"
        raise ScriptError(f"{options.page} is not there; {hint}")
    text = json.dumps(table(options.page.read_text(encoding="utf-8")), indent="\t") + "\n"
    if options.check:
        if text != TABLE.read_text(encoding="utf-8"):
            raise ScriptError(f"{TABLE.relative_to(REPO)} differs from the page")
        return 0
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text(text, encoding="utf-8")
    say(f"written: {TABLE.relative_to(REPO)}")
    return 0


if __name__ == "__main__":
    main_guard(main)
