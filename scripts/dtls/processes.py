"""Programs that take part in a test: started, listened to, and ended with it."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

from common import PROJECT, tail
from godot3_project import godot3_words

Line = Dict[str, Any]

# Seconds; everything that a test waits for takes far less, and a loaded machine more than one thinks.
PATIENCE = 30.0
# What tells that a script or our code went wrong in a way that no line says.
BAD_SIGNS = ("SCRIPT ERROR", "panicked at", "handle_crash", "leaked at exit", "AddressSanitizer")


class Program:
    """A process that writes lines, each an object of JSON behind an optional mark."""

    def __init__(self, name: str, words: Sequence[str], folder: Path, raw: bool = False) -> None:
        """With `raw`, what it writes is kept as it is in `output`, and it has no lines."""
        self.name = name
        self.lines: List[Line] = []
        self._new: "queue.Queue[Optional[Line]]" = queue.Queue()
        # What a raw program has written.
        self.output = bytearray()
        self._raw = raw
        self._errors = folder / f"{name}.err"
        home = folder / f"{name}_home"
        homes = {variable: str(home) for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                list(words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env={**os.environ, **homes},
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        if self._raw:
            while True:
                part = os.read(self.process.stdout.fileno(), 1 << 16)
                if not part:
                    return
                self.output += part
        for line in self.process.stdout:
            text = line.decode("utf-8", "replace").strip()
            text = text[3:] if text.startswith("@@ ") else text
            if text.startswith("{"):
                self._new.put(json.loads(text))
        self._new.put(None)

    @property
    def text(self) -> str:
        """What a raw program has written."""
        return self.output.decode("utf-8", "replace")

    def write(self, data: bytes) -> None:
        """To its input."""
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def wait_for(self, event: str, within: float = PATIENCE, times: int = 1, **details: Any) -> Line:
        """Waits until the program has said this so often, and gives that line."""
        def matches(line: Line) -> bool:
            return line["event"] == event and all(line.get(key) == value for key, value in details.items())

        limit = time.monotonic() + within
        while True:
            found = [line for line in self.lines if matches(line)]
            if len(found) >= times:
                return found[times - 1]
            try:
                line = self._new.get(timeout=max(0.0, limit - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{self.name}: no {event} {details or ''} within {within:g} s; {self.told()}") from None
            if line is None:
                self._new.put(None)
                raise AssertionError(f"{self.name} ended without {event} {details or ''}; {self.told()}")
            self.lines.append(line)

    def said(self, event: str, **details: Any) -> int:
        """How often the program has said this so far."""
        while not self._new.empty():
            line = self._new.get()
            if line is None:
                self._new.put(None)
                break
            self.lines.append(line)
        return sum(
            line["event"] == event and all(line.get(key) == value for key, value in details.items())
            for line in self.lines
        )

    def told(self) -> str:
        """What the program has said last, for a failure's text."""
        errors = tail(self.errors(), 3).replace("\n", " | ")
        return f"last: {self.lines[-1] if self.lines else self.text[-200:]!r} {errors}"

    def errors(self) -> str:
        """What the program has written to its standard error."""
        return self._errors.read_text("utf-8", "replace")

    def end_input(self) -> None:
        """Our own programs end then, with goodbyes."""
        self.process.stdin.close()

    def wait(self, within: float = PATIENCE) -> int:
        """The exit code; a program that has not ended by then is a failure."""
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end; {self.told()}") from None
        self._reader.join(within)
        return code

    def kill(self) -> None:
        """At once, without a goodbye. Nothing happens to a program that has ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE)

    def complaint(self) -> Optional[str]:
        """A script error or a panic, which would otherwise pass unseen."""
        for line in self.errors().splitlines():
            if any(sign in line for sign in BAD_SIGNS):
                return f"{self.name}: {line.strip()}"
        return None


class Stage:
    """Starts programs, and kills what is left of them at the end."""

    def __init__(self, folder: Path, peer: Path, engines: Callable[[str], Dict[str, List[str]]]) -> None:
        """`engines` gives the commands of the engines with these numbers."""
        self.folder = folder
        self._engines = engines
        self._peer = peer
        self._programs: List[Program] = []

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        for program in self._programs:
            program.kill()
        complaints = [text for text in (program.complaint() for program in self._programs) if text]
        assert not complaints, complaints

    def start(self, name: str, words: Sequence[str], raw: bool = False) -> Program:
        """Starts any program."""
        program = Program(f"{len(self._programs) + 1:03}_{name}", words, self.folder, raw)
        self._programs.append(program)
        return program

    def peer(self, role: str, **options: object) -> Program:
        """Our layer, over a socket."""
        words = [f"--{name}={value}" if value != "" else f"--{name}" for name, value in options.items()]
        return self.start(f"peer_{role}", [str(self._peer), role, *words])

    def script(self, engine: str, name: str, *words: str) -> Program:
        """A script of godot_project/tests/dtls, in this engine."""
        if engine == "3":
            place = godot3_words(f"tests/dtls/{name}.gd")
        else:
            place = ["--headless", "--path", str(PROJECT), "-s", f"res://tests/dtls/{name}.gd", "--"]
        return self.start(f"godot{engine}_{name}", [*self._engines(engine)[engine], *place, *words])


def until(what: str, condition: Callable[[], bool], within: float = PATIENCE) -> None:
    """Waits for a condition."""
    limit = time.monotonic() + within
    while not condition():
        if time.monotonic() > limit:
            raise AssertionError(f"not within {within:g} s: {what}")
        time.sleep(0.01)
