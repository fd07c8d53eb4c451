"""Who shows which certificate to whom, and what has to come of it."""

from __future__ import annotations

from typing import List, NamedTuple, Optional

EXPIRED = "CertificateExpired"
NOT_YET_VALID = "CertificateNotYetValid"
WRONG_NAME = "WrongName"
UNTRUSTED = "Untrusted"


class Case(NamedTuple):
    """A handshake."""

    name: str
    # The server's.
    identity: str
    # Whose certificate the client trusts; None when it looks at nothing.
    trust: Optional[str]
    # The name that the client wants.
    host: str = "localhost"
    # Why our client refuses; None when there is an association. Engines and OpenSSL have words of their own.
    refused: Optional[str] = None
    # OpenSSL's programs take part in few cases: it is not the point where else their rules differ from mbedTLS'.
    openssl: bool = False

    @property
    def tail(self) -> bool:
        """Whether it is about PEM texts that no other program takes."""
        return "tail_" in self.identity


def all_cases(fresh: bool, made_by_openssl: bool) -> List[Case]:
    """The matrix, with identities that the engine has made a moment ago, and those that need OpenSSL."""
    cases = [
        Case("RSA-2048, verified", "rsa_2048", "rsa_2048", openssl=True),
        Case("RSA-4096, verified", "rsa_4096", "rsa_4096", openssl=True),
        Case("P-256, verified", "p256", "p256", openssl=True),
        Case("RSA-2048, not verified", "rsa_2048", None, "other.example.com", openssl=True),
        Case("RSA-4096, not verified", "rsa_4096", None, "other.example.com"),
        Case("P-256, not verified", "p256", None, "other.example.com"),
        Case("another name than localhost", "rsa_2048_named", "rsa_2048_named", "game.example.com"),
        Case("letter case of the name", "rsa_2048", "rsa_2048", "LocalHost"),
        Case("wildcard", "rsa_2048_wildcard", "rsa_2048_wildcard", "a.example.com"),
        Case("certificate issued anew for the same key", "rsa_2048_reissued", "rsa_2048"),
        Case("expired, not verified", "rsa_2048_expired", None),
        Case("wrong name", "rsa_2048", "rsa_2048", "other.example.com", WRONG_NAME, openssl=True),
        Case("two labels for a wildcard", "rsa_2048_wildcard", "rsa_2048_wildcard", "a.b.example.com", WRONG_NAME),
        Case("another CA", "rsa_2048", "rsa_2048_other", refused=UNTRUSTED, openssl=True),
        Case("expired", "rsa_2048_expired", "rsa_2048_expired", refused=EXPIRED, openssl=True),
        Case("not yet valid", "rsa_2048_future", "rsa_2048_future", refused=NOT_YET_VALID, openssl=True),
        Case("PEM with a NUL behind it", "tail_nul", "tail_nul"),
        Case("PEM with U+FFFD and a NUL behind it", "tail_replacement", "tail_replacement"),
        Case("PEM with CR LF", "tail_crlf", "tail_crlf"),
    ]
    if fresh:
        cases += [
            Case("made by the engine just now", "fresh", "fresh"),
            Case("made by the engine just now, as strings", "fresh_string", "fresh_string"),
        ]
    if made_by_openssl:
        cases += [
            Case("CN only, signed by a CA", "leaf", "ca", openssl=True),
            Case("CN only, signed by a CA, wrong name", "leaf", "ca", "other.example.com", WRONG_NAME),
            Case("CN only, signed by another CA", "leaf", "rsa_2048", refused=UNTRUSTED),
            Case("subjectAltName", "leaf_named", "ca", "game.example.com", openssl=True),
            Case("subjectAltName, so CN does not count", "leaf_named", "ca", refused=WRONG_NAME, openssl=True),
            Case("address as CN", "address", "address", "127.0.0.1"),
        ]
    return cases
