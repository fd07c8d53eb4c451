"""A path between two UDP ports of this machine, which needs no rights."""

from __future__ import annotations

import heapq
import selectors
import socket
import threading
import time
from typing import Callable, List, Tuple

# Datagrams that the path takes from one socket before it looks at the others.
MOST_AT_ONCE = 64


class Forwarder(threading.Thread):
    """Carries datagrams between clients and servers, and delays them."""

    def __init__(self, delay: Callable[[], float]) -> None:
        super().__init__(daemon=True)
        self.delay = delay
        self.selector = selectors.DefaultSelector()
        self.waiting: List[Tuple[float, int, socket.socket, bytes, Tuple[str, int]]] = []
        self.count = 0
        self.ended = False

    def between(self, server: int) -> int:
        """The port that leads to a server's."""
        front, back = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for one in (front, back):
            one.bind(("127.0.0.1", 0))
            one.setblocking(False)
            # A window may come at once. The system gives as much of it as it permits.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        client: List[Tuple[str, int]] = []
        self.selector.register(front, selectors.EVENT_READ, (back, [("127.0.0.1", server)], client))
        self.selector.register(back, selectors.EVENT_READ, (front, client, []))
        return int(front.getsockname()[1])

    def run(self) -> None:
        while not self.ended:
            now = time.monotonic()
            while self.waiting and self.waiting[0][0] <= now:
                _, _, out, datagram, to = heapq.heappop(self.waiting)
                out.sendto(datagram, to)
            pause = min(0.05, self.waiting[0][0] - now) if self.waiting else 0.05
            for key, _ in self.selector.select(max(0.0, pause)):
                self.take(*key.data, key.fileobj)
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]

    def take(self, out: socket.socket, to: list, seen: list, came: socket.socket) -> None:
        """Takes what has come to a socket, for the place that the other one sends to."""
        for _ in range(MOST_AT_ONCE):
            try:
                datagram, sender = came.recvfrom(4096)
            except OSError:
                return
            seen[:] = [sender]
            if to:
                self.count += 1
                due = time.monotonic() + self.delay()
                heapq.heappush(self.waiting, (due, self.count, out, datagram, to[0]))


def free_ports(count: int) -> List[int]:
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports
