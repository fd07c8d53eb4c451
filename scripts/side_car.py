"""A stand-in of the side-car that Agones puts beside a game server. It is NOT Agones: it knows the REST calls as Agones documents
them (version 1.56), keeps what it was told, and can fail in several ways. It shows that a server makes the right calls, not that
a cluster does the right thing.
"""

from __future__ import annotations

import json
import queue
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, List, NamedTuple, Optional

from common import ScriptError

# What each call makes of the game server's state.
STATES = {"/ready": "Ready", "/allocate": "Allocated", "/reserve": "Reserved", "/shutdown": "Shutdown"}
COUNTER = re.compile(r"/v1beta1/counters/(\w+)")
# How it behaves: as documented; with an error for each call; without any answer; and as an Agones without the counter, which
# answers 500 as it has no better code for that.
MOODS = ("good", "answers 500", "never answers", "has no counter")


class Call(NamedTuple):
    """A call that came, and whether it was answered well."""

    when: float
    method: str
    path: str
    body: Dict[str, Any]
    is_good: bool


class SideCar:
    """The stand-in on a port of this machine."""

    def __init__(self, port: int, capacity: int, mood: str = "good") -> None:
        if mood not in MOODS:
            raise ScriptError(f"{mood}: no such mood")
        self.mood = mood
        self.state = "Scheduled"
        self.counters = {} if mood == "has no counter" else {"players": {"count": 0, "capacity": capacity}}
        self.calls: List[Call] = []
        # What does not look like the documented calls.
        self.faults: List[str] = []
        self.ended = threading.Event()
        self.listeners: List["queue.Queue[Optional[bytes]]"] = []
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"side_car": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Ends it, as a crash does: streams and calls end without a last word."""
        self.ended.set()
        with self.lock:
            for listener in self.listeners:
                listener.put(None)
        self.server.shutdown()
        self.server.server_close()

    def paths(self, *wanted: str) -> List[str]:
        """The calls to these paths that were answered well, in their order."""
        return [call.path for call in list(self.calls) if call.is_good and call.path in wanted]

    def counts(self) -> List[int]:
        """The numbers of players that were told."""
        calls = [call for call in list(self.calls) if call.is_good and COUNTER.fullmatch(call.path)]
        return [int(call.body["count"]) for call in calls]

    def change(self, state: str) -> None:
        """Gives the game server a state, as a call or an allocator does, and tells those who watch."""
        with self.lock:
            self.state = state
            for listener in self.listeners:
                listener.put(self.line())

    def watch(self) -> "queue.Queue[Optional[bytes]]":
        """What a stream sends: the state at once, and each change."""
        listener: "queue.Queue[Optional[bytes]]" = queue.Queue()
        with self.lock:
            listener.put(self.line())
            self.listeners.append(listener)
        return listener

    def game_server(self) -> Dict[str, Any]:
        """As Agones tells about it."""
        counters = {name: {key: str(value) for key, value in counter.items()} for name, counter in self.counters.items()}
        status = {"state": self.state, "address": "127.0.0.1", "ports": [{"name": "game", "port": 7000}], "counters": counters}
        return {"object_meta": {"name": "arena-1", "namespace": "default", "labels": {}, "annotations": {}}, "status": status}

    def line(self) -> bytes:
        """One line of the stream."""
        return json.dumps({"result": self.game_server()}).encode() + b"\n"

    def take(self, method: str, path: str, body: Dict[str, Any]) -> Optional[Dict[str, Any]]:
        """Does what a call wants; returns the answer, or nothing when it is none of the documented ones."""
        counter = COUNTER.fullmatch(path)
        if method == "POST" and path in STATES:
            self.change(STATES[path])
            return {}
        if method == "POST" and path == "/health":
            return {}
        if method == "GET" and path == "/gameserver":
            return self.game_server()
        if method == "PUT" and path in ("/metadata/label", "/metadata/annotation") and body.keys() == {"key", "value"}:
            return {}
        if method == "PATCH" and counter and counter[1] in self.counters and body.keys() <= {"count", "capacity", "countDiff"}:
            new = {**self.counters[counter[1]], **{key: int(value) for key, value in body.items()}}
            if 0 <= new["count"] <= new["capacity"]:
                self.counters[counter[1]] = new
                return {"name": counter[1], **{key: str(value) for key, value in new.items()}}
        return None


class _Handler(BaseHTTPRequestHandler):
    """Answers one call."""

    side_car: SideCar
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *words: Any) -> None:  # the name of the base class
        """Nothing is printed."""

    def do_GET(self) -> None:
        """A question, or the stream."""
        if self.path == "/watch/gameserver" and self.side_car.mood in ("good", "has no counter"):
            self.stream()
        else:
            self.answer({})

    def do_POST(self) -> None:
        """A call with a body."""
        text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            body = json.loads(text)
        except ValueError:
            body = None
        if not isinstance(body, dict) or self.headers.get("Content-Type") != "application/json":
            self.side_car.faults.append(f"{self.command} {self.path}: {dict(self.headers)} {text!r}")
            body = {}
        self.answer(body)

    do_PUT = do_PATCH = do_POST

    def answer(self, body: Dict[str, Any]) -> None:
        """Keeps the call, and answers it as the mood is."""
        car = self.side_car
        when = time.monotonic()
        reply = car.take(self.command, self.path, body) if car.mood in ("good", "has no counter") else None
        car.calls.append(Call(when, self.command, self.path, body, reply is not None))
        if car.mood == "never answers":
            car.ended.wait()
            self.close_connection = True
            return
        text = json.dumps(reply if reply is not None else {"code": 2, "message": "unknown"}).encode()
        self.send_response(500 if reply is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def stream(self) -> None:
        """A line for each change until it ends."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        listener = self.side_car.watch()
        self.close_connection = True
        try:
            while (line := listener.get()) is not None:
                # In two pieces, as a network may cut a line.
                for part in (line[:20], line[20:]):
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        except OSError:
            pass  # the game server has gone
