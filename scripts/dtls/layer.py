"""Our layer as server and as client, and what it meets: itself, an engine, or OpenSSL."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Dict, List

from build import cargo
from common import REPO, output
from dtls.cases import Case
from dtls.certificates import Identities, Identity
from dtls.processes import Program, Stage, until
from interop.runner import take_ports

# Beyond the lengths that ENet sends.
SIZES = (1, 100, 1200, 1392, 4000, 16000)

# All suites that may ever be chosen have authenticated encryption. What OpenSSL and the engines choose is one of them.
AEAD = {"c02b", "c02f", "cca8", "cca9"}


def build_peer() -> Path:
    """Our layer as a program."""
    command = [cargo(), "build", "--locked", "-p", "nme-dtls", "--example", "peer", "--message-format=json"]
    messages = map(json.loads, output(command, cwd=REPO).splitlines())
    return Path([message["executable"] for message in messages if message.get("executable")][-1])


# --- Our layer ---------------------------------------------------------------------------------------------------


def our_server(stage: Stage, identity: Identity) -> Program:
    """It ends with its input."""
    return stage.peer("server", key=identity.key, certificate=identity.certificate)


def our_client(stage: Stage, case: Case, to: int, identities: Identities, sizes: str, **options: object) -> Program:
    """It goes once it has its echoes, unless it is told to hold."""
    trust = str(identities[case.trust].certificate) if case.trust else "anybody"
    return stage.peer("client", server=f"127.0.0.1:{to}", trust=trust, name=case.host, sizes=sizes, **options)


def port_of(server: Program) -> int:
    """Where one of our servers listens."""
    return int(server.wait_for("listening")["port"])


def visit(stage: Stage, case: Case, port: int, identities: Identities, sizes: str = ",".join(map(str, SIZES))) -> None:
    """Our client meets a server."""
    client = our_client(stage, case, port, identities, sizes)
    if case.refused:
        reason = client.wait_for("failed")["reason"]
        assert reason == case.refused, f"refused for {reason}, not for {case.refused}"
        assert client.said("established") == 0, "established before it was refused"
    else:
        cipher = client.wait_for("established")["cipher"]
        assert cipher in AEAD, f"cipher suite {cipher}"
        count = client.wait_for("echoes")["count"]
        assert count == len(sizes.split(",")), f"{count} echoes"
    assert client.wait() == 0, "exit code"


# --- An engine ---------------------------------------------------------------------------------------------------


class Engine:
    """An engine's server, which all our clients visit, and its client, which visits our servers.

    The server makes identities as it starts, and the client knows them.
    """

    def __init__(self, stage: Stage, number: str, cases: List[Case], identities: Identities) -> None:
        self._stage = stage
        self._number = number
        self._cases = cases
        folder = stage.folder / "fresh"
        folder.mkdir()
        fresh = {name: Identity(folder / f"{name}.key", folder / f"{name}.crt") for name in ("fresh", "fresh_string")}
        self.identities = {**identities, **fresh}
        shown = {shown_by_engine(case) for case in cases if case.identity != "fresh_string"}
        self.ports = dict(zip(sorted(shown), take_ports(len(shown))))
        words = [
            {"name": name, "port": port, "key": str(self.identities[name].key),
             "certificate": str(self.identities[name].certificate)}
            for name, port in self.ports.items()
        ]
        story = stage.folder / "servers.json"
        story.write_text(json.dumps(words), encoding="utf-8")
        self.server = stage.script(number, "server", f"--fresh={folder}", f"--servers={story}")
        self.server.wait_for("listening")
        if not fresh["fresh_string"].certificate.exists():
            # Godot 3.6 has no such string for certificates.
            self.identities["fresh_string"] = Identity(fresh["fresh_string"].key, fresh["fresh"].certificate)

    @cached_property
    def our_servers(self) -> Dict[str, Program]:
        """One for each identity."""
        names = sorted({case.identity for case in self._cases})
        return {name: our_server(self._stage, self.identities[name]) for name in names}

    @cached_property
    def client(self) -> Program:
        """Visits our servers, case by case."""
        # The engine reads the usual files.
        trusted = {"fresh_string": "fresh", **{case.identity: "rsa_2048" for case in self._cases if case.tail}}
        words = [
            client_case(case, port_of(self.our_servers[case.identity]), self.identities, trusted)
            for case in self._cases
        ]
        story = self._stage.folder / "clients.json"
        story.write_text(json.dumps(words), encoding="utf-8")
        return self._stage.script(self._number, "client", f"--cases={story}")


def shown_by_engine(case: Case) -> str:
    """What its server shows: PEM of other kinds is for our side to read."""
    return "rsa_2048" if case.tail else case.identity


def client_case(case: Case, port: int, identities: Identities, trusted: Dict[str, str]) -> Dict[str, object]:
    """What client.gd reads."""
    trust = trusted.get(case.trust, case.trust) if case.trust else None
    path = str(identities[trust].certificate) if trust else ""
    return {"port": port, "host": case.host, "trust": path, "sizes": list(SIZES)}


# --- OpenSSL -----------------------------------------------------------------------------------------------------


def openssl_client(stage: Stage, openssl: str, server: Program, *words: str) -> Program:
    """Its input is the test's to write."""
    base = [openssl, "s_client", "-connect", f"127.0.0.1:{port_of(server)}"]
    return stage.start("s_client", [*base, *words], raw=True)


def openssl_server(stage: Stage, openssl: str, identity: Identity, port: int, *words: str) -> Program:
    """Its input is the test's to write; it asks for a cookie only with `-listen`."""
    base = [openssl, "s_server", "-dtls1_2", "-quiet", "-accept", f"127.0.0.1:{port}", "-key", str(identity.key)]
    return stage.start("s_server", [*base, "-cert", str(identity.certificate), *words], raw=True)


def echo(server: Program, sizes: List[int]) -> None:
    """Sends back by hand what has come: s_server cannot do it for DTLS."""
    done = 0
    for size in sizes:
        until(f"{done + size} bytes from {server.name}", lambda end=done + size: len(server.output) >= end)
        server.write(bytes(server.output[done:done + size]))
        done += size
