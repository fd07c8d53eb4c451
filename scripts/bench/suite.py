"""Measures everything and writes the report: a table in Markdown, a plot, and the figures as JSON."""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import statistics
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence

from bench import machine
from bench.children import end_on_terminate
from bench.contestants import Contestant, all_contestants
from bench.drawing import draw
from bench.players import play
from bench.report import markdown
from bench.results import Outcome, Results
from bench.scenario import Figures, Scenario, column_of, expanded
from bench.scenarios import all_scenarios
from build import compile_library, platform_of, prepare_project, put_library, target_directory
from common import ADDON, PROJECT, REPO, ScriptError, cache_dir, heading, output, run, say
from tools import prepare

RESULTS = PROJECT / "bench" / "results"
RUNS = 3
# Set for the process inside of the private network: the crowd's program.
CROWD = "NME_BENCH_CROWD"


def main() -> int:
    """Builds outside of the private network, measures inside of it."""
    options = arguments()
    if options.list:
        for scenario in all_scenarios():
            say(f"{scenario.name:28} {scenario.title}")
        return 0
    machine.require_linux()
    end_on_terminate()
    if machine.inside():
        return measure_all(options)
    machine.raise_file_limit()
    chosen(options.only)
    all_contestants()
    crowd = build_crowd()
    prepare_plot()
    if options.quick and not options.library:
        # What it measures means nothing, so it need not wait for the release build.
        options.library = compile_library(False, None, ["--locked"])
    with release_library(options.library):
        prepare_project()
        os.environ[CROWD] = str(crowd)
        return machine.run_inside()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers and little time: does everything work?")
    parser.add_argument("--runs", type=int, metavar="N", help=f"runs of each scenario (default {RUNS})")
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN", help="scenarios, * allowed")
    parser.add_argument("--list", action="store_true", help="name the scenarios and stop")
    parser.add_argument("--output", type=Path, metavar="FOLDER",
                        help="where the report goes (default: godot_project/bench/results for a whole run)")
    parser.add_argument("--library", type=Path, metavar="FILE", help="measure this build of the addon's library")
    return parser.parse_args()


def chosen(patterns: Sequence[str]) -> List[Scenario]:
    """The scenarios to run."""
    found = [
        scenario for scenario in all_scenarios()
        if not patterns or any(fnmatch.fnmatch(scenario.name, pattern) for pattern in patterns)
    ]
    if not found:
        raise ScriptError(f"no scenario is called {' or '.join(patterns)}; --list names them")
    return found


def output_folder(options: argparse.Namespace) -> Path:
    """Only a whole run replaces the report of the repository."""
    if options.output:
        return options.output.resolve()
    return cache_dir() / "bench" if options.quick or options.only else RESULTS


def prepare_plot() -> None:
    """Installs what draws, as the private network reaches no package index."""
    try:
        prepare()
    except ScriptError as error:
        say(f"note: there will be no plot: {error}")


# --- Programs ---------------------------------------------------------------------------------------


def build_crowd() -> Path:
    """The clients of the scenarios with a crowd."""
    run(["cargo", "build", "--locked", "--release", "--package", "nme-bench", "--bin", "crowd"], cwd=REPO)
    return target_directory() / "release" / "crowd"


@contextmanager
def release_library(given: Optional[Path]) -> Iterator[None]:
    """Puts the optimised library where the engine's debug build looks for it, and the old one back afterwards."""
    library = given or compile_library(True, None, ["--locked"])
    place = ADDON / "bin" / platform_of(None).shipped_name(release=False)
    kept = place.with_name(f".{place.name}.kept")
    if place.exists():
        place.replace(kept)
    try:
        put_library(library, place)
        yield
    finally:
        if kept.exists():
            kept.replace(place)


# --- Measuring --------------------------------------------------------------------------------------


def measure_all(options: argparse.Namespace) -> int:
    """Every scenario, its contestants in turn; the exit code tells whether all could be measured."""
    machine.bring_up_loopback()
    contestants = all_contestants()
    crowd = Path(os.environ[CROWD])
    runs = max(1, options.runs or (1 if options.quick else RUNS))
    start = time.monotonic()
    titles = {key: contestant.title for key, contestant in contestants.items()}
    results = Results(facts(contestants, options, runs), options.quick, titles)
    for scenario in chosen(options.only):
        heading(f"{scenario.name}: {scenario.title}")
        results.outcomes.append(measure(scenario, contestants, options.quick, min(runs, scenario.runs), crowd))
        if not options.quick:
            tell_verdicts(results.outcomes[-1])
    results.facts.append(f"duration: {time.monotonic() - start:.0f} s")
    write(results, output_folder(options))
    verdicts = [verdict for outcome in results.outcomes for verdict in outcome.verdicts()]
    if not options.quick:
        say(f"{sum(verdict.reached for verdict in verdicts)} of {len(verdicts)} targets reached")
    return 1 if any(outcome.problems for outcome in results.outcomes) else 0


def facts(contestants: Dict[str, Contestant], options: argparse.Namespace, runs: int) -> List[str]:
    """What a reader has to know about the run."""
    describe = ["git", "-C", REPO, "describe", "--always", "--dirty"]
    version = output(describe, env={"GIT_OPTIONAL_LOCKS": "0"}).strip() if (REPO / ".git").exists() else "unknown"
    return [
        *machine.facts(),
        *(f"{key}: {contestant.title}" for key, contestant in contestants.items()),
        f"addon: {options.library or ('debug build' if options.quick else 'release build')} of {version}",
        f"runs: {runs} (medians are shown), contestants in turn",
    ]


def measure(
    scenario: Scenario, contestants: Dict[str, Contestant], quick: bool, runs: int, crowd: Path
) -> Outcome:
    """All runs of a scenario; a contestant that fails is left out, and the reason kept."""
    figures: Dict[str, List[Figures]] = {}
    problems: Dict[str, str] = {}
    for number in range(runs):
        for key in scenario.contestants:
            if key not in contestants or key in problems:
                continue
            start = time.monotonic()
            try:
                found = play(scenario, contestants[key], quick, crowd)
            except ScriptError as error:
                problems[key] = str(error)
                say(f"FAILED {key}: {error}")
                continue
            figures.setdefault(key, []).append(found)
            say(f"run {number + 1}, {key:4} {brief(scenario, found)} ({time.monotonic() - start:.0f} s)")
    measured = {key: medians(several) for key, several in figures.items() if key not in problems}
    return Outcome(scenario, measured, problems, runs)


def medians(several: Sequence[Figures]) -> Figures:
    """Each figure's median; one that is missing in most of the runs is missing."""
    result: Figures = {}
    for name in several[0]:
        values = [figures.get(name) for figures in several]
        there = [value for value in values if value is not None]
        result[name] = statistics.median(there) if 2 * len(there) > len(values) else None
    return result


def brief(scenario: Scenario, figures: Figures) -> str:
    """A run in one line."""
    names = (*expanded(scenario.columns, figures), "crowd_load", "crowd_life_load", "crowd_skipped")
    there = [(name, figures.get(name)) for name in names]
    return ", ".join(f"{name} {column_of(name).show(value)}" for name, value in there if value is not None)


def tell_verdicts(outcome: Outcome) -> None:
    for verdict in outcome.verdicts():
        say(f"{'reached' if verdict.reached else 'MISSED '} {verdict.target}: {verdict.measured}")


# --- The report -------------------------------------------------------------------------------------


def write(results: Results, folder: Path) -> None:
    """Writes the report; a plot that cannot be drawn does not spoil the rest."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "figures.json"
    data.write_text(json.dumps(results.as_json(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    table = folder / "README.md"
    table.write_text(markdown(results), encoding="utf-8")
    say(f"\ntable: {table}")
    picture = folder / "benchmark.png"
    try:
        draw(data, picture)
        say(f"plot: {picture}")
    except (ScriptError, subprocess.SubprocessError) as error:
        say(f"note: no plot: {error}")
