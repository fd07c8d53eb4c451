"""A server with players at work, which strangers attack, and what it is judged by."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from attacks.cast import (
    CONNECTED, GOT_RELIABLE, GOT_UNRELIABLE, SENT_RELIABLE, SENT_UNRELIABLE, Agent, Cast, Contestant, counts, ended,
)
from namespaces import Namespace, Traffic, link
from attacks.table import Row
from dtls.certificates import fixtures

PORT = 4242
PLAYERS = 8
# The share of the time for which a server may wait for a processor; beyond that, it is the machine that is judged.
BUSY = 0.1
# Seconds within which who belongs there is in, whatever is going on.
PROMPT = 5.0
# The share of unreliable packets that arrives, on a machine that is not short of time.
SHARE = 0.999
# What memory may grow by during an attack, KiB.
FLAT = 8192
# And for each client that stays in a place, KiB.
OF_A_CLIENT = 16
# Frames a second, of 60.
FRAMES = 58.0
# Transfer modes, as the engines number them.
UNRELIABLE, RELIABLE = 0, 2
PLAYERS_ADDRESS, SERVER_ADDRESS = "10.1.0.1", "10.1.0.2"
SERVER = f"{SERVER_ADDRESS}:{PORT}"
ATTACKED = f"10.2.0.2:{PORT}"
# What servers with DTLS show, and players trust.
IDENTITY = fixtures("godot4")["rsa_2048"]
# Bytes that a narrow link holds: more than a socket's send queue.
NARROW_QUEUE = 64 << 20
# Stands for the addresses and ports of all players in the words of an attacker.
ALL_PLAYERS = "PLAYERS"
# Seconds after which a connection is as safe as it gets.
SETTLED = 4.0


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
    # What an attacker is told who has the server's address towards the players.
    as_server: Sequence[str] = ()
    # It forges datagrams of players, who are protected if they and the server have the addon's class.
    forges: bool = False
    protects: bool = True
    # What each of the clients that stay may hold of the server's memory, KiB.
    may_hold: int = OF_A_CLIENT
    # Bytes a second that the server's link to the attacker carries, so that its send queue fills up; 0 is no limit.
    narrow: int = 0


class Setting(NamedTuple):
    """What the server is, and who plays there."""

    slots: int
    # The class of all players and newcomers; otherwise it is the server's, and beside the addon's also that of 3.6.
    players: str = ""
    # Over DTLS.
    secure: bool = False
    # Bytes a second that the server sends to each client that is silent, and how.
    bulk: int = 0
    bulk_mode: int = RELIABLE


class Measured(NamedTuple):
    """What an attack has done."""

    lost: int
    # Those that the server has lost; of some attacks, the attacker's own clients are among them.
    left: int
    unreliable: float
    reliable_lost: int
    disorder: int
    foreign: int
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

    def __init__(self, cast: Cast, who: Dict[str, Contestant], name: str, setting: Setting, attacks: int) -> None:
        self.cast = cast
        self._lay_links()
        self._secure = setting.secure
        self.phase = self.gone = 0
        try:
            self._start(who, name, setting, attacks)
        except BaseException:
            self.end()
            raise

    def _start(self, who: Dict[str, Contestant], name: str, setting: Setting, attacks: int) -> None:
        cast, kind = self.cast, setting.players or name
        # Only the addon's class and 3.6's understand each other.
        mixed = name == "addon" and not setting.players and "Godot 3" in who
        # Without the relay among thousands, which would tell each of all others.
        relay = int(setting.slots <= 32)
        words = ["--role=servers", f"--ports={PORT}", f"--slots={setting.slots}", f"--relay={relay}", *self._dtls(True)]
        words += [f"--bulk={setting.bulk}", f"--bulk_mode={setting.bulk_mode}"] if setting.bulk else []
        self.server = cast.start(f"{name} server", self.server_side, who[name], words)
        cast.wait_for("open", self.server, lambda cells: cells and cells[0]["status"] == CONNECTED)
        self.players = [self._clients(f"{kind} players", who[kind], ["-"] * (PLAYERS - int(mixed)))]
        signs = [f"new_{number}" for number in range(1, attacks + 1)]
        self.newcomers = [self._clients(f"{kind} newcomers", who[kind], signs)]
        if mixed:
            self.players.append(self._clients("player in Godot 3", who["Godot 3"], ["-"]))
            self.newcomers.append(self._clients("newcomers in Godot 3", who["Godot 3"], signs))
        for agent in self.players:
            cast.wait_for("connected", agent, lambda cells: cells and all(c["status"] == CONNECTED for c in cells))
        self.since = time.monotonic()
        for agent in self.newcomers:
            agent.fresh()

    def _lay_links(self) -> None:
        """The attacker has addresses of its own, those of the players, and in another network that of the server."""
        self.own, self.server_side = Namespace(own=True), Namespace()
        self.strangers, self.impostor = Namespace(), Namespace()
        for where in (self.own, self.server_side):
            where.no_reverse_path_filter()
        link(self.own, self.server_side, "play", "10.1.0")
        link(self.strangers, self.server_side, "evil", "10.2.0")
        link(self.impostor, self.own, "mask", "10.6.0")
        # To forge an address is to bind to it.
        self.strangers.ip("route add local 10.64.0.0/10 dev lo")
        self.strangers.ip(f"route add local {PLAYERS_ADDRESS} dev lo")
        self.strangers.ip(f"route add {SERVER_ADDRESS} via 10.2.0.2")
        self.server_side.ip("route add 10.64.0.0/10 via 10.2.0.1")
        self.impostor.ip(f"route add local {SERVER_ADDRESS} dev lo")
        self.impostor.ip(f"route add {PLAYERS_ADDRESS} via 10.6.0.2")

    def _clients(self, name: str, contestant: Contestant, signs: Sequence[str]) -> Agent:
        to = ",".join(f"{SERVER_ADDRESS}/{PORT}/*/{sign}" for sign in signs)
        return self.cast.start(name, self.own, contestant, ["--role=clients", f"--to={to}", *self._dtls(False)])

    def _dtls(self, is_server: bool) -> List[str]:
        if not self._secure:
            return []
        return [f"--certificate={IDENTITY.certificate}", *([f"--key={IDENTITY.key}"] if is_server else [])]

    def end(self) -> None:
        # A namespace that ends takes its links with it, sooner or later.
        for end in ("play0", "mask1"):
            self.own.ip(f"link delete {end}")
        for namespace in (self.server_side, self.strangers, self.impostor):
            namespace.end()

    def play(self, attack: Attack, attacker: Path) -> Measured:
        """Lets the attacker loose, and counts."""
        self.phase += 1
        if attack.forges:
            time.sleep(max(0.0, self.since + SETTLED - time.monotonic()))
        before = self.server.fresh()["cells"][0]
        self.gone = self._gone()
        memory, link_before = self.server.resident_kib(), self.server_side.traffic("evil1")
        waited, since = self.server.waited(), time.monotonic()
        full_before = self.server_side.full_queues()
        if attack.narrow:
            # The server's socket fills up before this queue does.
            self.server_side.narrow("evil1", attack.narrow, NARROW_QUEUE)
        self.cast.set_phase(self.phase)
        process = self._let_loose(self.strangers, attacker, attack.words)
        beside = self._let_loose(self.impostor, attacker, attack.as_server) if attack.as_server else None
        begun, peak = time.monotonic(), memory
        signed = False
        while process.poll() is None and time.monotonic() < begun + attack.seconds + 30:
            if attack.newcomers and not signed and time.monotonic() > begun + attack.seconds * 0.25:
                signed = True
                self.cast.sign(f"new_{self.phase}")
            peak = max(peak, self.server.resident_kib())
            time.sleep(0.05)
        told = ended(process, 1.0)
        if beside:
            told["as_server"] = ended(beside, 5.0)
        if attack.narrow:
            self.server_side.widen("evil1")
        told["full"] = self.server_side.full_queues() - full_before
        waiting = (self.server.waited() - waited) / (time.monotonic() - since)
        if attack.newcomers:
            self._wait_for_newcomers()
        self.cast.set_phase(0)
        return self._measured(attack, before, told, link_before, peak - memory, waiting)

    def _let_loose(self, where: Namespace, attacker: Path, words: Sequence[str]) -> subprocess.Popen:
        ports = [port for agent in self.players for port in agent.ports()]
        players = ",".join(f"{PLAYERS_ADDRESS}:{port}" for port in ports)
        return self.cast.program(where, [str(attacker), *(players if word == ALL_PLAYERS else word for word in words)])

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
            left=server["lost"] - before["lost"],
            unreliable=total[GOT_UNRELIABLE] / max(1, total[SENT_UNRELIABLE]),
            reliable_lost=total[SENT_RELIABLE] - total[GOT_RELIABLE],
            disorder=sum(cell["disorder"] for cell in cells),
            foreign=sum(cell["foreign"] for cell in cells),
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
    limit = FLAT + attack.may_hold * attack.may_stay
    parts = [
        f"{got.lost} of {PLAYERS} players lost", f"{got.reliable_lost} reliable packets not there after {PROMPT:.0f} s",
        f"unreliable {got.unreliable:.2%}", *([f"newcomers in after {times}"] if times else []),
        *([f"{got.told['rate']} datagrams/s"] if "rate" in got.told else []),
        *([f"{got.told['as_server']['rate']} as the server's"] if "as_server" in got.told else []),
        *([f"the server has lost {got.left}"] if attack.forges else []),
        *([f"{got.foreign} injected packets in games, {got.disorder} out of order"] if attack.forges else []),
        *([f"{got.told['entered']} of {got.told['made']} got in"] if "made" in got.told else []),
        *([f"bytes back ×{back:.2f}"] if attack.reflects else []), f"{got.descriptors} descriptors",
        *([f"{got.told['received_bytes'] // 1000} kB for them"] if "received_bytes" in got.told else []),
        f"memory {got.growth_kib:+d} KiB", f"{got.frames:.1f} frames/s, longest {got.worst_msec:.0f} ms",
        f"the server waited for a processor for {got.waited:.0%} of the time",
        f"strangers that became peers: {got.strangers}",
    ]
    parts += [f"the server's queue was full {got.told['full']} times"] if attack.narrow else []
    strict = strict and got.waited <= BUSY
    checks = [
        (got.is_open, "the server has closed"),
        (not attack.reflects or back <= 1.0, f"{back:.2f} times the attacker's bytes came back"),
        (got.strangers <= attack.may_join, f"{got.strangers} strangers became peers"),
        (got.growth_kib <= limit, f"memory has grown by {got.growth_kib} KiB"),
        (all(took is not None and took <= PROMPT for took in got.newcomers), f"newcomers: {times}"),
    ]
    if attack.narrow:
        checks.append((got.told["full"] > 0, "the server's queue was never full"))
    if attack.protects:
        checks += [
            (got.lost == 0, f"{got.lost} players lost"),
            (not attack.forges or got.left == 0, f"the server has lost {got.left}"),
            (got.reliable_lost == 0, f"{got.reliable_lost} reliable packets not there"),
            (got.disorder == 0, f"{got.disorder} reliable packets out of order"),
            (got.foreign == 0, f"{got.foreign} packets that nobody has sent"),
        ]
    if attack.protects and attack.paced and strict:
        checks += [
            (got.unreliable >= SHARE, f"{got.unreliable:.2%} of unreliable packets"),
            (got.frames >= FRAMES, f"{got.frames:.1f} frames a second"),
        ]
    wanted = ["0 lost, 0 reliable lost" if attack.protects else "open"]
    if attack.protects and attack.paced and strict:
        wanted.append(f"unreliable ≥ {SHARE:.1%}, ≥ {FRAMES:.0f} frames/s")
    wanted += ["0 injected"] if attack.protects and attack.forges else []
    wanted += [f"newcomers ≤ {PROMPT:.0f} s"] if attack.newcomers else []
    wanted += ["bytes back ≤ ×1"] if attack.reflects else []
    wanted += [f"memory ≤ +{limit} KiB", f"strangers ≤ {attack.may_join}"]
    return Row(attack.name, "; ".join(parts), "; ".join(wanted), [text for is_so, text in checks if not is_so])
