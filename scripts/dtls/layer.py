"""The matrix: our layer as server and as client against each engine, OpenSSL and itself."""

from __future__ import annotations

import json
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional

from dtls.cases import Case
from dtls.certificates import Identity
from dtls.processes import Failed, Program, Stage, until
from interop.runner import Ports

# Beyond the lengths that ENet sends.
SIZES = (1, 100, 1200, 1392, 4000, 16000)
TEXT = b"hello over there\n"

# All suites that may ever be chosen have authenticated encryption. What OpenSSL and the engines choose is one of them.
AEAD = {"c02b", "c02f", "cca8", "cca9"}

Identities = Dict[str, Identity]


class Check(NamedTuple):
    """What was tried, and what was wrong with it."""

    name: str
    problem: Optional[str]


def checked(name: str, check: Callable[[], None]) -> Check:
    """The check's verdict."""
    try:
        check()
    except Failed as failure:
        return Check(name, str(failure))
    except (OSError, ValueError) as error:
        return Check(name, repr(error))
    return Check(name, None)


def expect(condition: bool, what: str) -> None:
    """A failure unless the condition holds."""
    if not condition:
        raise Failed(what)


def servers_for(stage: Stage, cases: List[Case], identities: Identities) -> Dict[str, Program]:
    """Our servers, one for each identity."""
    needed = {case.identity for case in cases}
    return {
        name: stage.peer("server", key=identities[name].key, certificate=identities[name].certificate)
        for name in sorted(needed)
    }


def port_of(server: Program) -> int:
    """Where one of our servers listens."""
    return int(server.wait_for("listening")["port"])


# --- Our client --------------------------------------------------------------------------------------------------


def visit(stage: Stage, case: Case, port: int, identities: Identities, sizes: str) -> None:
    """Our client meets a server."""
    trust = str(identities[case.trust].certificate) if case.trust else "anybody"
    client = stage.peer("client", server=f"127.0.0.1:{port}", trust=trust, name=case.host, sizes=sizes)
    if case.refused:
        reason = client.wait_for("failed")["reason"]
        expect(reason == case.refused, f"refused for {reason}, not for {case.refused}")
        expect(client.said("established") == 0, "established before it was refused")
    else:
        cipher = client.wait_for("established")["cipher"]
        expect(cipher in AEAD, f"cipher suite {cipher}")
        count = client.wait_for("echoes")["count"]
        expect(count == len(sizes.split(",")), f"{count} echoes")
    expect(client.wait() == 0, "exit code")


def against_itself(stage: Stage, cases: List[Case], identities: Identities) -> Iterator[Check]:
    """Both sides are ours."""
    servers = servers_for(stage, cases, identities)
    sizes = ",".join(map(str, SIZES))
    for case in cases:
        def check(case: Case = case) -> None:
            server = servers[case.identity]
            before = server.said("established")
            visit(stage, case, port_of(server), identities, sizes)
            if case.refused:
                expect(server.said("established") == before, "established on the server's side")
            else:
                server.wait_for("closed", times=before + 1)

        yield checked(f"our client -> our server: {case.name}", check)


def against_engine_servers(stage: Stage, engine: str, cases: List[Case], identities: Identities) -> Iterator[Check]:
    """Our client visits the engine's DTLSServer."""
    folder = stage.folder / f"fresh{engine}"
    folder.mkdir()
    fresh = {name: Identity(folder / f"{name}.key", folder / f"{name}.crt") for name in ("fresh", "fresh_string")}
    cases = [case for case in cases if case.identity != "fresh_string"]
    # PEM of other kinds is for our side to read.
    shown = {case.identity: "rsa_2048" if case.tail else case.identity for case in cases}
    ports = dict(zip(sorted(set(shown.values())), Ports().take(len(shown))))
    known = {**identities, **fresh}
    words = [
        {"name": name, "port": port, "key": str(known[name].key), "certificate": str(known[name].certificate)}
        for name, port in ports.items()
    ]
    story = stage.folder / f"servers{engine}.json"
    story.write_text(json.dumps(words), encoding="utf-8")
    server = stage.script(engine, "server", f"--fresh={folder}", f"--servers={story}")
    server.wait_for("listening")
    for failure in (line for line in server.lines if line["event"] == "failed"):
        yield Check(f"Godot {engine} as a server: {failure['server']}", f"errors {failure['errors']}")
    sizes = ",".join(map(str, SIZES))
    for case in cases:
        def check(case: Case = case) -> None:
            name = shown[case.identity]
            event = "refused" if case.refused else "closed"
            before = server.said(event, server=name)
            visit(stage, case, ports[name], known, sizes)
            if not case.refused:
                # Our goodbye ends it at once.
                server.wait_for("closed", times=before + 1, server=name)

        yield checked(f"our client -> Godot {engine}: {case.name}", check)
    server.kill()


# --- Our server --------------------------------------------------------------------------------------------------


def with_engine_clients(stage: Stage, engine: str, cases: List[Case], identities: Identities) -> Iterator[Check]:
    """The engine's PacketPeerDTLS visits our server."""
    folder = stage.folder / f"fresh{engine}"
    fresh = {name: Identity(folder / f"{name}.key", folder / f"{name}.crt") for name in ("fresh", "fresh_string")}
    if not fresh["fresh_string"].certificate.exists():
        # Godot 3.6 has no such string for certificates.
        fresh["fresh_string"] = Identity(folder / "fresh_string.key", folder / "fresh.crt")
    known = {**identities, **fresh}
    servers = servers_for(stage, cases, known)
    # The engine reads the usual files.
    trusted = {"fresh_string": "fresh", **{case.identity: "rsa_2048" for case in cases if case.tail}}
    story = stage.folder / f"clients{engine}.json"
    words = [client_case(case, port_of(servers[case.identity]), known, trusted) for case in cases]
    story.write_text(json.dumps(words), encoding="utf-8")
    client = stage.script(engine, "client", f"--cases={story}")
    met: Dict[str, int] = {}
    for i, case in enumerate(cases):
        def check(i: int = i, case: Case = case) -> None:
            server = servers[case.identity]
            end = client.wait_for("end", case=i)
            wanted = ("refused", 0) if case.refused else ("established", len(SIZES))
            expect((end["outcome"], end["echoes"]) == wanted, f"{end['outcome']} with {end['echoes']:g} echoes")
            if case.refused:
                expect(server.said("established") == met.get(case.identity, 0), "established on the server's side")
            else:
                met[case.identity] = met.get(case.identity, 0) + 1
                cipher = server.wait_for("established", times=met[case.identity])["cipher"]
                expect(cipher in AEAD, f"cipher suite {cipher}")
                # The client's goodbye ends it at once.
                server.wait_for("closed", times=met[case.identity])

        yield checked(f"Godot {engine} -> our server: {case.name}", check)
    yield checked(f"Godot {engine} as a client ends", lambda: expect(client.wait() == 0, "exit code"))


def client_case(case: Case, port: int, identities: Identities, trusted: Dict[str, str]) -> Dict[str, object]:
    """What client.gd reads."""
    trust = trusted.get(case.trust, case.trust) if case.trust else None
    path = str(identities[trust].certificate) if trust else ""
    return {"port": port, "host": case.host, "trust": path, "sizes": list(SIZES)}


# --- OpenSSL -----------------------------------------------------------------------------------------------------


def with_openssl_clients(stage: Stage, openssl: str, cases: List[Case], identities: Identities) -> Iterator[Check]:
    """`openssl s_client` visits our server."""
    cases = [case for case in cases if case.openssl]
    servers = servers_for(stage, cases, identities)
    for case in cases:
        def check(case: Case = case) -> None:
            server = servers[case.identity]
            before = server.said("established")
            words = ["-dtls1_2", "-quiet"]
            if case.trust:
                words += ["-CAfile", str(identities[case.trust].certificate), "-verify_return_error"]
                words += ["-verify_hostname", case.host]
            client = openssl_client(stage, openssl, server, *words)
            if case.refused:
                expect(client.wait() != 0, "not refused")
                expect(server.said("established") == before, "established on the server's side")
                return
            cipher = server.wait_for("established", times=before + 1)["cipher"]
            expect(cipher in AEAD, f"cipher suite {cipher}")
            client.write(TEXT)
            until(f"{TEXT!r} from {client.name}", lambda: bytes(client.output).endswith(TEXT))
            client.kill()

        yield checked(f"s_client -> our server: {case.name}", check)


def against_openssl_servers(stage: Stage, openssl: str, cases: List[Case], identities: Identities) -> Iterator[Check]:
    """Our client visits `openssl s_server`, which asks for a cookie only with -listen."""
    ports = Ports()
    for case in (case for case in cases if case.openssl):
        for extra in ([], ["-listen"]):
            def check(case: Case = case, extra: List[str] = extra) -> None:
                port = ports.take(1)[0]
                server = openssl_server(stage, openssl, identities[case.identity], port, *extra)
                trust = str(identities[case.trust].certificate) if case.trust else "anybody"
                client = stage.peer(
                    "client", server=f"127.0.0.1:{port}", trust=trust, name=case.host, sizes="1,100,1392"
                )
                if case.refused:
                    reason = client.wait_for("failed")["reason"]
                    expect(reason == case.refused, f"refused for {reason}, not for {case.refused}")
                else:
                    expect(client.wait_for("established")["cipher"] in AEAD, "cipher suite")
                    echo(server, [1, 100, 1392])
                    expect(client.wait_for("echoes")["count"] == 3, "not three echoes")
                server.kill()

            mode = " with a cookie" if extra else ""
            yield checked(f"our client -> s_server{mode}: {case.name}", check)


def openssl_client(stage: Stage, openssl: str, server: Program, *words: str) -> Program:
    """Its input is the test's to write."""
    base = [openssl, "s_client", "-connect", f"127.0.0.1:{port_of(server)}"]
    return stage.start("s_client", [*base, *words], raw=True)


def openssl_server(stage: Stage, openssl: str, identity: Identity, port: int, *words: str) -> Program:
    """Its input is the test's to write."""
    base = [openssl, "s_server", "-dtls1_2", "-quiet", "-accept", f"127.0.0.1:{port}", "-key", str(identity.key)]
    return stage.start("s_server", [*base, "-cert", str(identity.certificate), *words], raw=True)


def echo(server: Program, sizes: List[int]) -> None:
    """Sends back by hand what has come: s_server cannot do it for DTLS."""
    done = 0
    for size in sizes:
        until(f"{done + size} bytes from {server.name}", lambda end=done + size: len(server.output) >= end)
        server.write(bytes(server.output[done:done + size]))
        done += size
