"""What has to be replaced in a script that was written for ENetMultiplayerPeer, and what cannot be.

The page docs/coming_from_enet_multiplayer_peer.md has its two tables from here: `python3 scripts/docs --write`.
"""

from __future__ import annotations

import re
from typing import AbstractSet, List, NamedTuple, Optional, Set, Tuple

from common import ScriptError

# Words whose lines are looked at.
ENGINE_CLASSES = re.compile(r"\b(?:ENetMultiplayerPeer|ENetPacketPeer|ENetConnection)\b")
# Strings and comments, which are left alone, and code.
SEGMENT = re.compile(r"""(?P<left>\#.*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|[^\#"']+|.""", re.DOTALL)
PEER_CLASS = re.compile(r"\b(?!Offline)\w+MultiplayerPeer\b")
CREATE = re.compile(r"(?P<receiver>[\w.]+)\.create_(?:server|client)\(")
# Where the argument with the number of channels stands, counted from 0.
CHANNELS_AT = 2
# What a connection has without channel_count, and what it has at most.
DEFAULT_CHANNELS, MAX_CHANNELS = 3, 255
CHANNEL_USED = re.compile(r"@rpc\([^)]*?,\s*(\d+)\s*\)|\btransfer_channel\s*=\s*(\d+)|\bset_transfer_channel\((\d+)\)")
# The classes of a script that names no other one.
ENET = frozenset({"ENetMultiplayerPeer"})


class Type(NamedTuple):
    """A type that has another name. In front of a dot it names constants, which both have, and may stay."""

    name: str
    new_name: str
    keeps_constants: bool
    example: str

    @property
    def pattern(self) -> str:
        """What to search for, as a regular expression."""
        return rf"\b{self.name}\b" + (r"(?!\.)" if self.keeps_constants else "")


class Hint(NamedTuple):
    """What a person has to look at."""

    pattern: str
    what_to_do: str
    example: str


TYPES = (
    Type("ENetMultiplayerPeer", "NetworkedMultiplayerENet", False, "var peer := ENetMultiplayerPeer.new()"),
    Type("ENetPacketPeer", "NetworkedMultiplayerENetPeer", True, "var server: ENetPacketPeer = peer.get_peer(1)"),
    Type("ENetConnection", "NetworkedMultiplayerENetHost", True, "var host: ENetConnection = peer.host"),
)
CREATE_EXAMPLES = ("peer.create_server(4242, 16, 5)", "peer.create_client(address, 4242, 5, 0, 0, port)")
HINTS = (
    Hint(r"\.(?:create_mesh|add_mesh_peer)\(", "there is no mesh: connect every client to the server, which relays",
         "peer.create_mesh(id)"),
    Hint(r"\bENetConnection\.new\(", "an ENetConnection of one's own stays; it cannot be a NetworkedMultiplayerENetHost",
         "var connection := ENetConnection.new()"),
    Hint(r"\bhost(?:\(\))?\.(?:broadcast|channel_limit|connect_to_host|create_host\w*|service)\(",
         "host has no such method here: send with put_packet, set channel_count before create_*",
         "peer.host.channel_limit(5)"),
    Hint(r"\bget_peer\([^)]*\)\.(?:ping|send|get_packet\w*|put_\w+)\(",
         "an object of get_peer has no packets: send with set_target_peer and put_packet", "peer.get_peer(1).send(0, data, 0)"),
    Hint(r"\btransfer_channel\s*=\s*0\b|\bset_transfer_channel\(0\)", "channel 0 is reserved: the default is -1 here",
         "peer.transfer_channel = 0"),
    Hint(r"[\"'](?:ENetMultiplayerPeer|ENetPacketPeer|ENetConnection)[\"']", "a class name as a text: rename it by hand",
         'peer.is_class("ENetMultiplayerPeer")'),
)
BY_HAND = "for an ENet peer, set channel_count before this call, and take the number of channels (the third argument) away"
CSHARP = "C#: use the wrapper csharp/NetworkedMultiplayerENet.cs, see docs/csharp.md"


class Line(NamedTuple):
    """What becomes of a line."""

    new: List[str]
    problem: str


def replaced(line: str, classes: AbstractSet[str] = ENET, channels: int = 0) -> Line:
    """A line of GDScript for the addon's class; classes: peer_classes of its script. With channels, each create_* gets a
    channel_count for so many."""
    hint = next((hint for hint in HINTS if re.search(hint.pattern, without_comment(line))), None)
    if hint:
        return Line([line], hint.what_to_do)
    new = "".join(found[0] if found["left"] else renamed(found[0]) for found in SEGMENT.finditer(line))
    call = CREATE.search(without_comment(new))
    return with_channel_count(new, call, classes, channels) if call else Line([new], "")


def renamed(code: str) -> str:
    """Code with the types' new names."""
    for kind in TYPES:
        code = re.sub(kind.pattern, kind.new_name, code)
    return code


def with_channel_count(line: str, call: "re.Match[str]", classes: AbstractSet[str], channels: int) -> Line:
    """The call without the argument for channels, which becomes a line above."""
    if classes and not classes & ENET:
        return Line([line], "")
    words, end = arguments(line, call.end())
    if end is None:
        return Line([line], BY_HAND)
    count = words[CHANNELS_AT] if len(words) > CHANNELS_AT else "0"
    if classes != ENET:
        # It may be of another class, which has a third argument, too.
        return Line([line], BY_HAND if len(words) > CHANNELS_AT or channels else "")
    wanted = channel_count(count, channels)
    if wanted and re.match(r"\s*(?:elif|while|func)\b", line):
        return Line([line], BY_HAND)
    rest = words[:CHANNELS_AT] + words[CHANNELS_AT + 1:]
    new = line[:call.end()] + ", ".join(rest) + line[end:]
    indent = re.match(r"\s*", line)[0]
    return Line(([f"{indent}{call['receiver']}.channel_count = {wanted}"] if wanted else []) + [new], "")


def channel_count(max_channels: str, used: int) -> str:
    """The engine's class has so many channels beside channel 0; in this one, they count from 0. Nothing for the default."""
    if not max_channels.isdigit():
        return f"clampi({max_channels} + 1, {DEFAULT_CHANNELS}, {MAX_CHANNELS})"
    count = min(int(max_channels) + 1, MAX_CHANNELS) if int(max_channels) else used
    return str(count) if count > DEFAULT_CHANNELS else ""


def arguments(line: str, start: int) -> Tuple[List[str], Optional[int]]:
    """The arguments behind an opening parenthesis, and where the closing one is, if it is in this line."""
    words, depth, word, at = [], 0, "", start
    for found in SEGMENT.finditer(line, start):
        for letter in [found[0]] if found["left"] else found[0]:
            if letter in ")]}" and depth == 0:
                return words + ([word.strip()] if word.strip() else []), at
            depth += (letter in "([{") - (letter in ")]}")
            if letter == "," and depth == 0:
                words.append(word.strip())
                word = ""
            else:
                word += letter
            at += len(letter)
    return words, None


def without_comment(line: str) -> str:
    """The line up to its comment."""
    found = next((found for found in SEGMENT.finditer(line) if found[0].startswith("#")), None)
    return line[:found.start()] if found else line


def peer_classes(text: str) -> Set[str]:
    """The classes with create_server or create_client that a script names, such as WebSocketMultiplayerPeer."""
    return set(PEER_CLASS.findall(text))


def channels_used(text: str) -> Set[int]:
    """The channels that RPCs and packets of a script name."""
    return {int(number) for found in CHANNEL_USED.finditer(text) for number in found.groups() if number}


def tables() -> Tuple[str, str]:
    """What the page shows: what is replaced, and what is not."""
    rows = [(f"`{kind.pattern}`", f"`{kind.new_name}`", kind.example) for kind in TYPES]
    rows += [("the third argument of `create_server`, `create_client`", "`channel_count` in front of it", example)
             for example in CREATE_EXAMPLES]
    first = ["| search for | put | before | after |", "|---|---|---|---|"]
    for search, put, example in rows:
        new = replaced(example)
        if new.problem or new.new == [example]:
            raise ScriptError(f"the example {example} is not replaced")
        after = "<br>".join(f"`{line}`" for line in new.new)
        first.append(f"| {search} | {put} | `{example}` | {after} |")
    second = ["| for example | what to do |", "|---|---|"]
    for hint in HINTS:
        if replaced(hint.example) != Line([hint.example], hint.what_to_do):
            raise ScriptError(f"the example {hint.example} is not seen")
        second.append(f"| `{hint.example}` | {hint.what_to_do} |")
    return "\n".join(first), "\n".join(second)
