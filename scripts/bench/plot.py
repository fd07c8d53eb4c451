"""Reads the figures of a run and writes the plot: `plot.py FIGURES.json PICTURE.png`. Needs Matplotlib."""

from __future__ import annotations

import json
import sys
from typing import Any, Dict, List, NamedTuple, Tuple

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402
from matplotlib.ticker import NullFormatter, StrMethodFormatter  # noqa: E402

COLOURS = {"ours": "#2a9d5c", "4.6": "#478cbf", "3.6": "#9aa5b1"}
WIDTH = 0.27


class Panel(NamedTuple):
    """A group of bars: for each label, a scenario and its figure."""

    title: str
    form: str
    logarithmic: bool
    bars: List[Tuple[str, str, str]]


PANELS = [
    Panel("Server CPU, ms per frame (less is better)", "{:.2g}", True, [
        ("RPC\n100 nodes, 8", "rpc", "cpu_ms"), ("broadcast\nto 100", "broadcast_100", "cpu_ms"),
        ("broadcast\nto 500", "broadcast_500", "cpu_ms"), ("relay\n32", "relay_32", "cpu_ms"),
    ]),
    Panel("Datagrams per frame (less is better)", "{:.0f}", True, [
        ("RPC\n100 nodes, 8", "rpc", "datagrams"), ("broadcast\nto 100", "broadcast_100", "datagrams"),
        ("broadcast\nto 500", "broadcast_500", "datagrams"), ("relay\n32", "relay_32", "datagrams"),
    ]),
    Panel("Delivered (more is better)", "{:.0%}", False, [
        ("broadcast\nto 100", "broadcast_100", "delivered"), ("broadcast\nto 500", "broadcast_500", "delivered"),
        ("uplink\nof 500", "uplink_500", "delivered"), ("relay\n32", "relay_32", "delivered"),
    ]),
    Panel("Loopback, µs per packet (less is better)", "{:.2g}", False, [
        ("unreliable\n10", "loopback", "usec:unreliable_10"), ("unreliable\n100", "loopback", "usec:unreliable_100"),
        ("reliable\n10", "loopback", "usec:reliable_10"), ("reliable\n100", "loopback", "usec:reliable_100"),
    ]),
]


def main() -> None:
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        results = json.load(file)
    figure, axes = pyplot.subplots(2, 2, figsize=(11, 7))
    for panel, axis in zip(PANELS, axes.flat):
        draw(panel, axis, results["scenarios"])
    titles = results["titles"]
    there = [key for key in COLOURS if key in titles]
    handles = [pyplot.Rectangle((0, 0), 1, 1, color=COLOURS[key]) for key in there]
    names = [titles[key] for key in there]
    figure.legend(handles, names, loc="lower center", ncol=len(there), frameon=False, fontsize=9)
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    figure.savefig(target, dpi=110)


def draw(panel: Panel, axis: Any, scenarios: Dict[str, Any]) -> None:
    """One of the four diagrams; what was not measured stays empty."""
    axis.set_title(panel.title, fontsize=10)
    for offset, (key, colour) in enumerate(COLOURS.items()):
        for position, (_, scenario, name) in enumerate(panel.bars):
            value = scenarios.get(scenario, {}).get("measured", {}).get(key, {}).get(name)
            if value is None:
                continue
            bar = axis.bar(position + (offset - 1) * WIDTH, value, WIDTH, color=colour)
            axis.bar_label(bar, [panel.form.format(value)], fontsize=7, padding=2)
    if panel.logarithmic and axis.patches:
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.yaxis.set_minor_formatter(NullFormatter())
    axis.margins(y=0.15)
    axis.set_xlim(-0.6, len(panel.bars) - 0.4)
    axis.set_xticks(range(len(panel.bars)), [label for label, _, _ in panel.bars], fontsize=8)
    axis.tick_params(axis="y", labelsize=8)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


if __name__ == "__main__":
    main()
