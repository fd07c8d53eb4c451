"""Child processes that talk in lines of JSON."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

from common import ScriptError, tail

Event = Dict[str, Any]

# What an engine prints when a run is worthless.
FAULTS = ("SCRIPT ERROR", "USER SCRIPT ERROR", "panicked at", "Can't open dynamic library", "handle_crash")
LOOK = 0.5


class Child:
    """A process, its events, and what it said besides."""

    def __init__(self, name: str, command: Sequence[str], folder: Path) -> None:
        self.name = name
        self._errors = folder / f"{name}.err"
        self._said: List[str] = []
        self._events: "queue.Queue[Optional[Event]]" = queue.Queue()
        # Each has a user folder of its own: engines rotate log files there.
        homes = {variable: str(folder / f"{name}_home")
                 for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
        try:
            with self._errors.open("wb") as errors:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                    encoding="utf-8", errors="replace", env={**os.environ, **homes},
                )
        except OSError as error:
            raise ScriptError(f"{name} could not be started: {error}") from None
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self._process.stdout:
            text = line.strip()
            text = text[3:] if text.startswith("@@ ") else text
            event = None
            if text.startswith("{"):
                try:
                    event = json.loads(text)
                except ValueError:
                    pass
            if isinstance(event, dict) and "event" in event:
                self._events.put(event)
            elif text:
                self._said.append(text)
        self._events.put(None)

    def order(self, line: str) -> None:
        """Writes a line to its standard input; one that has gone says why when it is asked for its next event."""
        try:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        except OSError:
            pass

    def next_event(self, limit: float, check: Callable[[], None] = lambda: None) -> Event:
        """Its next event, until `limit` (of time.monotonic); `check` may end the wait with an error."""
        while True:
            try:
                event = self._events.get(timeout=max(0.0, min(LOOK, limit - time.monotonic())))
            except queue.Empty:
                self.check()
                check()
                if time.monotonic() > limit:
                    raise ScriptError(f"{self.name}: nothing more came in time\n{self.last_words()}") from None
                continue
            if event is None:
                code = self._process.wait()
                raise ScriptError(f"{self.name}: ended early with exit code {code}\n{self.last_words()}")
            if event["event"] == "failed":
                raise ScriptError(f"{self.name}: {event['reason']}")
            return event

    def wait_for(self, kind: str, limit: float) -> Event:
        """Its next event of a kind; others are passed over."""
        while True:
            event = self.next_event(limit)
            if event["event"] == kind:
                return event

    def check(self) -> None:
        """Ends the run when the process said that something is broken."""
        for line in [*self._said, *self._error_text().splitlines()]:
            if any(fault in line for fault in FAULTS):
                raise ScriptError(f"{self.name}: {line.strip()}")

    def is_running(self) -> bool:
        return self._process.poll() is None

    def last_words(self) -> str:
        return tail("\n".join([*self._said, self._error_text()]), 8)

    def _error_text(self) -> str:
        return self._errors.read_text(encoding="utf-8", errors="replace")

    def end(self, patience: float = 3.0) -> None:
        """Lets it end by itself for a while, then kills it."""
        try:
            self._process.stdin.close()
        except OSError:
            pass
        try:
            self._process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Family:
    """All children of a run; none of them outlives it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="nme_bench_")
        self._children: List[Child] = []

    def __enter__(self) -> "Family":
        return self

    def start(self, name: str, command: Sequence[str]) -> Child:
        child = Child(name, command, Path(self._folder.name))
        self._children.append(child)
        return child

    def __exit__(self, kind: object, *_rest: object) -> None:
        for child in reversed(self._children):
            child.end(3.0 if kind is None else 0.0)
        self._folder.cleanup()


def end_on_terminate() -> None:
    """SIGTERM unwinds the stack, so that children are ended."""

    def stop(_number: int, _frame: object) -> None:
        raise SystemExit(143)

    signal.signal(signal.SIGTERM, stop)
