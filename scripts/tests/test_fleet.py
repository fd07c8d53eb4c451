"""The arena's dedicated server in a fleet: its calls to a stand-in of Agones' side-car (scripts/side_car.py, which is not Agones),
how it ends without ending a game, and the manifests of godot_project/demo/server/agones.
"""

from __future__ import annotations

import copy
import os
import re
import signal
import socket
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence

import jsonschema
import pytest
import yaml

from arena import Child, arena, sorted_words, states, wait_for
from common import PROJECT, tail
from demo import free_port
from side_car import SideCar

Check = Callable[..., None]

SERVE = PROJECT / "demo" / "server" / "serve.sh"
MANIFESTS = PROJECT / "demo" / "server" / "agones"
SCRIPT = PROJECT / "demo" / "server" / "agones.gd"
SCHEMAS = Path(__file__).parent / "data" / "agones_schemas.yaml"

MAX_CLIENTS = 4
# Seconds between the server's calls about its health, and what a busy machine may make of them.
HEALTH_PERIOD = 2.0
HEALTH_LIMIT = 6.0
LIFE = ("/ready", "/allocate", "/shutdown")
# A server that Agones fails still ends within this many seconds: 3 for its clients, 3 for Agones, and some for a busy machine.
END_LIMIT = 20.0

needs_signals = pytest.mark.skipif(os.name == "nt", reason="serve.sh catches signals")


# --- Games ----------------------------------------------------------------------------------------


def free_tcp_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Game:
    """A server that has the port of a side-car, and its clients."""

    def __init__(self, home: Path, *words: str) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.car_port = free_tcp_port()
        self.children: List[Child] = []
        self.server = self.start("server", "--server", "--max-clients", str(MAX_CLIENTS), *words, wrapper=[
            "env", f"AGONES_SDK_HTTP_PORT={self.car_port}", "sh", str(SERVE),
        ])

    def start(self, name: str, *words: str, wrapper: Sequence[str] = ()) -> Child:
        """One engine."""
        child = Child(name, [*wrapper, *arena("--port", str(self.port), "--log", *words)], self.home)
        self.children.append(child)
        return child

    def join(self, name: str) -> Child:
        """A client that plays until `leave`."""
        return self.start(name, "--join", "127.0.0.1", "--bot", "--name", name, "--stop-file", str(self.home / name))

    def leave(self, client: Child) -> int:
        """Lets a client go; returns its exit code."""
        (self.home / client.name).touch()
        return client.end()

    def wait(self, what: str, condition: Callable[[], bool]) -> None:
        """Until something has happened."""
        wait_for(what, self.children, condition)

    def wait_until_ready(self) -> None:
        """Until the server takes clients."""
        self.wait("the server is ready", lambda: bool(self.server.found(r"ready on UDP port .*")))

    def signal(self) -> None:
        """What Kubernetes sends to a container that is to end."""
        os.kill(self.server.process.pid, signal.SIGTERM)


@contextmanager
def game(home: Path, *words: str) -> Iterator[Game]:
    """A game whose processes end with it."""
    made = Game(home, *words)
    try:
        yield made
    finally:
        for child in made.children:
            child.kill()


@needs_signals
def test_a_life_in_a_fleet(godot4: List[str], check: Check, tmp_path: Path) -> None:
    """Ready, allocated, empty, played in, drained: the calls come in this order, and nobody loses a game."""
    with game(tmp_path, "--drain-seconds", "120", "--empty-seconds", "1") as played:
        played.wait_until_ready()
        # Agones' side-car may start after the game server.
        played.wait("it asks before there is anybody", lambda: "Agones does not answer /ready" in played.server.text())
        car = SideCar(played.car_port, MAX_CLIENTS)
        try:
            live(played, car, check)
        finally:
            car.stop()


def live(played: Game, car: SideCar, check: Check) -> None:
    """The game of the test above."""
    played.wait("ready", lambda: car.paths(*LIFE) == ["/ready"])
    car.change("Allocated")
    played.wait("it hears of the allocation", lambda: bool(played.server.found("fleet: Allocated")))
    played.wait("nobody comes, so it is ready again", lambda: car.paths(*LIFE) == ["/ready"] * 2)
    played.wait("a count", lambda: bool(car.counts()))

    ada = played.join("Ada")
    played.wait("a player allocates it", lambda: car.paths(*LIFE) == ["/ready", "/ready", "/allocate"])
    bob = played.join("Bob")
    played.wait("the counts of two", lambda: car.counts() == [0, 1, 2])
    check("exit code of who leaves", played.leave(bob) == 0, tail(bob.text()))
    played.wait("the count follows who leaves", lambda: car.counts() == [0, 1, 2, 1])
    check("one that has left changes nothing else", car.paths(*LIFE)[2:] == ["/allocate"], str(car.paths(*LIFE)))

    played.signal()
    played.wait("it drains", lambda: bool(played.server.found("draining: up to 120 s for those who play")))
    late = played.join("Late")
    late.end()
    check("nobody else gets in while it drains", bool(late.found("ended: .*")) and not states(late), tail(late.text()))
    ticks, pulses = len(states(ada)), len(car.paths("/health"))
    played.wait("Ada plays on, and Agones hears that the server is well", lambda: (
        len(states(ada)) >= ticks + 12 and len(car.paths("/health")) >= pulses + 2
    ))
    check("it does not end under players", "/shutdown" not in car.paths(*LIFE), str(car.paths(*LIFE)))
    check("Ada hears of no end", not ada.found("closing: .*"), tail(ada.text()))

    check("exit code of the last player", played.leave(ada) == 0, tail(ada.text()))
    check("exit code of the server", played.server.end() == 0, tail(played.server.text()))
    check("the last call is shutdown", car.paths(*LIFE) == ["/ready", "/ready", "/allocate", "/shutdown"], str(car.paths(*LIFE)))
    check("all calls are as documented", not car.faults, str(car.faults))
    pulses = [call.when for call in car.calls if call.path == "/health"]
    gaps = [later - earlier for earlier, later in zip(pulses, pulses[1:])]
    check("it says that it is well all the time", max(gaps) < HEALTH_LIMIT, str(gaps))
    check("and not too often", len(pulses) <= (pulses[-1] - pulses[0]) / HEALTH_PERIOD * 1.5 + 2, str(gaps))
    for child in (played.server, ada, bob):
        check(f"no errors of {child.name}", not child.faults(), str(child.faults()))


@needs_signals
def test_a_grace_period_that_ends(godot4: List[str], check: Check, tmp_path: Path) -> None:
    """Who still plays at its end is told, gets the final scores, and leaves in order."""
    with game(tmp_path, "--drain-seconds", "2") as played:
        car = SideCar(played.car_port, MAX_CLIENTS)
        try:
            played.wait_until_ready()
            ada = played.join("Ada")
            played.wait("Ada plays", lambda: len(states(ada)) >= 3 and car.counts()[-1:] == [1])
            # Agones has its own way to say it: the game server's state.
            car.change("Shutdown")
            played.wait("it drains", lambda: bool(played.server.found("draining: .*")))
            begin = time.monotonic()
            check("exit code of the player", ada.end() == 0, tail(ada.text()))
            check("she has had the time to go on", time.monotonic() - begin > 1.5, f"{time.monotonic() - begin:.2f} s")
            check("exit code of the server", played.server.end() == 0, tail(played.server.text()))
        finally:
            car.stop()
        for child in (played.server, ada):
            check(f"{child.name} hears once that it closes", len(child.found("closing: .*")) == 1, tail(child.text()))
            check(f"no errors of {child.name}", not child.faults(), str(child.faults()))
        last = [[match[1] for match in child.found("scores (.*)")] for child in (played.server, ada)]
        check("both have the same scores", sorted_words(last[0]) == sorted_words(last[1]) != [], str(last))
        check("shutdown is called", car.paths("/shutdown") == ["/shutdown"], str(car.paths(*LIFE)))


@needs_signals
@pytest.mark.parametrize("trouble", ["answers 500", "never answers", "has no counter", "is not there", "dies"])
def test_a_side_car_in_trouble(godot4: List[str], check: Check, tmp_path: Path, trouble: str) -> None:
    """The server plays on, ends in time, and does not fill its log."""
    with game(tmp_path) as played:
        car = None
        if trouble != "is not there":
            car = SideCar(played.car_port, MAX_CLIENTS, "good" if trouble == "dies" else trouble)
        try:
            played.wait_until_ready()
            if trouble == "dies":
                played.wait("ready", lambda: car.paths("/ready") == ["/ready"])
                car.stop()
            ada = played.join("Ada")
            played.wait("Ada plays", lambda: len(states(ada)) >= 6)
            if trouble == "has no counter":
                played.wait("other calls get through", lambda: car.paths(*LIFE)[-1:] == ["/allocate"])
            played.signal()
            check("exit code of the player", ada.end() == 0, tail(ada.text()))
            check("exit code of the server", played.server.end(END_LIMIT) == 0, tail(played.server.text()))
        finally:
            if car is not None:
                car.stop()
        warned = re.findall(r"WARNING: Agones does not answer (\S+):", played.server.text())
        check("there is a warning", bool(warned))
        check("and one for each call at most", len(warned) == len(set(warned)), str(warned))
        for child in (played.server, ada):
            check(f"no errors of {child.name}", not child.faults(), str(child.faults()))
        check("all calls are as documented", car is None or not car.faults, str(car and car.faults))


# --- Manifests ------------------------------------------------------------------------------------


def manifest(kind: str) -> Dict[str, Any]:
    """The manifest of this kind."""
    return yaml.safe_load((MANIFESTS / f"{kind.lower()}.yaml").read_text(encoding="utf-8"))


def validator(kind: str) -> jsonschema.Draft202012Validator:
    """What knows the fields of this kind."""
    schemas = yaml.safe_load(SCHEMAS.read_text(encoding="utf-8"))
    schema = {"$defs": schemas["$defs"], "$ref": f"#/$defs/{kind}"}
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


KINDS = ("GameServer", "Fleet", "FleetAutoscaler")


@pytest.mark.parametrize("kind", KINDS)
def test_the_manifest_is_valid(kind: str) -> None:
    """Names, types and limits of all fields."""
    problems = [f"{error.json_path}: {error.message}" for error in validator(kind).iter_errors(manifest(kind))]
    assert not problems


@pytest.mark.parametrize("kind, path, value", [
    ("GameServer", "spec.ports.0.protocol", "udp"),
    ("GameServer", "spec.ports.0.containerPort", "4242"),
    ("GameServer", "spec.health.periodSecond", 5),
    ("GameServer", "spec.template.spec.terminationGracePeriodSeconds", -1),
    ("Fleet", "spec.template.spec.eviction.safe", "Sometimes"),
    ("Fleet", "spec.strategy.type", "Rolling"),
    ("FleetAutoscaler", "spec.policy.buffer.maxReplicas", 0),
])
def test_a_wrong_manifest_is_found(kind: str, path: str, value: Any) -> None:
    """The schemas can fail."""
    wrong = copy.deepcopy(manifest(kind))
    *way, last = [int(word) if word.isdigit() else word for word in path.split(".")]
    place: Any = wrong
    for word in way:
        place = place[word]
    place[last] = value
    assert list(validator(kind).iter_errors(wrong))


def test_the_manifests_fit_the_server_and_each_other() -> None:
    """Ports, numbers of players, and times."""
    single, fleet, scaler = (manifest(kind) for kind in KINDS)
    spec = single["spec"]
    assert fleet["spec"]["template"]["spec"] == spec
    assert scaler["spec"]["fleetName"] == fleet["metadata"]["name"]
    pod = spec["template"]["spec"]
    container, = pod["containers"]
    assert spec["container"] == container["name"]
    words = dict(zip(container["args"][::2], container["args"][1::2]))
    port, = spec["ports"]
    assert (port["portPolicy"], port["protocol"], str(port["containerPort"])) == ("Dynamic", "UDP", words["--port"])
    assert {"players": {"count": 0, "capacity": int(words["--max-clients"])}} == spec["counters"]
    # Behind the game come seconds for the clients, for Agones, and for a machine that is busy.
    assert pod["terminationGracePeriodSeconds"] >= int(words["--drain-seconds"]) + END_LIMIT
    script = SCRIPT.read_text(encoding="utf-8")
    assert float(re.search(r"^var health_period := ([\d.]+)", script, re.MULTILINE)[1]) == HEALTH_PERIOD
    assert HEALTH_PERIOD * 2 <= spec["health"]["periodSeconds"]
    usage = (PROJECT / "demo" / "arena" / "options.gd").read_text(encoding="utf-8")
    assert all(f"  {word} N " in usage for word in words)
