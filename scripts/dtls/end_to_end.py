"""Scenarios of the interop test over DTLS: our class has its own, and a program stands beside Godot 3.6."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, List, Optional

from dtls.certificates import fixtures
from dtls.processes import Program
from dtls.wire import Wire
from godot3_project import godot3_words
from interop import scenarios
from interop.logs import Summary
from interop.runner import Job, Player, compare_with_expected, take_ports
from interop.scenario import Scenario

IDENTITY = fixtures("godot4")["rsa_2048"]
# Its certificate is for this name, and clients connect to an address.
HOST = "localhost"

# Our server and clients of Godot 3.6, the other way round, and ours alone.
CASTINGS = ("4/3", "3/4", "4/4")
# Clients of both kinds: one goes through the program beside Godot 3.6 and the other does not.
MIXED_CASTINGS = ("4/3+4", "3/3+4")
MIXED = ("targets_with_relay", "join_leave", "server_close")

# With network threads.
THREADED_CASTINGS = ("4t/3", "3/4t", "4t/4t")

# Constants of our class.
HANDSHAKE_TIMED_OUT = 11


def played() -> List[Scenario]:
    """Coming and going, disconnects of every kind, the relay, and data in all modes of compression."""
    return [scenarios.data(name) for name in scenarios.COMPRESSION] + [
        scenarios.targets_with_relay(), scenarios.join_leave(), scenarios.kick_now(), scenarios.kick_later(),
        scenarios.server_close(), scenarios.crowd(), scenarios.handlers(),
    ]


class SecurePlayer(Player):
    """Plays jobs of the interop test over DTLS."""

    def _run_processes(self, cast: Dict[str, str], story: Path, folder: Path) -> Optional[str]:
        whole = json.loads(story.read_text(encoding="utf-8"))
        (port,) = whole["ports"]
        (beside,) = take_ports(1)
        ours = {"key": str(IDENTITY.key), "certificate": str(IDENTITY.certificate), "host": HOST}
        ours_alone = all(engine.startswith("4") for engine in cast.values())
        for name, engine in cast.items():
            # Who is of the other engine than the server has to go through the program beside Godot 3.6.
            direct = name == "server" or (engine == cast["server"] and not ours_alone) or whole["name"] == MISMATCH
            place = port if direct else beside
            part = {**whole, "ports": [place], **({"dtls": ours} if engine.startswith("4") else {})}
            story_of(name, folder).write_text(json.dumps(part), encoding="utf-8")
        if whole["name"] == MISMATCH:
            return super()._run_processes(cast, story, folder)
        if ours_alone:
            return self._run_watched(cast, story, folder, Wire(beside, port))
        terminator = self._start_terminator(cast["server"], port, beside, folder)
        try:
            terminator.wait_for("listening")
            problem = super()._run_processes(cast, story, folder)
        finally:
            terminator.kill()
        used = terminator.said("established")
        if problem is None and not used:
            problem = "nobody went through the program that speaks DTLS"
        return terminator.complaint() or problem

    def _run_watched(self, cast: Dict[str, str], story: Path, folder: Path, wire: Wire) -> Optional[str]:
        try:
            problem = super()._run_processes(cast, story, folder)
        finally:
            wire.close()
        if problem is None and not wire.protected:
            problem = "nothing was encrypted"
        return wire.problem or problem

    def _start_terminator(self, server: str, port: int, beside: int, folder: Path) -> Program:
        place = godot3_words("tests/dtls/terminator.gd")
        words = [f"--listen={beside}", f"--to={port}", f"--certificate={IDENTITY.certificate}"]
        words += [f"--key={IDENTITY.key}"] if server == "3" else []
        return Program("terminator", [*self.engines["3"], *place, *words], folder)

    def _start(self, name: str, engine: str, story: Path, folder: Path):  # noqa: ANN202
        return super()._start(name, engine, story_of(name, folder), folder)


def story_of(name: str, folder: Path) -> Path:
    """What one participant reads."""
    return folder / f"story_{name}.json"


# --- One side only -----------------------------------------------------------------------------------------------

MISMATCH = "mismatch"


def mismatch(client: str) -> Scenario:
    """A plain peer and one with DTLS never meet, and the client notices."""
    s = Scenario(MISMATCH, 1, slow=True)
    (c1,) = s.clients
    s.server.do("server")
    s.barrier()
    c1.do("client").sees("connection_failed", within=60)
    if client == "4":
        c1.call("get_connection_error")
    s.finish()
    return s


# --- All together ------------------------------------------------------------------------------------------------


def all_jobs() -> List[Job]:
    """Everything; those that mostly wait come first."""
    found = [Job(mismatch(client), f"{server}/{client}") for server, client in (("3", "4"), ("4", "3"))]
    # Without a network thread nobody is blocked.
    found += [Job(scenarios.blocked(), casting) for casting in THREADED_CASTINGS]
    for scenario in played():
        castings = [*CASTINGS, *THREADED_CASTINGS, *(MIXED_CASTINGS if scenario.name in MIXED else ())]
        found += [Job(scenario, casting) for casting in castings]
    return found


def compare(job: Job, summaries: Dict[str, Summary]) -> None:
    """Fails unless the run has shown what Godot 3.6 alone has without DTLS."""
    if job.scenario.name != MISMATCH:
        compare_with_expected(job, summaries)
        return
    notices = [f"call get_connection_error() = {HANDSHAKE_TIMED_OUT}"] if job.casting.endswith("4") else []
    assert summaries["c1"]["events"] == ["created client 0", "connection_failed", *notices, "end"]
    assert summaries["server"]["events"] == ["created server 0", "end"]
