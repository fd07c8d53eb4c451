"""Keys and certificates: the engines' and OpenSSL's of rust/nme-dtls/tests/data, and what is made of them here."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, NamedTuple, Optional

from common import REPO, run

DATA = REPO / "rust" / "nme-dtls" / "tests" / "data"


class Identity(NamedTuple):
    """Files of a key and its certificate."""

    key: Path
    certificate: Path


Identities = Dict[str, Identity]


def identities_of(engine: str, openssl: Optional[str], folder: Path) -> Identities:
    """Certificates that this engine has made, and what can be made of them."""
    found = fixtures(f"godot{engine}")
    found.update(with_tails(found["rsa_2048"], folder))
    if openssl:
        found.update(with_openssl(openssl, found["rsa_2048"].key, found["rsa_2048_other"].key, folder))
    return found


def fixtures(folder: str) -> Identities:
    """The identities that an engine has made; one key is behind several certificates."""
    base = DATA / folder
    found = {path.stem: Identity(path, path.with_suffix(".crt")) for path in base.glob("rsa_[24]*.key")}
    for name in ("expired", "future", "named", "wildcard", "reissued"):
        found[f"rsa_2048_{name}"] = Identity(base / "rsa_2048.key", base / f"rsa_2048_{name}.crt")
    found["p256"] = Identity(DATA / "openssl" / "p256_sec1.key", DATA / "openssl" / "p256.crt")
    return found


def with_tails(identity: Identity, folder: Path) -> Identities:
    """The same with what the engines leave behind the PEM of their strings, and with another system's line ends."""
    found: Identities = {}
    for name, tail in (("nul", "\0"), ("replacement", "\ufffd\0"), ("crlf", "")):
        copies = []
        for path in identity:
            text = path.read_text("utf-8").rstrip("\0\ufffd") + tail
            copy = folder / f"tail_{name}{path.suffix}"
            copy.write_bytes((text.replace("\n", "\r\n") if name == "crlf" else text).encode("utf-8"))
            copies.append(copy)
        found[f"tail_{name}"] = Identity(*copies)
    return found


def with_openssl(openssl: str, key: Path, ca_key: Path, folder: Path) -> Identities:
    """What the engines do not make: certificates of a CA, with a subjectAltName, and for an address."""
    found: Identities = {}
    # The system's own configuration adds extensions that are not asked for.
    config = folder / "openssl.cnf"
    config.write_text("[req]\ndistinguished_name=dn\n[dn]\n", encoding="ascii")

    def issue(name: str, of_key: Path, subject: str, *words: str) -> None:
        path = folder / f"{name}.crt"
        command = [openssl, "req", "-new", "-x509", "-config", config, "-sha256", "-days", "30"]
        run([*command, "-key", of_key, "-subj", subject, "-out", path, *words], quiet=True)
        found[name] = Identity(of_key, path)

    issue("ca", ca_key, "/CN=Test CA", "-addext", "basicConstraints=critical,CA:TRUE")
    by_ca = ("-CA", str(found["ca"].certificate), "-CAkey", str(ca_key))
    issue("leaf", key, "/CN=localhost", "-addext", "basicConstraints=CA:FALSE", *by_ca)
    issue("leaf_named", key, "/CN=localhost", "-addext", "subjectAltName=DNS:game.example.com", *by_ca)
    issue("address", key, "/CN=127.0.0.1")
    return found
