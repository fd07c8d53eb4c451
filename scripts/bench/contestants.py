"""Whose classes are compared, and how their programs are started."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Sequence

from common import PROJECT, ScriptError, say
from engines import dotted, find_godot3, find_godot4, version_of
from godot3_project import godot3_words

OURS, THREADED, NEW, OLD = "ours", "threaded", "4.6", "3.6"
# Ours below a Godot3Multiplayer: with 3.6's RPCs, and with those of the SceneMultiplayer within, for clients of Godot 4.
RPC3, RPC3_INNER = "rpc3", "rpc3_inner"
# A game that plays alone: what scripts and the SceneMultiplayer cost with a peer that does nothing.
ALONE = "alone"
COMPRESSIONS = {"none": 0, "range_coder": 1}

Words = Dict[str, object]


class Contestant(NamedTuple):
    """A class in an engine."""

    key: str
    title: str
    engine: Sequence[str]
    is_godot4: bool
    class_name: str
    is_threaded: bool = False
    # Which MultiplayerAPI: scene, godot3, or inner.
    multiplayer: str = "scene"

    def command(self, program: str, words: Words) -> List[str]:
        """Starts a program of godot_project/bench."""
        all_words = {"class": self.class_name, "threaded": int(self.is_threaded), "multiplayer": self.multiplayer, **words}
        values = [f"--{name}={value}" for name, value in all_words.items()]
        if not self.is_godot4:
            return [*self.engine, *godot3_words(f"bench/{program}.gd"), *values]
        place = ["--headless", "--path", str(PROJECT), "-s", f"res://bench/{program}.gd"]
        return [*self.engine, *place, "--", *values]

    def dialect(self, through_api: bool) -> str:
        """The crowd's word for what this class speaks."""
        if self.key != NEW:
            return "networked"
        return "scene" if through_api else "plain"


def all_contestants() -> Dict[str, Contestant]:
    """Those whose engines are here; Godot 3.6 is left out where it cannot be had."""
    godot4, godot3 = find_godot4(), find_godot3()
    version4 = dotted(version_of(godot4))
    found = [
        Contestant(OURS, f"NetworkedMultiplayerENet (this addon), Godot {version4}", godot4, True,
                   "NetworkedMultiplayerENet"),
        Contestant(THREADED, f"the same with a network thread, Godot {version4}", godot4, True,
                   "NetworkedMultiplayerENet", is_threaded=True),
        Contestant(RPC3, f"the same below a Godot3Multiplayer, Godot {version4}", godot4, True, "NetworkedMultiplayerENet",
                   multiplayer="godot3"),
        Contestant(RPC3_INNER, f"the same, for clients of Godot 4, Godot {version4}", godot4, True,
                   "NetworkedMultiplayerENet", multiplayer="inner"),
        Contestant(ALONE, f"OfflineMultiplayerPeer, Godot {version4}, without clients", godot4, True, "OfflineMultiplayerPeer"),
        Contestant(NEW, f"ENetMultiplayerPeer, Godot {version4}", godot4, True, "ENetMultiplayerPeer"),
    ]
    if godot3:
        title = f"NetworkedMultiplayerENet, Godot {dotted(version_of(godot3))}"
        found.append(Contestant(OLD, title, godot3, False, "NetworkedMultiplayerENet"))
    else:
        say("note: there is no Godot 3.6 here; its class is left out")
    return {contestant.key: contestant for contestant in found}


def compression_number(name: str) -> int:
    """The value of `compression_mode`."""
    try:
        return COMPRESSIONS[name]
    except KeyError:
        raise ScriptError(f"no compression is called {name}") from None
