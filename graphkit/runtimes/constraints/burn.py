"""burn: how many spatial axes its layers have."""

from __future__ import annotations

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints.checks import Answer, rank
from graphkit.runtimes.constraints.registry import constraint

_BURN = "burn"
_DOC = "tracel-ai/burn-onnx 7db1e206, SUPPORTED-ONNX-OPS.md"


@constraint(_BURN, "Conv ConvTranspose", citation=f"{_DOC}, Conv1d, Conv2d, Conv3d", evidence="doc", whole=True)
def _conv(node: NodeFacts) -> Answer:
    return rank(node, 0, (3, 4, 5))


@constraint(_BURN, "MaxPool AveragePool", citation=f"{_DOC}, MaxPool1d, MaxPool2d", evidence="doc", whole=True)
def _pool(node: NodeFacts) -> Answer:
    return rank(node, 0, (3, 4))
