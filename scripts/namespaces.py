"""Network namespaces, and the links between them.

A play runs in a namespace of its own (`played`), in which it may do what it likes to addresses, routes and links. The
machine's own network is not touched, and no rights are needed where the system lets users make namespaces.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any, Callable, List, NamedTuple, Optional, Sequence

from bench.machine import private_network
from common import ScriptError, output

# Bytes that Ethernet adds to an IP packet, as a link counts them.
ETHERNET = 14


def obstacle() -> Optional[str]:
    """Why there can be no namespaces here; `None` when there can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are Linux's"
    missing = [name for name in ("ip", "unshare", "nsenter") if not shutil.which(name)]
    if missing:
        return f"this machine lacks {', '.join(missing)} (iproute2, util-linux)"
    way = private_network()
    if way is None:
        return "the system permits no network namespace (unshare -rn)"
    trial = "ip link add trial0 type veth peer name trial1"
    done = subprocess.run([*way, "sh", "-c", trial], stderr=subprocess.PIPE, encoding="utf-8", check=False)
    return f"no virtual links: {done.stderr.strip()}" if done.returncode else None


def played(play: Callable[..., Any], *words: Any) -> Any:
    """What a function returns in a process of its own, in a namespace of its own. An exception comes out here as it is.

    Function, arguments and answer go between the processes by pickle, so the function is one of a module.
    """
    with tempfile.TemporaryDirectory(prefix="namespace_") as folder:
        order, answer = (Path(folder) / name for name in ("order", "answer"))
        order.write_bytes(pickle.dumps((play, words)))
        way = private_network()
        if way is None:
            raise ScriptError(str(obstacle()))
        path = os.pathsep.join(sys.path)
        process = subprocess.Popen(
            [*way, sys.executable, "-m", __name__, order, answer], env={**os.environ, "PYTHONPATH": path}
        )
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if not answer.is_file():
            raise ScriptError(f"{play.__name__} has ended with exit code {code}")
        value, error = pickle.loads(answer.read_bytes())
    if error is not None:
        raise error
    return value


def play_here(order: Path, answer: Path) -> None:
    """The other side of `played`."""
    play, words = pickle.loads(order.read_bytes())
    try:
        result = (play(*words), None)
    except Exception as error:
        traceback.print_exc()
        result = (None, error)
    answer.write_bytes(pickle.dumps(result))


class Traffic(NamedTuple):
    """What has come over a link to one of its ends, and left there: IP packets with their headers."""

    packets_in: int
    bytes_in: int
    packets_out: int
    bytes_out: int

    def since(self, earlier: "Traffic") -> "Traffic":
        return Traffic(*(now - then for now, then in zip(self, earlier)))


class Namespace:
    """A network of its own; the first one is where this process is."""

    def __init__(self, own: bool = False) -> None:
        self._holder: Optional[subprocess.Popen] = None
        self._wrap: List[str] = []
        if not own:
            self._holder = subprocess.Popen(["unshare", "-n", "sleep", "infinity"])
            self._wrap = ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net"]
            self._wait()
        self.ip("link set lo up")

    def _wait(self) -> None:
        ours, limit = os.readlink("/proc/self/ns/net"), time.monotonic() + 10
        while os.readlink(f"/proc/{self.pid()}/ns/net") == ours:
            if time.monotonic() > limit:
                raise ScriptError("no network namespace within 10 s")
            time.sleep(0.01)

    def pid(self) -> int:
        """A process that is in it."""
        return self._holder.pid if self._holder else os.getpid()

    def command(self, words: Sequence[str]) -> List[str]:
        """The command that runs another in this namespace."""
        return [*self._wrap, *words]

    def ip(self, words: str) -> None:
        """One order to ip(8)."""
        output(self.command(["ip", *words.split()]))

    def no_reverse_path_filter(self) -> None:
        """Takes datagrams of any source on any link, as a server's provider does."""
        for which in ("all", "default"):
            order = f"echo 0 > /proc/sys/net/ipv4/conf/{which}/rp_filter"
            subprocess.run(self.command(["sh", "-c", order]), stderr=subprocess.DEVNULL, check=False)

    def narrow(self, device: str, rate: int, queue: int) -> None:
        """Lets only so many bytes a second leave by one of its links; `queue` bytes wait."""
        words = f"qdisc add dev {device} root tbf rate {8 * rate}bit burst 20000 limit {queue}"
        output(self.command(["tc", *words.split()]))

    def can_narrow(self) -> bool:
        """Whether this machine has what `narrow` needs: tc, and the kernel's sch_tbf."""
        words = "tc qdisc add dev lo root tbf rate 8mbit burst 20000 limit 20000 && tc qdisc delete dev lo root"
        return subprocess.run(self.command(["sh", "-c", words]), capture_output=True, check=False).returncode == 0

    def widen(self, device: str) -> None:
        """Takes the limit away, and what waits."""
        output(self.command(["tc", "qdisc", "delete", "dev", device, "root"]))

    def full_queues(self) -> int:
        """How often a datagram did not get into the send queue of its socket."""
        text = Path(f"/proc/{self.pid()}/net/snmp").read_text(encoding="ascii")
        names, values = [line.split() for line in text.splitlines() if line.startswith("Udp:")]
        return int(values[names.index("SndbufErrors")])

    def traffic(self, device: str) -> Traffic:
        """What one of its links has counted."""
        told = json.loads(output(self.command(["ip", "-j", "-s", "link", "show", "dev", device])))[0]["stats64"]
        received, sent = told["rx"], told["tx"]
        return Traffic(
            received["packets"], received["bytes"] - ETHERNET * received["packets"],
            sent["packets"], sent["bytes"] - ETHERNET * sent["packets"],
        )

    def end(self) -> None:
        if self._holder:
            self._holder.kill()
            self._holder.wait()


def link(first: Namespace, second: Namespace, name: str, net: str) -> None:
    """A link `name`0 in the first namespace, address .1 of the net, to `name`1 in the second, address .2."""
    first.ip(f"link add {name}0 type veth peer name {name}1 netns {second.pid()}")
    for where, end, number in ((first, f"{name}0", 1), (second, f"{name}1", 2)):
        where.ip(f"address add {net}.{number}/24 dev {end}")
        where.ip(f"link set {end} up")


if __name__ == "__main__":
    play_here(Path(sys.argv[1]), Path(sys.argv[2]))
