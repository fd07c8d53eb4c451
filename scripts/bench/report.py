"""The table in Markdown."""

from __future__ import annotations

from typing import List, Sequence

from bench.contestants import OURS
from bench.results import Outcome, Results
from bench.scenario import Figures, column_of, expanded

# A crowd that left out more of its time than this share was not fast enough for the server under test.
MOST_SKIPPED = 0.02
# Share of a processor from which on that was the crowd's own fault.
BUSY = 0.9
# Figures where less is better, shown with how many times ours they are.
COMPARED = ("cpu_ms", "cpu_usec_delivered", "datagrams", "kilobytes", "join_seconds", "join_datagrams", "usec",
            "packets_up", "datagrams_up", "bytes_up")


def markdown(results: Results) -> str:
    """The whole report."""
    lines = ["# Benchmarks", ""]
    if results.quick:
        lines += ["**A smoke run with small numbers: it shows that the benchmarks work, and nothing else.**", ""]
    lines += [
        "Made by `python3 scripts/bench`. Servers and clients are real engines in processes of their own; crowds are a",
        "program that speaks ENet and never holds packets back (`rust/nme-bench/src/bin/crowd`), the same for every",
        "contestant. CPU is that of the server's main thread, kernel included (`/proc/self/schedstat`); datagrams are",
        "those of both directions, counted by the kernel. A frame is 1/60 s. Factors in brackets are against ours.",
        "Compression is off unless a heading says otherwise.",
        "", "![benchmark](benchmark.png)", "",
        *(f"- {fact}" for fact in results.facts), "",
    ]
    lines += overview(results)
    if not results.quick:
        lines += summary(results.outcomes)
    for outcome in results.outcomes:
        lines += section(outcome)
    return "\n".join(lines).rstrip() + "\n"


def summary(outcomes: Sequence[Outcome]) -> List[str]:
    """Every target in one table."""
    lines = ["## Targets", "", "| scenario | target | measured | reached |", "|---|---|---|---|"]
    for outcome in outcomes:
        for verdict in outcome.verdicts():
            reached = "yes" if verdict.reached else "**no**"
            lines.append(f"| {outcome.scenario.name} | {verdict.target} | {verdict.measured} | {reached} |")
    return [*lines, ""]


def overview(results: Results) -> List[str]:
    """The most telling figures of all scenarios."""
    keys = list(results.titles)
    lines = [f"| scenario | figure | {' | '.join(keys)} |", f"|---|---|{'---|' * len(keys)}"]
    for outcome in results.outcomes:
        ours = outcome.measured.get(OURS, {})
        for name in expanded(outcome.scenario.headline, ours):
            cells = [cell(outcome, name, key, ours) for key in keys]
            lines.append(f"| {outcome.scenario.name} | {column_of(name).title} | {' | '.join(cells)} |")
    return [*lines, ""]


def section(outcome: Outcome) -> List[str]:
    """The figures of a scenario: contestants are the columns."""
    scenario = outcome.scenario
    keys = [key for key in scenario.contestants if key in outcome.measured]
    lines = [f"## {scenario.name}", "", f"{scenario.title}. {conditions(outcome)}", ""]
    lines += [f"| | {' | '.join(keys)} |", f"|---|{'---|' * len(keys)}"]
    ours = outcome.measured.get(OURS, {})
    for name in expanded(scenario.columns, ours or next(iter(outcome.measured.values()), {})):
        cells = [cell(outcome, name, key, ours) for key in keys]
        if any(each != "-" for each in cells):
            lines.append(f"| {column_of(name).title} | {' | '.join(cells)} |")
    lines.append("")
    for key, problem in outcome.problems.items():
        lines.append(f"- {key} could not be measured: {problem.splitlines()[0]}")
    for key in keys:
        skipped, load = (outcome.measured[key].get(name) for name in ("crowd_skipped", "crowd_life_load"))
        if skipped is not None and load is not None and skipped > MOST_SKIPPED:
            reason = "it was too slow" if load > BUSY else "the machine was too busy"
            lines.append(f"- note: with {key} the crowd was late for {skipped:.0%} of its own frames; it used "
                         f"{load:.0%} of a processor, so {reason}")
    return [*lines, ""]


def conditions(outcome: Outcome) -> str:
    """How a scenario was set up, as far as its title does not say."""
    words = outcome.scenario.words
    relay = "relay on" if words.get("relay") else "relay off"
    runs = "1 run" if outcome.runs == 1 else f"median of {outcome.runs} runs"
    compression = str(words["compression"]).replace("_", " ")
    return f"({relay}, compression: {compression}, {words['seconds']} s measured, {runs})"


def cell(outcome: Outcome, name: str, key: str, ours: Figures) -> str:
    """A figure, and how many times ours it is."""
    figures = outcome.measured.get(key, {})
    value = figures.get(name)
    if name == "join_seconds" and figures and value is None:
        return f"not all within {outcome.scenario.words['join_limit']} s"
    text = column_of(name).show(value)
    reference = ours.get(name)
    if key == OURS or value is None or not reference or name.partition(":")[0] not in COMPARED:
        return text
    return f"{text} ({value / reference:.1f}×)"
