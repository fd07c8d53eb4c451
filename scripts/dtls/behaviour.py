"""What happens beside a handshake that succeeds or refuses a certificate."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Iterator, List, Optional

from dtls.cases import Case
from dtls.layer import (
    Check, Identities, checked, client_case, expect, openssl_client, openssl_server, port_of, visit,
)
from dtls.processes import Line, Program, Stage
from interop.runner import Ports

PLAIN = Case("", "rsa_2048", "rsa_2048")
# Without authenticated encryption. OpenSSL would still use them.
CBC = "ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384"
# ENet's first datagram: a peer without a number, the sent time, and CONNECT.
ENET_CONNECT = bytes.fromhex("8fff0000" "82ff0001") + bytes(44)
# A server that was killed or is full must not keep a client waiting for long.
PROMPT = 5.0
# How long our client tries, and something on top.
DEADLINE = 30.0 + 10.0


def checks(stage: Stage, openssl: Optional[str], identities: Identities) -> Iterator[Check]:
    """All of them; the one that waits longest runs beside the others."""
    silent = Silence()
    mute = stage.peer("client", server=f"127.0.0.1:{silent.port}", trust="anybody", name="localhost")
    began = time.monotonic()
    if openssl:
        yield from suites(stage, openssl, identities)
    yield checked("our server says nothing to plaintext ENet", lambda: says_nothing(stage, identities))
    yield checked("our client notices a server that answers in plaintext", lambda: notices_plaintext(stage))
    for engine in sorted(stage.engines):
        yield checked(f"our server says goodbye to Godot {engine}", lambda: server_leaves(stage, engine, identities))
        yield checked(f"Godot {engine} says goodbye to our client", lambda: engine_leaves(stage, engine, identities))
        killed = f"Godot {engine} is killed and comes back on the same port"
        yield checked(killed, lambda: engine_returns(stage, engine, identities))
    yield checked("our server says goodbye to our client", lambda: our_server_leaves(stage, identities))
    yield checked("our client is killed and comes back on the same port", lambda: our_client_returns(stage, identities))

    def gives_up() -> None:
        reason = mute.wait_for("failed", within=max(1.0, began + DEADLINE - time.monotonic()))["reason"]
        expect(reason == "TimedOut", f"reason {reason}")

    yield checked("our client gives up a server that says nothing", gives_up)
    silent.close()


class Silence:
    """A socket that answers nothing, or always the same."""

    def __init__(self, answer: bytes = b"") -> None:
        self._answer = answer
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                _, sender = self._socket.recvfrom(1 << 16)
                if self._answer:
                    self._socket.sendto(self._answer, sender)
            except OSError:
                return

    def close(self) -> None:
        """Ends it."""
        self._socket.close()


def our_server(stage: Stage, identities: Identities) -> Program:
    """With the usual identity."""
    identity = identities[PLAIN.identity]
    return stage.peer("server", key=identity.key, certificate=identity.certificate)


def our_client(stage: Stage, to: int, identities: Identities, **options: object) -> Program:
    """That stays until the server goes."""
    trust = identities[PLAIN.identity].certificate
    return stage.peer(
        "client", server=f"127.0.0.1:{to}", trust=trust, name="localhost", sizes=100, hold="", **options
    )


def counters_at_the_end(server: Program) -> Line:
    """Of one of our servers, which ends here."""
    server.end_input()
    counters = server.wait_for("counters")
    expect(server.wait() == 0, "exit code")
    return counters


# --- Suites and versions -----------------------------------------------------------------------------------------


def suites(stage: Stage, openssl: str, identities: Identities) -> Iterator[Check]:
    """Old encryption and old versions get no association."""
    refused = {
        "suites without authenticated encryption": ["-dtls1_2", "-cipher", CBC],
        "DTLS 1.0": ["-dtls1", "-cipher", "ALL:@SECLEVEL=0"],
    }
    for what, words in refused.items():
        def check(words: List[str] = words) -> None:
            server = our_server(stage, identities)
            client = openssl_client(stage, openssl, server, *words)
            expect(client.wait() != 0, "s_client was let in")
            counters = counters_at_the_end(server)
            expect(counters["completed"] == 0, "a handshake was completed")
            # So nobody has waited for nothing: the server has told it.
            expect("alert" in client.errors(), f"no alert: {client.told()}")

        yield checked(f"s_client -> our server: {what}", check)

    def check_client() -> None:
        port = Ports().take(1)[0]
        openssl_server(stage, openssl, identities[PLAIN.identity], port, "-cipher", CBC)
        client = stage.peer("client", server=f"127.0.0.1:{port}", trust="anybody", name="localhost")
        reason = client.wait_for("failed", within=PROMPT)["reason"]
        expect(reason == "Handshake", f"reason {reason}")

    yield checked("our client -> s_server: suites without authenticated encryption", check_client)
    for suite in ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"):
        def check_suite(suite: str = suite) -> None:
            server = our_server(stage, identities)
            client = openssl_client(stage, openssl, server, "-dtls1_2", "-brief", "-cipher", suite)
            server.wait_for("established")
            client.end_input()
            server.wait_for("closed")
            client.wait()
            expect(f"Ciphersuite: {suite}" in client.errors(), client.told())

        yield checked(f"s_client -> our server: {suite}", check_suite)


# --- Plaintext ---------------------------------------------------------------------------------------------------


def says_nothing(stage: Stage, identities: Identities) -> None:
    """A plain client gets no answer, and leaves nothing behind."""
    server = our_server(stage, identities)
    port = port_of(server)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.sendto(ENET_CONNECT, ("127.0.0.1", port))
        # What comes later has been answered: so was this, if at all.
        visit(stage, PLAIN, port, identities, "100")
        plain.setblocking(False)
        try:
            answer = plain.recv(1 << 16)
        except BlockingIOError:
            answer = b""
    expect(not answer, f"answered with {answer.hex()}")
    counters = counters_at_the_end(server)
    expect((counters["dropped"], counters["cookies"], counters["completed"]) == (1, 1, 1), f"{counters}")


def notices_plaintext(stage: Stage) -> None:
    """It need not wait for the end of all attempts."""
    server = Silence(b"this is no DTLS, as anybody can see")
    client = stage.peer("client", server=f"127.0.0.1:{server.port}", trust="anybody", name="localhost")
    reason = client.wait_for("failed", within=PROMPT)["reason"]
    server.close()
    expect(reason == "NoDtls", f"reason {reason}")


# --- Goodbyes and restarts ---------------------------------------------------------------------------------------


def engine_client(stage: Stage, engine: str, server: Program, identities: Identities, bind: int = 0) -> Program:
    """The engine's client stays until the server goes."""
    case = client_case(PLAIN, port_of(server), identities, {})
    case.update(sizes=[100], hold=True, **({"bind": bind} if bind else {}))
    story = stage.folder / f"hold_{engine}_{bind}.json"
    story.write_text(json.dumps([case]), encoding="utf-8")
    return stage.script(engine, "client", f"--cases={story}")


def server_leaves(stage: Stage, engine: str, identities: Identities) -> None:
    """close_notify from our server."""
    server = our_server(stage, identities)
    client = engine_client(stage, engine, server, identities)
    client.wait_for("established")
    counters_at_the_end(server)
    end = client.wait_for("end", within=PROMPT)
    expect(end["outcome"] == "closed", f"outcome {end['outcome']}")


def engine_leaves(stage: Stage, engine: str, identities: Identities) -> None:
    """close_notify from the engine's server."""
    port = Ports().take(1)[0]
    key, certificate = identities[PLAIN.identity]
    story = stage.folder / f"goodbye_{engine}.json"
    words = {"name": "", "port": port, "key": str(key), "certificate": str(certificate), "goodbye": True}
    story.write_text(json.dumps([words]), encoding="utf-8")
    server = stage.script(engine, "server", f"--servers={story}")
    server.wait_for("listening")
    client = our_client(stage, port, identities)
    client.wait_for("echoes", count=1)
    client.wait_for("closed", within=PROMPT)
    server.kill()


def engine_returns(stage: Stage, engine: str, identities: Identities) -> None:
    """The server lets the new association in, and reports the old one gone."""
    server = our_server(stage, identities)
    port = Ports().take(1)[0]
    first = engine_client(stage, engine, server, identities, port)
    server.wait_for("established", peer=port)
    first.kill()
    expect(server.said("closed") == 0, "closed before the client was back")
    second = engine_client(stage, engine, server, identities, port)
    second.wait_for("established", within=PROMPT)
    server.wait_for("established", times=2, peer=port)
    expect(server.said("closed", peer=port) == 1, "the old association was not reported gone")


def our_server_leaves(stage: Stage, identities: Identities) -> None:
    """Both sides are ours."""
    server = our_server(stage, identities)
    clients = [our_client(stage, port_of(server), identities) for _ in range(3)]
    for client in clients:
        client.wait_for("echoes", count=1)
    counters_at_the_end(server)
    for client in clients:
        client.wait_for("closed", within=PROMPT)


def our_client_returns(stage: Stage, identities: Identities) -> None:
    """Both sides are ours."""
    server = our_server(stage, identities)
    port = Ports().take(1)[0]
    for visits in (1, 2):
        client = our_client(stage, port_of(server), identities, port=port)
        client.wait_for("echoes", within=PROMPT, count=1)
        server.wait_for("established", times=visits, peer=port)
        expect(server.said("closed", peer=port) == visits - 1, "the old association was not reported gone")
        client.kill()
