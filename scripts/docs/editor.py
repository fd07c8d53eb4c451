"""The editor's own knowledge of classes, asked from its language server.

`--doctool --gdextension-docs` would write XML, but leaves out the texts that an extension brings along.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

from common import ScriptError
from docs.project import Project

# Seconds until the editor listens, and for one of its answers.
START = 120.0
PATIENCE = 60.0

Symbol = Dict[str, Any]


class Editor:
    """A connection to the language server."""

    def __init__(self, connection: socket.socket) -> None:
        self._stream = connection.makefile("rwb")
        self._last = 0
        self.ask("initialize", {"rootUri": None, "capabilities": {}})
        self._send({"method": "initialized", "params": {}})

    def ask(self, method: str, params: Dict[str, Any]) -> Any:
        """The answer to a request."""
        self._last += 1
        self._send({"id": self._last, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == self._last:
                return message.get("result")

    def symbol(self, class_name: str, name: str) -> Optional[Symbol]:
        """What the editor knows about a class (with its own name) or one of its members."""
        return self.ask("textDocument/nativeSymbol", {"native_class": class_name, "symbol_name": name})

    def _send(self, message: Dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode("utf-8")
        self._stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._stream.flush()

    def _receive(self) -> Dict[str, Any]:
        length = 0
        while True:
            line = self._stream.readline()
            if not line:
                raise ScriptError("the editor has closed the connection")
            name, _, value = line.decode("ascii", "replace").partition(":")
            if name.lower() == "content-length":
                length = int(value)
            if not line.strip():
                return json.loads(self._stream.read(length))


@contextmanager
def editor(project: Project) -> Iterator[Editor]:
    """Runs an editor without a window.

    It is started twice: the first run of an engine's editor fills a cache of the engine's own help, and knows no texts
    of extensions.
    """
    project.run("--editor", "--quit")
    port = free_tcp_port()
    log = log_of(project)
    with log.open("wb") as out:
        process = subprocess.Popen(
            project.command("--editor", "--lsp-port", str(port)), env=project.environment,
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )
        try:
            with connected(port, process) as connection:
                yield Editor(connection)
        finally:
            process.terminate()
            process.wait()


def log_of(project: Project) -> Path:
    """Where the editor's output is kept."""
    return project.folder / "home" / "editor.log"


def complaints(project: Project) -> List[str]:
    """Errors that the editor has printed."""
    lines = log_of(project).read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in lines if "ERROR" in line]


def connected(port: int, process: subprocess.Popen) -> socket.socket:
    """Waits until the editor listens."""
    limit = time.monotonic() + START
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        except OSError:
            if process.poll() is not None:
                raise ScriptError(f"the editor ended early: exit code {process.returncode}") from None
            if time.monotonic() > limit:
                raise ScriptError(f"the editor does not listen on port {port} after {START:g} s") from None
            time.sleep(0.1)


def free_tcp_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
