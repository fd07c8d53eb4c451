"""Faults of the network between a server and its players, of every class at once."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence

from attacks.cast import CONNECTED, GOT_RELIABLE, SENT_RELIABLE, Agent, Cast, Contestant, counts
from namespaces import Namespace, link
from attacks.table import Row
from common import ScriptError

FIRST_PORT = 4300
# What a port of the shaper is above that of its server.
SHAPED = 1000
# Seconds that faults last, and of a link that is down.
LASTS = 25.0
DOWN = 10.0
# Seconds after which a server has given up who does not answer.
LONGEST = 34.0
# Seconds for what is still on its way.
LATE = 4.0
# Lines that a server may print because of a fault.
LINES = 3


class Fault(NamedTuple):
    """What happens to some clients of a server of its own, which also has one client whose path stays good."""

    name: str
    # Orders to the shaper, each with its index in front; the clients go through it.
    shape: Sequence[str] = ()
    # Orders to ip(8) where the server is.
    orders: Sequence[str] = ()
    # What mends it after DOWN seconds, if anything does.
    mends: Sequence[str] = ()
    # The net of the link, when the clients do not go through the shaper.
    net: str = ""
    clients: int = 1
    # How many of them may be lost, and how many must be.
    most_lost: int = 0
    least_lost: int = 0


def firewall(kind: str, number: int) -> Fault:
    """The system refuses what the server sends to a client."""
    orders = [f"route add {kind} 10.5{number}.0.1/32"]
    return Fault(f"route to a player: {kind}", orders=orders, net=f"10.5{number}.0", most_lost=1, least_lost=1)


FAULTS = (
    Fault(f"30 % loss for {LASTS:.0f} s", ["both loss=0.3"], clients=8, most_lost=1),
    Fault("round trip of 300 ± 100 ms", ["both latency=100 jitter=100"], clients=2),
    Fault("25 % reordered, 10 % doubled", ["both reorder=0.25 reorder_delay=40 duplicate=0.1"], clients=2),
    Fault("4000 bytes a second", ["both rate=4000"], clients=2),
    Fault("nothing arrives at the players", ["down loss=1"], clients=2, most_lost=2, least_lost=2),
    Fault("nothing arrives at the server", ["up loss=1"], clients=2, most_lost=2, least_lost=2),
    Fault(
        f"link down for {DOWN:.0f} s", orders=["link set down1 down"], mends=["link set down1 up"],
        net="10.3.0", most_lost=1,
    ),
    Fault("the server's address is removed", orders=["address del 10.4.0.2/24 dev gone1"], net="10.4.0",
          most_lost=1, least_lost=1),
    firewall("prohibit", 1),
    firewall("unreachable", 2),
    firewall("blackhole", 3),
    firewall("throw", 4),
)


class Side(NamedTuple):
    """A class's servers, one for each fault, and their clients."""

    name: str
    servers: Agent
    clients: Agent
    # Of each client, the number of its fault, and whether the fault is its own.
    places: List[Any]


def play(who: Dict[str, Contestant], shaper: Path) -> Dict[str, List[Row]]:
    """All faults at once; the rows of each class."""
    own, server_side = Namespace(own=True), Namespace()
    try:
        with Cast() as cast:
            lay_links(own, server_side)
            return play_with(cast, who, own, server_side, shaper)
    finally:
        server_side.end()


def lay_links(own: Namespace, server_side: Namespace) -> None:
    """A good link, one that goes down, one that loses its address, and those whose clients are refused."""
    walls = [(f"wall{number}", f"10.5{number}.0") for number in range(1, 5)]
    for name, net in (("good", "10.1.0"), ("down", "10.3.0"), ("gone", "10.4.0"), *walls):
        link(own, server_side, name, net)


def play_with(
    cast: Cast, who: Dict[str, Contestant], own: Namespace, server_side: Namespace, shaper: Path
) -> Dict[str, List[Row]]:
    shaped = [(order, number) for order in range(len(who)) for number, fault in enumerate(FAULTS) if fault.shape]
    entries = [f"127.0.0.1:{port_of(*one) + SHAPED}=10.1.0.2:{port_of(*one)}" for one in shaped]
    carrier = cast.program(own, [str(shaper), *entries])
    if not carrier.stdout or carrier.stdout.readline().strip() != "ready":
        raise ScriptError("the shaper has not started")
    sides = [
        start_side(cast, own, server_side, order, name, contestant)
        for order, (name, contestant) in enumerate(who.items())
    ]
    for side in sides:
        cast.wait_for("connected", side.clients, lambda cells: cells and all(c["status"] == CONNECTED for c in cells))
    begin = time.monotonic()
    for entry, (_, number) in enumerate(shaped):
        shape(carrier, entry, FAULTS[number].shape)
    orders(server_side, [one for fault in FAULTS for one in fault.orders])
    wait_until(begin + DOWN)
    orders(server_side, [one for fault in FAULTS for one in fault.mends])
    wait_until(begin + LASTS)
    for entry, (_, number) in enumerate(shaped):
        if not FAULTS[number].least_lost:
            shape(carrier, entry, ["both"])
    wait_for_losses(sides, begin + LONGEST)
    cast.set_phase(-1)
    wait_until(time.monotonic() + LATE)
    return {side.name: rows_of(side) for side in sides}


def port_of(order: int, fault: int) -> int:
    """The port of a class's server for a fault."""
    return FIRST_PORT + 100 * order + fault


def start_side(
    cast: Cast, own: Namespace, server_side: Namespace, order: int, name: str, contestant: Contestant
) -> Side:
    """Starts the servers of a class, and their clients when they are open."""
    ports = [port_of(order, number) for number in range(len(FAULTS))]
    words = ["--role=servers", f"--ports={','.join(map(str, ports))}", "--slots=16", "--relay=1"]
    servers = cast.start(f"{name} servers", server_side, contestant, words)
    cast.wait_for("open", servers, lambda cells: cells and all(c["status"] == CONNECTED for c in cells))
    to, places = [], []
    for number, (fault, port) in enumerate(zip(FAULTS, ports)):
        to.append(f"10.1.0.2/{port}/*/-")
        places.append((number, False))
        one = f"127.0.0.1/{port + SHAPED}/*/-" if fault.shape else f"{fault.net}.2/{port}/*/-"
        to += [one] * fault.clients
        places += [(number, True)] * fault.clients
    clients = cast.start(f"{name} clients", own, contestant, ["--role=clients", f"--to={','.join(to)}"])
    return Side(name, servers, clients, places)


def wait_for_losses(sides: Sequence[Side], limit: float) -> None:
    """Until all have been given up who must be: after 5 to 30 seconds, as round trips on a busy machine are long."""
    waiting = [
        (side, number) for side in sides for number, fault in enumerate(FAULTS) if fault.least_lost
    ]
    while waiting and time.monotonic() < limit:
        waiting = [
            (side, number) for side, number in waiting
            if side.servers.cells()[number]["status"] == CONNECTED
            and side.servers.cells()[number]["lost"] < FAULTS[number].least_lost
        ]
        time.sleep(0.1)


def shape(carrier: subprocess.Popen, entry: int, settings: Sequence[str]) -> None:
    if carrier.stdin:
        for setting in settings:
            carrier.stdin.write(f"{entry} {setting}\n")
        carrier.stdin.flush()


def orders(where: Namespace, words: Sequence[str]) -> None:
    for one in words:
        where.ip(one)


def wait_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def rows_of(side: Side) -> List[Row]:
    """What has become of each server and its clients, and what was printed."""
    servers, clients = side.servers.fresh()["cells"], side.clients.fresh()["cells"]
    rows = []
    for number, fault in enumerate(FAULTS):
        mine = [(cell, place[1]) for cell, place in zip(clients, side.places) if place[0] == number]
        rows.append(row_of(fault, servers[number], [c for c, hit in mine if hit], [c for c, hit in mine if not hit]))
    lines = len(side.servers.lines)
    problems = [f"{lines} lines: {side.servers.lines[0]}"] if lines > LINES else []
    rows.append(Row("lines that the servers print during all that", str(lines), f"≤ {LINES}", problems))
    return rows


def row_of(fault: Fault, server: Dict[str, Any], hit: Sequence[Any], spared: Sequence[Any]) -> Row:
    gone = sum(cell["status"] != CONNECTED or cell["lost"] > 0 for cell in hit)
    # Who hears nothing may find out later than the server does.
    given_up = max(server["lost"], gone) if fault.least_lost else gone
    spared_gone = sum(cell["status"] != CONNECTED or cell["lost"] > 0 for cell in spared)
    disorder = sum(cell["disorder"] for cell in [server, *hit, *spared])
    is_open = server["status"] == CONNECTED
    total = counts([server, *hit, *spared])
    missing = total[SENT_RELIABLE] - total[GOT_RELIABLE]
    whole = given_up or missing == 0
    measured = [
        "the server stays open" if is_open else "the server closes", f"{given_up} of {len(hit)} lost",
        f"{spared_gone} of {len(spared)} others lost", f"{disorder} packets out of order",
        *([] if given_up else [f"{missing} reliable packets missing"]),
    ]
    checks = [
        (is_open, "the server has closed"),
        (given_up <= fault.most_lost, f"{given_up} of {len(hit)} lost"),
        (given_up >= fault.least_lost, f"only {given_up} of {len(hit)} given up"),
        (spared_gone == 0, "a player with a good path was lost"),
        (disorder == 0, f"{disorder} reliable packets out of order or missing between others"),
        (whole, f"{missing} reliable packets missing"),
    ]
    wanted = f"open, {fault.least_lost}–{fault.most_lost} lost, 0 others, 0 out of order"
    return Row(fault.name, "; ".join(measured), wanted, [text for is_so, text in checks if not is_so])
