"""Plays servers and clients on real sockets for a time: churn, all modes, compression and loss.

Prints a summary: what was lost or out of order, and how memory has grown. Any number of hours will do.
"""

from __future__ import annotations

import argparse
import json
import queue
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from build import target_directory
from common import REPO, ScriptError, output, run, say

Line = Dict[str, Any]

# Seconds of the beginning that count for no slope, half of the run at least: until everybody has come, and the buffers
# that are kept for packets to come (4096 of a session) are as many as they get.
WARM_UP = 120.0
# What memory may grow by in an hour, KiB: chance in when pages are asked for.
GROWTH = 2048.0
# Seconds that a process may take to start, and to end.
PATIENCE = 30.0


class Process:
    """One of the two processes, and the lines that it has printed."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self.samples: List[Line] = []
        self._lines: "queue.Queue[str]" = queue.Queue()
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", errors="replace"
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self._process.stdout or []:
            self._lines.put(line)

    def next_line(self, patience: float) -> Line:
        """The next line; one must come within so many seconds."""
        try:
            return dict(json.loads(self._lines.get(timeout=patience)))
        except queue.Empty:
            raise ScriptError(f"{self.name}: no line within {patience:g} s") from None

    def collect(self) -> None:
        """Takes the lines that are there."""
        if self._process.poll() is not None:
            raise ScriptError(f"{self.name} has ended early, with exit code {self._process.returncode}")
        while not self._lines.empty():
            self._take(self.next_line(PATIENCE))

    def _take(self, line: Line) -> None:
        if line["event"] == "disorder":
            say(f"{self.name}: a packet of kind {line['kind']} has number {line['number']}, beside {line['other']}")
        else:
            self.samples.append(line)

    def end(self) -> None:
        """Asks it to end, and takes the rest."""
        if self._process.stdin:
            self._process.stdin.close()
        while not self.samples or self.samples[-1]["event"] != "end":
            self._take(self.next_line(PATIENCE))
        self._process.wait(PATIENCE)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def last(self) -> Line:
        return self.samples[-1]


def slope(samples: Sequence[Line], name: str) -> float:
    """How a figure grows in an hour: the line through all samples with the least squares."""
    begin = max(WARM_UP, samples[-1]["seconds"] / 2)
    warm = [sample for sample in samples if sample["seconds"] >= begin] or list(samples)
    times = [sample["seconds"] / 3600 for sample in warm]
    values = [float(sample[name]) for sample in warm]
    middle, mean = sum(times) / len(times), sum(values) / len(values)
    spread = sum((one - middle) ** 2 for one in times)
    return sum((t - middle) * (v - mean) for t, v in zip(times, values)) / spread if spread else 0.0


def judged(servers: Process, clients: Process, minutes: float) -> Tuple[List[str], List[str]]:
    """The summary, and what is wrong."""
    ends = servers.last(), clients.last()
    total = {name: sum(int(end[name]) for end in ends) for name in
             ("sent", "received", "lost_reliable", "disordered", "corrupt")}
    server, client = ends
    lines = [
        f"{minutes:g} minutes, {client['connected']} connections of clients,"
        f" {server['kicked']} of them disconnected by the server",
        f"packets: {total['sent']} sent, {total['received']} received (the relay multiplies, and the path loses)",
        f"reliable packets lost: {total['lost_reliable']}",
        f"out of order or twice: {total['disordered']}",
        f"changed on the way: {total['corrupt']}",
        f"attempts that failed: {client['failed']}; given up though they were there: {client['given_up']}",
        f"frames left out for want of processor time: {server['late_ticks']} and {client['late_ticks']}"
        f" of {minutes * 3600:.0f} each",
    ]
    problems = [f"{total[name]} {what}" for name, what in (
        ("lost_reliable", "reliable packets were lost"), ("disordered", "packets were out of order or came twice"),
        ("corrupt", "packets were changed"),
    ) if total[name]]
    problems += [f"{client['given_up']} clients were given up"] if client["given_up"] else []
    for process in (servers, clients):
        growth, resident = slope(process.samples, "live_kib"), slope(process.samples, "rss_kib")
        first = next((s for s in process.samples if s["seconds"] >= WARM_UP), process.samples[0])
        lines.append(
            f"{process.name}: {first['live_kib']} KiB allocated after the first minutes,"
            f" {process.last()['live_kib']} at the end, slope of the second half {growth:+.0f} KiB an hour; in use {first['rss_kib']} and {process.last()['rss_kib']}, {resident:+.0f} an hour;"
            f" descriptors {first['descriptors']} and {process.last()['descriptors']}"
        )
        # Of less than a quarter of an hour there is no slope that says anything.
        if minutes >= 15 and growth > GROWTH:
            problems.append(f"{process.name}: memory grows by {growth:.0f} KiB an hour")
    return lines, problems


def program() -> Path:
    run(["cargo", "build", "--locked", "--release", "--package", "nme-bench", "--bin", "soak"], cwd=REPO)
    return target_directory() / "release" / "soak"


def write_summary(path: Path, lines: Sequence[str], words: str) -> None:
    """The summary as a page."""
    commit = output(["git", "rev-parse", "--short", "HEAD"], cwd=REPO).strip()
    rows = "\n".join(f"- {line}" for line in lines)
    page = f"# Soak\n\n`{words}`, {time.strftime('%Y-%m-%d', time.gmtime())}, at commit {commit}.\n\n{rows}\n"
    path.write_text(page, encoding="utf-8")


def main() -> int:
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--minutes", type=float, default=30.0, help="how long (30)")
    reader.add_argument("--clients", type=int, default=200, help="how many at once (200)")
    reader.add_argument("--life", type=int, default=120, help="seconds that a client stays, at most (120)")
    reader.add_argument("--seed", type=int, default=1, help="of all random numbers (1)")
    reader.add_argument("--summary", type=Path, help="write the summary into this file, too")
    options = reader.parse_args()
    path = str(program())
    servers = Process("servers", [path, "server", str(options.seed)])
    processes = [servers]
    try:
        ports = [str(port) for port in servers.next_line(PATIENCE)["ports"]]
        clients = Process("clients", [path, "clients", str(options.seed), str(options.clients), str(options.life), *ports])
        processes.append(clients)
        end = time.monotonic() + options.minutes * 60
        while time.monotonic() < end:
            time.sleep(min(1.0, max(0.0, end - time.monotonic())))
            for process in processes:
                process.collect()
        clients.end()
        servers.end()
    finally:
        for process in processes:
            process.kill()
    lines, problems = judged(servers, clients, options.minutes)
    for line in lines:
        say(line)
    if options.summary:
        words = f"python3 scripts/soak --minutes {options.minutes:g} --clients {options.clients}"
        words += f" --life {options.life} --seed {options.seed}"
        write_summary(options.summary, lines, words)
    for problem in problems:
        say(f"FAILED: {problem}")
    say(f"\n{0 if problems else 1} passed, {len(problems)} failed")
    return 1 if problems else 0
