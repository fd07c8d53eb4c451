"""A path with a small MTU that tells nobody what it drops.

The path is this program, between two network namespaces. It is what a router is that cuts datagrams for a small link,
but sends no word of those that may not be cut; and on request one behind which a firewall drops the pieces.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import struct
import threading
from typing import Iterator, List, NamedTuple

from namespaces import Namespace

NEAR, FAR = "10.9.0.1", "10.9.0.2"
DEVICES = ("mtu_near", "mtu_far")

# Of linux/if_tun.h: TUNSETIFF, and IFF_TUN | IFF_NO_PI.
SET_INTERFACE = 0x400454CA
PLAIN_TUN = 0x1001

IP_HEADER = 20
UDP_HEADER = 8
DONT_FRAGMENT = 0x4000
MORE_FRAGMENTS = 0x2000


class SmallPath(threading.Thread):
    """Carries IPv4 between two devices, cuts what is longer than the MTU, and drops what may not be cut in silence."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ended = False
        self.mtu = 1500
        self.drops_pieces = False
        self.counts = {"passed": 0, "cut": 0, "not to be cut": 0, "pieces dropped": 0}
        self.devices = [self._open(name) for name in DEVICES]

    @staticmethod
    def _open(name: str) -> int:
        # Other systems than Linux have no such module.
        import fcntl

        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(device, SET_INTERFACE, struct.pack("16sH14x", name.encode(), PLAIN_TUN))
        return device

    def run(self) -> None:
        selector = selectors.DefaultSelector()
        for device, other in zip(self.devices, reversed(self.devices)):
            selector.register(device, selectors.EVENT_READ, other)
        while not self.ended:
            for key, _ in selector.select(0.2):
                with contextlib.suppress(BlockingIOError):
                    while True:
                        self._carry(os.read(key.fd, 65536), key.data)

    def _carry(self, packet: bytes, to: int) -> None:
        if packet[0] >> 4 != 4:
            return
        for piece in self._pieces(packet):
            with contextlib.suppress(BlockingIOError, OSError):
                os.write(to, piece)

    def _pieces(self, packet: bytes) -> List[bytes]:
        if len(packet) <= self.mtu:
            is_piece = struct.unpack_from("!H", packet, 6)[0] & (MORE_FRAGMENTS | 0x1FFF)
            if is_piece and self.drops_pieces:
                self.counts["pieces dropped"] += 1
                return []
            self.counts["passed"] += 1
            return [packet]
        if struct.unpack_from("!H", packet, 6)[0] & DONT_FRAGMENT:
            self.counts["not to be cut"] += 1
            return []
        self.counts["cut"] += 1
        if self.drops_pieces:
            self.counts["pieces dropped"] += 1
            return []
        step = (self.mtu - IP_HEADER) // 8 * 8
        body = packet[IP_HEADER:]
        first = struct.unpack_from("!H", packet, 6)[0]
        pieces = []
        for at in range(0, len(body), step):
            has_more = at + step < len(body) or bool(first & MORE_FRAGMENTS)
            pieces.append(piece_of(packet, body[at : at + step], (first & 0x1FFF) + at // 8, has_more))
        return pieces


def piece_of(packet: bytes, body: bytes, offset: int, has_more: bool) -> bytes:
    """A fragment of a packet without IP options."""
    header = bytearray(packet[:IP_HEADER])
    struct.pack_into("!H", header, 2, IP_HEADER + len(body))
    struct.pack_into("!H", header, 6, (MORE_FRAGMENTS if has_more else 0) | offset)
    struct.pack_into("!H", header, 10, 0)
    total = sum(struct.unpack("!10H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    struct.pack_into("!H", header, 10, total ^ 0xFFFF)
    return bytes(header) + body


class World(NamedTuple):
    """The path, and what is behind it."""

    path: SmallPath
    far: Namespace


@contextlib.contextmanager
def world() -> Iterator[World]:
    """The path between the namespace of this process and another one, with addresses on both sides."""
    near, far = Namespace(own=True), Namespace()
    try:
        path = SmallPath()
        near.ip(f"link set {DEVICES[1]} netns {far.pid()}")
        for where, device, address in ((near, DEVICES[0], NEAR), (far, DEVICES[1], FAR)):
            where.ip(f"address add {address}/24 dev {device}")
            where.ip(f"link set {device} mtu 1500 up")
        path.start()
        try:
            yield World(path, far)
        finally:
            path.ended = True
            path.join()
    finally:
        far.end()
