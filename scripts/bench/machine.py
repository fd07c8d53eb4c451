"""The machine: what it is, a network of its own for the measured processes, and their limits."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import List, Optional

from common import ScriptError, say

# Set in the process that runs inside of the private network.
INSIDE = "NME_BENCH_INSIDE"

# Sockets of the largest crowd, and some more.
FILES = 5000


def facts() -> List[str]:
    """Processor, cores and kernel, in words."""
    load = os.getloadavg()
    return [
        f"processor: {processor()}, {os.cpu_count()} cores",
        f"system: {platform.system()} {platform.release()}",
        f"load before the run: {load[0]:.2f}",
        f"largest receive buffer a program may ask for: {kernel_setting('net/core/rmem_max')} bytes",
        f"network: {'a private namespace' if os.environ.get(INSIDE) == 'private' else 'shared with the machine'}",
    ]


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def kernel_setting(name: str) -> str:
    path = Path("/proc/sys") / name
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def require_linux() -> None:
    """Processor time and datagrams are read from /proc."""
    for path in ("/proc/self/schedstat", "/proc/net/snmp"):
        if not Path(path).exists():
            raise ScriptError(f"the benchmarks need {path}, which only Linux has")


def raise_file_limit() -> None:
    """Thousands of clients are as many sockets."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES:
        raise ScriptError(f"a process may open {hard} files here; {FILES} are needed (ulimit -Hn)")
    if soft < FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))


def inside() -> bool:
    """Whether this process is the one that measures."""
    return INSIDE in os.environ


def run_inside() -> int:
    """Runs this program again in a network namespace of its own, so that the system counts nothing else.

    Where that is not permitted, the machine's own network has to do, and the report says so.
    """
    command = [sys.executable, *sys.argv]
    unshare = private_network()
    if unshare is None:
        say("note: no private network namespace here; other traffic of the machine is counted, too")
    environment = {**os.environ, INSIDE: "private" if unshare else "shared"}
    process = subprocess.Popen([*(unshare or []), *command], env=environment)
    try:
        return process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise


def private_network() -> Optional[List[str]]:
    """The command that starts another in a namespace of its own; `None` when the system refuses all."""
    if not shutil.which("unshare"):
        return None
    for way in (["unshare", "-rn"], ["unshare", "-n"]):
        if subprocess.run([*way, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return way
    return None


def bring_up_loopback() -> None:
    """A new namespace has a loopback device that is down."""
    if os.environ.get(INSIDE) != "private":
        return
    import fcntl

    name = b"lo".ljust(16, b"\0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = fcntl.ioctl(control, SIOCGIFFLAGS, name + bytes(16))
        flags = struct.unpack_from("H", request, 16)[0] | IFF_UP
        fcntl.ioctl(control, SIOCSIFFLAGS, name + struct.pack("H", flags) + bytes(14))


SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
