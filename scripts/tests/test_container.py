"""The container file of the arena's server, built with buildah and run: without a daemon, without a registry if need be, and
rootless where the tests run without root's rights.

In place of an exported game, the image has a program that starts this machine's engine with the project; both are mounted.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest

from arena import Child, arena, states, wait_for
from common import ADDON, PROJECT, tail
from demo import free_port

Check = Callable[..., None]

SERVER = PROJECT / "demo" / "server"
BASE = "debian:stable-slim"
# Starts what stands behind it, sends it SIGTERM when a line comes, and tells its exit code.
STARTER = '"$@" & server=$!; read line; kill -TERM $server; wait $server; echo "exit code $?"'
PROGRAM = '#!/bin/sh\nexec {engine} --path {project} "$@"\n'

pytestmark = pytest.mark.skipif(not shutil.which("buildah"), reason="NOT RUN: buildah, which builds the image, is not there")


class Builder:
    """Buildah with a store of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start = ["buildah", "--root", str(folder / "store"), "--runroot", str(folder / "run"), "--storage-driver", "vfs"]

    def tries(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Runs it; it may fail."""
        return subprocess.run(
            [*self.start, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", errors="replace", check=False, timeout=600, env={**os.environ, "BUILDAH_ISOLATION": "chroot"},
        )

    def does(self, *words: str) -> str:
        """Runs it; the last line of its output."""
        done = self.tries(*words)
        assert done.returncode == 0, f"buildah {' '.join(words)}\n{tail(done.stdout)}"
        return (done.stdout.strip().splitlines() or [""])[-1]

    def get_base(self) -> None:
        """The image that the container file begins with: from a registry, or where there is none, made of Debian's packages."""
        if self.tries("pull", BASE).returncode == 0:
            return
        if not shutil.which("mmdebstrap"):
            pytest.skip(f"NOT RUN: there is neither a registry with {BASE} nor mmdebstrap, which makes such an image")
        files = self.folder / "base.tar"
        # The release of this machine, whose mirror and keys are there.
        suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
        make = ["mmdebstrap", "--variant=essential", "--include=passwd", suite, str(files)]
        done = subprocess.run(make, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              encoding="utf-8", errors="replace", timeout=600)
        assert done.returncode == 0, tail(done.stdout)
        container = self.does("from", "scratch")
        self.does("add", "--quiet", container, str(files), "/")
        self.does("commit", "--quiet", container, BASE)
        self.does("rm", container)


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    """Buildah with the base image."""
    made = Builder(tmp_path_factory.mktemp("containers"))
    made.get_base()
    yield made
    made.tries("rm", "--all")
    # Files of a rootless store belong to users whom only buildah's own namespace knows.
    made.tries("rmi", "--all", "--force")


@pytest.fixture(scope="module")
def engine(godot4: List[str]) -> Path:
    """An engine that works in a container when its folder is mounted there."""
    found = Path(shutil.which(godot4[0]) or godot4[0]).resolve()
    if Path("/usr") in found.parents:
        pytest.skip("NOT RUN: the engine is one of the system, whose libraries the image does not have")
    return found


@pytest.fixture(scope="module")
def image(builder: Builder, engine: Path, tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Any]:
    """Builds the image as the page says; its settings."""
    context = tmp_path_factory.mktemp("context")
    for name in ("Containerfile", "serve.sh"):
        shutil.copy2(SERVER / name, context)
    program = context / "build" / "arena.x86_64"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(engine=engine, project=PROJECT), encoding="utf-8")
    program.chmod(0o755)
    # Only this format has health checks.
    builder.does("build", "--format", "docker", "--pull-never", "-f", str(context / "Containerfile"), "-t", "arena", str(context))
    told = builder.tries("inspect", "--type", "image", "arena").stdout
    return json.loads(told)["Docker"]["config"]


def test_its_settings(image: Dict[str, Any]) -> None:
    """Not as root, one UDP port, a health check."""
    assert image["User"] == "arena"
    assert list(image["ExposedPorts"]) == ["4242/udp"]
    assert "--health-check" in image["Healthcheck"]["Test"]


def test_a_server_in_it(builder: Builder, engine: Path, image: Dict[str, Any], check: Check, tmp_path: Path) -> None:
    """It is healthy, a client plays, and SIGTERM ends it in order."""
    port = str(free_port())
    mounts = [word for path in (engine.parents[1], PROJECT, ADDON.parent) for word in ("-v", f"{path}:{path}:ro")]
    container = builder.does("from", "--pull-never", "arena")
    inside = ["sh", "-c", STARTER, "sh", *image["Entrypoint"], "--port", port]
    command = [*builder.start, "run", "--isolation", "chroot", *mounts, container, "--", *inside]
    # A Child has no input, so a shell takes the order to stop from a named pipe.
    fifo = tmp_path / "stop"
    os.mkfifo(fifo)
    server = Child("server", ["sh", "-c", f'exec "$@" <"{fifo}"', "sh", *command], tmp_path)
    children = [server]
    try:
        with fifo.open("w", encoding="utf-8") as orders:
            wait_for("the server is ready", children, lambda: bool(server.found(f"ready on UDP port {port}: .*")))
            asked = Child("health check", arena("--health-check", "--port", port), tmp_path)
            children.append(asked)
            check("it is healthy", asked.end() == 0, tail(asked.text()))
            ada = Child("Ada", arena("--join", "127.0.0.1", "--port", port, "--bot", "--log"), tmp_path)
            children.append(ada)
            wait_for("Ada plays", children, lambda: len(states(ada)) >= 3)
            orders.write("stop\n")
        check("the client ends in order", ada.end() == 0, tail(ada.text()))
        check("the client is told", len(ada.found("closing: .*")) == 1, tail(ada.text()))
        server.end()
        check("the server ends in order", len(server.found("exit code 0")) == 1, tail(server.text()))
    finally:
        for child in children:
            child.kill()
