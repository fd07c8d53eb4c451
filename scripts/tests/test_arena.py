"""Plays the arena of godot_project/demo: a dedicated server and clients that play by themselves.

Once plain and once with DTLS and another compression, everybody's report is compared: positions, scores, chat, pings and
bytes. In the end the server is sent a signal, and has to end gracefully.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple, Sequence, Tuple

import pytest

from arena import Child, agree, arena, chats, numbers, sorted_words, states, travelled, wait_for
from common import PROJECT, tail
from demo import free_port

Check = Callable[..., None]

# What everybody must have reported before the end.
STATES = 12
COINS = 3
MOVED = 20.0

SERVE = PROJECT / "demo" / "server" / "serve.sh"
CERTIFICATE = Path("godot") / "app_userdata" / "NetworkedMultiplayerENet" / "arena_server.crt"

pytestmark = pytest.mark.usefixtures("godot4")


class Setup(NamedTuple):
    """One game: what the server and each client get as further arguments, and how the server is ended."""

    name: str
    both: List[str]
    # In an argument, {certificate} is the server's one.
    clients: Dict[str, List[str]]
    stop: signal.Signals
    max_clients: int
    # The arguments of health checks on this server, and their exit codes.
    checks: Dict[str, Tuple[List[str], int]]


SAFE = ["--dtls", "--compression", "zstd"]
SETUPS = (
    Setup(
        "plain", [], {"Ada": [], "Bob": [], "Cleo": []}, signal.SIGTERM, 3,
        {"a full server": ([], 0), "another compression": (["--compression", "zlib"], 1)},
    ),
    Setup(
        "dtls", [*SAFE, "--threaded"], {"Ada": ["--certificate", "{certificate}"], "Bob": ["--insecure"]}, signal.SIGINT, 8,
        {"a server with DTLS": (SAFE, 0), "a check without DTLS": (["--compression", "zstd"], 1)},
    ),
)


class Game:
    """A server, its clients, and what they have reported."""

    def __init__(self, setup: Setup, home: Path) -> None:
        self.setup = setup
        self.home = home
        self.port = free_port()
        self.ready = rf"ready on UDP port {self.port}: up to {setup.max_clients} clients, .*"
        self.stop_file = home / "stop"
        self.started: List[Child] = []
        self.exit_codes: Dict[str, int] = {}
        self.server = self.child("server", *self.server_words(), wrapper=[] if os.name == "nt" else ["sh", str(SERVE)])
        self.clients: List[Child] = []

    @property
    def players(self) -> List[Child]:
        """The server and the clients."""
        return [self.server, *self.clients]

    @property
    def ids(self) -> Dict[str, int]:
        """The id of each client, as the server tells."""
        return {match[2]: int(match[1]) for match in self.server.found(r"joined (\d+) (\w+)")}

    def server_words(self) -> List[str]:
        """The server's arguments. The script that catches signals needs a shell; without one a file is the signal."""
        words = ["--server", "--log", "--max-clients", str(self.setup.max_clients), "--bots", "2", *self.setup.both]
        return [*words, "--stop-file", str(self.stop_file)] if os.name == "nt" else words

    def child(self, name: str, *words: str, wrapper: Sequence[str] = ()) -> Child:
        """One engine with the arena."""
        made = Child(name, [*wrapper, *arena(*words, "--port", str(self.port))], self.home)
        self.started.append(made)
        return made

    def play(self) -> None:
        """Lets everybody play until enough has been seen, and ends the game."""
        wait_for("the server is ready", [self.server], lambda: bool(self.server.found(self.ready)))
        for name, words in self.setup.clients.items():
            own = [word.format(certificate=self.home / CERTIFICATE) for word in words]
            self.clients.append(
                self.child(name, "--join", "127.0.0.1", "--bot", "--log", "--name", name, *self.setup.both, *own)
            )
        wait_for("everybody plays", self.players, self.is_going)
        asked = {what: self.child(what, "--health-check", *words) for what, (words, _) in self.setup.checks.items()}
        self.exit_codes.update({what: child.end() for what, child in asked.items()})
        self.stop()
        self.exit_codes.update({child.name: child.end() for child in self.players})

    def is_going(self) -> bool:
        """Whether everybody has seen enough of everybody."""
        ids = self.ids
        if len(ids) < len(self.clients) or len(self.server.found(r"taken \d+")) < COINS:
            return False
        for client in self.clients:
            complete = [row for row in states(client).values() if set(ids.values()) <= set(row)]
            greetings = [text for _, text in chats(client) if text.startswith("Hi, ")]
            if len(complete) < STATES or len(greetings) < len(self.clients) - 1:
                return False
        return True

    def stop(self) -> None:
        """Sends the signal, or makes the file, that ends the server."""
        if os.name == "nt":
            self.stop_file.touch()
        else:
            # Ctrl+C reaches the script and the engine, SIGTERM the script alone.
            send = os.killpg if self.setup.stop == signal.SIGINT else os.kill
            send(self.server.process.pid, self.setup.stop)

    def kill(self) -> None:
        """Ends whoever is left by force."""
        for child in self.started:
            child.kill()


@pytest.fixture(
    scope="module", params=[pytest.param(setup, id=setup.name, marks=pytest.mark.xdist_group(setup.name)) for setup in SETUPS]
)
def game(request: pytest.FixtureRequest, godot4: List[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    """A game that was played to its end."""
    # A shell starts what it does not wait for with Ctrl+C ignored, and no child could hear it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    played = Game(request.param, tmp_path_factory.mktemp("arena"))
    try:
        played.play()
        yield played
    finally:
        played.kill()
        signal.signal(signal.SIGINT, before)


def test_the_server_says_once_that_it_is_ready(game: Game) -> None:
    assert len(game.server.found(game.ready)) == 1, game.server.text()


def test_health_checks(game: Game, check: Check) -> None:
    for what, (_, code) in game.setup.checks.items():
        check(what, game.exit_codes[what] == code, f"exit code {game.exit_codes[what]}")


def test_all_end_without_errors(game: Game, check: Check) -> None:
    for child in game.players:
        code, faults = game.exit_codes[child.name], child.faults()
        check(f"exit code of {child.name}", code == 0, f"{code}\n{tail(child.text())}")
        check(f"errors of {child.name}", not faults, f"{faults[:3]}")


def test_all_hear_once_that_the_server_closes(game: Game, check: Check) -> None:
    for child in game.players:
        check(child.name, len(child.found("closing: The server is shutting down.")) == 1, tail(child.text()))
    for client in game.clients:
        ended = client.found(r"ended: The server is shutting down\.")
        check(f"why the connection of {client.name} has ended", len(ended) == 1, tail(client.text()))


def test_all_count_their_bytes(game: Game, check: Check) -> None:
    for child in game.players:
        counted = numbers(child, r"bytes (\d+) (\d+)")
        check(child.name, min(counted) > 1000, f"sent and received: {counted}")


def test_all_have_the_same_scores(game: Game, check: Check) -> None:
    wanted = [match[1] for match in game.server.found("scores (.*)")]
    for child in game.players:
        final = [match[1] for match in child.found("scores (.*)")]
        check(child.name, len(final) == 1 and sorted_words(final) == sorted_words(wanted), f"{final}, not {wanted}")


def test_clients_see_everybody_where_the_server_does(game: Game, check: Check) -> None:
    real = states(game.server)
    for client in game.clients:
        seen = states(client)
        common = sorted(set(seen) & set(real))
        check(f"ticks of {client.name}", len(common) >= STATES, f"{len(common)} in common with the server")
        wrong = [tick for tick in common if not agree(seen[tick], real[tick])]
        check(f"positions of {client.name}", not wrong, f"other ones than the server's in the ticks {wrong[:5]}")
        for name, player in game.ids.items():
            check(f"{client.name} sees {name} move", travelled(seen, player) > MOVED)


def test_clients_hear_what_the_others_say(game: Game, check: Check) -> None:
    ids = game.ids
    for client in game.clients:
        others = {(ids[name], f"Hi, I am {name}!") for name in ids if name != client.name}
        heard = chats(client)
        greetings = {said for said in heard if said[1].startswith("Hi, ")}
        check(f"{client.name} is greeted by each other client", others <= heard, f"{heard}, not {others}")
        check(f"{client.name} hears no greeting of its own, or of somebody else", greetings == others, f"{greetings}")
        check(f"{client.name} knows all who chat", {said[0] for said in heard} <= set(ids.values()), f"{heard}")


def test_clients_know_all_pings(game: Game, check: Check) -> None:
    for client in game.clients:
        pings = {int(match[1]): float(match[2]) for match in client.found(r"ping (-?\d+) ([\d.]+)")}
        check(client.name, all(0.0 < pings.get(player, 0.0) < 5000.0 for player in game.ids.values()), f"{pings}")


def ended(home: Path, *words: str) -> Tuple[int, Child]:
    """An engine that ends by itself, and its exit code."""
    child = Child(" ".join(words), arena(*words), home)
    try:
        return child.end(), child
    finally:
        child.kill()


def test_a_host_alone_with_two_bots(tmp_path: Path) -> None:
    words = ["--host", "--bot", "--log", "--name", "Hedy", "--bots", "2", "--seconds", "4", "--port", str(free_port())]
    code, child = ended(tmp_path, *words)
    assert code == 0 and not child.faults(), tail(child.text())
    assert [match[1] for match in child.found(r"joined (-?\d+) .*")] == ["1", "-1", "-2"]
    assert child.found("scores 1=.* -1=.* -2=.*"), tail(child.text())
    assert travelled(states(child), 1) > MOVED


@pytest.mark.parametrize(
    "words, told", [("--port 0", "--port"), ("--compression best", "best"), ("--sever", "--sever"), ("--join", "--join")]
)
def test_a_wrong_argument_is_refused(tmp_path: Path, words: str, told: str) -> None:
    code, child = ended(tmp_path, *words.split())
    assert code == 2 and told in child.text(), f"exit code {code}\n{tail(child.text())}"
