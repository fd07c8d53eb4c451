#!/usr/bin/env python3
"""Searches for servers in networks of the test's own: a machine with two local networks and no other, and a server on each.

Both networks are between namespaces, so this needs Linux and the right to make some; without, it says so and is left out.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from typing import List

from attacks.network import Namespace, inside, link, obstacle, run_inside
from common import PROJECT, ScriptError, main_guard, say
from engines import find_godot4

PORT = 4242
# Seconds until a server is there, and until a search has ended.
LIMIT = 60.0


def main() -> int:
    """The whole test."""
    problem = obstacle()
    if problem:
        say(f"NOT RUN: {problem}")
        say("0 passed, 0 failed")
        return 0
    if not inside():
        return run_inside()
    here, first, second = Namespace(own=True), Namespace(), Namespace()
    servers: List[subprocess.Popen] = []
    try:
        link(here, first, "first", "10.7.1")
        link(here, second, "second", "10.7.2")
        # A device without a network, as a cable that is not plugged in, must not stop the search.
        here.ip("link add idle type veth peer name unplugged")
        here.ip("address add 10.7.3.1/24 dev idle")
        here.ip("link set idle up")
        with tempfile.TemporaryDirectory(prefix="lan_test_") as folder:
            for name, where in (("here", here), ("first", first), ("second", second)):
                servers.append(serve(where, name, Path(folder)))
            found = search(here)
    finally:
        for server in servers:
            server.kill()
            server.wait()
        first.end()
        second.end()
    wanted = ["first at 10.7.1.2", "second at 10.7.2.2"]
    others = sorted(set(found) - set(wanted))
    checks = {
        "a server on each network is found": all(found.count(each) == 1 for each in wanted),
        "the machine's own is found once": len(others) == 1 and others[0].startswith("here at "),
        "nobody comes twice": len(found) == len(set(found)) == 3,
    }
    for what, is_right in checks.items():
        say(f"{'ok' if is_right else 'FAILED'} {what}")
    failed = list(checks.values()).count(False)
    if failed:
        say(f"found: {found}")
    say(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


def command(*words: str) -> List[str]:
    """An engine that plays a part."""
    return [*find_godot4(), "--headless", "--path", str(PROJECT), "-s", "res://tests/lan/agent.gd", "--", *words]


def serve(where: Namespace, name: str, folder: Path) -> subprocess.Popen:
    """Starts a server, and waits until it is there."""
    path = folder / f"{name}.out"
    with path.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(where.command(command("serve", name, str(PORT))), stdout=out, stderr=out)
    limit = time.monotonic() + LIMIT
    while "@@ ready" not in path.read_text(encoding="utf-8"):
        if process.poll() is not None or time.monotonic() > limit:
            process.kill()
            raise ScriptError(f"the server {name} does not start:\n{path.read_text(encoding='utf-8')}")
        time.sleep(0.05)
    return process


def search(where: Namespace) -> List[str]:
    """What a search finds."""
    done = subprocess.run(
        where.command(command("search", str(PORT))), stdout=subprocess.PIPE, encoding="utf-8", timeout=LIMIT, check=True,
    )
    return [line[3:] for line in done.stdout.splitlines() if line.startswith("@@ ")]


if __name__ == "__main__":
    main_guard(main)
