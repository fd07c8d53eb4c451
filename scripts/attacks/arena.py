"""A server with players at work, which strangers attack, and what it is judged by."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from attacks.cast import (
    CONNECTED, GOT_RELIABLE, GOT_UNRELIABLE, SENT_RELIABLE, SENT_UNRELIABLE, Agent, Cast, Contestant, counts, ended,
)
from namespaces import Namespace, Traffic, link
from attacks.table import Row

PORT = 4242
PLAYERS = 8
# The share of the time for which a server may wait for a processor; beyond that, it is the machine that is judged.
BUSY = 0.1
# Seconds within which who belongs there is in, whatever is going on.
PROMPT = 5.0
# The share of unreliable packets that arrives, on a machine that is not short of time.
UNRELIABLE = 0.999
# What memory may grow by during an attack, KiB.
FLAT = 8192
# And for each client that stays in a place, KiB.
OF_A_CLIENT = 16
# Frames a second, of 60.
FRAMES = 58.0
SERVER = f"10.1.0.2:{PORT}"
ATTACKED = f"10.2.0.2:{PORT}"


class Attack(NamedTuple):
    """What the attacker is told, and what is judged."""

    name: str
    words: Sequence[str]
    seconds: float
    # Newcomers try to get in meanwhile.
    newcomers: bool = True
    # The attack leaves the machine time for everybody: nothing of the players may be lost.
    paced: bool = True
    # The attacker's own clients that may become peers.
    may_join: int = 0
    # Of those, how many are there at once that were not there before.
    may_stay: int = 0
    # What comes back to the attacker is held against what it has sent.
    reflects: bool = True


class Measured(NamedTuple):
    """What an attack has done."""

    lost: int
    unreliable: float
    reliable_lost: int
    disorder: int
    newcomers: List[Optional[float]]
    traffic: Traffic
    growth_kib: int
    descriptors: int
    frames: float
    worst_msec: float
    waited: float
    strangers: int
    told: Dict[str, Any]
    is_open: bool


class Arena:
    """A server, its players, newcomers who wait for a sign, and a network for the attacker."""

    def __init__(self, cast: Cast, who: Dict[str, Contestant], name: str, slots: int, attacks: int) -> None:
        self.cast = cast
        self.own, self.server_side, self.strangers = Namespace(own=True), Namespace(), Namespace()
        self.server_side.no_reverse_path_filter()
        link(self.own, self.server_side, "play", "10.1.0")
        link(self.strangers, self.server_side, "evil", "10.2.0")
        # Every address of 10.64.0.0/10 is the attacker's: to forge one is to bind to it.
        self.strangers.ip("route add local 10.64.0.0/10 dev lo")
        self.server_side.ip("route add 10.64.0.0/10 via 10.2.0.1")
        self.phase = self.gone = 0
        contestant = who[name]
        # Only the addon's class and 3.6's understand each other.
        mixed = name == "addon" and "Godot 3" in who
        # Without the relay among thousands, which would tell each of all others.
        relay = int(slots <= 32)
        words = ["--role=servers", f"--ports={PORT}", f"--slots={slots}", f"--relay={relay}"]
        self.server = cast.start(f"{name} server", self.server_side, contestant, words)
        cast.wait_for("open", self.server, lambda cells: cells and cells[0]["status"] == CONNECTED)
        self.players = [self._clients(f"{name} players", contestant, ["-"] * (PLAYERS - int(mixed)))]
        signs = [f"new_{number}" for number in range(1, attacks + 1)]
        self.newcomers = [self._clients(f"{name} newcomers", contestant, signs)]
        if mixed:
            self.players.append(self._clients("player in Godot 3", who["Godot 3"], ["-"]))
            self.newcomers.append(self._clients("newcomers in Godot 3", who["Godot 3"], signs))
        for agent in self.players:
            cast.wait_for("connected", agent, lambda cells: cells and all(c["status"] == CONNECTED for c in cells))
        for agent in self.newcomers:
            agent.fresh()

    def _clients(self, name: str, contestant: Contestant, signs: Sequence[str]) -> Agent:
        to = ",".join(f"10.1.0.2/{PORT}/*/{sign}" for sign in signs)
        return self.cast.start(name, self.own, contestant, ["--role=clients", f"--to={to}"])

    def end(self) -> None:
        for namespace in (self.server_side, self.strangers):
            namespace.end()
        self.own.ip("link delete play0")

    def play(self, attack: Attack, attacker: Path) -> Measured:
        """Lets the attacker loose, and counts."""
        self.phase += 1
        before = self.server.fresh()["cells"][0]
        self.gone = self._gone()
        memory, link_before = self.server.resident_kib(), self.server_side.traffic("evil1")
        waited, since = self.server.waited(), time.monotonic()
        self.cast.set_phase(self.phase)
        process = self.cast.program(self.strangers, [str(attacker), *attack.words])
        begun, peak = time.monotonic(), memory
        signed = False
        while process.poll() is None and time.monotonic() < begun + attack.seconds + 30:
            if attack.newcomers and not signed and time.monotonic() > begun + attack.seconds * 0.25:
                signed = True
                self.cast.sign(f"new_{self.phase}")
            peak = max(peak, self.server.resident_kib())
            time.sleep(0.05)
        told = ended(process, 1.0)
        waiting = (self.server.waited() - waited) / (time.monotonic() - since)
        if attack.newcomers:
            self._wait_for_newcomers()
        self.cast.set_phase(0)
        return self._measured(attack, before, told, link_before, peak - memory, waiting)

    def _gone(self) -> int:
        """Players that were lost so far."""
        players = [cell for agent in self.players for cell in agent.cells()]
        return sum(cell["status"] != CONNECTED or cell["lost"] > 0 for cell in players)

    def _newcomer(self, agent: Agent) -> Optional[float]:
        took = agent.cells()[self.phase - 1]["took"]
        return None if took < 0 else took / 1000

    def _wait_for_newcomers(self) -> None:
        limit = time.monotonic() + PROMPT
        while time.monotonic() < limit and any(self._newcomer(agent) is None for agent in self.newcomers):
            time.sleep(0.05)

    def _measured(
        self, attack: Attack, before: Dict[str, Any], told: Dict[str, Any], link_before: Traffic, growth: int,
        waited: float,
    ) -> Measured:
        everybody = [self.server, *self.players, *self.newcomers]
        limit = time.monotonic() + PROMPT
        while True:
            samples = [agent.fresh() for agent in everybody]
            cells = [cell for sample in samples for cell in sample["cells"]]
            total = counts(cells, self.phase)
            if total[SENT_RELIABLE] == total[GOT_RELIABLE] or time.monotonic() > limit:
                break
        server = samples[0]["cells"][0]
        frames, worst, usec = samples[0]["frames"].get(str(self.phase), [0, 0, 0])
        came = sum(cell["joined"] for agent in self.newcomers for cell in [agent.cells()[self.phase - 1]])
        return Measured(
            lost=self._gone() - self.gone,
            unreliable=total[GOT_UNRELIABLE] / max(1, total[SENT_UNRELIABLE]),
            reliable_lost=total[SENT_RELIABLE] - total[GOT_RELIABLE],
            disorder=sum(cell["disorder"] for cell in cells),
            newcomers=[self._newcomer(agent) for agent in self.newcomers] if attack.newcomers else [],
            traffic=self.server_side.traffic("evil1").since(link_before),
            growth_kib=growth,
            descriptors=self.server.descriptors(),
            frames=1e6 * frames / max(1, usec),
            worst_msec=worst / 1000,
            waited=waited,
            strangers=server["joined"] - before["joined"] - came,
            told=told,
            is_open=server["status"] == CONNECTED,
        )


def row_of(attack: Attack, got: Measured, strict: bool) -> Row:
    """The figures of an attack, and which of them are not as wanted."""
    back = got.traffic.bytes_out / max(1, got.traffic.bytes_in)
    times = ", ".join("never" if took is None else f"{took:.2f} s" for took in got.newcomers)
    limit = FLAT + OF_A_CLIENT * attack.may_stay
    parts = [
        f"{got.lost} of {PLAYERS} players lost", f"{got.reliable_lost} reliable packets not there after {PROMPT:.0f} s",
        f"unreliable {got.unreliable:.2%}", *([f"newcomers in after {times}"] if times else []),
        *([f"{got.told['rate']} datagrams/s"] if "rate" in got.told else []),
        *([f"{got.told['entered']} of {got.told['made']} got in"] if "made" in got.told else []),
        f"bytes back ×{back:.2f}", f"{got.descriptors} descriptors",
        f"memory {got.growth_kib:+d} KiB", f"{got.frames:.1f} frames/s, longest {got.worst_msec:.0f} ms",
        f"the server waited for a processor for {got.waited:.0%} of the time",
        f"strangers that became peers: {got.strangers}",
    ]
    strict = strict and got.waited <= BUSY
    checks = [
        (got.is_open, "the server has closed"),
        (got.lost == 0, f"{got.lost} players lost"),
        (got.reliable_lost == 0, f"{got.reliable_lost} reliable packets not there"),
        (got.disorder == 0, f"{got.disorder} reliable packets out of order"),
        (not attack.reflects or back <= 1.0, f"{back:.2f} times the attacker's bytes came back"),
        (got.strangers <= attack.may_join, f"{got.strangers} strangers became peers"),
        (got.growth_kib <= limit, f"memory has grown by {got.growth_kib} KiB"),
        (all(took is not None and took <= PROMPT for took in got.newcomers), f"newcomers: {times}"),
        (not attack.paced or not strict or got.unreliable >= UNRELIABLE, f"{got.unreliable:.2%} of unreliable packets"),
        (not attack.paced or not strict or got.frames >= FRAMES, f"{got.frames:.1f} frames a second"),
    ]
    wanted = ["0 lost, 0 reliable lost"]
    wanted += [f"unreliable ≥ {UNRELIABLE:.1%}, ≥ {FRAMES:.0f} frames/s"] if attack.paced and strict else []
    wanted += [f"newcomers ≤ {PROMPT:.0f} s"] if attack.newcomers else []
    wanted += ["bytes back ≤ ×1"] if attack.reflects else []
    wanted += [f"memory ≤ +{limit} KiB", f"strangers ≤ {attack.may_join}"]
    return Row(attack.name, "; ".join(parts), "; ".join(wanted), [text for is_so, text in checks if not is_so])
