"""What differs between two nodes that belong together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import AttributeProto, NodeProto, TensorProto

from graphkit.facts import schemas
from graphkit.facts.labels import text
from graphkit.matching.digests import Reader, unlike_attributes
from graphkit.matching.matching import Matching, Pair
from graphkit.matching.view import Constant, Node, View
from graphkit.model.tensors import in_pieces

Kind = Literal["operator", "attribute", "constant", "input", "function", "definition"]
_SHOWN = 8
"""Elements of a list that are shown."""


@dataclass(frozen=True)
class Difference:
    """One thing that differs.

    Attributes:
        kind: Operator, attribute (subgraphs are such), constant, input, the body of a function of this name, or the
            version of the operator's definition, which is no difference as long as both compute the same.
        name: The attribute, or what the definition calls the input: "W", "input 2".
        left: What the left node has, for a reader; "" where it has none.
        right: The right node.
        relative_l2: Of a constant of the same shape: how far the right one is from the left.
        max_error: The same, the largest absolute difference.
        changed: How many elements differ.
        size: Of how many.
    """

    kind: Kind
    name: str
    left: str
    right: str
    relative_l2: float | None = None
    max_error: float | None = None
    changed: int | None = None
    size: int | None = None


def differences(matching: Matching, pair: Pair, readers: tuple[Reader, Reader]) -> tuple[Difference, ...]:
    """All that differs between the nodes of a pair.

    Args:
        matching: What the pair is of.
        pair: One of its pairs.
        readers: Of the values of the two models' tensors, in pieces (`Model.stream`).
    """
    left, right = pair.left, pair.right
    found = []
    if left.op != right.op:
        found.append(Difference("operator", "", left.op, right.op))
    for name in unlike_attributes(left, right):
        if name == "function":
            found.append(Difference("function", left.op, "one body", "another"))
        elif left.op == right.op or (name in left.attributes) == (name in right.attributes):
            found.append(Difference("attribute", name, _attribute(left, name), _attribute(right, name)))
    for slot in range(max(len(left.inputs), len(right.inputs))):
        item = _input(matching, pair, slot, readers)
        if item is not None:
            found.append(item)
    if left.op == right.op and left.since != right.since:
        one, other = (f"of opset {node.since}" if node.since else "unknown to onnx" for node in (left, right))
        found.append(Difference("definition", left.op, one, other))
    return tuple(found)


def input_name(node: Node, slot: int) -> str:
    """What the operator's definition calls an input."""
    formal = schemas.schema(text(node.proto.op_type), node.since).inputs if node.since else []
    if not formal or slot >= len(node.proto.input):
        return f"input {slot}"
    if slot < len(formal) and formal[slot].option != onnx.defs.OpSchema.FormalParameterOption.Variadic:
        return str(formal[slot].name)
    return f"{formal[-1].name}[{slot - len(formal) + 1}]"


def _input(matching: Matching, pair: Pair, slot: int, readers: tuple[Reader, Reader]) -> Difference | None:
    nodes, views = (pair.left, pair.right), (matching.left, matching.right)
    tensors = [node.inputs[slot] if slot < len(node.inputs) else -1 for node in nodes]
    constants = [view.constants.get(tensor) for view, tensor in zip(views, tensors, strict=True)]
    name = input_name(pair.left if slot < len(pair.left.inputs) else pair.right, slot)
    one, other = constants
    if one is not None and other is not None:
        return None if one.digest == other.digest else _values(name, one, other, readers)
    if one is None and other is None and slot not in pair.rewired:
        return None
    left, right = (_source(view, tensor, item) for view, tensor, item in zip(views, tensors, constants, strict=True))
    return Difference("input", name, left, right)


def _values(name: str, one: Constant, other: Constant, readers: tuple[Reader, Reader]) -> Difference:
    shown = _shown(one), _shown(other)
    # What is not dense has no pieces; two of the same shape have theirs in the same places.
    first = [next(_pieces(item, read), None) for item, read in zip((one, other), readers, strict=True)]
    told = _told(one, other, first, shown)
    if any(piece is None or piece.dtype.kind not in "biufV" for piece in first) or one.shape != other.shape:
        return Difference("constant", name, *told)
    norm = distance = apart = 0.0
    changed = 0
    pairs = zip(*(_pieces(item, read) for item, read in zip((one, other), readers, strict=True)), strict=True)
    for pieces in pairs:
        a, b = (np.asarray(piece, np.float64) for piece in pieces)
        with np.errstate(invalid="ignore", over="ignore"):
            norm += float(np.square(a).sum())
            distance += float(np.square(b - a).sum())
            apart = float(np.maximum(apart, np.abs(b - a).max(initial=0.0)))
        changed += int(np.count_nonzero((a != b) & ~(np.isnan(a) & np.isnan(b))))
    return Difference(
        "constant",
        name,
        *told,
        relative_l2=math.sqrt(distance / norm) if norm else (math.inf if distance else 0.0),
        max_error=apart,
        changed=changed,
        size=one.size,
    )


def _told(one: Constant, other: Constant, first: list[Any], shown: tuple[str, str]) -> tuple[str, str]:
    """With the values themselves, where these are few: then they are one piece."""
    if max(one.size, other.size) > _SHOWN or any(piece is None for piece in first):
        return shown
    return tuple(f"{text_} {_list(piece.tolist())}" for text_, piece in zip(shown, first, strict=True))  # type: ignore[return-value]


def _pieces(constant: Constant, read: Reader) -> Iterator[NDArray[Any]]:
    if isinstance(constant.holder, TensorProto):
        yield from read(constant.holder)
    elif isinstance(constant.holder, np.ndarray):
        yield from in_pieces(constant.holder)


def _shown(constant: Constant) -> str:
    known = constant.dtype in TensorProto.DataType.values()
    kind = TensorProto.DataType.Name(constant.dtype).lower() if known else f"type {constant.dtype}"
    return f"{kind} {list(constant.shape)}"


def _source(view: View, tensor: int, constant: Constant | None) -> str:
    if tensor < 0:
        return ""
    if constant is not None:
        return f"a constant, {_shown(constant)}"
    return f'"{text(view.names[tensor])}"'


def _attribute(node: Node, name: str) -> str:
    if name in node.bodies or name.partition("[")[0] in {key.partition("[")[0] for key in node.bodies}:
        return "a subgraph"
    given = {text(item.name): item for item in node.proto.attribute}
    if name in given:
        return _plain(given[name])
    defaults = _defaults(node.proto, node.since)
    return f"{_plain(defaults[name])} (the default)" if name in defaults else ""


def _defaults(node: NodeProto, since: int) -> Mapping[str, AttributeProto]:
    if not since:
        return {}
    made = schemas.schema(text(node.op_type), since).attributes
    return {name: one.default_value for name, one in made.items() if one.default_value.name}


def _plain(item: AttributeProto) -> str:
    if item.ref_attr_name:
        return f"the function's {text(item.ref_attr_name)}"
    if item.type in (AttributeProto.TENSOR, AttributeProto.TENSORS, AttributeProto.SPARSE_TENSOR):
        return f"a tensor {list(item.t.dims)}" if item.type == AttributeProto.TENSOR else "tensors"
    try:
        value = onnx.helper.get_attribute_value(item)
    except ValueError:
        return "a value of no known type"
    if isinstance(value, bytes):
        return text(value)
    if isinstance(value, float):
        return f"{value:.9g}"
    return _list(list(value)) if item.type in (AttributeProto.INTS, AttributeProto.FLOATS) else str(value)


def _list(values: list[Any]) -> str:
    shown = [f"{value:.9g}" if isinstance(value, float) else text(value) if isinstance(value, bytes) else str(value)
             for value in values[:_SHOWN]]  # fmt: skip
    return f"[{', '.join(shown)}{', …' if len(values) > _SHOWN else ''}]"
