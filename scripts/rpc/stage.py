"""Where a play takes place: its games, who is connected to whom, and what each has been called."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

from common import PROJECT
from godot3_project import godot3_words
from interop.runner import take_ports
from rpc.agent import PATIENCE, Agent, Line

# What a kind of agent plays: API and peer.
APIS = {"4scene": "SceneMultiplayer"}
PEERS = {"4engine": "ENetMultiplayerPeer"}
# Which part of the tree the API is for.
PARTS = {"4part": "/root/Game"}
# Seconds until the last of both engines takes a silent peer for gone, and some more.
TIMEOUT = 45.0

Engines = Dict[str, List[str]]


class Stage:
    """The games of one play. The first one is usually the server."""

    def __init__(self, cast: Dict[str, str], folder: Path, engines: Engines) -> None:
        self.folder = folder
        self.engines = engines
        (self.port,) = take_ports(1)
        # Whether clients reach each other.
        self.relay = True
        # What has been opened and not left, the server first.
        self.online: List[Agent] = []
        self._fences = 0
        self._door = socket.create_server(("127.0.0.1", 0))
        self.agents = {name: self._start(name, kind, engines) for name, kind in cast.items()}

    def _start(self, name: str, kind: str, engines: Engines) -> Agent:
        words = [f"--control={self._door.getsockname()[1]}", f"--name={name}"]
        if kind.startswith("3"):
            place = godot3_words("tests/rpc/agent.gd")
        else:
            place = ["--headless", "--path", str(PROJECT), "-s", "res://tests/rpc/agent.gd", "--"]
            words += [f"--api={APIS.get(kind, 'Godot3Multiplayer')}", f"--part={PARTS.get(kind, '')}"]
        return Agent(name, kind, [*engines[kind[0]], *place, *words], self.folder)

    def wait_for_agents(self) -> None:
        """Until all have called back."""
        self._door.settimeout(PATIENCE)
        for _ in self.agents:
            self._let_in()

    def _let_in(self) -> None:
        """Until one more has called back."""
        try:
            link, _ = self._door.accept()
        except OSError:
            missing = [agent for agent in self.agents.values() if agent.position() == 0]
            raise AssertionError(f"did not start: {'; '.join(f'{one.name}: {one.told()}' for one in missing)}") from None
        link.settimeout(PATIENCE)
        name = json.loads(first_line(link))["name"]
        link.settimeout(None)
        self.agents[name].attach(link)

    def close(self) -> None:
        """Ends all games, the server last."""
        for agent in reversed(list(self.agents.values())):
            agent.end()
        self._door.close()

    def kill(self) -> None:
        """At once."""
        for agent in self.agents.values():
            agent.kill()
        self._door.close()

    def __getattr__(self, name: str) -> Agent:
        """The games by their names."""
        try:
            return self.__dict__["agents"][name]
        except KeyError:
            raise AttributeError(name) from None

    # --- Who is there ---------------------------------------------------------------------------------

    @property
    def four(self) -> Agent:
        """The first game of Godot 4."""
        return next(agent for agent in self.agents.values() if not agent.is_godot3)

    @property
    def three(self) -> Agent:
        """The first game of Godot 3.6; without one, the second of all."""
        agents = list(self.agents.values())
        return next((agent for agent in agents if agent.is_godot3), agents[1])

    @property
    def pair(self) -> List[Agent]:
        """One of each engine, as far as there are both."""
        return [self.four, self.three]

    def others(self, agent: Agent) -> List[Agent]:
        """Whom this one reaches."""
        server = self.online[0]
        return [one for one in self.online if one is not agent and (self.relay or server in (one, agent))]

    def name_of(self, peer: int) -> str:
        """The name of the game that has this id."""
        return next((agent.name for agent in self.online if agent.id == peer), f"peer {peer}" if peer else "nobody")

    # --- Coming and going -----------------------------------------------------------------------------

    def add(self, node: str, script: str = "player", to: Optional[Sequence[Agent]] = None, **details: Any) -> None:
        """A node in each game, or in some."""
        for agent in self.agents.values() if to is None else to:
            agent.ask("add", node=node, script=script, **details)

    def open(self, agent: Agent, server: bool, port: int = 0, **details: Any) -> None:
        """Starts a server or a client; says nothing about the others."""
        options = {"api": {}, "peer": {}, "dtls": {}, "greets": False, **details}
        options["peer"] = dict(options["peer"])
        if agent.kind == "4t":
            options["peer"]["threaded"] = True
        before = agent.position()
        error = agent.ask(
            "open", server=server, port=port or self.port, raw=agent.kind == "3raw",
            peer_class=PEERS.get(agent.kind, "NetworkedMultiplayerENet"), **options,
        )
        if error:
            raise AssertionError(f"{agent.name}: the peer answered {error}")
        agent.id = agent.wait_for(before, "id")["id"]

    def host(self, agent: Agent, **details: Any) -> None:
        """Starts the server."""
        self.open(agent, True, **details)
        self.online = [agent]

    def join(self, agent: Agent, **details: Any) -> None:
        """A client comes in, and all that reach it know."""
        before = {one.name: one.position() for one in self.agents.values()}
        self.open(agent, False, **details)
        self.online.append(agent)
        for other in self.others(agent):
            other.wait_for(before[other.name], "peer_connected", id=agent.id)
            agent.wait_for(before[agent.name], "peer_connected", id=other.id)

    def leave(self, agent: Agent) -> None:
        """One goes, and all that reached it know."""
        before = {one.name: one.position() for one in self.agents.values()}
        reached = self.others(agent)
        is_server = agent is self.online[0]
        agent.ask("leave")
        for other in reached:
            if is_server:
                other.wait_for(before[other.name], "server_disconnected")
            else:
                other.wait_for(before[other.name], "peer_disconnected", id=agent.id)
        self.online.remove(agent)
        if is_server:
            for other in reached:
                other.ask("leave")
            self.online = []

    def lose(self, agent: Agent) -> None:
        """A client's process ends without a word, and all that reached it find out."""
        before = {one.name: one.position() for one in self.agents.values()}
        agent.kill()
        for other in self.others(agent):
            other.wait_for(before[other.name], "peer_disconnected", TIMEOUT, id=agent.id)
        self.online.remove(agent)

    def restart(self, agent: Agent) -> Agent:
        """A new process in the place of one that has ended."""
        fresh = self._start(agent.name, agent.kind, self.engines)
        self.agents[agent.name] = fresh
        self._let_in()
        return fresh

    def start(self, **details: Any) -> None:
        """The first is the server, the others its clients; each has the node Game."""
        first, *rest = self.agents.values()
        self.host(first, **details)
        for agent in rest:
            self.join(agent, **details)

    # --- What happens ---------------------------------------------------------------------------------

    def settle(self, rounds: int = 1) -> None:
        """Waits until everything that all have sent reliably, on the usual channel, has arrived.

        Each round waits for answers to what has come in the round before.
        """
        for _ in range(rounds):
            self._fences += 1
            before = {agent.name: agent.position() for agent in self.online}
            for agent in self.online:
                agent.call("Game", "rpc", "fence", self._fences)
            for agent in self.online:
                for other in self.others(agent):
                    other.wait_for(before[other.name], "fence", number=self._fences, sender=agent.id)

    @contextmanager
    def watch(self, rounds: int = 1) -> Iterator["Seen"]:
        """Keeps what all are called meanwhile."""
        seen = Seen(self)
        yield seen
        self.settle(rounds)


class Seen:
    """What each game has been called, and which properties were set, since this was made."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._before = {agent.name: agent.position() for agent in stage.online}

    def lines(self, agent: Agent) -> List[str]:
        """Each as `Node.method(arguments) from NAME` or `Node.property = value from NAME`."""
        return [
            text_of(line, self._stage.name_of(line["sender"]))
            for line in agent.reports[self._before[agent.name]:] if line["event"] in ("call", "set", "bytes")
        ]

    def expect(self, wanted: Dict[Agent, List[str]], what: str = "", ordered: bool = True) -> None:
        """Everyone has been called this and nothing else."""
        order = list if ordered else sorted
        for agent in self._stage.online:
            got, due = order(self.lines(agent)), order(wanted.get(agent, []))
            if got != due:
                told = f"{agent.name} has {shortened(got)}, expected {shortened(due)}"
                raise AssertionError(f"{what}: {told}" if what else told)


def text_of(line: Line, sender: str) -> str:
    """A report in a form that reads like code."""
    if line["event"] == "bytes":
        return f"{line['bytes']} from {sender}"
    if line["event"] == "set":
        return f"{line['node']}.{line['property']} = {json.dumps(line['value'])} from {sender}"
    return called_text(f"{line['node']}.{line['method']}", line["arguments"], sender)


def called_text(what: str, arguments: Sequence[Any], sender: str) -> str:
    """A call in a form that reads like code."""
    return f"{what}({', '.join(json.dumps(each) for each in arguments)}) from {sender}"


def call(what: str, *arguments: Any, by: Agent) -> str:
    """The line for a call of `Node.method`."""
    return called_text(what, arguments, by.name)


def setting(what: str, value: Any, by: Agent) -> str:
    """The line for a set of `Node.property`."""
    return f"{what} = {json.dumps(value)} from {by.name}"


def shortened(lines: Sequence[str]) -> str:
    """For a failure's text."""
    text = "[" + "; ".join(lines) + "]"
    return text if len(text) < 400 else f"{text[:400]}..."


def first_line(link: socket.socket) -> bytes:
    """The first line of a connection; its reader comes later."""
    line = b""
    while not line.endswith(b"\n"):
        part = link.recv(1)
        if not part:
            raise AssertionError("an agent has hung up")
        line += part
    return line
