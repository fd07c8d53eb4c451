"""Stands between a client and its server, and counts what the client sends."""

from __future__ import annotations

import select
import socket
import threading
from typing import NamedTuple, Optional, Tuple

# Bytes of each ENet command without the data that follows, by its number.
LENGTHS = {1: 8, 2: 48, 3: 44, 4: 8, 5: 4, 6: 6, 7: 8, 8: 24, 9: 8, 10: 12, 11: 16, 12: 24}
# Where the length of that data is.
DATA_LENGTHS = {6: 4, 7: 6, 8: 6, 9: 6, 12: 6}
SENT_TIME, COMPRESSED = 0x8000, 0x4000
LONGEST = 4096


class Count(NamedTuple):
    """What has gone up so far."""

    datagrams: int
    packets: int
    bytes: int

    def since(self, earlier: "Count") -> "Count":
        return Count(*(now - then for now, then in zip(self, earlier)))


class Uplink:
    """A relay of datagrams in a thread of its own; `port` is for the client."""

    def __init__(self, server_port: int) -> None:
        self._client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._client.bind(("127.0.0.1", 0))
        self._server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._server.connect(("127.0.0.1", server_port))
        self.port: int = self._client.getsockname()[1]
        self.count = Count(0, 0, 0)
        self._address: Optional[Tuple[str, int]] = None
        self._open = True
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self) -> None:
        while self._open:
            for ready in select.select([self._client, self._server], [], [], 0.2)[0]:
                try:
                    self._pass_on(ready)
                except OSError:
                    # One side is not there yet, or not any more.
                    continue

    def _pass_on(self, ready: socket.socket) -> None:
        if ready is self._server:
            datagram = self._server.recv(LONGEST)
            if self._address:
                self._client.sendto(datagram, self._address)
            return
        datagram, self._address = self._client.recvfrom(LONGEST)
        self.count = Count(
            self.count.datagrams + 1, self.count.packets + packets_in(datagram), self.count.bytes + len(datagram)
        )
        self._server.send(datagram)

    def close(self) -> None:
        self._open = False
        self._thread.join()
        self._client.close()
        self._server.close()


def packets_in(datagram: bytes) -> int:
    """How many commands of a datagram carry a packet, or a part of one."""
    flags = int.from_bytes(datagram[:2], "big")
    if flags & COMPRESSED:
        # Its commands cannot be seen; the scenario switches compression off.
        return 0
    at = 4 if flags & SENT_TIME else 2
    packets = 0
    while at < len(datagram):
        kind = datagram[at] & 0x0F
        size = LENGTHS.get(kind, LONGEST)
        if kind in DATA_LENGTHS:
            field = at + DATA_LENGTHS[kind]
            size += int.from_bytes(datagram[field:field + 2], "big")
        if at + size > len(datagram):
            # It is the tag of four bytes, which our class puts behind its datagrams.
            break
        packets += kind in DATA_LENGTHS
        at += size
    return packets
