"""A game that takes part: an engine's process that takes orders over a TCP connection and reports what happens."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

from common import tail

Line = Dict[str, Any]

# Seconds; everything that a test waits for takes far less, and a loaded machine more than one thinks.
PATIENCE = 10.0
# Seconds between looks at a file.
LOOK = 0.02
# What begins a line about a mistake, in both engines.
COMPLAINTS = ("ERROR:", "WARNING:", "SCRIPT ERROR:", "USER ERROR:", "USER WARNING:", "USER SCRIPT ERROR:")
# What tells of a mistake that no line about one does.
BAD_SIGNS = ("panicked at", "handle_crash", "leaked at exit", "AddressSanitizer")


class Agent:
    """One process. Its reports are kept in the order in which they came."""

    def __init__(self, name: str, kind: str, words: Sequence[str], folder: Path) -> None:
        self.name = name
        # What it plays; the first character is the engine.
        self.kind = kind
        # Of the connection that it has now; 0 without one.
        self.id = 0
        self.reports: List[Line] = []
        self._changed = threading.Condition()
        self._link: Optional[socket.socket] = None
        self._number = 0
        self._errors = folder / f"{name}.err"
        self._taken = 0
        self._left: List[str] = []
        home = folder / f"{name}_home"
        homes = {variable: str(home) for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
        with self._errors.open("wb") as errors, (folder / f"{name}.out").open("wb") as out:
            self.process = subprocess.Popen(
                list(words), stdin=subprocess.DEVNULL, stdout=out, stderr=errors, env={**os.environ, **homes},
            )

    @property
    def is_godot3(self) -> bool:
        """Whether the engine is Godot 3.6."""
        return self.kind.startswith("3")

    # --- Orders and reports ---------------------------------------------------------------------------

    def attach(self, link: socket.socket) -> None:
        """It has called back over this connection."""
        self._link = link
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with self._link.makefile("r", encoding="utf-8", newline="\n") as lines:
            try:
                for line in lines:
                    self._add(json.loads(line))
            except OSError:
                pass
        self._add({"event": "gone"})

    def _add(self, line: Line) -> None:
        with self._changed:
            self.reports.append(line)
            self._changed.notify_all()

    def tell(self, do: str, **details: Any) -> int:
        """Gives an order without waiting for its result; the number is in the reply."""
        self._number += 1
        line = json.dumps({"do": do, "number": self._number, **details}, ensure_ascii=False) + "\n"
        try:
            self._link.sendall(line.encode("utf-8"))
        except OSError:
            raise AssertionError(f"{self.name} has ended; {self.told()}") from None
        return self._number

    def ask(self, do: str, **details: Any) -> Any:
        """Gives an order and waits for its result."""
        return self.reply(self.tell(do, **details))

    def reply(self, number: int) -> Any:
        """The result of an order."""
        return self.wait_for(0, "reply", number=number)["result"]

    def call(self, on: str, method: str, *arguments: Any) -> Any:
        """Calls a method of a node, of the peer (`peer`) or of the API (`api`)."""
        return self.ask("call", **called(on, method, *arguments))

    def get(self, on: str, prop: str) -> Any:
        """A property of a node, the peer or the API."""
        return self.ask("get", on=on, property=prop)

    def set(self, on: str, prop: str, value: Any) -> None:
        """Sets a property of a node, the peer or the API."""
        self.ask("set", on=on, property=prop, value=value)

    def position(self) -> int:
        """How many reports there are."""
        return len(self.reports)

    def wait_for(self, since: int, event: str, within: float = PATIENCE, times: int = 1, **details: Any) -> Line:
        """Waits until this was reported so often after a position, and gives the report."""
        def matching() -> List[Line]:
            return [
                line for line in self.reports[since:]
                if line["event"] == event and all(line.get(key) == value for key, value in details.items())
            ]

        def is_over() -> bool:
            return len(matching()) >= times or self.reports[-1:] == [{"event": "gone"}]

        with self._changed:
            self._changed.wait_for(is_over, within)
            found = matching()
        if len(found) < times:
            raise AssertionError(f"{self.name}: {len(found)} of {times} {event} {details or ''}; {self.told()}")
        return found[times - 1]

    def told(self) -> str:
        """What it has said last, for a failure's text."""
        said = [line for line in self.reports if line["event"] != "reply"][-1:]
        return f"last: {said} {tail(self._text(), 2)!r}"

    # --- What it prints about mistakes ----------------------------------------------------------------

    def _text(self) -> str:
        return self._errors.read_text("utf-8", "replace")

    def complaints(self) -> List[str]:
        """The lines about mistakes that nobody has taken yet."""
        lines = self._text().splitlines()
        fresh, self._taken = lines[self._taken:], len(lines)
        self._left += [
            line.strip() for line in fresh
            if line.startswith(COMPLAINTS) or any(sign in line for sign in BAD_SIGNS)
        ]
        return self._left

    def take_complaint(self, *parts: str) -> str:
        """Waits for a line with these parts and takes it, so that it is no failure."""
        found: List[str] = []

        def has_come() -> bool:
            found[:] = [line for line in self.complaints() if all(part in line for part in parts)]
            return bool(found)

        until(f"{self.name} complains about {', '.join(parts)}", has_come, 3.0)
        self._left.remove(found[0])
        return found[0]

    def forgive(self, part: str) -> int:
        """Takes all lines with this part that there are, and gives their number."""
        found = [line for line in self.complaints() if part in line]
        for line in found:
            self._left.remove(line)
        return len(found)

    # --- Its end --------------------------------------------------------------------------------------

    def end(self) -> None:
        """Lets it leave; it is killed when it does not."""
        if self._link and self.process.poll() is None:
            try:
                self.tell("quit")
                self.process.wait(5.0)
            except (AssertionError, subprocess.TimeoutExpired):
                self._left.append("it does not end")
        self.kill()

    def kill(self) -> None:
        """At once."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self._link:
            self._link.close()


def called(on: str, method: str, *arguments: Any) -> Line:
    """The details of an order to call a method."""
    return {"on": on, "method": method, "arguments": list(arguments)}


def order(do: str, **details: Any) -> Line:
    """One of the orders that an agent is to follow in the same frame."""
    return {"do": do, **details}


def until(what: str, condition: Callable[[], bool], within: float = PATIENCE) -> None:
    """Waits for a condition."""
    limit = time.monotonic() + within
    while not condition():
        if time.monotonic() > limit:
            raise AssertionError(f"not within {within:g} s: {what}")
        time.sleep(LOOK)
