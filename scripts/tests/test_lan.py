"""Searches for servers in networks of the test's own: a machine with two local networks and no other, and a server on each."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import List

import pytest

from common import PROJECT, ScriptError
from engines import find_godot4
from namespaces import Namespace, link, played

PORT = 4242
# Seconds until a server is there, and until a search has ended.
LIMIT = 60.0
WANTED = ("first at 10.7.1.2", "second at 10.7.2.2")


@pytest.fixture(scope="module")
def found(namespaces: None, godot4: List[str], tmp_path_factory: pytest.TempPathFactory) -> List[str]:
    """The servers that a search finds, each as `NAME at ADDRESS`."""
    return played(search_everywhere, tmp_path_factory.mktemp("lan"))


@pytest.mark.parametrize("server", WANTED)
def test_a_server_on_each_network_is_found_once(server: str, found: List[str]) -> None:
    assert found.count(server) == 1, found


def test_the_machines_own_is_found_once(found: List[str]) -> None:
    others = sorted(set(found) - set(WANTED))
    assert len(others) == 1 and others[0].startswith("here at "), found


def test_nobody_comes_twice(found: List[str]) -> None:
    assert len(found) == len(set(found)) == 3, found


def search_everywhere(folder: Path) -> List[str]:
    """Lays the networks, starts the servers, and searches."""
    here, first, second = Namespace(own=True), Namespace(), Namespace()
    servers: List[subprocess.Popen] = []
    try:
        link(here, first, "first", "10.7.1")
        link(here, second, "second", "10.7.2")
        # A device without a network, as a cable that is not plugged in, must not stop the search.
        here.ip("link add idle type veth peer name unplugged")
        here.ip("address add 10.7.3.1/24 dev idle")
        here.ip("link set idle up")
        for name, where in (("here", here), ("first", first), ("second", second)):
            servers.append(serve(where, name, folder))
        return search(here)
    finally:
        for server in servers:
            server.kill()
            server.wait()
        first.end()
        second.end()


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
