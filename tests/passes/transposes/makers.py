"""Ways to add a node to a random graph: one for each operator that a Transpose is moved through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper


@dataclass
class Value:
    """A tensor that was made.

    Attributes:
        name: Its name.
        shape: Its sizes in the run that is compared.
        rough: Whether its last bits may differ: nothing that chooses may read it.
    """

    name: str
    shape: tuple[int, ...]
    rough: bool = False


@dataclass
class Graph:
    """A graph under construction; `rng` fills constants."""

    rng: np.random.Generator
    values: list[Value] = field(default_factory=list)
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def constant(self, values: NDArray[Any] | np.generic) -> str:
        """A new initializer."""
        name = f"c{len(self.constants)}"
        self.constants.append(onnx.numpy_helper.from_array(np.asarray(values), name))
        return name

    def ints(self, *values: int) -> str:
        """A new initializer of int64."""
        return self.constant(np.array(values, np.int64))

    def emit(
        self, op: str, inputs: Sequence[str], shape: Sequence[int], rough: bool, outputs: int = 1, **attributes: Any
    ) -> str:
        """A node; its first output can be read by others."""
        names = [f"t{len(self.nodes)}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), names, name=f"{op}_{len(self.nodes)}", **attributes))
        self.values.append(Value(names[0], tuple(int(size) for size in shape), rough))
        return names[0]


Maker = Callable[[Graph, Value, Value, int, int], bool]
"""(graph, a value, another, two numbers to choose by) -> whether something was added."""

MAKERS: list[Maker] = []


def maker(function: Maker) -> Maker:
    """Register a way to add nodes."""
    MAKERS.append(function)
    return function


def _perm(rank: int, number: int) -> list[int]:
    return [int(axis) for axis in np.random.default_rng(number).permutation(rank)]


@maker
def transpose(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    if not x.shape:
        return False
    perm = _perm(len(x.shape), a % 7)
    if len(x.shape) == 4 and b % 2:
        perm = [[0, 2, 3, 1], [0, 3, 1, 2]][a % 2]
    g.emit("Transpose", [x.name], [x.shape[axis] for axis in perm], x.rough, perm=perm)
    return True


MAKERS += [transpose] * 12


@maker
def unary(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    op = ["Relu", "Neg", "Abs", "Identity", "Sigmoid", "Tanh", "Exp", "HardSwish", "LeakyRelu", "Clip"][a % 10]
    if op == "Exp":
        g.emit(
            "Clip",
            [x.name, g.constant(np.array(-2, np.float32)), g.constant(np.array(2, np.float32))],
            x.shape,
            x.rough,
        )
        x = g.values[-1]
    inputs = [x.name] if op != "Clip" else [x.name, g.constant(np.float32(-5)), g.constant(np.float32(5 + b % 3))]
    g.emit(op, inputs, x.shape, x.rough or op in ("Sigmoid", "Tanh", "Exp", "HardSwish"))
    return True


@maker
def constant_operand(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    rank = len(x.shape)
    shape = [size if (a >> axis) & 1 else 1 for axis, size in enumerate(x.shape)][b % (rank + 1) :]
    op = ["Add", "Mul", "Sub", "Max", "PRelu"][b % 5]
    other = g.constant(g.rng.integers(-2, 3, shape).astype(np.float32))
    g.emit(op, [x.name, other], x.shape, x.rough)
    return True


@maker
def two(g: Graph, x: Value, y: Value, a: int, _: int) -> bool:
    op = ["Add", "Sub", "Min", "Max"][a % 4]
    try:
        shape = np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        return False
    if int(np.prod(shape)) > 5000:
        return False
    g.emit(op, [x.name, y.name], shape, x.rough or y.rough)
    return True


MAKERS += [two] * 3


@maker
def where(g: Graph, x: Value, y: Value, _: int, __: int) -> bool:
    if x.rough or y.rough or x.shape != y.shape:
        return False
    g.emit("Greater", [x.name, y.name], x.shape, False)
    condition = g.values.pop()
    g.emit("Where", [condition.name, x.name, y.name], x.shape, False)
    return True


@maker
def concat(g: Graph, x: Value, y: Value, a: int, b: int) -> bool:
    rank = len(x.shape)
    if not rank:
        return False
    axis = a % rank
    others = [y] if b % 2 and len(y.shape) == rank else [x]
    if any(p != q for i, (p, q) in enumerate(zip(x.shape, others[0].shape, strict=True)) if i != axis):
        return False
    shape = list(x.shape)
    shape[axis] += others[0].shape[axis]
    if int(np.prod(shape)) > 5000:
        return False
    g.emit("Concat", [x.name, others[0].name], shape, x.rough or others[0].rough, axis=axis - rank if b % 3 else axis)
    return True


@maker
def split(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    rank = len(x.shape)
    if not rank or x.shape[a % rank] < 2:
        return False
    axis, size = a % rank, x.shape[a % rank]
    first = 1 + b % (size - 1)
    shape = list(x.shape)
    shape[axis] = first
    g.emit("Split", [x.name, g.ints(first, size - first)], shape, x.rough, outputs=2, axis=axis)
    shape[axis] = size - first
    g.values.append(Value(g.nodes[-1].output[1], tuple(shape), x.rough))
    return True


@maker
def slices(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    rank = len(x.shape)
    if not rank or x.shape[a % rank] < 2:
        return False
    axis = a % rank
    start, step = b % 2, 1 + b % 3
    shape = list(x.shape)
    shape[axis] = len(range(start, x.shape[axis], step))
    inputs = [x.name, g.ints(start), g.ints(2**31 - 1), g.ints(axis - rank if b % 2 else axis), g.ints(step)]
    g.emit("Slice", inputs, shape, x.rough)
    return True


@maker
def pad(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    rank = len(x.shape)
    if not rank or int(np.prod(x.shape)) > 1000:
        return False
    if b % 2:
        axis = a % rank
        shape = [size + (3 if place == axis else 0) for place, size in enumerate(x.shape)]
        g.emit("Pad", [x.name, g.ints(1, 2), "", g.ints(axis)], shape, x.rough)
        return True
    pads = [(a >> axis) & 1 for axis in range(rank)]
    shape = [size + 2 * extra for size, extra in zip(x.shape, pads, strict=True)]
    g.emit("Pad", [x.name, g.ints(*pads, *pads)], shape, x.rough)
    return True


@maker
def reduce(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    rank = len(x.shape)
    axes = [axis for axis in range(rank) if (a >> axis) & 1]
    if not axes or 0 in x.shape:
        return False
    keep = b % 2
    op = ["ReduceMean", "ReduceMax", "ReduceSum", "ReduceMin"][b % 4]
    shape = [1 if axis in axes else size for axis, size in enumerate(x.shape) if keep or axis not in axes]
    g.emit(op, [x.name, g.ints(*axes)], shape, x.rough or op in ("ReduceMean", "ReduceSum"), keepdims=keep)
    return True


@maker
def argument(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    rank = len(x.shape)
    if not rank or x.rough or 0 in x.shape:
        return False
    axis, keep = a % rank, b % 2
    shape = [1 if place == axis else size for place, size in enumerate(x.shape) if keep or place != axis]
    g.emit("ArgMax", [x.name], shape, False, axis=axis, keepdims=keep)
    whole = g.values.pop()
    g.emit("Cast", [whole.name], shape, False, to=TensorProto.FLOAT)
    return True


@maker
def top_k(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    rank = len(x.shape)
    if not rank or x.rough or not x.shape[a % rank]:
        return False
    axis = a % rank
    count = 1 + b % x.shape[axis]
    shape = list(x.shape)
    shape[axis] = count
    g.emit("TopK", [x.name, g.ints(count)], shape, False, outputs=2, axis=axis)
    return True


@maker
def softmax(g: Graph, x: Value, _: Value, a: int, __: int) -> bool:
    rank = len(x.shape)
    if not rank or 0 in x.shape:
        return False
    g.emit("Softmax", [x.name], x.shape, True, axis=a % rank - rank)
    return True


@maker
def layer_norm(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    rank = len(x.shape)
    if not rank or 0 in x.shape:
        return False
    axis = a % rank
    inputs = [x.name, g.constant(g.rng.integers(1, 4, x.shape[axis:]).astype(np.float32))]
    if b % 2:
        inputs.append(g.constant(g.rng.integers(1, 4, x.shape[axis:]).astype(np.float32)))
    g.emit("LayerNormalization", inputs, x.shape, True, axis=axis)
    return True


@maker
def batch_norm(g: Graph, x: Value, _: Value, a: int, __: int) -> bool:
    if len(x.shape) < 3 or not x.shape[1]:
        return False
    numbers = [g.constant(g.rng.integers(1, 4, x.shape[1]).astype(np.float32)) for _ in range(4)]
    del a
    g.emit("BatchNormalization", [x.name, *numbers], x.shape, True)
    return True


@maker
def quantize(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    rank = len(x.shape)
    if x.rough or not rank:
        return False
    axis = a % rank
    scale: NDArray[Any] | np.generic
    zero: NDArray[Any] | np.generic
    if b % 2:
        scale, zero = np.full(x.shape[axis], 0.5, np.float32), np.arange(x.shape[axis]).astype(np.int8)
    else:
        scale, zero = np.float32(0.5), np.int8(1)
    names = g.constant(scale), g.constant(zero)
    attributes = {"axis": axis} if b % 2 else {}
    g.emit("QuantizeLinear", [x.name, *names], x.shape, False, **attributes)
    whole = g.values.pop()
    g.emit("DequantizeLinear", [whole.name, *names], x.shape, False, **attributes)
    return True


@maker
def expand(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    shape = [2 + b % 2 if size == 1 and (a >> axis) & 1 else size for axis, size in enumerate(x.shape)]
    if int(np.prod(shape)) > 2000:
        return False
    extra = [2] if b % 5 == 0 and len(shape) < 6 else []
    g.emit("Expand", [x.name, g.ints(*extra, *shape)], [*extra, *shape], x.rough)
    return True


@maker
def tile(g: Graph, x: Value, _: Value, a: int, __: int) -> bool:
    repeats = [1 + ((a >> axis) & 1) for axis in range(len(x.shape))]
    if not repeats or int(np.prod(x.shape)) * int(np.prod(repeats)) > 2000:
        return False
    shape = [size * often for size, often in zip(x.shape, repeats, strict=True)]
    g.emit("Tile", [x.name, g.ints(*repeats)], shape, x.rough)
    return True


@maker
def gather(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    rank = len(x.shape)
    if not rank or not x.shape[a % rank]:
        return False
    axis = a % rank
    shape = [(), (2,), (2, 2), (1,)][b % 4]
    if rank - 1 + len(shape) > 6:
        return False
    indices = g.rng.integers(0, x.shape[axis], shape)
    out = [*x.shape[:axis], *shape, *x.shape[axis + 1 :]]
    g.emit("Gather", [x.name, g.constant(indices.astype(np.int64))], out, x.rough, axis=axis)
    return True


@maker
def squeeze(g: Graph, x: Value, _: Value, __: int, b: int) -> bool:
    ones = [axis for axis, size in enumerate(x.shape) if size == 1]
    if not ones:
        return False
    dropped = ones[b % len(ones) :]
    shape = [size for axis, size in enumerate(x.shape) if axis not in dropped]
    g.emit("Squeeze", [x.name, g.ints(*dropped)], shape, x.rough)
    return True


@maker
def unsqueeze(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    rank = len(x.shape)
    if rank >= 6:
        return False
    count = 2 if b % 3 == 0 and rank < 5 else 1
    axes = sorted({a % (rank + count), (a + 1 + b) % (rank + count)} if count == 2 else {a % (rank + 1)})
    shape = list(x.shape)
    for axis in axes:
        shape.insert(axis, 1)
    if len(shape) != rank + len(axes) or any(axis >= len(shape) for axis in axes):
        return False
    if len(axes) != count:
        return False
    g.emit("Unsqueeze", [x.name, g.ints(*axes)], shape, x.rough)
    return True


@maker
def reshape(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    shape = list(x.shape)
    rank = len(shape)
    if not rank or 0 in shape:
        return False
    axis = a % rank
    if b % 2 and rank > 1 and axis < rank - 1:
        shape[axis : axis + 2] = [shape[axis] * shape[axis + 1]]
    elif rank < 6:
        small = next((size for size in (2, 3, 5) if shape[axis] % size == 0), 1)
        shape[axis : axis + 1] = [small, shape[axis] // small] if b % 4 else [shape[axis] // small, small]
    wanted = [-1 if place == b % len(shape) and b % 3 == 0 else size for place, size in enumerate(shape)]
    g.emit("Reshape", [x.name, g.ints(*wanted)], shape, x.rough)
    return True


MAKERS += [reshape] * 2


@maker
def flatten(g: Graph, x: Value, _: Value, a: int, __: int) -> bool:
    if not x.shape or 0 in x.shape:
        return False
    axis = a % (len(x.shape) + 1)
    shape = [int(np.prod(x.shape[:axis])), int(np.prod(x.shape[axis:]))]
    g.emit("Flatten", [x.name], shape, x.rough, axis=axis)
    return True


@maker
def matmul(g: Graph, x: Value, y: Value, a: int, b: int) -> bool:
    if len(x.shape) < 2 or 0 in x.shape:
        return False
    if b % 3 == 0 and len(y.shape) >= 2 and y.shape[-2] == x.shape[-1] and x.shape[:-2] == y.shape[:-2]:
        shape = [*x.shape[:-1], y.shape[-1]]
        g.emit("MatMul", [x.name, y.name], shape, True)
        return True
    weight = g.constant(g.rng.integers(-1, 2, (x.shape[-1], 1 + a % 4)).astype(np.float32))
    g.emit("MatMul", [x.name, weight], [*x.shape[:-1], 1 + a % 4], True)
    return True


@maker
def gemm(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    if len(x.shape) != 2 or 0 in x.shape:
        return False
    inner, outer = (x.shape[0], x.shape[1]) if a % 2 else (x.shape[1], x.shape[0])
    width = 1 + b % 3
    weight = g.rng.integers(-1, 2, (width, inner) if b % 2 else (inner, width)).astype(np.float32)
    inputs = [x.name, g.constant(weight)]
    if a % 3:
        bias = [(width,), (outer, 1), (outer, width), (1,)][a % 4]
        inputs.append(g.constant(g.rng.integers(-1, 2, bias).astype(np.float32)))
    g.emit("Gemm", inputs, [outer, width], True, transA=a % 2, transB=b % 2)
    return True


@maker
def einsum(g: Graph, x: Value, _: Value, a: int, __: int) -> bool:
    if not 2 <= len(x.shape) <= 4 or 0 in x.shape:
        return False
    letters = "abcd"[: len(x.shape)]
    out = [letters[axis] for axis in _perm(len(letters), a)][: len(letters) - a % 2]
    shape = [x.shape[letters.index(letter)] for letter in out]
    g.emit("Einsum", [x.name], shape, True, equation=f"{letters}->{''.join(out)}")
    return True


@maker
def conv(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    if len(x.shape) != 4 or 0 in x.shape or min(x.shape[2:]) < 2:
        return False
    kernel = (2, 1) if a % 2 else (1, 2)
    weight = g.rng.integers(-1, 2, (2, x.shape[1], *kernel)).astype(np.float32)
    pads = [0, 1, 1, 0] if b % 2 else [0, 0, 0, 0]
    high, wide = x.shape[2] + pads[0] + pads[2] - kernel[0] + 1, x.shape[3] + pads[1] + pads[3] - kernel[1] + 1
    g.emit("Conv", [x.name, g.constant(weight)], [x.shape[0], 2, high, wide], True, pads=pads)
    return True


@maker
def pool(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    if len(x.shape) != 4 or 0 in x.shape or min(x.shape[2:]) < 2:
        return False
    if b % 3 == 0:
        g.emit("GlobalAveragePool", [x.name], [*x.shape[:2], 1, 1], True)
        return True
    op = "MaxPool" if a % 2 else "AveragePool"
    shape = [*x.shape[:2], x.shape[2] - 1, x.shape[3]]
    g.emit(op, [x.name], shape, x.rough or op == "AveragePool", kernel_shape=[2, 1])
    return True


@maker
def resize(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    if len(x.shape) != 4 or 0 in x.shape or int(np.prod(x.shape)) > 500:
        return False
    places = [(2, 3), (1, 2)][a % 2]
    scales = [2.0 if axis in places else 1.0 for axis in range(4)]
    shape = [size * 2 if axis in places else size for axis, size in enumerate(x.shape)]
    mode = "nearest" if b % 2 else "linear"
    inputs = [x.name, "", g.constant(np.array(scales, np.float32))]
    g.emit("Resize", inputs, shape, x.rough or mode == "linear", mode=mode)
    return True


@maker
def measured(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    rank = len(x.shape)
    start = a % (rank + 1)
    g.emit("Shape", [x.name], [rank - start], False, **({"start": start} if start or b % 2 else {}))
    whole = g.values.pop()
    g.emit("Cast", [whole.name], [rank - start], False, to=TensorProto.FLOAT)
    return True


@maker
def cumulative(g: Graph, x: Value, _: Value, a: int, b: int) -> bool:
    rank = len(x.shape)
    if not rank or 0 in x.shape:
        return False
    g.emit("CumSum", [x.name, g.constant(np.int64(a % rank))], x.shape, True, reverse=b % 2)
    return True
