"""tract: what its ONNX frontend asks to be constant, and modes that it does not have."""

from __future__ import annotations

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints.checks import Answer, attribute, constant, first
from graphkit.runtimes.constraints.registry import constraint

_TRACT = "tract"
_OPS = "sonos/tract 38b383fb, onnx/src/ops"


@constraint(_TRACT, "Pad", citation=f"{_OPS}/array/pad.rs", evidence="code")
def _pad(node: NodeFacts) -> Answer:
    return first(
        attribute(node, "mode", ("constant", "reflect", "edge"), "constant"), constant(node, 2, "constant_value")
    )


@constraint(_TRACT, "Split", citation=f"{_OPS}/array/split.rs, wire", evidence="code")
def _split(node: NodeFacts) -> Answer:
    return constant(node, 1, "split")


@constraint(_TRACT, "Squeeze Unsqueeze", citation=f"{_OPS}/array/squeeze.rs, unsqueeze.rs, wire", evidence="code")
def _axes(node: NodeFacts) -> Answer:
    return constant(node, 1, "axes")


@constraint(_TRACT, "BatchNormalization", citation=f"{_OPS}/nn/batch_norm.rs, wire", evidence="code")
def _batch_norm(node: NodeFacts) -> Answer:
    names = ("scale", "bias", "mean", "variance")
    return first(*(constant(node, index, name) for index, name in enumerate(names, 1)))


@constraint(_TRACT, "LpNormalization", citation=f"{_OPS}/nn/lp_norm.rs", evidence="code")
def _lp(node: NodeFacts) -> Answer:
    return attribute(node, "p", (1, 2), 2)
