"""Plays the classes of both engines and the addon's at once over the same path, which changes meanwhile.

Each class has a server and a client, in processes of their own, which send each other 60 unreliable packets a second.
Of the addon's, no fewer may arrive than of the engines'. Then clients are stopped: the addon's server may not give them
up sooner than those of the engines, and a client that goes on is told at once. Last, a client of the addon and one of
Godot 3.6 send large reliable packets to a server of Godot 3.6 over a path of 100 ms there and back.
"""

from __future__ import annotations

import random
import signal
import statistics
import time
from pathlib import Path
from typing import Callable, List, NamedTuple, Optional

import pytest

from common import ScriptError
from paths.company import OURS, Company, Contestant, contestants
from paths.forwarder import Forwarder, free_ports

# Seconds: until everyone is connected and settled, of the changed path, and for what is late.
START = 8.0
CHANGED = 20.0
LATE = 2.0

# The share that chance may take: processes do not begin and end a frame at the same time.
CHANCE = 0.01

# Seconds that a client is stopped; a server gives up after 5 to 10.3 on a short path.
STOPPED = 24.0
STOPPED_CLIENTS = 4
# Seconds from the last one's joining until they are stopped.
SETTLED = 4.0
# Times out are multiples of round trips that depend on how frames meet: seconds that medians may differ by.
SCATTER = 1.0
# Seconds after which a client that goes on has to know.
PROMPT = 2.0

# Reliable packets to a server of Godot 3.6: seconds one way, seconds of sending, and bytes of a packet.
BULK_DELAY = 0.05
BULK_TIME = 15.0
BULK_PACKET = 262_144
# Times as fast as the engine's own, even on a machine that has other work.
BULK_GAIN = 2.0


class Course(NamedTuple):
    """The one-way delay in seconds, as a function of the seconds since the change and a random number."""

    name: str
    before: Callable[[float], float]
    after: Callable[[float], float]


PATHS = (
    Course("60 ms more", lambda _: 0.01, lambda _: 0.04),
    Course("0 to 100 ms", lambda _: 0.0, lambda _: 0.05),
    Course("300 ± 100 ms", lambda _: 0.0, lambda chance: 0.1 + 0.1 * chance),
)


@pytest.fixture(scope="module")
def cast(godot4: List[str]) -> List[Contestant]:
    """The classes that are here."""
    return contestants()


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_a_path_that_changes_takes_no_more_packets_than_of_the_engines(
    path: Course, cast: List[Contestant], tmp_path: Path
) -> None:
    begin = time.time()
    change = time.monotonic() + START
    chance = random.Random(1)
    forwarder = Forwarder(
        lambda: (path.before if time.monotonic() < change else path.after)(chance.random())
    )
    company = Company(tmp_path, begin + START + CHANGED, begin + START + CHANGED + LATE)
    ports = free_ports(len(cast))
    entries = [forwarder.between(port) for port in ports]
    forwarder.start()
    for contestant, port in zip(cast, ports):
        company.start(f"{contestant.name} server", contestant, "server", port)
    for contestant, port in zip(cast, entries):
        company.start(f"{contestant.name} client", contestant, "client", port)
    company.finish(START + CHANGED + LATE + 20)
    forwarder.ended = True
    forwarder.join()
    shares = {}
    for contestant in cast:
        ends = [company.totals(f"{contestant.name} {role}") for role in ("server", "client")]
        sent, received = (sum(end[i] for end in ends) for i in (0, 1))
        shares[contestant.name] = received / max(1, sent)
        print(f"  {path.name:14} {contestant.name:8} {received:5} of {sent:5} arrive, {shares[contestant.name]:.2%}")
    best = max(share for name, share in shares.items() if name != OURS)
    assert shares[OURS] >= best - CHANCE, f"{shares[OURS]:.2%} of the addon's packets arrive, {best:.2%} of an engine's"


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop processes")
def test_a_client_that_is_stopped_is_given_up_no_sooner_than_by_the_engines(
    cast: List[Contestant], tmp_path: Path
) -> None:
    for_ever = time.time() + 3600
    company = Company(tmp_path, for_ever, for_ever)
    try:
        for contestant, port in zip(cast, free_ports(len(cast))):
            company.start(f"{contestant.name} server", contestant, "server", port)
            for i in range(STOPPED_CLIENTS):
                company.start(f"{contestant.name} client {i}", contestant, "client", port)
        limit = time.monotonic() + 60
        while any(len(company.times(f"{one.name} server", "joined")) < STOPPED_CLIENTS for one in cast):
            if time.monotonic() > limit:
                raise ScriptError("not every client has joined within a minute")
            time.sleep(0.2)
        time.sleep(SETTLED)
        clients = [process for name, process in company.running.items() if " client " in name]
        for process in clients:
            process.send_signal(signal.SIGSTOP)
        stopped = time.time()
        time.sleep(STOPPED)
        for process in clients:
            process.send_signal(signal.SIGCONT)
        going_on = time.time()
        time.sleep(3 * PROMPT)
    finally:
        company.kill()
    medians = {}
    problems = []
    for contestant in cast:
        waits = sorted(at - stopped for at in company.times(f"{contestant.name} server", "lost"))
        if len(waits) != STOPPED_CLIENTS or waits[-1] > STOPPED:
            problems.append(f"{contestant.name}: {len(waits)} of {STOPPED_CLIENTS} clients were given up: {waits}")
            continue
        medians[contestant.name] = statistics.median(waits)
        print(f"  stopped clients {contestant.name:8} given up after {', '.join(f'{wait:.2f}' for wait in waits)} s")
    soonest = min((wait for name, wait in medians.items() if name != OURS), default=0.0)
    if OURS in medians and medians[OURS] < soonest - SCATTER:
        problems.append(f"the addon gives up after {medians[OURS]:.2f} s, an engine after {soonest:.2f} s")
    for i in range(STOPPED_CLIENTS):
        told: Optional[float] = next(iter(company.times(f"{OURS} client {i}", "lost")), None)
        if told is not None:
            print(f"  a client of the addon goes on: told after {told - going_on:.2f} s")
        if told is None or told > going_on + PROMPT:
            after = "never" if told is None else f"after {told - going_on:.2f} s"
            problems.append(f"a client that goes on was told {after} that it has been given up")
    assert not problems, "\n".join(problems)


def test_large_reliable_packets_reach_a_server_of_godot_3_faster(
    godot3: List[str], cast: List[Contestant], tmp_path: Path
) -> None:
    sides = {contestant.name: contestant for contestant in cast}
    until = time.time() + BULK_TIME + 4
    company = Company(tmp_path, until, until, "--bulk=1")
    forwarder = Forwarder(lambda: BULK_DELAY)
    senders = [sides[OURS], sides["Godot 3"]]
    ports = free_ports(len(senders))
    entries = [forwarder.between(port) for port in ports]
    forwarder.start()
    for sender, port in zip(senders, ports):
        company.start(f"server of {sender.name}", sides["Godot 3"], "server", port)
    for sender, port in zip(senders, entries):
        company.start(sender.name, sender, "client", port)
    company.finish(BULK_TIME + 20)
    forwarder.ended = True
    forwarder.join()
    speeds = {}
    for sender in senders:
        arrivals = company.times(f"server of {sender.name}", "bulk")
        begin = next(iter(company.times(f"server of {sender.name}", "joined")), 0.0)
        assert arrivals, f"{sender.name}: nothing arrives; {company.text(sender.name)[-300:]}"
        speeds[sender.name] = len(arrivals) * BULK_PACKET / (arrivals[-1] - begin) / 1e6
        print(f"  bulk to 3.6, 100 ms {sender.name:8} {speeds[sender.name]:.2f} MB/s, {len(arrivals)} packets")
    assert speeds[OURS] >= BULK_GAIN * speeds["Godot 3"], speeds
