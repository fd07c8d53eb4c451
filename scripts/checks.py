"""Counts checks, and tells each of them, for scripts that test without a framework."""

from __future__ import annotations

from common import say


class Checks:
    """What was checked so far."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def check(self, what: str, good: bool, why: str = "") -> bool:
        """Notes one check; `why` is told if it failed."""
        say(f"ok {what}" if good else f"FAILED {what}: {why}")
        self.passed += good
        self.failed += not good
        return good

    def summary(self) -> int:
        """The closing line, and the exit code."""
        say(f"\n{self.passed} passed, {self.failed} failed")
        return 0 if self.passed and not self.failed else 1
