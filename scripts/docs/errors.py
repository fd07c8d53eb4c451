"""The errors that the class can print, each of which docs/errors.md must have."""

from __future__ import annotations

import re
from typing import List

from common import ADDON, REPO

PAGE = ADDON / "docs" / "errors.md"
# Why connections fail and end.
CONNECTIONS = ADDON / "docs" / "troubleshooting.md"
# Where texts for users are.
SOURCES = (
    "rust/nme-core/src/channel.rs", "rust/nme-core/src/session/error.rs", "rust/nme-core/src/session/config.rs",
    "rust/nme-core/src/session/connection_error.rs", "rust/nme-udp/src/socket.rs", "rust/nme-udp/src/resolver.rs",
    "rust/nme-driver/src/error.rs", "rust/nme-driver/src/simulator/simulation.rs",
    "rust/nme-dtls/src/credentials/error.rs", "rust/nme-dtls/src/lib.rs",
    "rust/nme-core/src/query/*.rs",
    "rust/nme-godot3/src/*.rs", "rust/nme-godot/src/*.rs", "rust/nme-godot/src/godot3/*.rs",
)
# Errors that are counted, and not printed.
UNSEEN = re.compile(r"pub enum SendError \{.*?^\}", re.DOTALL | re.MULTILINE)
STRING = r'"((?:[^"\\]|\\.)*)"'
DERIVED = re.compile(rf"#\[error\(\s*{STRING}", re.DOTALL)
FORMATTED = re.compile(rf"format!\(\s*{STRING}", re.DOTALL)
PRINTED = re.compile(rf'complain\(\s*(?:"\w+"|call),\s*{STRING}', re.DOTALL)
NAMES = re.compile(r'"(CONNECTION_ERROR_\w+)"')
# A piece of a message below this length is too common to be looked for.
SHORTEST = 8


def pieces() -> List[str]:
    """What the page has to have of each message."""
    return list(dict.fromkeys(map(telling_piece, messages())))


def connection_errors() -> List[str]:
    """The names of what can go wrong with a connection."""
    source = (REPO / "rust/nme-godot/src/constants.rs").read_text(encoding="utf-8")
    return sorted(set(NAMES.findall(source)) - {"CONNECTION_ERROR_NONE"})


def messages() -> List[str]:
    """Every text, with its placeholders."""
    found: List[str] = []
    for pattern in SOURCES:
        for path in sorted(REPO.glob(pattern)):
            text = path.read_text(encoding="utf-8").partition("#[cfg(test)]")[0]
            text = UNSEEN.sub("", text) if "nme-udp" in pattern else text
            for kind in (DERIVED, FORMATTED, PRINTED):
                found += [re.sub(r"\\\s+", "", each).replace('\\"', '"') for each in kind.findall(text)]
    return [each for each in dict.fromkeys(found) if len(telling_piece(each)) >= SHORTEST]


def telling_piece(message: str) -> str:
    """The longest part of a message that is always the same, from what it says before it gives advice."""
    pieces = [re.split(r"[;:] ", piece)[0] for piece in re.split(r"\{[^}]*\}", message)]
    return plain(max(pieces, key=len)).strip(' ,")')


def plain(text: str) -> str:
    """Without marks of Markdown and capitals, and with single blanks."""
    return re.sub(r"\s+", " ", text.replace("`", "")).lower()
