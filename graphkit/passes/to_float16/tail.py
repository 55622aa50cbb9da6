"""What stands behind the last layers with weights: decoding and suppression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.model import reads, standard_domain
from graphkit.passes.to_float16.knowledge import Known

_LAYERS = frozenset(("Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU", "RNN", "Einsum"))

_ACTIVATIONS = frozenset(
    (
        *("Sigmoid", "Mul", "Add", "Relu", "LeakyRelu", "PRelu", "Clip", "Tanh", "Elu", "HardSigmoid", "HardSwish"),
        *("Selu", "Softplus", "Mish", "Gelu", "Swish", "Identity", "Dropout", "BatchNormalization", "Cast"),
    )
)
"""What belongs to the layer in front of it: a map that it hands to an output, as mask prototypes, is no decode."""


def has_weights(known: Known, index: int, values: Callable[[str], NDArray[Any] | None]) -> bool:
    """Whether a node is a layer with weights. Bins and counts, which decodes multiply by, are whole numbers."""
    node = known.node(index)
    if node.op_type not in _LAYERS or not standard_domain(node.domain):
        return False
    for name in node.input[:2]:
        held = values(name)
        if held is not None and held.size > 1 and held.dtype.kind == "f" and not np.array_equal(held, np.rint(held)):
            return True
    return False


def decode_nodes(known: Known, weighted: set[int]) -> set[int]:
    """The nodes that depend on inputs and that no layer with weights depends on, but for maps that go straight out."""
    network = set[int]()
    waiting = list(weighted)
    while waiting:
        index = waiting.pop()
        if index not in network:
            network.add(index)
            waiting.extend(known.makers[name] for name in reads(known.node(index)) if name in known.makers)
    behind = {i for i in known.order if i not in network and any(name in known.data for name in known.node(i).output)}
    if not network:
        return set()
    maps, decode = set[int](), set[int]()
    for info in known.proto.graph.output:
        own = _upstream(known, info.name, behind)
        plain = all(known.node(index).op_type in _ACTIVATIONS for index in own)
        (maps if plain else decode).update(own)
    return decode | (behind - maps)


def _upstream(known: Known, name: str, among: set[int]) -> set[int]:
    found = set[int]()
    waiting = [name]
    while waiting:
        index = known.makers.get(waiting.pop())
        if index is not None and index in among and index not in found:
            found.add(index)
            waiting.extend(reads(known.node(index)))
    return found
