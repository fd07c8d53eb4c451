"""What came out of a whole run."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple

from bench.scenario import Measured, Scenario, Verdict


class Outcome(NamedTuple):
    """A scenario's medians, and why contestants are missing."""

    scenario: Scenario
    measured: Measured
    problems: Dict[str, str]
    runs: int

    def verdicts(self) -> List[Verdict]:
        return [target.verdict(self.measured) for target in self.scenario.targets]


class Results:
    """Everything that the report is made from."""

    def __init__(self, facts: List[str], quick: bool, titles: Dict[str, str]) -> None:
        self.facts = facts
        self.quick = quick
        self.titles = titles
        self.outcomes: List[Outcome] = []

    def as_json(self) -> Dict[str, Any]:
        return {
            "facts": self.facts,
            "quick": self.quick,
            "titles": self.titles,
            "scenarios": {
                outcome.scenario.name: {
                    "title": outcome.scenario.title,
                    "runs": outcome.runs,
                    "measured": outcome.measured,
                    "problems": outcome.problems,
                    "targets": [verdict._asdict() for verdict in outcome.verdicts()],
                }
                for outcome in self.outcomes
            },
        }
