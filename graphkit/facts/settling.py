"""What follows from the sizes of a model's inputs alone: a converter that is told them computes it once.

Exporters compute shapes, anchors and limits from the sizes of the picture. Once those are fixed, such values are
constants, whatever the picture shows.
"""

from __future__ import annotations

from onnx import NodeProto

from graphkit.facts.labels import text
from graphkit.facts.scope import Scope
from graphkit.model import standard_domain, subgraphs

_RANDOM = frozenset(
    (
        *("Bernoulli", "Dropout", "Multinomial"),
        *("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"),
    )
)
_BY_VALUES = frozenset(("Compress", "ImageDecoder", "NonMaxSuppression", "NonZero", "StringSplit", "Unique"))
"""Operators whose outputs have as many elements as the values of their inputs say."""

_LENGTHS: dict[str, tuple[int, ...]] = {
    "AffineGrid": (1,),
    "BlackmanWindow": (0,),
    "CenterCropPad": (1,),
    "Col2Im": (1, 2),
    "ConstantOfShape": (0,),
    "DFT": (1, 2),
    "Expand": (1,),
    "HammingWindow": (0,),
    "HannWindow": (0,),
    "MaxUnpool": (2,),
    "MelWeightMatrix": (0, 1),
    "OneHot": (1,),
    "Pad": (1, 3),
    "Range": (0, 1, 2),
    "Reshape": (1,),
    "Resize": (1, 2, 3),
    "Slice": (1, 2, 3, 4),
    "Split": (1,),
    "Squeeze": (1,),
    "STFT": (1, 3),
    "Tile": (1,),
    "TopK": (1,),
    "Unsqueeze": (1,),
    "Upsample": (1,),
}
"""Inputs whose values say how large the outputs are; the axes of reductions, where they are an input, likewise."""


def settle(node: NodeProto, scope: Scope) -> None:
    """Note whether the values of a node's outputs, or at least their sizes, follow from the inputs' sizes."""
    plain = standard_domain(node.domain) and not any(subgraphs(item) for item in node.attribute)
    if plain and node.op_type not in _RANDOM and _settled(node, scope):
        scope.settled.update(node.output)
    elif not plain or not _sized(node, scope):
        scope.unsized.update(node.output)


def _settled(node: NodeProto, scope: Scope) -> bool:
    given = [name for name in node.input if name]
    if node.op_type in ("Shape", "Size"):
        return bool(given) and scope.is_sized(given[0])
    return node.op_type == "Constant" or (bool(given) and all(map(scope.is_settled, given)))


def _sized(node: NodeProto, scope: Scope) -> bool:
    op = text(node.op_type)
    if op in _BY_VALUES or "Sequence" in op or op.startswith("Optional"):
        return False
    places = (1,) if op.startswith("Reduce") else _LENGTHS.get(op, ())
    lengths = [node.input[place] for place in places if place < len(node.input)]
    return all(scope.is_sized(name) for name in node.input if name) and all(
        scope.is_settled(name) for name in lengths if name
    )
