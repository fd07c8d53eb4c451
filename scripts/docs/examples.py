"""Runs the GDScript of the pages in real engines."""

from __future__ import annotations

import json
import random
import re
import socket
import tempfile
import textwrap
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

from common import ScriptError, tail
from docs.pages import Block
from docs.project import Project

# The ports and addresses of the pages, and what they are in the tests.
PORT = re.compile(r"\b4242\b")
ADDRESS = re.compile(r'"(?:203\.0\.113\.7|(?:\w+\.)*example\.com)"(?=, *(?:PORT\b|4242\b))')
TOLD = re.compile(r"^@@ (ok|FAILED) (\w+)(?:: (.*))?$", re.MULTILINE)
# What was wrong when the engine gives no reason.
UNTOLD = "it cannot be loaded, or what is expected does not come true"
SURROUNDINGS = ("", "server", "client", "pair", "joined")
# As the suites of godot_project/tests: below the ports that systems give to clients.
PORTS = range(12000, 32000)

CASE = '''extends "res://case.gd"


func _init() -> void:
{init}


func with() -> String:
	return "{surroundings}"
{functions}'''

# What the examples of the help take for granted.
FOR_HELP = '''extends Node2D

var peer := NetworkedMultiplayerENet.new()
var browser := ENetServerBrowser.new()
var api := Godot3Multiplayer.new()
var favorites: Array[String] = []
var id := 2
var label: Label


@rpc
func say_why(_text: String) -> void:
	pass


func example() -> void:
{code}
'''

GODOT3 = '''extends SceneTree

func _initialize():
	for path in OS.get_cmdline_args():
		if path.begins_with("res://old_"):
			var script = load(path)
			var good = script != null and script.can_instance()
			if good:
				var node = script.new()
				root.add_child(node)
				good = node.run_example()
				node.free()
			print("@@ %s %s" % ["ok" if good else "FAILED", path.get_file().get_basename()])
	quit()
'''

Outcome = Tuple[str, List[str]]


def is_script(code: str) -> bool:
    """Whether a block is made of declarations, and not of statements."""
    return bool(re.search(r"^(extends|func|@rpc|class_name|signal)\b", code, re.MULTILINE))


def run_page(project: Project, blocks: Sequence[Block]) -> List[Outcome]:
    """Runs the examples of a page in one engine; for each what went wrong."""
    port = free_port()
    cases: Dict[str, Block] = {}
    for block in blocks:
        name = f"case_{block.line}"
        cases[name] = block
        write_case(project, name, block, port)
    text = project.run("-s", "res://harness.gd", "--", str(port), *cases, limit=60.0 + 20.0 * len(cases))
    return outcomes(text, cases)


def outcomes(text: str, cases: Dict[str, Block]) -> List[Outcome]:
    """What an engine told about each case."""
    told: Dict[str, List[str]] = {}
    for word, name, problem in TOLD.findall(text):
        told.setdefault(name, []).extend([problem or UNTOLD] if word == "FAILED" else [])
    ended_early = f"the engine ended before it: {tail(text, 8)}"
    return [(block.name, told.get(name, [ended_early])) for name, block in cases.items()]


def write_case(project: Project, name: str, block: Block, port: int) -> None:
    """Writes the example, and a script that runs it in its surroundings."""
    surroundings = block.word("with")
    if surroundings not in SURROUNDINGS:
        raise ScriptError(f"{block.name}: there are no surroundings called {surroundings}")
    code = local(block.code, port)
    functions = {
        "before": block.words.get("before", []), "call_node": calls(block, "call", "node"),
        "call_guest": calls(block, "guest", "guest"), "then": block.words.get("then", []),
    }
    lines = ["pass", f"set_meta(&'prints', {json.dumps(block.words.get('prints', []))})",
             f"set_meta(&'errors', {json.dumps(block.words.get('error', []))})"]
    lines += [f"set_meta(&'{word}', true)" for word in ("joins", "guest") if word in block.words]
    lines += [f"set_meta(&'multiplayer', {json.dumps(name)})" for name in block.words.get("multiplayer", [])]
    text = CASE.format(init=textwrap.indent("\n".join(lines), "\t"), surroundings=surroundings, functions="")
    for function, words in functions.items():
        if words:
            text += f"\n\nfunc {function}() -> void:\n" + textwrap.indent(local("\n".join(words), port), "\t") + "\n"
    conditions = " and ".join(f"({words})" for words in block.words.get("expect", []))
    prints = " and ".join(f"{json.dumps(words)} in '\\n'.join(printed)" for words in block.words.get("prints", []))
    condition = " and ".join(part for part in (conditions, prints) if part)
    if condition:
        text += f"\n\nfunc expected() -> bool:\n\treturn {local(condition, port)}\n"
    if is_script(block.code):
        example = code if re.search(r"^extends\b", code, re.MULTILINE) else f"extends Node\n\n{code}"
        (project.folder / f"{name}_example.gd").write_text(example, encoding="utf-8")
        text += f"\n\nfunc script_path() -> String:\n\treturn 'res://{name}_example.gd'\n"
    else:
        text += f"\n\nfunc example() -> void:\n{textwrap.indent(code, chr(9))}\n\tself.peer = peer\n"
    (project.folder / f"{name}.gd").write_text(text, encoding="utf-8")


def calls(block: Block, word: str, owner: str) -> List[str]:
    """Calls of the example's functions on one of its nodes."""
    return [f"await {owner}.{call}" for call in block.words.get(word, []) if call]


def local(code: str, port: int) -> str:
    """The code with a port that is free here, and with this machine as the server."""
    return PORT.sub(str(port), ADDRESS.sub('"127.0.0.1"', code))


def compile_help(project: Project, examples: Dict[str, List[str]]) -> List[Outcome]:
    """Compiles the examples of the editor's help."""
    cases = {}
    for number, (name, codes) in enumerate(sorted(examples.items())):
        for index, code in enumerate(codes):
            tabs = re.sub(r"^( {4})+", lambda found: "\t" * (len(found.group()) // 4), code, flags=re.MULTILINE)
            case = f"case_{number}_{index}"
            in_function = FOR_HELP.replace("{code}", textwrap.indent(tabs, "\t"))
            text = f"extends Node\n\n{tabs}\n" if is_script(code) else in_function
            (project.folder / f"{case}.gd").write_text(text, encoding="utf-8")
            cases[case] = Block(f"the example of {name}", index + 1, "gdscript", code, {})
    text = project.run("-s", "res://compiler.gd", "--", *cases)
    return outcomes(text, cases)


def run_godot3(godot3: Sequence[str], blocks: Sequence[Block]) -> List[Outcome]:
    """Compiles the examples for Godot 3 there, and runs those that say what to call."""
    port = free_port()
    cases = {f"old_{number}": block for number, block in enumerate(blocks)}
    with tempfile.TemporaryDirectory(prefix="nme_docs3_") as name:
        folder = Path(name)
        (folder / "project.godot").write_text("config_version=4\n", encoding="utf-8")
        (folder / "check.gd").write_text(GODOT3, encoding="utf-8")
        for case, block in cases.items():
            code = local(block.code, port)
            if not is_script(code):
                code = "func example():\n" + textwrap.indent(code, "\t")
            conditions = " and ".join(block.words.get("expect", ["true"]))
            lines = [*block.words.get("call", []), f"return {conditions}"]
            code += "\nfunc run_example():\n" + textwrap.indent("\n".join(lines), "\t") + "\n"
            if not re.search(r"^extends\b", code, re.MULTILINE):
                code = "extends Node\n\n" + code
            (folder / f"{case}.gd").write_text(code, encoding="utf-8")
        project = Project([*godot3, "--no-window"], folder)
        text = project.run("-s", "res://check.gd", *(f"res://{case}.gd" for case in cases))
    return outcomes(text, cases)


def free_port() -> int:
    """A UDP port that is free."""
    while True:
        port = random.choice(PORTS)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
            return port
