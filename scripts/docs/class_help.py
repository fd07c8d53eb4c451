"""Reads the classes' help as the editor shows it, and looks for what is missing."""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, NamedTuple, Tuple

from common import ADDON
from docs.editor import Editor, Symbol

# Kinds of symbols in the language server's protocol.
KINDS = {6: "method", 7: "property", 14: "constant", 24: "signal"}

PAGE = re.compile(r"\bdocs/\w+\.md\b")
CODE_BLOCK = re.compile(r"\[codeblock[^\]]*\](.*?)\[/codeblock\]", re.DOTALL)
REFERENCE = re.compile(r"\[(method|member|constant|signal) ([\w.@]+)\]")
PARAMETER = re.compile(r"\[param (\w+)\]")
TAG = re.compile(r"\[(/?)([^\]\s=]+)[^\]]*\]")
# Tags of the help viewer besides references and names of classes.
TAGS = {"b", "i", "u", "s", "code", "codeblock", "kbd", "br", "url", "param", "center", "lb", "rb"}
MARKDOWN = (("a backtick", re.compile(r"`")), ("**", re.compile(r"\*\*")), ("a link", re.compile(r"\]\(")),
            ("a heading", re.compile(r"(?:^|\[br\])#+ ")), ("a table", re.compile(r"\|.*\|")))
# Shorter says nothing.
SHORTEST = 40


class Entry(NamedTuple):
    """A member with its text."""

    kind: str
    name: str
    detail: str
    text: str

    @property
    def parameters(self) -> List[str]:
        """Names of a method's or a signal's parameters."""
        inner = self.detail.partition("(")[2].rpartition(")")[0] if self.kind in ("method", "signal") else ""
        return re.findall(r"(\w+)\s*:", inner)

    @property
    def code(self) -> List[str]:
        """Its examples."""
        return CODE_BLOCK.findall(self.text)


def entries(symbol: Symbol) -> List[Entry]:
    """The class and all of its members."""
    found = [Entry("class", symbol["name"], symbol["detail"], symbol["documentation"])]
    for child in symbol["children"]:
        kind = KINDS.get(child["kind"], "member")
        found.append(Entry(kind, child["name"], child["detail"], child.get("documentation") or ""))
    return found


def check(editor: Editor, name: str, registered: Dict[str, List[str]]) -> Iterator[Tuple[str, List[str]]]:
    """For each entry of a class its problems. `registered` are the names that ClassDB has, by kind."""
    symbol = editor.symbol(name, name)
    if symbol is None:
        yield f"the class {name}", ["the editor does not know it"]
        return
    found = entries(symbol)
    for kind, names in registered.items():
        for missing in sorted(set(names) - {entry.name for entry in found}):
            yield f"{name}: {kind} {missing}", ["it has no entry in the help"]
    known: Dict[Tuple[str, str], bool] = {}
    brief, _, description = symbol["documentation"].partition("\n")
    lacks = [what for what, text in (("brief description", brief), ("description", description)) if not text.strip()]
    yield "class", [f"its {what} is empty" for what in lacks]
    seen = set()
    for entry in found:
        # A property that hides one of a base class comes twice, the second time as that of the base.
        if entry.name in seen and not entry.text:
            continue
        seen.add(entry.name)
        yield f"{name}: {entry.kind} {entry.name}", problems(name, entry, editor, known)


def problems(name: str, entry: Entry, editor: Editor, known: Dict[Tuple[str, str], bool]) -> List[str]:
    """What is wrong with one text."""
    if len(entry.text.strip()) < SHORTEST:
        return [f"it says nothing, or too little: {entry.text!r}"]
    wrong = []
    prose = CODE_BLOCK.sub("", entry.text)
    wrong += [f"{what} of Markdown is left over" for what, pattern in MARKDOWN if pattern.search(prose)]
    mentioned = set(PARAMETER.findall(prose))
    wrong += [f"it does not mention [param {name}]" for name in entry.parameters if name not in mentioned]
    if entry.kind in ("method", "signal"):
        wrong += [f"there is no parameter {name}" for name in mentioned - set(entry.parameters)]
    for kind, target in REFERENCE.findall(prose):
        if not resolves(editor, name, kind, target, known):
            wrong.append(f"[{kind} {target}] leads nowhere")
    for closing, tag in TAG.findall(REFERENCE.sub("", prose)):
        is_class = not closing and (tag[0].isupper() or tag.startswith("@"))
        if is_class and not resolves(editor, name, "class", tag, known):
            wrong.append(f"[{tag}] is no class")
        elif not is_class and tag not in TAGS:
            wrong.append(f"the help viewer knows no tag [{closing}{tag}]")
    for tag in ("b", "i", "code"):
        if prose.count(f"[{tag}]") != prose.count(f"[/{tag}]"):
            wrong.append(f"[{tag}] is not closed")
    for page in PAGE.findall(prose):
        if not (ADDON / page).is_file():
            wrong.append(f"there is no page {page}")
    for code in entry.code:
        indents = {len(line) - len(line.lstrip()) for line in code.splitlines() if line.strip()}
        if any(indent % 4 for indent in indents):
            wrong.append(f"an example's lines are indented by {sorted(indents)} blanks")
    return wrong


def resolves(editor: Editor, name: str, kind: str, target: str, known: Dict[Tuple[str, str], bool]) -> bool:
    """Whether a reference leads to something: in this class of ours, in the one it names, or in that one's bases."""
    if (kind, target) not in known:
        known[kind, target] = looked_up(editor, name, kind, target)
    return known[kind, target]


def looked_up(editor: Editor, ours: str, kind: str, target: str) -> bool:
    """Asks the editor."""
    if kind == "class":
        return editor.symbol(target, target) is not None
    owner, _, name = target.rpartition(".")
    symbol = editor.symbol(owner or ours, name)
    if symbol is None:
        return False
    return KINDS.get(symbol["kind"]) == {"member": "property"}.get(kind, kind)
