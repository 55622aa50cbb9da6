"""How each operator is repeated on gathered inputs: one rule an operator, None where that would not be the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs

from graphkit.heads.dims import Dim
from graphkit.heads.head import Dimension
from graphkit.heads.trace import constant, operand, producer
from graphkit.passes.embed_nms.known import entries

if TYPE_CHECKING:
    from graphkit.passes.embed_nms.late import Late

UNARY = frozenset(
    {"Sigmoid", "Identity", "Exp", "Sqrt", "Neg", "Relu", "Cos", "Sin", "Tanh", "Abs", "Softplus", "Clip", "Cast"}
)
BINARY = frozenset({"Add", "Sub", "Mul", "Div", "Pow"})


class CannotGatherError(Exception):
    """A tensor's candidates cannot be gathered by themselves; says why, as half a sentence."""


@dataclass(frozen=True)
class Gathered:
    """A tensor with the candidates' columns only.

    Attributes:
        tensor: The gathered tensor, float32.
        shape: What is known of its shape; None at the batch and the candidates.
    """

    tensor: gs.Tensor
    shape: list[Dim]


def axis_of(node: gs.Node, rank: int, default: int = 0) -> int:
    """The node's axis, counted from the front."""
    axis = int(node.attrs.get("axis", default))
    return axis + rank if axis < 0 else axis


def _unary(late: Late, node: gs.Node, _tensor: gs.Tensor, axis: int, rank: int, depth: int) -> Gathered | None:
    if node.op == "Cast" and late.half and node.attrs.get("to") in (1, 10):
        return late.push(node.inputs[0], axis, rank, depth)  # all is float32 behind the gather
    if node.op == "Cast" and node.attrs.get("to") != onnx.TensorProto.FLOAT:
        return None
    source = late.push(node.inputs[0], axis, rank, depth)
    rest = [late.widened(item) for item in node.inputs[1:]]
    return late.clone(node, [source.tensor, *rest], source.shape, axis)


def _binary(late: Late, node: gs.Node, _tensor: gs.Tensor, axis: int, rank: int, depth: int) -> Gathered | None:
    try:
        sides = [late.beside(source, axis, rank, depth) for source in node.inputs]
    except CannotGatherError:
        return None
    shape: list[Dim] = []
    for a, b in zip(sides[0].shape, sides[1].shape, strict=True):
        shape.append(a if b == 1 else b if a == 1 else a if a is not None else b)
    shape[0] = shape[axis] = None
    return late.clone(node, [side.tensor for side in sides], shape, axis)


def _transpose(late: Late, node: gs.Node, _tensor: gs.Tensor, axis: int, rank: int, depth: int) -> Gathered | None:
    perm = [int(item) for item in node.attrs.get("perm", range(rank)[::-1])]
    if sorted(perm) != list(range(rank)) or perm[0] != 0:
        return None
    source = late.push(node.inputs[0], perm[axis], rank, depth)
    return late.clone(node, [source.tensor], [source.shape[item] for item in perm], axis)


def _softmax(late: Late, node: gs.Node, _tensor: gs.Tensor, axis: int, rank: int, depth: int) -> Gathered | None:
    old = late.emit.opset < 13
    over = axis_of(node, rank, 1 if old else -1)
    # Before opset 13 all axes from `over` on are one.
    if over in (0, axis) or (old and over != rank - 1):
        return None
    if over == rank - 1:
        source = late.push(node.inputs[0], axis, rank, depth)
        return late.clone(node, [source.tensor], source.shape, axis)
    # Over any other axis onnxruntime's Softmax takes five times as long as this one and the Transposes around it.
    swap = list(range(rank))
    swap[over], swap[-1] = rank - 1, over
    before = producer(node.inputs[0])
    perm = (
        [int(item) for item in before.attrs.get("perm", ())] if before is not None and before.op == "Transpose" else []
    )
    if sorted(perm) != list(range(rank)) or perm[0] != 0:
        before, perm = None, list(range(rank))
    source = late.push(before.inputs[0] if before is not None else node.inputs[0], perm[axis], rank, depth)
    shape = [source.shape[item] for item in perm]
    full = late.named(shape, axis)
    turned_shape = None if full is None else [full[item] for item in swap]

    def made(op: str, tensor: gs.Tensor, shape: list[Dimension] | None, **attrs: Any) -> gs.Tensor:
        result: gs.Tensor = late.emit.node(
            op, tensor, dtype=np.float32, shape=shape, hint=f"late_{op.lower()}", **attrs
        )
        return result

    # T(perm) ∘ T(swap) = T(perm[swap]): a Transpose in front is taken along.
    turned = made("Transpose", source.tensor, turned_shape, perm=[perm[item] for item in swap])
    soft = made("Softmax", turned, turned_shape, axis=-1)
    return Gathered(made("Transpose", soft, full, perm=swap), shape)


def _conv(late: Late, node: gs.Node, _tensor: gs.Tensor, axis: int, rank: int, depth: int) -> Gathered | None:
    weight = constant(operand(node, 1))
    plain = all(int(item) == 1 for name in ("strides", "dilations") for item in node.attrs.get(name, ()))
    if weight is None or axis < 2 or weight.ndim != rank or set(weight.shape[2:]) != {1} or not plain:
        return None
    if any(node.attrs.get("pads", ())) or node.attrs.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        return None
    source = late.push(node.inputs[0], axis, rank, depth)
    shape: list[Dim] = [None, int(weight.shape[0]), *source.shape[2:]]
    rest = [late.widened(item) for item in node.inputs[1:]]
    return late.clone(node, [source.tensor, *rest], shape, axis)


def _matmul(late: Late, node: gs.Node, _tensor: gs.Tensor, axis: int, rank: int, depth: int) -> Gathered | None:
    weight = constant(node.inputs[1])
    if weight is None or weight.ndim != 2 or axis == rank - 1:
        return None
    source = late.push(node.inputs[0], axis, rank, depth)
    shape = [*source.shape[:-1], int(weight.shape[1])]
    return late.clone(node, [source.tensor, late.widened(node.inputs[1])], shape, axis)


def _reshape(late: Late, node: gs.Node, _tensor: gs.Tensor, axis: int, rank: int, depth: int) -> Gathered | None:
    target = entries(operand(node, 1), late.dims)
    before = late.dims.shape(node.inputs[0])
    if target is None or before is None or len(target) != rank or axis not in (1, rank - 1):
        return None
    last = axis == rank - 1
    there = len(before) - 1 if last else 1
    # All but the batch and the anchors must hold as much as before, or the anchors are not kept apart.
    inner = target[1:-1] if last else target[2:]
    sizes = [size for size in inner if size is not None and size > 0]
    if there < 1 or len(sizes) != len(inner) or (target[0] is not None and target[0] > 1 and late.batch != target[0]):
        return None
    source = late.push(node.inputs[0], there, len(before), depth)
    had = source.shape[1:-1] if last else source.shape[2:]
    if any(size is None for size in had) or int(np.prod(sizes)) != int(np.prod([size or 0 for size in had])):
        return None
    wanted = [0, *sizes, -1] if last else [0, -1, *sizes]
    shape: list[Dim] = [None, *sizes, None] if last else [None, None, *sizes]
    size = late.emit.constant(np.array(wanted, np.int64), "late_shape")
    changed = {"allowzero": 0} if "allowzero" in node.attrs else {}
    return late.clone(node, [source.tensor, size], shape, axis, **changed)


def _concat(late: Late, node: gs.Node, _tensor: gs.Tensor, axis: int, rank: int, depth: int) -> Gathered | None:
    over = axis_of(node, rank)
    if over == 0:
        return None
    parts = [late.push(source, axis, rank, depth) for source in node.inputs]
    shape = list(parts[0].shape)
    sizes = [part.shape[over] for part in parts]
    shape[over] = None if any(size is None for size in sizes) else sum(size or 0 for size in sizes)
    return late.clone(node, [part.tensor for part in parts], shape, axis)


def _slice(late: Late, node: gs.Node, _tensor: gs.Tensor, axis: int, rank: int, depth: int) -> Gathered | None:
    found = [entries(operand(node, index), late.dims) for index in range(1, len(node.inputs))]
    if len(found) < 2 or found[0] is None or found[1] is None:
        return None
    starts, ends = found[0], found[1]
    axes = (found[2] if len(found) > 2 else None) or list(range(len(starts)))
    steps = (found[3] if len(found) > 3 else None) or [1] * len(starts)
    rows = list(zip(starts, ends, axes, steps, strict=False))
    if any(item is None for row in rows for item in row):
        return None
    numbers = [[int(item or 0) for item in row] for row in rows]
    over = [row[2] % rank for row in numbers]
    if axis in over or 0 in over:
        return None
    source = late.push(node.inputs[0], axis, rank, depth)
    shape = list(source.shape)
    for row, at in zip(numbers, over, strict=True):
        size = shape[at]
        shape[at] = None if size is None else len(range(*slice(row[0], row[1], row[3]).indices(size)))
    inputs = [late.emit.constant(np.array(column, np.int64), "bounds") for column in zip(*numbers, strict=True)]
    return late.clone(node, [source.tensor, *inputs], shape, axis)


def _split(late: Late, node: gs.Node, tensor: gs.Tensor, axis: int, rank: int, depth: int) -> Gathered | None:
    over = axis_of(node, rank)
    sizes = node.attrs.get("split")
    if len(node.inputs) > 1:
        sizes = entries(operand(node, 1), late.dims)
    if over in (0, axis) or (len(node.inputs) > 1 and (sizes is None or None in sizes)):
        return None
    key = (id(node), axis)
    place = next(index for index, output in enumerate(node.outputs) if output is tensor)
    if key not in late._splits:  # noqa: SLF001 - a rule of Late
        source = late.push(node.inputs[0], axis, rank, depth)
        whole, parts = source.shape[over], len(node.outputs)
        if sizes is None and whole is not None:
            part = -(-whole // parts)
            sizes = [*[part] * (parts - 1), whole - part * (parts - 1)]
        shapes = [[*source.shape[:over], size, *source.shape[over + 1 :]] for size in sizes or [None] * parts]
        inputs = [source.tensor]
        if len(node.inputs) > 1:
            inputs.append(late.emit.constant(np.array(sizes, np.int64), "sizes"))
        made = late.emit.nodes(
            "Split",
            inputs,
            [(np.float32, late.named(shape, axis)) for shape in shapes],
            hint="late_split",
            **dict(node.attrs),
        )
        late._splits[key] = [Gathered(t, s) for t, s in zip(made, shapes, strict=True)]  # noqa: SLF001
    return late._splits[key][place]  # noqa: SLF001


RULES: dict[str, Any] = {
    "unary": _unary,
    "binary": _binary,
    "Transpose": _transpose,
    "Softmax": _softmax,
    "Conv": _conv,
    "MatMul": _matmul,
    "Reshape": _reshape,
    "Concat": _concat,
    "Slice": _slice,
    "Split": _split,
}
