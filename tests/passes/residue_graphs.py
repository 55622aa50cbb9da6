"""Random models of reshaping operators and of operators that change nothing, or nearly; of all opsets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from graphkit.passes.contract import Pass
from tests.passes.helpers import Arrays, evaluate, run_pass

OPSETS = (7, 8, 9, 10, 11, 12, 13, 14, 17, 18, 19, 21, 23)
SPECIAL = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, 1.0, -3.5, 3e38], np.float32)
BIG = 2**31 - 1


@dataclass
class Made:
    """A model that grows, with the shapes that it computes at one choice of its dynamic dimensions.

    Attributes:
        random: What everything is drawn from.
        opset: Of the default domain.
        static: Whether the input has no dynamic dimension.
    """

    random: np.random.Generator
    opset: int
    static: bool = False
    nodes: list[NodeProto] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    types: dict[str, int] = field(default_factory=dict)

    def choose(self, options: Sequence[Any]) -> Any:
        return options[int(self.random.integers(len(options)))]

    def constant(self, values: NDArray[Any]) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = values
        return name

    def add(self, op: str, inputs: Sequence[str], shape: Sequence[int], kind: int, **attributes: Any) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], **attributes))
        self.shapes[name], self.types[name] = tuple(shape), kind
        return name

    def axes(self, op: str, source: str, axes: list[int], shape: Sequence[int]) -> str:
        kind = self.types[source]
        if self.opset < 13:
            return self.add(op, [source], shape, kind, axes=axes)
        return self.add(op, [source, self.constant(np.array(axes, np.int64))], shape, kind)


def reshape(made: Made, source: str) -> str:
    """A Reshape by numbers, 0 and -1, or by a shape that is computed."""
    shape = made.shapes[source]
    size = int(np.prod(shape))
    options = [list(shape), [size], [1, size], [size, 1], [1, *shape], [*shape, 1]]
    options.append([item for item in shape if item != 1])
    if len(shape) > 1:
        options += [[shape[0] * shape[1], *shape[2:]], [shape[0], int(np.prod(shape[1:]))], list(shape[::-1])]
    even = [axis for axis, item in enumerate(shape) if item and not item % 2]
    options += [[*shape[:axis], 2, shape[axis] // 2, *shape[axis + 1 :]] for axis in even]
    target = made.choose(options)
    told = list(target)
    for axis, (item, there) in enumerate(zip(target, shape, strict=False)):
        told[axis] = 0 if item == there and made.random.random() < 0.4 else item
    free = int(made.random.integers(len(told))) if told else -1
    if told and np.prod([item for axis, item in enumerate(target) if axis != free]) and made.random.random() < 0.5:
        told[free] = -1
    attributes = {}
    moved = any(item == 0 and (axis >= len(shape) or shape[axis] != 0) for axis, item in enumerate(target))
    if moved and made.opset < 14:
        return flatten(made, source)
    if made.opset >= 14 and (moved or made.random.random() < 0.2) and (moved or -1 not in told):
        attributes, told = {"allowzero": 1}, list(target)
    values = made.constant(np.array(told, np.int64))
    if made.random.random() < 0.25:
        if list(shape) == target:
            values = made.add("Shape", [source], [len(shape)], TensorProto.INT64)
        else:  # not known before the model runs
            mixed = made.add("Cast", ["zero"], [], TensorProto.INT64, to=TensorProto.INT64)
            values = made.add("Add", [values, mixed], [len(told)], TensorProto.INT64)
    return made.add("Reshape", [source, values], target, made.types[source], **attributes)


def flatten(made: Made, source: str) -> str:
    shape = made.shapes[source]
    axis = int(made.random.integers(len(shape) + 1))
    sides = [int(np.prod(shape[:axis])), int(np.prod(shape[axis:]))]
    shown = axis - len(shape) if made.opset >= 11 and axis < len(shape) and made.random.random() < 0.4 else axis
    return made.add("Flatten", [source], sides, made.types[source], axis=shown)


def squeeze(made: Made, source: str) -> str:
    shape = made.shapes[source]
    ones = [axis for axis, item in enumerate(shape) if item == 1]
    if made.random.random() < 0.2:
        return made.add("Squeeze", [source], [item for item in shape if item != 1], made.types[source])
    chosen = [axis for axis in ones if made.random.random() < 0.7]
    if not chosen:
        return unsqueeze(made, source)
    told = [axis - len(shape) if made.opset >= 11 and made.random.random() < 0.4 else axis for axis in chosen]
    return made.axes("Squeeze", source, told, [item for axis, item in enumerate(shape) if axis not in chosen])


def unsqueeze(made: Made, source: str) -> str:
    shape = made.shapes[source]
    if len(shape) > 4:
        return flatten(made, source)
    count = int(made.random.integers(1, 3))
    rank = len(shape) + count
    chosen = sorted(int(axis) for axis in made.random.choice(rank, count, replace=False))
    rest = iter(shape)
    target = [1 if axis in chosen else next(rest) for axis in range(rank)]
    told = [axis - rank if made.opset >= 11 and made.random.random() < 0.4 else axis for axis in chosen]
    return made.axes("Unsqueeze", source, told, target)


RESHAPES = (reshape, reshape, flatten, squeeze, unsqueeze, unsqueeze)


def arithmetic(made: Made, source: str) -> str:
    """With an element that is neutral, or nearly, of a shape that changes nothing, or something."""
    shape, kind = made.shapes[source], made.types[source]
    zeros = [("Add", 0.0), ("Add", -0.0), ("Sub", 0.0), ("Sub", -0.0)]
    op, value = made.choose([*zeros, ("Mul", 1), ("Div", 1), ("Pow", 1), ("Mul", 2)])
    if kind in (TensorProto.BOOL, TensorProto.DOUBLE) or (kind != TensorProto.FLOAT and op == "Pow"):
        return source
    options: list[tuple[int, ...]] = [(), (1,) * len(shape), (1,), shape, (1, *shape), shape[-1:]]
    dims = made.choose(options)
    other = made.constant(np.full(dims, value, helper.tensor_dtype_to_np_dtype(kind)))
    inputs = [other, source] if op in ("Mul", "Add") and made.random.random() < 0.5 else [source, other]
    return made.add(op, inputs, np.broadcast_shapes(shape, dims), kind)


def cast(made: Made, source: str) -> str:
    floats, whole = (TensorProto.FLOAT, TensorProto.DOUBLE), (TensorProto.INT32, TensorProto.INT64)
    kind = made.choose([*floats, *whole, TensorProto.FLOAT, made.types[source]])
    if made.types[source] in floats and kind in whole:
        kind = TensorProto.DOUBLE  # beyond the range of whole numbers a Cast is undefined
    return made.add("Cast", [source], made.shapes[source], kind, to=kind)


def cut(made: Made, source: str) -> str:
    """Slice, Pad, Concat or Split of everything, or nearly."""
    shape, kind = made.shapes[source], made.types[source]
    op = made.choose(["Slice", "Pad", "Concat", "Split"])
    if not shape or (kind != TensorProto.FLOAT and op != "Concat"):
        return source
    axis = int(made.random.integers(len(shape)))
    size = shape[axis]
    if op == "Slice":
        plain = [(0, BIG, 1), (0, size, 1), (0, 2**62, 1), (0, 1, 1)]
        start, end, step = made.choose([*plain, (-size, BIG, 1), (-1, -BIG, -1)])
        if made.opset < 10:
            step = 1
        kept = len(range(size)[start:end:step])
        dims = [*shape[:axis], kept, *shape[axis + 1 :]]
        if made.opset < 10:
            return made.add(op, [source], dims, kind, starts=[start], ends=[end], axes=[axis])
        values = [made.constant(np.array([item], np.int64)) for item in (start, end, axis, step)]
        return made.add(op, [source, *values], dims, kind)
    if op == "Pad":
        more = int(made.random.random() < 0.3)
        pads = [0] * axis + [more] + [0] * (2 * len(shape) - axis - 1)
        dims = [item + more * (place == axis) for place, item in enumerate(shape)]
        if made.opset < 11:
            return made.add(op, [source], dims, kind, pads=pads)
        return made.add(op, [source, made.constant(np.array(pads, np.int64))], dims, kind)
    if op == "Split":
        return made.add(op, [source], shape, kind, axis=axis, **({"num_outputs": 1} if made.opset >= 18 else {}))
    empty = np.zeros([*shape[:axis], 0, *shape[axis + 1 :]], helper.tensor_dtype_to_np_dtype(kind))
    # onnxruntime passes over what is empty, even where its other dimensions are not those of the rest.
    inputs = [source, made.constant(empty)][: 1 + int(made.static and made.random.random() < 0.5)]
    return made.add(op, inputs, shape, kind, axis=axis)


def repeat(made: Made, source: str) -> str:
    """Expand, Tile, Where, Sum, Dropout or Resize to what is there, or nearly."""
    shape, kind = made.shapes[source], made.types[source]
    op = made.choose(["Expand", "Tile", "Where", "Sum", "Dropout", "Resize"])
    oldest = {"Expand": 8, "Where": 9}.get(op, 7)
    if (kind != TensorProto.FLOAT and op != "Where") or made.opset < oldest:
        return source
    if op == "Expand":
        told = made.choose([shape, (1,) * len(shape), (1,), shape[-1:], (1, *shape), (2, *shape)])
        return made.add(op, [source, made.constant(np.array(told, np.int64))], np.broadcast_shapes(shape, told), kind)
    if op == "Tile" and shape:
        times = [1] * len(shape)
        times[-1] = made.choose([1, 1, 2])
        dims = [item * count for item, count in zip(shape, times, strict=True)]
        return made.add(op, [source, made.constant(np.array(times, np.int64))], dims, kind)
    if op == "Where":
        dims = made.choose([(), shape, (1, *shape)])
        truth = bool(made.random.random() < 0.5)
        other = made.constant(np.full(made.choose([(), shape]), 7, helper.tensor_dtype_to_np_dtype(kind)))
        sides = [source, other] if truth or made.random.random() < 0.3 else [other, source]
        return made.add(op, [made.constant(np.full(dims, truth)), *sides], np.broadcast_shapes(shape, dims), kind)
    if op == "Resize" and made.opset >= 11 and len(shape) == 4 and 0 not in shape:
        scales = made.constant(np.array([1, 1, 1, made.choose([1, 1, 2])], np.float32))
        mode = made.choose(["nearest", "linear"])
        kind_of = made.choose(["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"])
        dims = [*shape[:3], int(shape[3] * made.constants[scales][3])]
        roi = made.constant(np.zeros(0, np.float32)) if made.opset < 13 else ""
        return made.add(op, [source, roi, scales], dims, kind, mode=mode, coordinate_transformation_mode=kind_of)
    return made.add("Sum" if op == "Sum" else "Dropout", [source], shape, kind)


def other(made: Made, source: str) -> str:
    """What is neither: it ends chains."""
    if made.types[source] != TensorProto.FLOAT:
        return source
    return made.add(made.choose(["Neg", "Abs"]), [source], made.shapes[source], TensorProto.FLOAT)


NO_OPS = (arithmetic, arithmetic, cast, cast, cut, repeat, reshape, flatten, unsqueeze)


@dataclass(frozen=True)
class Case:
    """A model and what it is fed.

    Attributes:
        model: The model.
        feeds: Inputs of several sizes; the model may refuse all but the first.
    """

    model: onnx.ModelProto
    feeds: list[Arrays]


def case(seed: int, rules: Sequence[Any], most: int = 12) -> Case:
    """A random model of up to `most` nodes of these sorts."""
    random = np.random.default_rng(seed)
    made = Made(random, OPSETS[int(random.integers(len(OPSETS)))])
    rank = int(random.integers(0, 5))
    shape = tuple(int(made.choose([0, 1, 1, 2, 3, 4, 6])) if made.random.random() < 0.9 else 0 for _ in range(rank))
    declared = [made.choose([item, item, "N", f"d{axis}", None]) for axis, item in enumerate(shape)]
    first: dict[str, int] = {}
    for item, name in zip(shape, declared, strict=True):
        if isinstance(name, str):
            first.setdefault(name, item)
    shape = tuple(first.get(name, item) for item, name in zip(shape, declared, strict=True))
    made.static = all(isinstance(name, int) for name in declared)
    made.shapes |= {"x": shape}
    made.types |= {"x": TensorProto.FLOAT}
    names = ["x"]
    for _ in range(int(random.integers(1, most + 1))):
        source = names[-1] if random.random() < 0.7 else names[int(random.integers(len(names)))]
        rule = other if random.random() < 0.15 else rules[int(random.integers(len(rules)))]
        name = rule(made, source)
        if name not in names:
            names.append(name)
    wanted = {names[-1]} | {name for name in names if random.random() < 0.2}
    wanted -= {"x"}
    if not wanted:
        wanted = {made.add("Neg", ["x"], shape, TensorProto.FLOAT)}
    info = helper.make_tensor_value_info
    outputs = [info(name, made.types[name], [None] * len(made.shapes[name])) for name in sorted(wanted)]
    inputs = [info("x", TensorProto.FLOAT, declared), info("zero", TensorProto.FLOAT, [])]
    kept = [numpy_helper.from_array(value, name) for name, value in made.constants.items()]
    graph = helper.make_graph(made.nodes, "random", inputs, outputs, kept)
    if random.random() < 0.2:
        graph = _within(random, graph)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", made.opset)], ir_version=10)
    return Case(model, [_feed(random, shape), *(_feed(random, _other(random, shape, declared)) for _ in range(3))])


def _within(random: np.random.Generator, graph: onnx.GraphProto) -> onnx.GraphProto:
    """The graph as both branches of an If; its constants inside or outside."""
    cut = int(random.integers(len(graph.initializer) + 1))
    inside = graph.initializer[cut:]
    branches = [helper.make_graph(graph.node, name, [], graph.output, inside) for name in ("one", "two")]
    names = [f"{info.name}_outer" for info in graph.output]
    choice = helper.make_node("If", ["truth"], names, then_branch=branches[0], else_branch=branches[1])
    outputs = []
    for info, name in zip(graph.output, names, strict=True):
        renamed = onnx.ValueInfoProto()
        renamed.CopyFrom(info)
        renamed.name = name
        outputs.append(renamed)
    truth = helper.make_node("Cast", ["zero"], ["truth"], to=TensorProto.BOOL)
    return helper.make_graph([truth, choice], graph.name, graph.input, outputs, graph.initializer[:cut])


def _count(graph: onnx.GraphProto) -> int:
    """Nodes of the graph and of its subgraphs."""
    return len(graph.node) + sum(_count(item.g) for node in graph.node for item in node.attribute if item.HasField("g"))


def _other(random: np.random.Generator, shape: Sequence[int], declared: Sequence[int | str | None]) -> tuple[int, ...]:
    """Other sizes that the model's input may have."""
    chosen: dict[object, int] = {}
    for axis, name in enumerate(declared):
        chosen.setdefault(name or axis, int(random.choice([0, 1, 2, 3, 4, 6])))
    sizes = [
        item if isinstance(name, int) else chosen[name or axis] for axis, (item, name) in _numbered(shape, declared)
    ]
    return tuple(sizes)


def _numbered(shape: Sequence[int], declared: Sequence[int | str | None]) -> Iterator[tuple[int, tuple[int, Any]]]:
    return enumerate(zip(shape, declared, strict=True))


def _feed(random: np.random.Generator, shape: Sequence[int]) -> Arrays:
    return {"x": random.choice(SPECIAL, size=tuple(shape)), "zero": np.zeros((), np.float32)}


def results(model: onnx.ModelProto, feeds: Arrays) -> Arrays | None:
    """What a model returns; None where it refuses."""
    try:
        return evaluate(model, feeds)
    except Exception:  # noqa: BLE001 - what onnxruntime raises depends on what is wrong
        return None


def assert_same(before: Arrays, after: Arrays) -> None:
    """Shapes, types and every bit but those of NaN, of which IEEE 754 leaves sign and payload open."""
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert value.shape == after[name].shape, name
        assert value.dtype == after[name].dtype, name
        assert _plain(value) == _plain(after[name]), name


def _plain(value: NDArray[Any]) -> bytes:
    return np.where(np.isnan(value), np.nan, value).astype(value.dtype).tobytes()


def hold(item: Pass, tried: Case) -> int:
    """Run a pass on a random model and hold it to its promises; returns how many rewrites there were."""
    ran = run_pass(item, tried.model)
    gone = _count(tried.model.graph) - _count(ran.after.graph)
    assert gone == ran.result.rewrites
    for feeds in tried.feeds if gone else ():
        before = results(tried.model, feeds)
        if before is not None:
            after = results(ran.after, feeds)
            assert after is not None, onnx.printer.to_text(ran.after)
            assert_same(before, after)
    return gone
