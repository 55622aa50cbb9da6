"""Conditions that decide, as code: what a runtime asks of a node beyond its operator, version and types.

One module a family of runtimes; each registers predicates. The doors: `violations` and `decided`.
"""

from graphkit.runtimes.constraints.registry import Violation, constraint, decided, violations

__all__ = ["Violation", "constraint", "decided", "violations"]
