"""MNN: what its converter takes and then computes otherwise."""

from __future__ import annotations

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints.checks import Answer
from graphkit.runtimes.constraints.registry import constraint


@constraint(
    "mnn",
    "ConstantOfShape",
    citation="pip mnn 3.6.1, mnnconvert: what is in memory is returned, another value in every run",
    evidence="probe",
    wrong=True,
)
def _fill(node: NodeFacts) -> Answer:
    return None if node.attr("value") is not None else "it leaves out value, and is not filled with zeros"
