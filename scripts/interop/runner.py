"""Plays a scenario with a casting of engines, and compares the logs with those of Godot 3.6 alone."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import time
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Set

from common import PROJECT
from godot3_project import godot3_words
from interop.logs import Raw, Run, Summary, faults, first_difference, parse, summary
from interop.scenario import Scenario
from interop.scenarios import all_scenarios

AGENTS = PROJECT / "tests" / "interop"
EXPECTED = AGENTS / "expected"

# Server's engine / clients' engines in turn. 4t is Godot 4 with network threads.
REFERENCE = "3/3"
CASTINGS = (REFERENCE, "4/3", "3/4", "4/4", "4t/3", "3/4t", "3/3+4", "4/3+4", "4t/3+4t")
# Only when named: the suites in Godot have it, too.
MORE_CASTINGS = ("4t/4t",)

# Seconds after which a participant is killed; its own deadlines are shorter and say what it waited for.
LIMIT = 240.0
GRACE = 3.0
# Seconds between looks for script errors, after which an agent would go on with nonsense.
LOOK = 0.5

# Below the ports that systems give to clients: one could be taken between choice and use.
SERVER_PORTS = (12000, 32000)
used_ports: Set[int] = set()


class Job(NamedTuple):
    """One scenario with one casting."""

    scenario: Scenario
    casting: str

    @property
    def engines(self) -> Set[str]:
        """The numbers of the engines that play."""
        return {letter for letter in self.casting if letter.isdigit()}


def take_ports(count: int) -> List[int]:
    """Free UDP ports, none of them handed out twice; each worker of pytest-xdist has its own part of them."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    # One that stands in for a crashed worker has a higher number than there are workers.
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % workers
    ports: List[int] = []
    while len(ports) < count:
        port = random.choice(range(*SERVER_PORTS)[worker::workers])
        if port not in used_ports and is_free(port):
            used_ports.add(port)
            ports.append(port)
    return ports


def is_free(port: int) -> bool:
    """True when nobody has the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Player:
    """Plays jobs; knows the engines."""

    def __init__(self, engines: Dict[str, List[str]]) -> None:
        self.engines = engines

    def play(self, job: Job, folder: Path) -> Dict[str, Summary]:
        """One run, with its raw logs in an empty folder; fails if something is wrong with the run alone."""
        scenario = job.scenario
        cast = casting_of(job)
        ports = take_ports(scenario.ports)
        signals = folder / "signals"
        signals.mkdir()
        story = folder / "scenario.json"
        story.write_text(json.dumps(scenario.as_json(signals.as_posix(), ports)), encoding="utf-8")
        problem = self._run_processes(cast, story, folder)
        logs = {name: parse(read(folder / f"{name}.out")) for name in cast}
        run = Run(scenario, ports, cast, logs)
        problem = script_error(cast, folder) or said_failure(logs) or problem or next(iter(faults(run)), None)
        assert problem is None, problem
        return {name: summary(run, name) for name in cast}

    def _run_processes(self, cast: Dict[str, str], story: Path, folder: Path) -> Optional[str]:
        """Starts everyone and waits; after a failure the others get only a short while more."""
        running: Dict[str, subprocess.Popen] = {}
        problem: Optional[str] = None
        try:
            for name, engine in cast.items():
                running[name] = self._start(name, engine, story, folder)
            limit = time.monotonic() + LIMIT
            look = time.monotonic() + LOOK
            while running and time.monotonic() < limit:
                for name in [name for name, process in running.items() if process.poll() is not None]:
                    code = running.pop(name).returncode
                    if code != 0 and problem is None:
                        problem = f"{name}: exit code {code}: {last_line(folder / f'{name}.err')}"
                        limit = min(limit, time.monotonic() + GRACE)
                if problem is None and time.monotonic() > look:
                    look = time.monotonic() + LOOK
                    problem = script_error(cast, folder)
                    limit = min(limit, look + GRACE) if problem else limit
                time.sleep(0.02)
            if running and problem is None:
                problem = f"no end after {LIMIT:g} s: {', '.join(running)}"
        finally:
            for process in running.values():
                process.kill()
                process.wait()
        return problem

    def _start(self, name: str, engine: str, story: Path, folder: Path) -> subprocess.Popen:
        words = [f"--scenario={story.as_posix()}", f"--participant={name}"]
        if engine == "3":
            place = godot3_words("tests/interop/agent.gd")
        else:
            place = ["--headless", "--path", str(PROJECT), "-s", "res://tests/interop/agent.gd", "--"]
        # Each process has its own user folder: the engines rotate log files there.
        home = folder / f"{name}_home"
        homes = {variable: str(home) for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
        with (folder / f"{name}.out").open("wb") as out, (folder / f"{name}.err").open("wb") as err:
            return subprocess.Popen(
                [*self.engines[engine[0]], *place, *words], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                env={**os.environ, **homes, "TEST_THREADED": str(int(engine.endswith("t")))},
            )


def casting_of(job: Job) -> Dict[str, str]:
    """Which engine plays whom."""
    server, _, clients = job.casting.partition("/")
    turns = clients.split("+")
    cast = {"server": server}
    for i, client in enumerate(job.scenario.clients):
        cast[client.name] = turns[i % len(turns)]
    return cast


# --- What went wrong in a run ---------------------------------------------------------------------


def said_failure(logs: Dict[str, Raw]) -> Optional[str]:
    """An agent's own words; the first to give up knows best."""
    failures = [
        (event.get("msec", 0), f"{name}: {event['reason']}")
        for name, log in logs.items() for event in log if event["event"] == "failed"
    ]
    if failures:
        return min(failures)[1]
    return next((f"{name}: the log has no end" for name, log in logs.items()
                 if not log or log[-1]["event"] != "end"), None)


def script_error(cast: Dict[str, str], folder: Path) -> Optional[str]:
    """A script error, a panic or a leak would otherwise pass unseen."""
    for name in cast:
        for line in read(folder / f"{name}.err").splitlines():
            if line.startswith(("SCRIPT ERROR", "USER SCRIPT ERROR")) or "panicked at" in line or (
                cast[name].startswith("4") and "leaked at exit" in line
            ):
                return f"{name}: {line.strip()}"
    return None


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def last_line(path: Path) -> str:
    return next(iter(reversed(read(path).strip().splitlines())), "(nothing printed)")


# --- The logs of Godot 3.6 alone ------------------------------------------------------------------


def expected_file(scenario: Scenario) -> Path:
    return EXPECTED / f"{scenario.name}.json"


def save_expected(scenario: Scenario, summaries: Dict[str, Summary]) -> None:
    """What all other castings of the scenario have to show from now on."""
    text = json.dumps(summaries, indent="\t", ensure_ascii=False)
    expected_file(scenario).write_text(text + "\n", encoding="utf-8")


def compare_with_expected(job: Job, summaries: Dict[str, Summary]) -> None:
    """Fails unless the run has shown what Godot 3.6 alone has."""
    path = expected_file(job.scenario)
    assert path.exists(), "no expected log; record it with --record"
    expected = json.loads(path.read_text(encoding="utf-8"))
    difference = first_difference(expected, summaries, casting_of(job))
    assert difference is None, difference


def all_jobs(castings: Sequence[str]) -> Iterator[Job]:
    """Every scenario with these castings; a mixed one needs two clients and a mark."""
    for scenario in all_scenarios():
        for casting in castings:
            server, _, clients = casting.partition("/")
            if ("+" not in clients or scenario.mixed) and (scenario.clients or server[0] == clients[0]):
                yield Job(scenario, casting)
