"""Walking a gs.Graph backwards: who makes a tensor, what is constant, what only moves or renames data.

Graphs are hostile: they may be cyclic, unsorted or half-typed. Every walk is bounded or remembers where it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import onnx
import onnx_graphsurgeon as gs
from numpy.typing import NDArray

STANDARD_DOMAINS = (None, "", "ai.onnx")
FLOATS = frozenset({onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE})
LARGEST_CONSTANT = 1 << 22
"""Elements; nothing a head is recognised by is larger, and larger weights are not read from disk for it."""
LONGEST_CHAIN = 64


def producer(tensor: gs.Tensor, *ops: str) -> gs.Node | None:
    """The node of the standard domain that makes `tensor`, if it is one of `ops` (any, where none are given)."""
    if len(tensor.inputs) != 1:
        return None
    node = tensor.inputs[0]
    if node.domain not in STANDARD_DOMAINS or (ops and node.op not in ops):
        return None
    return node


def operand(node: gs.Node, index: int) -> gs.Tensor | None:
    """The input at `index`; None where it is left out."""
    if index >= len(node.inputs) or (not node.inputs[index].name and not node.inputs[index].inputs):
        return None
    return node.inputs[index]


def constant(tensor: gs.Tensor | None) -> NDArray[np.generic] | None:
    """The value of an initializer or a Constant node, looking through Identity; None where it is not constant."""
    for _ in range(LONGEST_CHAIN):
        if tensor is None:
            return None
        if isinstance(tensor, gs.Constant):
            return _values(tensor)
        node = producer(tensor, "Constant", "Identity")
        if node is None:
            return None
        if node.op == "Constant":
            return _constant_node(node)
        tensor = operand(node, 0)
    return None


def _constant_node(node: gs.Node) -> NDArray[np.generic] | None:
    value = node.attrs.get("value")
    if isinstance(value, gs.Constant):
        return _values(value)
    for name, dtype in (
        ("value_float", np.float32),
        ("value_floats", np.float32),
        ("value_int", np.int64),
        ("value_ints", np.int64),
    ):
        if name in node.attrs:
            return np.asarray(node.attrs[name], dtype=dtype)
    return None


def _values(tensor: gs.Constant) -> NDArray[np.generic] | None:
    shape = tensor.shape
    if shape is None or int(np.prod([int(dim) for dim in shape], dtype=np.int64)) > LARGEST_CONSTANT:
        return None
    values = tensor.values
    return values if isinstance(values, np.ndarray) else None


def scalar(tensor: gs.Tensor | None) -> float | None:
    """The value of a constant with one element."""
    value = constant(tensor)
    return None if value is None or value.size != 1 or value.dtype.kind not in "fiu" else float(value.reshape(-1)[0])


@dataclass(frozen=True)
class Peeled:
    """What lies under layout operators.

    Attributes:
        tensor: The tensor that is only moved or converted on its way out.
        transposed: Whether axes 1 and 2 change places on that way.
        casts: ONNX element types it is cast to, in the order of the data's flow.
    """

    tensor: gs.Tensor
    transposed: bool
    casts: tuple[int, ...]


def peel(tensor: gs.Tensor) -> Peeled:
    """Walk back through Identity, Cast between float types and Transpose [0, 2, 1]."""
    transposed, casts = False, list[int]()
    for _ in range(LONGEST_CHAIN):
        node = producer(tensor, "Identity", "Cast", "Transpose")
        source = operand(node, 0) if node is not None else None
        if node is None or source is None:
            break
        if node.op == "Cast":
            if node.attrs.get("to") not in FLOATS:
                break
            casts.append(int(node.attrs["to"]))
        elif node.op == "Transpose":
            perm = list(node.attrs.get("perm", ()))
            if perm not in ([0, 1, 2], [0, 2, 1]):
                break
            transposed ^= perm == [0, 2, 1]
        tensor = source
    return Peeled(tensor, transposed, tuple(reversed(casts)))


def cut_from(tensor: gs.Tensor) -> gs.Tensor | None:
    """What a tensor is a part of, by Split or Slice."""
    node = producer(tensor, "Slice", "Split")
    return None if node is None else operand(node, 0)


def same(left: gs.Tensor, right: gs.Tensor) -> bool:
    """Whether two tensors are one, or are made alike from the same tensors (a subexpression computed twice)."""
    if left is right:
        return True
    a, b = producer(left), producer(right)
    if a is None or b is None or a.op != b.op or len(a.inputs) != len(b.inputs) or dict(a.attrs) != dict(b.attrs):
        return False
    if len(a.outputs) != 1 or len(b.outputs) != 1:
        return False
    return all(x is y for x, y in zip(a.inputs, b.inputs, strict=True))


def upstream(tensors: Iterable[gs.Tensor]) -> Iterator[gs.Node]:
    """Every node the tensors depend on, each once; subgraphs are not entered."""
    seen: set[int] = set()
    waiting = list(tensors)
    while waiting:
        for node in waiting.pop().inputs:
            if id(node) not in seen:
                seen.add(id(node))
                yield node
                waiting.extend(node.inputs)
