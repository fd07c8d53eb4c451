"""A stretch of the network between our class and our class, where one can look at what passes."""

from __future__ import annotations

import select
import socket
import threading
from typing import Dict, Optional, Tuple

Address = Tuple[str, int]

# What ENet puts into one datagram, with or without DTLS.
MTU = 1392
# Of a record: content type, the first byte of the version, and where the epoch stands.
CONTENTS = range(20, 24)
VERSION = 0xFE
HEADER = 13


class Wire:
    """Passes datagrams on in both directions, and notes what is no DTLS or too long."""

    def __init__(self, port: int, to: int) -> None:
        self.problem: Optional[str] = None
        self.protected = 0
        self._to = ("127.0.0.1", to)
        self._door = udp_socket(port)
        self._outside: Dict[Address, socket.socket] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.is_set():
            inside = {outer: client for client, outer in self._outside.items()}
            for ready in select.select([self._door, *inside], [], [], 0.05)[0]:
                try:
                    datagram, sender = ready.recvfrom(1 << 16)
                except ConnectionError:
                    continue  # nobody is there any more
                self._look_at(datagram)
                if ready is self._door:
                    if sender not in self._outside:
                        self._outside[sender] = udp_socket(0)
                    self._outside[sender].sendto(datagram, self._to)
                else:
                    self._door.sendto(datagram, inside[ready])

    def _look_at(self, datagram: bytes) -> None:
        if len(datagram) < HEADER or datagram[0] not in CONTENTS or datagram[1] != VERSION:
            self.problem = self.problem or f"on the wire, and no DTLS: {datagram[:32].hex()}"
        elif len(datagram) > MTU:
            self.problem = self.problem or f"a datagram of {len(datagram)} bytes"
        elif datagram[3:5] == b"\0\1":
            self.protected += 1

    def close(self) -> None:
        """Nothing passes any more."""
        self._ended.set()
        self._thread.join()
        for each in (self._door, *self._outside.values()):
            each.close()


def udp_socket(port: int) -> socket.socket:
    """With room for a burst, as a script is slow to empty it."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    made.bind(("127.0.0.1", port))
    return made
