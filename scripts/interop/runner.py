"""Plays the scenarios with each casting of engines and compares the logs with those of Godot 3.6 alone."""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import random
import socket
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from common import PROJECT, ScriptError, say
from engines import find_godot3, find_godot4
from interop.logs import Raw, Run, Summary, faults, first_difference, parse, summary
from interop.scenario import Scenario
from interop.scenarios import all_scenarios

AGENTS = PROJECT / "tests" / "interop"
EXPECTED = AGENTS / "expected"

# Server's engine / clients' engines in turn. 4t is Godot 4 with network threads.
REFERENCE = "3/3"
CASTINGS = (REFERENCE, "4/3", "3/4", "4/4", "4t/3", "3/4t")
# Only when named: the suites in Godot have it, too.
MORE_CASTINGS = ("4t/4t",)
MIXED_CASTINGS = ("3/3+4", "4/3+4", "4t/3+4t")

# Seconds after which a participant is killed; its own deadlines are shorter and say what it waited for.
LIMIT = 240.0
GRACE = 3.0
# Seconds between looks for script errors, after which an agent would go on with nonsense.
LOOK = 0.5


# Below the ports that systems give to clients: one could be taken between choice and use.
SERVER_PORTS = (12000, 32000)


class Job(NamedTuple):
    """One scenario with one casting."""

    scenario: Scenario
    casting: str


class Result(NamedTuple):
    """How a job went; no problem means it passed."""

    job: Job
    seconds: float
    problem: Optional[str]
    summaries: Dict[str, Summary]


class Ports:
    """Free UDP ports, none of them handed out twice."""

    def __init__(self) -> None:
        self._used: Set[int] = set()
        self._lock = threading.Lock()

    def take(self, count: int) -> List[int]:
        ports: List[int] = []
        with self._lock:
            while len(ports) < count:
                port = random.randrange(*SERVER_PORTS)
                if port not in self._used and is_free(port):
                    self._used.add(port)
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
    """Runs jobs; knows the engines."""

    def __init__(self, engines: Dict[str, List[str]], keep: Optional[Path]) -> None:
        self.engines = engines
        self.keep = keep
        self.ports = Ports()

    def play(self, job: Job) -> Result:
        """One run, from the processes to the verdict about the run alone."""
        start = time.monotonic()
        if self.keep:
            folder = self.keep / f"{job.scenario.name}_{job.casting.replace('/', '-')}"
            folder.mkdir(parents=True, exist_ok=True)
            for old in folder.iterdir():
                if old.is_file():
                    old.unlink()
            problem, summaries = self._play_in(job, folder)
        else:
            with tempfile.TemporaryDirectory(prefix="interop_") as name:
                problem, summaries = self._play_in(job, Path(name))
        return Result(job, time.monotonic() - start, problem, summaries)

    def _play_in(self, job: Job, folder: Path) -> Tuple[Optional[str], Dict[str, Summary]]:
        scenario = job.scenario
        cast = casting_of(job)
        ports = self.ports.take(scenario.ports)
        signals = folder / "signals"
        signals.mkdir(exist_ok=True)
        for old in signals.iterdir():
            old.unlink()
        story = folder / "scenario.json"
        story.write_text(json.dumps(scenario.as_json(signals.as_posix(), ports)), encoding="utf-8")
        problem = self._run_processes(cast, story, folder)
        logs = {name: parse(read(folder / f"{name}.out")) for name in cast}
        run = Run(scenario, ports, cast, logs)
        problem = script_error(cast, folder) or said_failure(logs) or problem
        if problem is None:
            problem = next(iter(faults(run)), None)
        return problem, {name: summary(run, name) for name in cast}

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
            place = ["--path", str(AGENTS / "godot3"), "-s", "agent.gd"]
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


# --- The whole test -------------------------------------------------------------------------------


def expected_file(scenario: Scenario) -> Path:
    return EXPECTED / f"{scenario.name}.json"


def load_expected(scenario: Scenario) -> Optional[Dict[str, Summary]]:
    path = expected_file(scenario)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def save_expected(scenario: Scenario, summaries: Dict[str, Summary]) -> None:
    EXPECTED.mkdir(parents=True, exist_ok=True)
    text = json.dumps(summaries, indent="\t", ensure_ascii=False)
    expected_file(scenario).write_text(text + "\n", encoding="utf-8")


def judged(result: Result, record: bool) -> Result:
    """Adds the comparison with the log of Godot 3.6 alone, or writes that log."""
    if result.problem is not None:
        return result
    if record and result.job.casting == REFERENCE:
        save_expected(result.job.scenario, result.summaries)
        return result
    expected = load_expected(result.job.scenario)
    if expected is None:
        return result._replace(problem="no expected log; record it with --record")
    return result._replace(problem=first_difference(expected, result.summaries, casting_of(result.job)))


def run_jobs(player: Player, jobs: Sequence[Job], parallel: int, record: bool) -> List[Result]:
    """Fast jobs a few at a time; the slow ones mostly wait, so they run beside them."""
    results: List[Result] = []
    slow = [job for job in jobs if job.scenario.slow]
    fast = [job for job in jobs if not job.scenario.slow]
    with ThreadPoolExecutor(max(1, len(slow))) as aside, ThreadPoolExecutor(parallel) as pool:
        futures = [aside.submit(player.play, job) for job in slow] + [pool.submit(player.play, job) for job in fast]
        for future in as_completed(futures):
            result = judged(future.result(), record)
            results.append(result)
            word = "FAIL" if result.problem else "ok"
            row = f"{word:5}{result.job.scenario.name:24}{result.job.casting:8}{result.seconds:6.1f} s"
            say(f"{row}  {result.problem}" if result.problem else row)
    return results


def has_name(scenario: Scenario, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatch(scenario.name, f"*{pattern}*") for pattern in patterns)


def chosen_jobs(only: Sequence[str], skip: Sequence[str], castings: Sequence[str]) -> List[Job]:
    """Every scenario with every casting that was asked for; a mixed one needs two clients and a mark."""
    jobs: List[Job] = []
    for scenario in all_scenarios():
        if (only and not has_name(scenario, only)) or has_name(scenario, skip):
            continue
        for casting in castings:
            clients = casting.partition("/")[2]
            if "+" in clients and not scenario.mixed:
                continue
            if not scenario.clients and casting[0] != clients[0]:
                continue
            jobs.append(Job(scenario, casting))
    return jobs


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="interop", description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN", help="scenarios whose name has this")
    parser.add_argument("--skip", action="append", default=[], metavar="PATTERN", help="scenarios to leave out")
    parser.add_argument(
        "--casting", action="append", default=[], choices=[*CASTINGS, *MORE_CASTINGS, *MIXED_CASTINGS],
        help="engine of the server / of the clients; may be given again",
    )
    parser.add_argument("--record", action="store_true", help="write the expected logs (plays 3/3 only)")
    parser.add_argument("--jobs", type=int, default=3, metavar="N", help="fast scenarios at a time (default 3)")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="play everything this often")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the raw logs of each run there")
    return parser.parse_args()


def engines_for(castings: Sequence[str]) -> Dict[str, List[str]]:
    """The commands of the engines that the castings need, as far as the machine has them."""
    found: Dict[str, List[str]] = {}
    if any("3" in casting for casting in castings):
        command = find_godot3()
        if command:
            found["3"] = command
    if any("4" in casting for casting in castings):
        if not (PROJECT / "project.godot").exists():
            raise ScriptError("godot_project has no project.godot yet, so Godot 4 cannot take part")
        found["4"] = find_godot4()
    return found


def main() -> int:
    options = arguments()
    castings = [REFERENCE] if options.record else options.casting or [*CASTINGS, *MIXED_CASTINGS]
    engines = engines_for(castings)
    if "3" not in engines and any("3" in casting for casting in castings):
        if options.record:
            raise ScriptError("recording needs Godot 3.6")
        say("note: without Godot 3.6 only 4/4 is played, against the stored logs")
        castings = ["4/4"]
        engines = engines or engines_for(castings)
    jobs = chosen_jobs(options.only, options.skip, castings)
    if not jobs:
        raise ScriptError("no scenario has such a name")
    start = time.monotonic()
    player = Player(engines, options.keep.resolve() if options.keep else None)
    results: List[Result] = []
    for _ in range(max(1, options.repeat)):
        results += run_jobs(player, jobs, max(1, options.jobs), options.record)
    failed = [result for result in results if result.problem]
    if failed and len(results) > len(failed):
        say("\nfailures:")
        for result in failed:
            say(f"  {result.job.scenario.name} {result.job.casting}: {result.problem}")
    say(f"\n{len(results) - len(failed)} passed, {len(failed)} failed in {time.monotonic() - start:.0f} s")
    return 1 if failed else 0
