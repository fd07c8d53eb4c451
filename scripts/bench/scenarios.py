"""The scenarios. Targets name what has to come out against the engine's own classes."""

from __future__ import annotations

from typing import List

from bench.contestants import ALONE, NEW, OLD, OURS, RPC3, RPC3_INNER, THREADED
from bench.scenario import WITH_THREAD, Scenario, at_least, at_most, share_above, share_of

# Seconds that make a smoke run.
BRIEF = {"settle": 0.3, "seconds": 0.7, "join_limit": 15}
SERVER = {
    "packets": 0, "size": 48, "api": 0, "relay": 0, "compression": "none", "traffic": "none",
    "settle": 1, "seconds": 5, "join_limit": 30,
}
LOAD_COLUMNS = ("datagrams", "kilobytes", "cpu_ms", "process_ms", "idle_cpu_ms", "cpu_usec_delivered", "delivered", "fps", "late")


def all_scenarios() -> List[Scenario]:
    """Every scenario, in the order of the report."""
    return [
        rpc(), rpc_godot3(), *broadcasts(), uplink(), *joins(), *relays(), bulk(), loopback(), rpc_uplink(), idle_100(), idle(),
    ]


def rpc() -> Scenario:
    return Scenario(
        "rpc", "100 nodes, each an RPC (Vector3, unreliable) per frame to 8 clients, real scene trees", "rpc",
        {"nodes": 100, "clients": 8, "relay": 1, "compression": "none", "settle": 1, "seconds": 5, "join_limit": 20, "arguments": 1},
        ("datagrams", "kilobytes", "cpu_ms", "process_ms", "delivered", "fps", "late"),
        (at_most("datagrams", 34, "at most 34 datagrams per frame"),
         share_of(NEW, "cpu_ms", 1 / 4, "at most 1/4 of the CPU of 4.6"),
         share_above(ALONE, NEW, "cpu_ms", 1 / 8, "threaded: above a peer that does nothing, at most 1/8 of 4.6", THREADED)),
        {**BRIEF, "nodes": 10, "clients": 3}, contestants=(*WITH_THREAD, ALONE), headline=("datagrams", "cpu_ms"),
    )


def rpc_godot3() -> Scenario:
    return Scenario(
        "rpc_godot3", "100 nodes, each an RPC with three arguments per frame to 8 clients: SceneMultiplayer and Godot3Multiplayer",
        "rpc",
        {"nodes": 100, "clients": 8, "relay": 0, "compression": "none", "settle": 1, "seconds": 5, "join_limit": 20, "arguments": 3},
        ("datagrams", "kilobytes", "cpu_ms", "process_ms", "delivered", "fps", "late"),
        (share_of(OURS, "cpu_ms", 1.3, "3.6's RPCs: at most 1.3 times SceneMultiplayer's CPU", RPC3),
         share_of(OURS, "cpu_ms", 1.2, "the SceneMultiplayer within: at most 1.2 times", RPC3_INNER)),
        {**BRIEF, "nodes": 10, "clients": 3}, contestants=(OURS, RPC3, RPC3_INNER), headline=("cpu_ms",),
    )


def broadcasts() -> List[Scenario]:
    words = {**SERVER, "packets": 20}
    return [
        Scenario(
            "broadcast_100", "20 × 48 B unreliable per frame from the server to 100 clients", "server",
            {**words, "levels": 100}, LOAD_COLUMNS,
            (share_of(NEW, "cpu_ms", 1 / 5, "at most 1/5 of the CPU of 4.6"),
             at_least("delivered", 0.99, "at least 99 % delivered")),
            {**BRIEF, "levels": 10}, headline=("datagrams", "cpu_ms", "delivered"),
        ),
        Scenario(
            "broadcast_500", "20 × 48 B unreliable per frame from the server to 500 clients", "server",
            {**words, "levels": 500, "settle": 2}, LOAD_COLUMNS,
            (share_of(NEW, "cpu_ms", 1 / 8, "at most 1/8 of the CPU of 4.6"),
             at_least("delivered", 0.99, "at least 99 % delivered"),
             at_least("fps", 59, "60 frames per second"),
             share_of(NEW, "cpu_ms", 1 / 40, "threaded: at most 1/40 of the CPU of 4.6", THREADED),
             share_of(OURS, "process_ms", 1.15, "threaded: at most 1.15 times the process's CPU", THREADED)),
            {**BRIEF, "levels": 20}, contestants=WITH_THREAD, headline=("datagrams", "cpu_ms", "delivered", "fps"),
        ),
        Scenario(
            "broadcast_100_range_coder",
            "The same to 100 clients with the default compression of 3.6, the range coder", "server",
            {**words, "levels": 100, "compression": "range_coder"}, LOAD_COLUMNS, (),
            {**BRIEF, "levels": 10}, contestants=(OURS, OLD), headline=("cpu_ms",),
        ),
    ]


def uplink() -> Scenario:
    return Scenario(
        "uplink_500", "500 clients each send 1 × 48 B unreliable per frame to the server", "server",
        {**SERVER, "levels": 500, "traffic": "server"},
        ("delivered", "cpu_ms", "idle_cpu_ms", "drops", "fps", "late"),
        (at_least("delivered", 0.9995, "100 % arrive"),),
        {**BRIEF, "levels": 30}, headline=("delivered",),
    )


def joins() -> List[Scenario]:
    columns = ("joined", "join_seconds", "join_cpu_ms", "join_datagrams", "lost")
    return [
        Scenario(
            "join_500", "500 clients join at once; the server is polled at 60 Hz", "server",
            {**SERVER, "levels": 500, "settle": 0.2, "seconds": 0.2, "join_limit": 30}, columns,
            (at_most("join_seconds", 1.0, "all within 1 s"),),
            {**BRIEF, "levels": 30, "seconds": 0.2}, headline=("join_seconds",),
        ),
        Scenario(
            "join_2000_relay", "2000 clients join at once, relay on; the server is polled at 60 Hz", "server",
            {**SERVER, "levels": 2000, "relay": 1, "api": 1, "settle": 0.2, "seconds": 0.2, "join_limit": 20}, columns,
            (at_most("join_seconds", 10.0, "all within 10 s"),),
            {**BRIEF, "levels": 50, "seconds": 0.2}, headline=("joined", "join_seconds"),
        ),
    ]


def relays() -> List[Scenario]:
    words = {**SERVER, "levels": 32, "relay": 1, "api": 1, "traffic": "all"}
    columns = (
        "datagrams", "kilobytes", "cpu_ms", "process_ms", "idle_cpu_ms", "latency_p50", "latency_p99", "delivered", "fps", "late",
    )
    return [
        Scenario(
            "relay_32", "32 clients each send 1 × 48 B unreliable per frame to everybody, through the server",
            "server", words, columns,
            (at_most("datagrams", 100, "at most 100 datagrams per frame"),
             at_most("latency_p50", 17.0, "latency p50 at most 17 ms"),
             share_of(NEW, "cpu_ms", 1 / 3, "at most 1/3 of the CPU of 4.6"),
             at_most("latency_p50", 0.5, "threaded: latency p50 at most 0.5 ms", THREADED),
             at_most("latency_p99", 3.0, "threaded: latency p99 at most 3 ms", THREADED)),
            {**BRIEF, "levels": 5}, contestants=WITH_THREAD, headline=("datagrams", "cpu_ms", "latency_p50"),
        ),
        Scenario(
            "relay_32_range_coder", "The same with the default compression of 3.6, the range coder", "server",
            {**words, "compression": "range_coder"}, columns, (),
            {**BRIEF, "levels": 5}, contestants=(OURS, OLD), headline=("cpu_ms",),
        ),
    ]


def bulk() -> Scenario:
    return Scenario(
        "bulk", "Reliable packets of 64 KiB, up to 16 MiB on their way, from one game to another, both at 60 Hz", "bulk",
        {"size": 65536, "window": 1 << 24, "relay": 0, "compression": "none", "settle": 1, "seconds": 4, "join_limit": 20},
        ("megabytes_second", "cpu_ms", "process_ms", "fps"),
        (at_least("megabytes_second", 80, "threaded: at least 80 MB/s", THREADED),),
        {**BRIEF, "seconds": 1}, contestants=(OURS, THREADED, NEW), headline=("megabytes_second",),
    )


def loopback() -> Scenario:
    cases = [f"{mode}_{count}" for mode in ("unreliable", "reliable") for count in (10, 100)]
    return Scenario(
        "loopback", "put_packet to get_packet within one process, 64 B, 10 and 100 packets between two polls; "
        "CPU of both sides, µs per packet", "loopback",
        {"size": 64, "counts": "10,100", "relay": 1, "compression": "none", "seconds": 1.5},
        (*(f"usec:{case}" for case in cases), "floor_usec"),
        tuple(share_of(NEW, f"usec:{case}", 1 / 3, f"{case.replace('_', ', ')}: at most 1/3 of 4.6") for case in cases),
        {"seconds": 0.2}, headline=tuple(f"usec:{case}" for case in cases),
    )


def rpc_uplink() -> Scenario:
    return Scenario(
        "rpc_uplink", "An RPC per frame of one client to 31 others (the server and 30 clients)", "uplink",
        {"nodes": 1, "clients": 30, "relay": 1, "compression": "none", "settle": 1, "seconds": 3, "join_limit": 30, "arguments": 1},
        ("packets_up", "datagrams_up", "bytes_up", "delivered"),
        (at_most("packets_up", 1.05, "1 packet"),),
        {**BRIEF, "clients": 4}, headline=("packets_up",),
    )


def idle_100() -> Scenario:
    return Scenario(
        "idle_100", "100 clients that neither send nor are sent anything", "server", {**SERVER, "levels": 100, "seconds": 8},
        ("cpu_ms", "thread_load", "datagrams", "fps"),
        (at_most("thread_load", 0.01, "threaded: at most 1 % of a core", THREADED),),
        {**BRIEF, "levels": 10}, contestants=(OURS, THREADED, NEW), headline=("cpu_ms",),
    )


def idle() -> Scenario:
    words = {
        **SERVER, "packets": 1, "size": 4, "levels": "1000,2000,4000", "settle": 2, "seconds": 5, "last_seconds": 15,
        "join_limit": 45,
    }
    columns = [f"{figure}:each" for figure in ("joined", "cpu_ms", "fps", "late", "connected")]
    return Scenario(
        "idle", "1000, 2000, 4000 clients that only listen, 4 B unreliable to everybody in each frame; the last "
        "number is held for 15 s, by ours for 60 s", "server", words, (*columns, "lost", "delivered", "budget"),
        (at_least("connected:4000", 4000, "4000 connected after 60 s"), at_most("lost", 0, "none dropped")),
        {**BRIEF, "levels": "20,40", "last_seconds": 0.7}, {OURS: {"last_seconds": 60}},
        contestants=WITH_THREAD, headline=("connected:each", "budget"), runs=1,
    )
