"""The tables of the page about ENetMultiplayerPeer, which scripts/drop_in has."""

from __future__ import annotations

import re

from common import ADDON, ScriptError, say
from drop_in.rules import tables

PAGE = ADDON / "docs" / "coming_from_enet_multiplayer_peer.md"
# Around the tables of the page, in their order.
MARKS = ("replaced", "left")


def renewed() -> str:
    """The page with the newest tables."""
    page = PAGE.read_text(encoding="utf-8")
    for mark, table in zip(MARKS, tables()):
        begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
        if page.count(begin) != 1 or page.count(end) != 1:
            raise ScriptError(f"{PAGE.name} needs one {begin} and one {end}")
        page = re.sub(f"{begin}.*{end}", lambda _, b=begin, t=table, e=end: f"{b}\n{t}\n{e}", page, flags=re.DOTALL)
    return page


def write() -> None:
    """Renews the page."""
    PAGE.write_text(renewed(), encoding="utf-8")
    say(f"written: {PAGE.name}")
