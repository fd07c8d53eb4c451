"""DTLS: our layer and our class against the engines' own, OpenSSL, and themselves."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from pathlib import Path
from typing import Iterator, List

import pytest

from conftest import Engines, job_parameters
from dtls import end_to_end
from dtls.cases import Case, all_cases
from dtls.certificates import Identities, Identity, identities_of
from dtls.layer import (
    AEAD, SIZES, Engine, build_peer, client_case, echo, openssl_client, openssl_server, our_client, our_server, port_of,
    shown_by_engine, visit,
)
from dtls.processes import Line, Program, Stage, until
from interop.runner import Job, take_ports

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="openssl is not there (Debian: apt-get install openssl)")

PLAIN = Case("", "rsa_2048", "rsa_2048")
TEXT = b"hello over there\n"
# Without authenticated encryption. OpenSSL would still use them.
CBC = "ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384"
# ENet's first datagram: a peer without a number, the sent time, and CONNECT.
ENET_CONNECT = bytes.fromhex("8fff0000" "82ff0001") + bytes(44)
# Seconds: a server that was killed or is full must not keep a client waiting for long.
PROMPT = 5.0
# How long our client tries, and something on top.
DEADLINE = 30.0 + 10.0

with_engines = pytest.mark.parametrize("number", ["3", "4"], ids=["godot3", "godot4"])


def with_cases(cases: List[Case]) -> pytest.MarkDecorator:
    """A test for each case."""
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


CASES = all_cases(fresh=False, made_by_openssl=OPENSSL is not None)
ENGINE_CASES = all_cases(fresh=True, made_by_openssl=OPENSSL is not None)
OPENSSL_CASES = [case for case in CASES if case.openssl]


@pytest.fixture(scope="session")
def peer() -> Path:
    return build_peer()


@pytest.fixture(scope="session")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Identities:
    return identities_of("4", OPENSSL, tmp_path_factory.mktemp("identities"))


@pytest.fixture
def usual(identities: Identities) -> Identity:
    """What a server shows if certificates are not the point."""
    return identities[PLAIN.identity]


@pytest.fixture
def stage(tmp_path: Path, peer: Path, engines: Engines) -> Iterator[Stage]:
    with Stage(tmp_path, peer, engines) as made:
        yield made


@pytest.fixture(scope="module", params=[
    # An engine takes so long to start that it plays all cases; its tests belong into one worker of pytest-xdist.
    pytest.param(number, id=f"godot{number}", marks=pytest.mark.xdist_group(f"godot{number}")) for number in "34"
])
def engine(
    request: pytest.FixtureRequest, peer: Path, engines: Engines, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """Each meets what it has made itself."""
    folder = tmp_path_factory.mktemp("engine")
    with Stage(folder, peer, engines) as stage:
        yield Engine(stage, request.param, ENGINE_CASES, identities_of(request.param, OPENSSL, folder))


# --- What takes longest ------------------------------------------------------------------------------------------


def test_our_client_gives_up_a_server_that_says_nothing(stage: Stage) -> None:
    silent = Silence()
    mute = stage.peer("client", server=f"127.0.0.1:{silent.port}", trust="anybody", name="localhost")
    reason = mute.wait_for("failed", within=DEADLINE)["reason"]
    silent.close()
    assert reason == "TimedOut"


@pytest.mark.parametrize("job", job_parameters(end_to_end.all_jobs()))
def test_scenario(job: Job, engines: Engines, tmp_path: Path) -> None:
    """Of the interop test, over DTLS."""
    summaries = end_to_end.SecurePlayer(engines(job.engines)).play(job, tmp_path)
    end_to_end.compare(job, summaries)


# --- An engine ---------------------------------------------------------------------------------------------------


def test_the_engines_server_takes_all_identities(engine: Engine) -> None:
    assert not [line for line in engine.server.lines if line["event"] == "failed"]


@with_cases([case for case in ENGINE_CASES if case.identity != "fresh_string"])
def test_our_client_visits_an_engine(engine: Engine, stage: Stage, case: Case) -> None:
    name = shown_by_engine(case)
    before = engine.server.said("closed", server=name)
    visit(stage, case, engine.ports[name], engine.identities)
    if not case.refused:
        # Our goodbye ends it at once.
        engine.server.wait_for("closed", times=before + 1, server=name)


@with_cases(ENGINE_CASES)
def test_an_engine_visits_our_server(engine: Engine, case: Case) -> None:
    i = ENGINE_CASES.index(case)
    server = engine.our_servers[case.identity]
    end = engine.client.wait_for("end", case=i)
    wanted = ("refused", 0) if case.refused else ("established", len(SIZES))
    assert (end["outcome"], end["echoes"]) == wanted
    # The engine goes on meanwhile, but with no case in which this server is met after one in which it is refused.
    met = sum(not one.refused for one in ENGINE_CASES[:i + 1] if one.identity == case.identity)
    ciphers = {server.wait_for("established", times=time + 1)["cipher"] for time in range(met)}
    assert ciphers <= AEAD
    if case.refused:
        assert server.said("established") == met, "established on the server's side"
    else:
        # The client's goodbye ends it at once.
        server.wait_for("closed", times=met)


def test_the_engines_client_ends(engine: Engine) -> None:
    assert engine.client.wait() == 0


# --- Ourselves and OpenSSL ---------------------------------------------------------------------------------------


@with_cases(CASES)
def test_our_client_visits_our_server(stage: Stage, identities: Identities, case: Case) -> None:
    server = our_server(stage, identities[case.identity])
    visit(stage, case, port_of(server), identities)
    if case.refused:
        assert server.said("established") == 0
    else:
        server.wait_for("closed")


@needs_openssl
@with_cases(OPENSSL_CASES)
def test_s_client_visits_our_server(stage: Stage, identities: Identities, case: Case) -> None:
    server = our_server(stage, identities[case.identity])
    words = ["-dtls1_2", "-quiet"]
    if case.trust:
        words += ["-CAfile", str(identities[case.trust].certificate), "-verify_return_error"]
        words += ["-verify_hostname", case.host]
    client = openssl_client(stage, OPENSSL, server, *words)
    if case.refused:
        assert client.wait() != 0
        assert server.said("established") == 0
        return
    assert server.wait_for("established")["cipher"] in AEAD
    client.write(TEXT)
    until(f"{TEXT!r} from {client.name}", lambda: bytes(client.output).endswith(TEXT))


@needs_openssl
@pytest.mark.parametrize("words", [[], ["-listen"]], ids=["without a cookie", "with a cookie"])
@with_cases(OPENSSL_CASES)
def test_our_client_visits_s_server(stage: Stage, identities: Identities, case: Case, words: List[str]) -> None:
    (port,) = take_ports(1)
    server = openssl_server(stage, OPENSSL, identities[case.identity], port, *words)
    client = our_client(stage, case, port, identities, "1,100,1392")
    if case.refused:
        assert client.wait_for("failed")["reason"] == case.refused
    else:
        assert client.wait_for("established")["cipher"] in AEAD
        echo(server, [1, 100, 1392])
        assert client.wait_for("echoes")["count"] == 3


# --- Suites and versions -----------------------------------------------------------------------------------------


@needs_openssl
@pytest.mark.parametrize("words", [
    pytest.param(["-dtls1_2", "-cipher", CBC], id="suites without authenticated encryption"),
    pytest.param(["-dtls1", "-cipher", "ALL:@SECLEVEL=0"], id="DTLS 1.0"),
])
def test_our_server_refuses(stage: Stage, usual: Identity, words: List[str]) -> None:
    server = our_server(stage, usual)
    client = openssl_client(stage, OPENSSL, server, *words)
    assert client.wait() != 0, "s_client was let in"
    assert counters_at_the_end(server)["completed"] == 0
    # So nobody has waited for nothing: the server has told it.
    assert "alert" in client.errors(), f"no alert: {client.told()}"


@needs_openssl
def test_our_client_refuses_suites_without_authenticated_encryption(stage: Stage, usual: Identity) -> None:
    (port,) = take_ports(1)
    openssl_server(stage, OPENSSL, usual, port, "-cipher", CBC)
    client = stage.peer("client", server=f"127.0.0.1:{port}", trust="anybody", name="localhost")
    assert client.wait_for("failed", within=PROMPT)["reason"] == "Handshake"


@needs_openssl
@pytest.mark.parametrize("suite", ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"])
def test_our_server_has(stage: Stage, usual: Identity, suite: str) -> None:
    server = our_server(stage, usual)
    client = openssl_client(stage, OPENSSL, server, "-dtls1_2", "-brief", "-cipher", suite)
    server.wait_for("established")
    client.end_input()
    server.wait_for("closed")
    client.wait()
    assert f"Ciphersuite: {suite}" in client.errors(), client.told()


# --- Plaintext ---------------------------------------------------------------------------------------------------


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


def test_a_plain_client_gets_no_answer_and_leaves_nothing_behind(
    stage: Stage, identities: Identities, usual: Identity
) -> None:
    server = our_server(stage, usual)
    port = port_of(server)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.sendto(ENET_CONNECT, ("127.0.0.1", port))
        # What comes later has been answered: so was this, if at all.
        visit(stage, PLAIN, port, identities, "100")
        plain.setblocking(False)
        with pytest.raises(BlockingIOError):
            plain.recv(1 << 16)
    counters = counters_at_the_end(server)
    assert (counters["dropped"], counters["cookies"], counters["completed"]) == (1, 1, 1)


def test_our_client_notices_a_server_that_answers_in_plaintext(stage: Stage) -> None:
    """It need not wait for the end of all attempts."""
    server = Silence(b"this is no DTLS, as anybody can see")
    client = stage.peer("client", server=f"127.0.0.1:{server.port}", trust="anybody", name="localhost")
    reason = client.wait_for("failed", within=PROMPT)["reason"]
    server.close()
    assert reason == "NoDtls"


# --- Goodbyes and restarts ---------------------------------------------------------------------------------------


def engine_client(stage: Stage, number: str, server: Program, identities: Identities, bind: int = 0) -> Program:
    """The engine's client stays until the server goes."""
    case = client_case(PLAIN, port_of(server), identities, {})
    case.update(sizes=[100], hold=True, **({"bind": bind} if bind else {}))
    story = stage.folder / "hold.json"
    story.write_text(json.dumps([case]), encoding="utf-8")
    return stage.script(number, "client", f"--cases={story}")


def waiting_client(stage: Stage, to: int, identities: Identities, **options: object) -> Program:
    """Our client stays until the server goes."""
    return our_client(stage, PLAIN, to, identities, "100", hold="", **options)


def counters_at_the_end(server: Program) -> Line:
    """Of one of our servers, which ends here."""
    server.end_input()
    counters = server.wait_for("counters")
    assert server.wait() == 0, "exit code"
    return counters


@with_engines
def test_our_server_says_goodbye_to_an_engine(stage: Stage, identities: Identities, usual: Identity, number: str) -> None:
    server = our_server(stage, usual)
    client = engine_client(stage, number, server, identities)
    client.wait_for("established")
    counters_at_the_end(server)
    assert client.wait_for("end", within=PROMPT)["outcome"] == "closed"


@with_engines
def test_an_engine_says_goodbye_to_our_client(stage: Stage, identities: Identities, usual: Identity, number: str) -> None:
    (port,) = take_ports(1)
    story = stage.folder / "goodbye.json"
    words = {"name": "", "port": port, "key": str(usual.key), "certificate": str(usual.certificate), "goodbye": True}
    story.write_text(json.dumps([words]), encoding="utf-8")
    stage.script(number, "server", f"--servers={story}").wait_for("listening")
    client = waiting_client(stage, port, identities)
    client.wait_for("echoes", count=1)
    client.wait_for("closed", within=PROMPT)


@with_engines
def test_an_engine_is_killed_and_comes_back_on_the_same_port(
    stage: Stage, identities: Identities, usual: Identity, number: str
) -> None:
    """The server lets the new association in, and reports the old one gone."""
    server = our_server(stage, usual)
    (port,) = take_ports(1)
    first = engine_client(stage, number, server, identities, port)
    server.wait_for("established", peer=port)
    first.kill()
    assert server.said("closed") == 0, "closed before the client was back"
    second = engine_client(stage, number, server, identities, port)
    second.wait_for("established", within=PROMPT)
    server.wait_for("established", times=2, peer=port)
    assert server.said("closed", peer=port) == 1, "the old association was not reported gone"


def test_our_server_says_goodbye_to_our_client(stage: Stage, identities: Identities, usual: Identity) -> None:
    server = our_server(stage, usual)
    clients = [waiting_client(stage, port_of(server), identities) for _ in range(3)]
    for client in clients:
        client.wait_for("echoes", count=1)
    counters_at_the_end(server)
    for client in clients:
        client.wait_for("closed", within=PROMPT)


def test_our_client_is_killed_and_comes_back_on_the_same_port(
    stage: Stage, identities: Identities, usual: Identity
) -> None:
    server = our_server(stage, usual)
    (port,) = take_ports(1)
    for visits in (1, 2):
        client = waiting_client(stage, port_of(server), identities, port=port)
        client.wait_for("echoes", within=PROMPT, count=1)
        server.wait_for("established", times=visits, peer=port)
        assert server.said("closed", peer=port) == visits - 1, "the old association was not reported gone"
        client.kill()
