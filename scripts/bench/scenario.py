"""What a scenario is: what runs, what is shown of it, and what should come out."""

from __future__ import annotations

from typing import Callable, Dict, List, NamedTuple, Optional, Sequence

from bench.contestants import NEW, OLD, OURS, THREADED, Words

# What was measured in a run, or the median of several; None for what did not happen.
Figures = Dict[str, Optional[float]]
Measured = Dict[str, Figures]

ALL = (OURS, NEW, OLD)
# Where a network thread makes a difference.
WITH_THREAD = (OURS, THREADED, NEW, OLD)


class Column(NamedTuple):
    """A figure of the tables."""

    title: str
    form: str

    def show(self, value: Optional[float]) -> str:
        return "-" if value is None else self.form.format(value)


COLUMNS = {
    "cpu_ms": Column("main thread's CPU, ms per frame", "{:.3f}"),
    "process_ms": Column("all threads of the server, ms per frame", "{:.3f}"),
    "idle_cpu_ms": Column("of these without clients", "{:.3f}"),
    "cpu_usec_delivered": Column("main thread's CPU, µs per delivered packet", "{:.3f}"),
    "thread_load": Column("other threads' share of a core", "{:.2%}"),
    "megabytes_second": Column("MB/s", "{:.1f}"),
    "datagrams": Column("datagrams per frame", "{:.1f}"),
    "kilobytes": Column("KB per frame, with headers", "{:.1f}"),
    "delivered": Column("delivered", "{:.1%}"),
    "fps": Column("frames per second", "{:.1f}"),
    "late": Column("late frames", "{:.1%}"),
    "drops": Column("datagrams dropped at full sockets", "{:.0f}"),
    "joined": Column("joined", "{:.0f}"),
    "join_seconds": Column("seconds until all are in", "{:.2f}"),
    "join_cpu_ms": Column("main thread's CPU until then, ms", "{:.0f}"),
    "join_datagrams": Column("datagrams until then", "{:.0f}"),
    "latency_p50": Column("latency p50, ms", "{:.1f}"),
    "latency_p99": Column("latency p99, ms", "{:.1f}"),
    "packets_up": Column("packets per RPC, uplink", "{:.2f}"),
    "datagrams_up": Column("datagrams per RPC, uplink", "{:.2f}"),
    "bytes_up": Column("bytes per RPC, uplink", "{:.0f}"),
    "connected": Column("connected at the end", "{:.0f}"),
    "lost": Column("lost", "{:.0f}"),
    "usec": Column("µs", "{:.2f}"),
    "floor_usec": Column("µs of GDScript's own in each", "{:.2f}"),
    "crowd_load": Column("crowd's share of a processor", "{:.2f}"),
    "crowd_life_load": Column("the same from its start to its end", "{:.2f}"),
    "crowd_skipped": Column("time that the crowd was late for", "{:.1%}"),
    "budget": Column("clients that fill a frame", "{:.0f}"),
}


def expanded(names: Sequence[str], figures: Figures) -> List[str]:
    """The names of columns, with those of each level in place of figure:each."""
    levels = sorted({int(name.partition(":")[2]) for name in figures if name.partition(":")[2].isdigit()})
    found: List[str] = []
    for name in names:
        figure, _, case = name.partition(":")
        found += [f"{figure}:{level}" for level in levels] if case == "each" else [name]
    return found


class Verdict(NamedTuple):
    """How a target was met."""

    target: str
    measured: str
    reached: bool


class Target(NamedTuple):
    """What should come out. `judge` answers None when what it needs was not measured."""

    text: str
    judge: Callable[[Measured], Optional["Finding"]]

    def verdict(self, measured: Measured) -> Verdict:
        finding = self.judge(measured)
        if finding is None:
            return Verdict(self.text, "not measured", False)
        return Verdict(self.text, *finding)


class Finding(NamedTuple):
    """What a target found: in words, and whether it is enough."""

    measured: str
    reached: bool


def at_most(figure: str, bound: float, text: str, who: str = OURS) -> Target:
    """Ours is not above a bound."""

    def judge(measured: Measured) -> Optional[Finding]:
        value = figure_of(measured, who, figure)
        return None if value is None else Finding(column_of(figure).show(value), value <= bound)

    return Target(text, judge)


def at_least(figure: str, bound: float, text: str, who: str = OURS) -> Target:
    """Ours is not below a bound."""

    def judge(measured: Measured) -> Optional[Finding]:
        value = figure_of(measured, who, figure)
        return None if value is None else Finding(column_of(figure).show(value), value >= bound)

    return Target(text, judge)


def share_of(other: str, figure: str, share: float, text: str, who: str = OURS) -> Target:
    """Ours is not above a share of another contestant's."""

    def judge(measured: Measured) -> Optional[Finding]:
        ours, theirs = (figure_of(measured, key, figure) for key in (who, other))
        if ours is None or not theirs:
            return None
        return Finding(f"{ours / theirs:.3f} of {other}'s", ours / theirs <= share)

    return Target(text, judge)


def share_above(base: str, other: str, figure: str, share: float, text: str, who: str = OURS) -> Target:
    """What ours has more than a base is not above a share of what another contestant has more."""

    def judge(measured: Measured) -> Optional[Finding]:
        least, ours, theirs = (figure_of(measured, key, figure) for key in (base, who, other))
        if least is None or ours is None or theirs is None or theirs <= least:
            return None
        part = (ours - least) / (theirs - least)
        return Finding(f"{part:.3f} of {other}'s", part <= share)

    return Target(text, judge)


def figure_of(measured: Measured, key: str, figure: str) -> Optional[float]:
    return measured.get(key, {}).get(figure)


def column_of(figure: str) -> Column:
    """The column of a figure; one of several cases is called figure:case."""
    name, _, case = figure.partition(":")
    column = COLUMNS[name]
    if not case:
        return column
    title = f"{case} clients" if case.isdigit() else case.replace("_", ", ")
    return column._replace(title=f"{title}: {column.title}")


class Scenario(NamedTuple):
    """A row of the benchmark. `kind` says which processes take part; see players.py."""

    name: str
    title: str
    kind: str
    words: Words
    columns: Sequence[str]
    targets: Sequence[Target] = ()
    # What a smoke run does instead.
    quick: Words = {}
    # What some contestants do instead.
    special: Dict[str, Words] = {}
    contestants: Sequence[str] = ALL
    # The figures that the overview shows.
    headline: Sequence[str] = ()
    # The most runs that its length allows.
    runs: int = 99

    def words_for(self, key: str, quick: bool) -> Words:
        return {**self.words, **({} if quick else self.special.get(key, {})), **(self.quick if quick else {})}
