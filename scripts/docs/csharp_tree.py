"""Parses C# with tree-sitter and prints what a source calls; run by the Python of tools.py."""

from __future__ import annotations

import json
import sys
from typing import Any, Dict, Iterator

import tree_sitter_c_sharp
from tree_sitter import Language, Node, Parser

# Methods of GodotObject that take a member's name first.
BY_NAME = ("Call", "Get", "Set", "Connect", "Disconnect")


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def told(path: str) -> Dict[str, Any]:
    """Syntax errors, and calls by name with the number of further arguments."""
    with open(path, "rb") as file:
        source = file.read()
    tree = Parser(Language(tree_sitter_c_sharp.language())).parse(source)
    errors, calls = [], []
    for node in walk(tree.root_node):
        line = node.start_point[0] + 1
        if node.is_error or node.is_missing:
            errors.append(f"line {line}: {source[node.start_byte:node.end_byte][:60].decode('utf-8', 'replace')!r}")
        if node.type != "invocation_expression":
            continue
        called = source[node.child_by_field_name("function").start_byte:node.child_by_field_name("function").end_byte]
        method = called.decode("utf-8").rpartition(".")[2]
        arguments = [child for child in node.child_by_field_name("arguments").children if child.type == "argument"]
        if method in BY_NAME and arguments:
            first = source[arguments[0].start_byte:arguments[0].end_byte].decode("utf-8")
            calls.append({"line": line, "method": method, "name": first.strip('"'), "more": len(arguments) - 1})
    return {"errors": errors, "calls": calls}


if __name__ == "__main__":
    print(json.dumps([told(path) for path in sys.argv[1:]]))
