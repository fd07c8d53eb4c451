"""The documentation in real engines: the editor's help, the pages' examples, the C# wrappers, and a project that was written
for ENetMultiplayerPeer."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence

import pytest

from common import PROJECT, ScriptError, script, tail
from docs import class_help, csharp, examples, shell
from docs.editor import complaints, editor
from docs.pages import Block, all_pages, blocks_of, title
from docs.project import Project, new_project
from drop_in.rules import BY_HAND, Line, peer_classes, replaced
from engines import dotted, find_godot4, version_of

Check = Callable[..., None]

# The first engine with a Logger, which tells what was printed.
NEEDED = (4, 5, 0)
# Each class has a wrapper.
WRAPPERS = csharp.wrappers()
KINDS = ("method", "property", "signal")
# What a script prints as the wrapper works.
DOTNET_LINE = "csharp: both are connected"


class Help(NamedTuple):
    """What was found out about the editor's help."""

    # Of each class its entries, and what is wrong with them.
    entries: Dict[str, List[examples.Outcome]]
    # Of each entry with examples their code.
    code: Dict[str, List[str]]
    complaints: List[str]


def check_all(check: Check, outcomes: Sequence[examples.Outcome]) -> None:
    """A check for each of them; there has to be one."""
    assert outcomes
    for what, problems in outcomes:
        check(what, not problems, "\n".join(problems))


@pytest.fixture(scope="module")
def godot() -> List[str]:
    """The command of Godot 4, which must not be too old."""
    command = find_godot4()
    if (version_of(command) or NEEDED) < NEEDED:
        raise ScriptError(f"this needs Godot {dotted(NEEDED)} or newer, which tells what it prints")
    return command


@pytest.fixture
def project(godot: List[str]) -> Iterator[Project]:
    """A new project with the addon."""
    with new_project(godot) as made:
        yield made


@pytest.fixture(scope="module")
def facts(godot: List[str]) -> Dict[str, Any]:
    """What ClassDB knows of each class."""
    with new_project(godot) as project:
        text = project.run("-s", "res://dump.gd")
    found = [line for line in text.splitlines() if line.startswith("@@ ")]
    assert found, f"the engine does not tell about the classes:\n{text}"
    told = json.loads(found[0][3:])
    assert set(told) == set(WRAPPERS)
    return told


# --- The help -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def help_texts(godot: List[str], facts: Dict[str, Any]) -> Help:
    """The help of all classes, from one run of the editor."""
    with new_project(godot) as project:
        with editor(project) as connection:
            entries = {name: list(class_help.check(connection, name, facts[name]["entries"])) for name in facts}
            symbols = [connection.symbol(name, name) for name in facts]
        found = [entry for symbol in symbols if symbol for entry in class_help.entries(symbol)]
        return Help(entries, {entry.name: entry.code for entry in found if entry.code}, complaints(project))


@pytest.mark.xdist_group("help")
@pytest.mark.parametrize("name", WRAPPERS)
def test_the_help_says_something_about_everything(name: str, help_texts: Help, check: Check) -> None:
    check_all(check, help_texts.entries[name])


@pytest.mark.xdist_group("help")
def test_an_editor_with_the_addon_prints_no_errors(help_texts: Help) -> None:
    assert not help_texts.complaints


@pytest.mark.xdist_group("help")
def test_the_examples_of_the_help_can_be_compiled(help_texts: Help, project: Project, check: Check) -> None:
    check_all(check, examples.compile_help(project, help_texts.code))


# --- The examples of pages ------------------------------------------------------------------------


def examples_of(page: Path) -> List[Block]:
    """The GDScript of a page that is run, for either engine."""
    return [block for block in blocks_of(page) if block.language == "gdscript" and "not run" not in block.words]


def is_old(block: Block) -> bool:
    """Whether it is for Godot 3."""
    return "godot3" in block.words


@pytest.mark.parametrize("page", all_pages(), ids=title)
def test_the_examples_of_a_page_run(page: Path, project: Project, check: Check) -> None:
    commands = shell.commands(blocks_of(page))
    code = [block for block in examples_of(page) if not is_old(block)]
    if not commands and not code:
        pytest.skip("it has none for Godot 4")
    if commands and not (shutil.which("sh") and shutil.which("openssl")):
        pytest.skip("its commands need sh and openssl")
    check_all(check, [*shell.run(project, commands), *(examples.run_page(project, code) if code else [])])


def test_the_examples_for_godot_3_run(godot3: List[str], check: Check) -> None:
    check_all(check, examples.run_godot3(godot3, [block for page in all_pages() for block in examples_of(page) if is_old(block)]))


# --- C# -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, source", [pytest.param(*item, id=item[0]) for item in csharp.sources().items()])
def test_a_source_is_csharp(name: str, source: str) -> None:
    assert not csharp.syntax_errors(source)


CALLS = [
    pytest.param(name, call, id=f"{name}.cs:{call.line}-{call.method}-{call.name}")
    for name, source in WRAPPERS.items() for call in csharp.calls(source)
]


@pytest.mark.xdist_group("csharp")
@pytest.mark.parametrize("name, call", CALLS)
def test_what_a_csharp_wrapper_calls_is_there(name: str, call: csharp.Call, facts: Dict[str, Any]) -> None:
    kind = csharp.KINDS[call.method]
    assert call.name in facts[name][kind]
    if kind == "methods":
        assert call.more == facts[name]["methods"][call.name], "the number of arguments"


@pytest.mark.xdist_group("csharp")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", WRAPPERS)
def test_a_csharp_wrapper_has_everything(name: str, kind: str, facts: Dict[str, Any]) -> None:
    assert set(facts[name]["entries"][kind]) <= {call.name for call in csharp.calls(WRAPPERS[name])}


@pytest.mark.xdist_group("csharp")
@pytest.mark.parametrize("name", WRAPPERS)
def test_the_constants_of_a_csharp_wrapper_are_those_of_the_class(name: str, facts: Dict[str, Any], check: Check) -> None:
    given = csharp.constants(WRAPPERS[name])
    wanted = {constant: int(facts[name]["constants"][constant]) for constant in facts[name]["entries"]["constant"]}
    for constant in sorted({*given, *wanted}):
        here, there = given.get(constant), wanted.get(constant)
        check(constant, here == there, f"the wrapper has {here}, the class {there}")


def test_a_csharp_wrapper_in_the_dotnet_build(project: Project) -> None:
    engine = os.environ.get("GODOT_DOTNET")
    if not engine:
        pytest.skip("this takes Godot's .NET build, named by GODOT_DOTNET, and the .NET SDK")
    text = csharp.run_dotnet(engine, project)
    assert DOTNET_LINE in text, tail(text)


# --- A project for ENetMultiplayerPeer ------------------------------------------------------------

GAME = PROJECT / "tests" / "drop_in"
RUN_SECONDS = 300
NEW = "NetworkedMultiplayerENet"


@pytest.mark.parametrize("old, new", [
    ("if p is ENetMultiplayerPeer:  # ENetMultiplayerPeer", [f"if p is {NEW}:  # ENetMultiplayerPeer"]),
    ("\tvar e := p as ENetMultiplayerPeer", [f"\tvar e := p as {NEW}"]),
    ("var all: Array[ENetPacketPeer] = []", [f"var all: Array[{NEW}Peer] = []"]),
    ("p.get_statistic(ENetPacketPeer.PEER_PACKET_LOSS)", ["p.get_statistic(ENetPacketPeer.PEER_PACKET_LOSS)"]),
    ("@export var m: ENetConnection.CompressionMode", ["@export var m: ENetConnection.CompressionMode"]),
    ("p.create_server(PORT, 16)", ["p.create_server(PORT, 16)"]),
    ("p.create_server(PORT, 16, 0, 1000)", ["p.create_server(PORT, 16, 1000)"]),
    ("p.create_server(PORT, 16, 1)", ["p.create_server(PORT, 16)"]),
    ("\tif p.create_server(PORT, f(1, 2), 5) != OK:", ["\tp.channel_count = 6", "\tif p.create_server(PORT, f(1, 2)) != OK:"]),
    ('p.create_client("a,b", 1, n, 0, 0, 7)', ["p.channel_count = clampi(n + 1, 3, 255)", 'p.create_client("a,b", 1, 0, 0, 7)']),
])
def test_a_line_is_replaced(old: str, new: List[str]) -> None:
    assert replaced(old) == Line(new, "")


@pytest.mark.parametrize("line", ["elif p.create_server(1, 2, 5) == OK:", "p.create_server(1,", "peer.create_mesh(4)"])
def test_a_line_is_left(line: str) -> None:
    assert replaced(line).problem


def test_the_channels_of_rpcs_are_counted() -> None:
    assert replaced("p.create_server(1, 2)", channels=8).new[0] == "p.channel_count = 8"


@pytest.mark.parametrize("text, problem", [
    ("", BY_HAND), ("WebSocketMultiplayerPeer or ENetMultiplayerPeer", BY_HAND), ("WebSocketMultiplayerPeer.new()", ""),
])
def test_calls_of_other_classes_are_told_apart(text: str, problem: str) -> None:
    call = "p.create_server(1, address, tls)"
    line = replaced(call, peer_classes(text))
    assert line.problem == problem and (problem or line.new == [call])


def test_a_project_that_was_written_for_another_class() -> None:
    done = subprocess.run(
        list(map(str, script("try_drop_in.py", GAME, "--seconds", "1"))), check=False, timeout=RUN_SECONDS,
        env={**os.environ, "NME_DROP_IN_PORT": str(examples.free_port())}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
    )
    assert done.returncode == 0, tail(done.stdout)
    # Its clients have this name once an RPC went there and back.
    greeted = re.findall(r"^client: .* in Greeted_hello, 0 errors", done.stdout, re.MULTILINE)
    assert len(greeted) == 2, tail(done.stdout)
