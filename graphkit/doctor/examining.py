"""From an environment to everything that is found in it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from graphkit.doctor.checks import CHECKS
from graphkit.doctor.environment import Environment
from graphkit.doctor.finding import Finding


@dataclass(frozen=True)
class Checkup:
    """What was found.

    Attributes:
        python: Version.
        system: "Linux", "Windows", "Darwin".
        findings: In the order of the checks.
    """

    python: str
    system: str
    findings: tuple[Finding, ...]

    @property
    def broken(self) -> bool:
        """Whether anything does not work."""
        return any(finding.level == "broken" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "broken": self.broken}


def examine(environment: Environment) -> Checkup:
    """Run every check."""
    found = tuple(finding for check in CHECKS for finding in check(environment))
    return Checkup(environment.python, environment.system, found)
