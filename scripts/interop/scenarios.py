"""The scenarios: what server and clients do, in the order in which they do it."""

from __future__ import annotations

import os
from typing import Callable, List

from interop.payload import ORDERED, RELIABLE, UNRELIABLE
from interop.scenario import Participant, Scenario

COMPRESSION = {"none": 0, "range_coder": 1, "fastlz": 2, "zlib": 3, "zstd": 4}
MODES = (RELIABLE, UNRELIABLE, ORDERED)

# The edges of one datagram (MTU 1392) are passed one byte at a time.
SIZES = [1, 2, 7, 8, 15, 16, 17, 100, *range(1363, 1401), 4096, 65535, 65536]
SMALL_SIZES = [1, 2, 7, 8, 100, 1000, 1300]
# How long a blocked game is; see `blocked`.
BLOCKED_MSEC = int(os.environ.get("TEST_BLOCKED_MSEC", "6000"))
MIB = 1 << 20

PROPERTIES = (
    "always_ordered", "channel_count", "compression_mode", "dtls_hostname", "dtls_verify", "server_relay",
    "transfer_channel", "use_dtls", "refuse_new_connections", "transfer_mode",
)


def join_leave() -> Scenario:
    """Clients come, leave, are noticed by the others, and come back with the same object."""
    s = Scenario("join_leave", 3, mixed=True)
    c1, c2, c3 = s.clients
    s.start()
    c2.do("close").call("get_connection_status")
    s.gone(c2)
    s.send(c1, "c3", [c3])
    s.join(c2)
    s.send(c2, "all", [s.server, c1, c3])
    c3.do("close")
    s.gone(c3)
    c1.do("close")
    s.gone(c1)
    s.send(s.server, "all", [c2])
    s.send(c2, "server", [s.server])
    s.finish()
    return s


def crowd() -> Scenario:
    """All clients come at the same moment, and all speak at once."""
    s = Scenario("crowd", 5, mixed=True)
    s.start(join_all=False)
    for client in s.clients:
        client.do("client")
    for participant in s.everyone:
        participant.do("wait_peers", count=len(s.clients))
    s.barrier()
    for participant in s.everyone:
        s.send(participant, "all", [other for other in s.everyone if other is not participant], (30, 5000, 1))
    s.finish()
    return s


def address_proof() -> Scenario:
    """A server of ours asks every client for proof of its address; clients of 3.6 give it without knowing."""
    s = Scenario("address_proof", 3, mixed=True)
    s.start(asks_for_proof=True)
    for participant in s.everyone:
        s.send(participant, "all", [other for other in s.everyone if other is not participant], (30, 5000))
    s.finish()
    return s


def queried(name: str) -> Scenario:
    """Questions without a connection come to a server and to its client, and nobody takes notice, of 3.6 neither: it drops
    them, whatever its compression. A server of ours answers."""
    s = Scenario(f"queried_{name}", 2, mixed=True)
    c1, c2 = s.clients
    s.set_everywhere(compression_mode=COMPRESSION[name])
    # With the most clients there is a peer 4094, whose datagrams questions look like.
    s.start(answers=True, max_clients=4095 if name == "range_coder" else 32)
    for _ in range(3):
        for asker in s.everyone:
            asker.do("ask", count=16)
        for client in s.clients:
            s.server.do("ask", count=16, peer=client.name)
        s.send(s.server, "all", [c1, c2], (30, 5000))
        s.send(c1, "all", [s.server, c2], (30, 5000))
        s.barrier()
    c2.do("close")
    s.gone(c2)
    s.join(c2)
    s.send(c2, "all", [s.server, c1])
    s.finish()
    return s


def everything() -> Scenario:
    """All that 3.6 does not have is switched on at once at our side, and a short delay: nothing that it shows is different."""
    s = Scenario("everything", 3, mixed=True)
    c1, c2, c3 = s.clients
    for participant in s.everyone:
        participant.do("everything")
    s.start()
    for _ in range(2):
        for participant in s.everyone:
            s.send(participant, "all", [other for other in s.everyone if other is not participant], (30, 5000))
        s.send(c1, "c2", [c2])
    s.barrier()
    s.server.do("kick", peer="c3", now=False, why="enough")
    c3.sees("server_disconnected").call("get_connection_status")
    s.gone(c3)
    c3.call("close_connection")
    s.join(c3)
    s.send(c3, "all", [s.server, c1, c2])
    s.finish()
    return s


def not_fetched() -> Scenario:
    """A server's game does not fetch its packets for longer than ENet waits for an acknowledgement. A server of ours takes
    only some of what waits then, and its client has to send the rest again and again: all of it comes in the end."""
    s = Scenario("not_fetched", 1, slow=True)
    (c1,) = s.clients
    s.start(max_buffered_bytes=MIB)
    s.server.do("fetch", value=False)
    s.barrier()
    packets = [s.new_packet(RELIABLE, 100_000 + i) for i in range(40)]
    words = [[packet.kind, packet.size, packet.number] for packet in packets]
    c1.do("put", to="server", mode=RELIABLE, channel=-1, packets=words)
    s.server.do("poll_for", msec=25_000, within=60).do("fetch", value=True)
    s.server.do("wait_packets", **{"from": c1.name, "count": len(packets)}, within=60)
    s.server.received[c1.name] = len(packets)
    s.barrier()
    s.send(s.server, "c1", [c1])
    s.finish()
    return s


def blocked() -> Scenario:
    """The game of one side is blocked for longer than the other side waits. With a network thread nobody is lost, and what has
    come meanwhile is there; who has none is not blocked here."""
    s = Scenario("blocked", 1, slow=True)
    (c1,) = s.clients
    s.start()
    # Longer than a busy machine keeps a process waiting.
    s.server.call("set_peer_timeout", {"id": "c1"}, 32, 2000, 4000)
    c1.call("set_peer_timeout", 1, 32, 2000, 4000)
    for sleeper, sender, to in ((s.server, c1, "server"), (c1, s.server, "c1")):
        s.barrier()
        sleeper.do("block", msec=BLOCKED_MSEC)
        s.send(sender, to, [sleeper], [20, 3000, 100_000])
    s.barrier()
    s.send(s.server, "c1", [c1])
    s.send(c1, "server", [s.server])
    s.finish()
    return s


def data(name: str) -> Scenario:
    """Packets of many sizes in both directions, reliable up to 1 MiB.

    With compression, "noise" and what is tiny go out plain, the rest compressed: all have to arrive.
    """
    s = Scenario(f"data_{name}", 1)
    (c1,) = s.clients
    if name != "range_coder":  # the default
        s.set_everywhere(compression_mode=COMPRESSION[name])
    s.start()
    for sender, to, receiver in ((s.server, "c1", c1), (c1, "server", s.server)):
        for kind in ("noise", "text"):
            s.send(sender, to, [receiver], SIZES, RELIABLE, kind=kind)
        s.send(sender, to, [receiver], [MIB, 10, MIB + 1], RELIABLE, kind="text")
        s.send(sender, to, [receiver], [MIB], RELIABLE, kind="noise")
        s.barrier()
        for mode in (UNRELIABLE, ORDERED):
            for kind in ("noise", "text", "sparse"):
                s.send(sender, to, [receiver], SMALL_SIZES, mode, kind=kind)
            s.send(sender, to, [receiver], [4000], mode)  # unreliable fragments
        s.send(sender, to, [], [0])  # an empty packet is never sent
        s.send(sender, to, [receiver])
    s.finish()
    return s


def targets_with_relay() -> Scenario:
    """Every kind of target, from the server and from a client, with the server's relay."""
    s = Scenario("targets_with_relay", 3, mixed=True)
    server = s.server
    c1, c2, c3 = s.clients
    s.start()
    for mode in MODES:
        s.send(server, "all", [c1, c2, c3], mode=mode)
        s.send(server, "c2", [c2], mode=mode)
        s.send(server, "-c2", [c1, c3], mode=mode)
        s.send(c1, "all", [server, c2, c3], mode=mode)
        s.send(c1, "server", [server], mode=mode)
        s.send(c1, -1, [c2, c3], mode=mode)
        s.send(c1, "c2", [c2], mode=mode)
        s.send(c1, "-c2", [server, c3], mode=mode)
        s.barrier()
    wrong_targets(s)
    s.send(c3, "all", [server, c1, c2], [65536, 1, 1400, MIB])
    s.finish()
    return s


def targets_without_relay() -> Scenario:
    """The same without the relay: clients do not know each other."""
    s = Scenario("targets_without_relay", 2)
    s.relay = False
    server = s.server
    c1, c2 = s.clients
    s.set_everywhere(server_relay=False)
    s.start()
    for mode in MODES:
        s.send(server, "all", [c1, c2], mode=mode)
        s.send(server, "c2", [c2], mode=mode)
        s.send(server, "-c2", [c1], mode=mode)
        s.send(c1, "all", [server], mode=mode)
        s.send(c1, "server", [server], mode=mode)
        s.send(c1, -1, [], mode=mode)
        s.send(c1, "c2", [], mode=mode)
        s.send(c1, "-c2", [], mode=mode)
        s.barrier()
    wrong_targets(s)
    s.send(c2, "server", [server])
    s.finish()
    return s


def wrong_targets(s: Scenario) -> None:
    """Targets that put_packet does not know."""
    for to in (1, -1, 77, -77):
        s.send(s.server, to, [])
    for to in ("c1", "-c1", 77, -77):
        s.send(s.clients[0], to, [])


def channels() -> Scenario:
    """Each channel with each transfer mode, directly and through the relay."""
    s = Scenario("channels", 2, mixed=True)
    c1, c2 = s.clients
    s.set_everywhere(channel_count=6)
    s.start()
    for channel in range(1, 6):
        for mode in MODES:
            s.send(s.server, "all", [c1, c2], (30, 2000), mode, channel)
            s.send(c1, "server", [s.server], (30, 2000), mode, channel)
            s.send(c1, "c2", [c2], (30, 2000), mode, channel)
    s.send(c2, "all", [s.server, c1])
    s.finish()
    return s


def channel_limits() -> Scenario:
    """Sides with different channel counts: what lies beyond the smaller one never arrives."""
    s = Scenario("channel_limits", 3)
    server = s.server
    c1, c2, c3 = s.clients
    server.set(channel_count=6)
    c1.set(channel_count=4)
    c2.set(channel_count=8)
    s.start()
    s.send(server, "all", [c2], channel=5)
    s.send(server, "all", [c1, c2], channel=3)
    s.send(server, "c1", [], channel=4)
    s.send(c2, "server", [server], channel=5)
    s.send(c2, "all", [], channel=7)
    s.send(c2, "all", [server], channel=4)
    s.send(c2, "c1", [], channel=5)
    s.send(c2, "all", [server, c1, c3], channel=2)
    c3.set(transfer_channel=3).set(transfer_channel=0).set(transfer_channel=-2).set(transfer_channel=2)
    s.send(server, "all", [c1, c2, c3])
    s.finish()
    return s


def always_ordered() -> Scenario:
    """The property for unreliable packets in order, on one side, on both, and relayed."""
    s = Scenario("always_ordered", 2)
    c1, c2 = s.clients
    s.server.set(always_ordered=True)
    c1.set(always_ordered=True)
    s.start()
    for mode in MODES:
        s.send(s.server, "all", [c1, c2], (5, 600, 3000), mode)
        s.send(c1, "all", [s.server, c2], (5, 600, 3000), mode)
        s.send(c2, "all", [s.server, c1], (5, 600, 3000), mode)
    s.finish()
    return s


def kick_now() -> Scenario:
    """disconnect_peer(id, true); the client comes back afterwards."""
    s = Scenario("kick_now", 2, mixed=True)
    c1, c2 = s.clients
    s.start()
    s.send(s.server, "all", [c1, c2], (100, 5000))
    s.barrier()
    s.server.do("kick", peer="c1", now=True)
    c1.sees("server_disconnected").call("get_connection_status")
    s.gone(c1)
    s.send(c2, "server", [s.server])
    s.send(s.server, "all", [c2])
    c1.call("close_connection")
    s.join(c1)
    s.send(c1, "c2", [c2])
    s.finish()
    return s


def kick_later() -> Scenario:
    """disconnect_peer(id): what was put before arrives, what is put after it does not."""
    s = Scenario("kick_later", 2, mixed=True)
    c1, c2 = s.clients
    s.start()
    # More than a window, so that the kick finds it under way; and no more than a stock sender can send within
    # PROMPT when a long frame of the receiver has cut its throttle to a fragment per round trip.
    s.send(s.server, "c1", [c1], (100, 150000, 1, 5000))
    s.send(s.server, "all", [c1, c2], (70000, 10))
    s.server.do("kick", peer="c1", now=False)
    s.send(s.server, "c1", [])
    s.send(s.server, "all", [c2], (11,))
    c1.sees("server_disconnected").call("get_connection_status")
    s.gone(c1)
    s.send(s.server, "c1", [])
    s.send(c2, "c1", [])
    s.send(c2, "all", [s.server])
    s.finish()
    return s


def kick_why() -> Scenario:
    """A server of ours says why it disconnects a client: one of 3.6 gets what it would get without, and just leaves."""
    s = Scenario("kick_why", 2, mixed=True)
    c1, c2 = s.clients
    s.start()
    s.send(s.server, "c1", [c1], (100, 5000))
    s.server.do("kick", peer="c1", now=False, why="The round is over, bis bald!")
    c1.sees("server_disconnected").call("get_connection_status")
    s.gone(c1)
    s.send(c2, "server", [s.server])
    s.send(s.server, "all", [c2])
    c1.call("close_connection")
    s.join(c1)
    s.send(c1, "c2", [c2])
    s.finish()
    return s


def server_close() -> Scenario:
    """close_connection of the server; afterwards it opens again on the same port."""
    s = Scenario("server_close", 2, mixed=True)
    c1, c2 = s.clients
    s.start()
    s.send(s.server, "all", [c1, c2], (100, 5000))
    s.barrier()
    s.server.do("close").call("get_connection_status")
    for client in s.clients:
        client.sees("server_disconnected").call("get_connection_status")
    s.barrier()
    s.joined.clear()
    s.server.do("server")
    s.barrier()
    s.join(c2)
    s.join(c1)
    s.send(c1, "all", [s.server, c2])
    s.send(s.server, "c2", [c2])
    s.finish()
    return s


def timeouts() -> Scenario:
    """A side that falls silent is given up after set_peer_timeout's time."""
    s = Scenario("timeouts", 2)
    c1, c2 = s.clients
    s.start()
    c1.do("freeze")
    s.then(c1, s.server)
    s.server.call("set_peer_timeout", {"id": "c1"}, 32, 300, 1500)
    s.gone(c1, within=20)
    s.send(s.server, "all", [c2])
    s.barrier()
    s.server.do("freeze")
    s.then(s.server, c2)
    c2.call("set_peer_timeout", 1, 32, 300, 1500)
    c2.sees("server_disconnected").call("get_connection_status")
    s.finish()
    return s


def handlers() -> Scenario:
    """Calls back into the object from the handlers of its signals."""
    s = Scenario("handlers", 2)
    server = s.server
    c1, c2 = s.clients
    status = {"do": "call", "method": "get_connection_status", "arguments": []}
    own_id = {"do": "call", "method": "get_unique_id", "arguments": []}
    server.on["peer_connected"] = [s.put_step("all", 40), s.put_step("all", 3000)]
    server.on["peer_disconnected"] = [s.put_step("all", 41)]
    c1.on["peer_connected"] = [status, s.put_step("server", 42)]
    c1.on["connection_succeeded"] = [status, own_id, s.put_step("server", 43)]
    c1.on["peer_disconnected"] = [s.put_step("server", 44)]
    c2.on["server_disconnected"] = [{"do": "close"}]
    s.start()
    s.send(server, "all", [c1, c2])
    server.do("kick", peer="c2", now=False)
    c2.sees("server_disconnected").call("get_connection_status")
    s.gone(c2)
    s.send(c1, "server", [server])
    s.join(c2)
    s.finish()
    return s


def api_inactive() -> Scenario:
    """Results of calls on an object that is not connected."""
    s = Scenario("api_inactive", 0)
    p = s.server
    p.get(*PROPERTIES)
    p.call("get_connection_status").call("get_available_packet_count").call("get_unique_id")
    p.call("get_packet_channel").call("get_last_packet_channel").call("get_packet_peer").call("get_packet")
    p.call("get_peer_address", 5).call("get_peer_port", 5).call("disconnect_peer", 5).call("close_connection")
    p.set(transfer_channel=2).set(transfer_channel=3).set(transfer_channel=0).set(transfer_channel=-2)
    p.set(transfer_channel=-1)
    p.set(channel_count=2).set(channel_count=3).set(channel_count=255).set(channel_count=3)
    p.set(server_relay=False).set(server_relay=True).set(always_ordered=True).set(always_ordered=False)
    p.set(compression_mode=4).set(compression_mode=1).set(dtls_hostname="host").set(dtls_hostname="")
    p.set(dtls_verify=False).set(dtls_verify=True).set(use_dtls=False)
    s.send(p, "all", [])
    port = {"port": 0}
    p.call("create_server", -1).call("create_server", 65536).call("create_server", port, 0)
    p.call("create_server", port, 4096).call("create_server", port, 32, -1).call("create_server", port, 32, 0, -1)
    p.call("create_client", "127.0.0.1", -1).call("create_client", "127.0.0.1", 65536)
    p.call("create_client", "127.0.0.1", port, -1).call("create_client", "127.0.0.1", port, 0, -1)
    p.call("create_client", "127.0.0.1", port, 0, 0, -1).call("create_client", "127.0.0.1", port, 0, 0, 65536)
    p.call("get_connection_status")
    p.call("set_bind_ip", "203.0.113.7").call("create_server", port)
    p.call("create_client", "127.0.0.1", port, 0, 0, port).call("get_connection_status")
    # Without a client port 3.6 ignores the bind address, which its class reference does not say.
    p.call("set_bind_ip", "127.0.0.1").call("set_bind_ip", "no address")
    p.do("server").call("get_connection_status").call("get_unique_id").get("refuse_new_connections")
    p.do("close").call("get_connection_status")
    p.set(refuse_new_connections=True).do("server").get("refuse_new_connections").do("close")
    s.finish()
    return s


def api_active() -> Scenario:
    """Results of calls on a server and on clients that are connected."""
    s = Scenario("api_active", 2, ports=3)
    server = s.server
    c1, c2 = s.clients
    s.start(join_all=False)
    c1.call("get_connection_status")
    s.join(c1, own_port=1)
    s.join(c2, own_port=2)
    for p in s.everyone:
        p.call("create_server", {"port": 0}).call("create_client", "127.0.0.1", {"port": 0})
        p.get(*PROPERTIES).set(channel_count=5).set(server_relay=False).set(use_dtls=True).set(dtls_verify=False)
        p.set(dtls_hostname="host").set(always_ordered=True).set(always_ordered=False)
        p.call("get_connection_status").call("get_unique_id").call("get_available_packet_count")
        p.call("get_packet").call("get_packet_channel").call("get_last_packet_channel").call("get_packet_peer")
        for name in ("server", "c1", "c2"):
            p.call("get_peer_address", {"id": name}).call("get_peer_port", {"id": name})
            for timeout in ((64, 32, 128), (32, 64, 48), (0, 0, 0), (32, 5000, 30000)):
                p.call("set_peer_timeout", {"id": name}, *timeout)
        p.call("get_peer_address", 77).call("get_peer_port", 77).call("disconnect_peer", 77)
    c1.call("disconnect_peer", 1).call("disconnect_peer", {"id": "c2"}, True)
    s.barrier()
    s.send(server, "all", [c1, c2])
    s.send(c1, "all", [server, c2])
    server.call("get_last_packet_channel")
    s.finish()
    return s


def refuse() -> Scenario:
    """A server that refuses new connections, and one that takes them again."""
    s = Scenario("refuse", 2, slow=True)
    c1, c2 = s.clients
    s.start(join_all=False)
    s.join(c1)
    s.server.set(refuse_new_connections=True)
    s.barrier()
    c2.do("client").sees("server_disconnected", within=75).do("close")
    s.barrier()
    s.send(c1, "server", [s.server])
    s.server.set(refuse_new_connections=False)
    s.barrier()
    again(s, c2)
    s.finish()
    return s


def full() -> Scenario:
    """A server without a free place, and with one again."""
    s = Scenario("full", 2, slow=True)
    c1, c2 = s.clients
    s.start(join_all=False, max_clients=1)
    s.join(c1)
    c2.do("client").sees("connection_failed", within=75).do("close")
    s.barrier()
    s.send(c1, "server", [s.server])
    s.barrier()  # ENet throws away what a datagram brought when the next one is the sender's goodbye
    c1.do("close")
    s.gone(c1)
    again(s, c2)
    s.finish()
    return s


def again(s: Scenario, client: Participant) -> None:
    """A client whose first attempt came to nothing connects after all."""
    client.do("client").do("wait_peers", count=1 + len(s.joined))
    s.then(client, s.server, *s.joined)
    for other in (s.server, *s.joined):
        other.sees("peer_connected", client.name)
    s.joined.append(client)
    s.send(client, "server", [s.server])
    s.send(s.server, "all", s.joined)


def no_connection() -> Scenario:
    """A client without compression at a server with it, and a port that nobody listens on."""
    s = Scenario("no_connection", 3, slow=True, ports=2)
    c1, c2, c3 = s.clients
    c1.set(compression_mode=COMPRESSION["none"])
    s.start(join_all=False)
    s.join(c3)
    c1.do("client")
    c2.do("client", port=1).call("get_connection_status")
    for client in (c1, c2):
        client.sees("connection_failed", within=75).call("get_connection_status")
        client.do("close").call("get_connection_status")
    s.barrier()
    c1.set(compression_mode=COMPRESSION["range_coder"])
    again(s, c1)
    s.finish()
    return s


def wrong_compression() -> Scenario:
    """Clients whose compression mode the server does not have."""
    s = Scenario("wrong_compression", 4, slow=True)
    c1, c2, c3, c4 = s.clients
    for client, name in ((c1, "fastlz"), (c2, "zlib"), (c3, "zstd")):
        client.set(compression_mode=COMPRESSION[name])
    s.start(join_all=False)
    s.join(c4)
    for client in (c1, c2, c3):
        client.do("client").sees("connection_failed", within=75).do("close")
    s.barrier()
    s.send(c4, "server", [s.server])
    s.finish()
    return s


def all_scenarios() -> List[Scenario]:
    """Every scenario, new each time; the slow ones first, since they mostly wait."""
    makers: List[Callable[[], Scenario]] = [
        not_fetched, blocked,
        refuse, full, no_connection, wrong_compression, join_leave, crowd, targets_with_relay,
        targets_without_relay, channels, channel_limits, always_ordered, address_proof, everything, kick_now, kick_later, kick_why,
        server_close, timeouts, handlers, api_inactive, api_active,
    ]
    return [maker() for maker in makers] + [each(name) for each in (queried, data) for name in COMPRESSION]
