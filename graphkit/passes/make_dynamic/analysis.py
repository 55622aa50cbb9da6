"""Following the sizes through a graph, from its inputs to its outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onnx import GraphProto, NodeProto

from graphkit.facts.labels import label
from graphkit.model import reads, standard_domain, subgraphs
from graphkit.passes.make_dynamic.edits import Edit, Integers, Plain, dtype_of, shape_of, vectors_of
from graphkit.passes.make_dynamic.known import Known
from graphkit.passes.make_dynamic.operators import KNOWN, PRODUCTS, UNKNOWN_COUNT
from graphkit.passes.make_dynamic.rules import edits_of
from graphkit.passes.make_dynamic.sizes import CannotTell, Sizes
from graphkit.passes.make_dynamic.worlds import Dims, Reader, Vector, Worlds, fixed


class Stuck(Exception):
    """A node is in the way.

    Attributes:
        node: The node, for a reader.
        reason: Half a sentence.
        misfit: Whether all that is wrong is that shapes do not fit at another size, so that others might.
    """

    def __init__(self, node: str, reason: str, misfit: bool = False) -> None:
        self.node, self.reason, self.misfit = node, reason, misfit
        super().__init__(f"{node}: {reason}")


@dataclass(frozen=True)
class Wanted:
    """Which dimensions move.

    Attributes:
        shapes: Of every input of the model; of what moves already some size that it runs at.
        batch: Inputs whose first dimension moves.
        sides: Input -> axes of the sides of a picture that move, with their symbols; height first.
    """

    shapes: Mapping[str, tuple[int, ...]]
    batch: frozenset[str]
    sides: Mapping[str, tuple[tuple[int, str], ...]]


@dataclass(frozen=True)
class Plan:
    """What has to be done.

    Attributes:
        edits: For the nodes.
        known: All that was found out.
        dims: Of every tensor.
        inputs: Shapes of the inputs at each of the sizes that were looked at; the first is the model's own.
        unit: Sides have to be multiples of it.
    """

    edits: tuple[Edit, ...]
    known: Known
    dims: Mapping[str, Dims | None]
    inputs: tuple[Mapping[str, tuple[int, ...]], ...]
    unit: int


def analyse(graph: GraphProto, opset: int, read: Reader, wanted: Wanted, strides: Sequence[int]) -> Plan:
    """Plan the edits.

    Sides are tried in steps of the smallest unit for which all shapes fit: those of `strides` first, which the model
    claims, then the divisors of its own sides. A detector's levels fit together for multiples of its largest stride.

    Raises:
        Stuck: A node is in the way.
    """
    stuck: Stuck | None = None
    for unit in _units(wanted, strides):
        shapes = sample(wanted, unit)
        try:
            return _follow(graph, opset, read, wanted, shapes, unit)
        except Stuck as error:
            if not error.misfit:
                raise
            stuck = error
    assert stuck is not None
    raise stuck


def _units(wanted: Wanted, strides: Sequence[int]) -> list[int]:
    sides = [wanted.shapes[name][axis] for name, axes in wanted.sides.items() for axis, _ in axes]
    if not sides:
        return [1]
    common = math.gcd(*sides)
    powers = [1 << bit for bit in range(common.bit_length()) if common % (1 << bit) == 0]
    claimed = [stride for stride in strides if stride > 0 and common % stride == 0]
    return list(dict.fromkeys([*claimed, *powers, common]))


def sample(wanted: Wanted, unit: int) -> tuple[dict[str, tuple[int, ...]], ...]:
    """Four sets of input shapes: the model's own, and three whose batches and sides have nothing in common."""
    found = []
    for index, batch in enumerate((1, 2, 3, 5)):
        shapes = {}
        for name, shape in wanted.shapes.items():
            made = list(shape)
            if name in wanted.batch:
                made[0] *= batch
            for place, (axis, _) in enumerate(wanted.sides.get(name, ())):
                more = ((0, 1, 4, 2), (0, 3, 2, 7))[place % 2][index]
                made[axis] = unit * (-(-2 * made[axis] // (5 * unit)) + more) if index else made[axis]
            shapes[name] = tuple(made)
        found.append(shapes)
    return tuple(found)


def _follow(
    graph: GraphProto,
    opset: int,
    read: Reader,
    wanted: Wanted,
    shapes: Sequence[Mapping[str, tuple[int, ...]]],
    unit: int,
) -> Plan:
    worlds = Worlds(graph, opset, read, shapes)
    sizes = Sizes(symbols={})
    batch: Vector | None = None
    for name in wanted.shapes:
        for axis, size in enumerate(worlds.dims(name) or ()):
            if size is not None:
                sizes.place(size, name, axis)
    for name in sorted(wanted.batch):
        batch = tuple(shape[name][0] for shape in shapes)
    for name, axes in wanted.sides.items():
        for axis, symbol in axes:
            sizes.symbols.setdefault(tuple(shape[name][axis] for shape in shapes), symbol)
    known = Known(worlds, sizes, batch)
    for node in graph.node:
        for name in node.input:
            known.readers.setdefault(name, []).append(node)
    edits: list[Edit] = []
    for node in graph.node:
        edits += _step(node, known)
    names = [*wanted.shapes, *(name for node in graph.node for name in node.output if name)]
    return Plan(tuple(edits), known, {name: worlds.dims(name) for name in names}, tuple(shapes), unit)


def _step(node: NodeProto, known: Known) -> list[Edit]:
    worlds = known.worlds
    inner = any(subgraphs(item) for item in node.attribute)
    moving = any(worlds.moves(name) for name in (reads(node) if inner else node.input) if name)
    if not moving:
        worlds.infer(node)
        return []
    if inner or not standard_domain(node.domain) or node.op_type not in KNOWN:
        what = (
            "it holds a subgraph" if inner else f"nothing is known of what the operator {node.op_type} does with sizes"
        )
        raise Stuck(label(node), f"{what}, and what it reads depends on the size")
    try:
        edits = edits_of(node, known)
        if not all(known.sizes.can_make(size) for edit in edits for size in vectors_of(edit.recipe)):
            raise CannotTell("a size that it has in it is the shape of no tensor")
    except CannotTell as error:
        raise Stuck(label(node), str(error), misfit=node.op_type in PRODUCTS) from error
    changed = _at_each_size(node, edits, worlds)
    if not worlds.infer(changed) and node.op_type not in UNKNOWN_COUNT:
        raise Stuck(label(node), _misfit(changed, worlds), misfit=True)
    _note(node, changed, known)
    if node.op_type == "Flatten":
        _note_flatten(node, known)
    return edits


def _note(node: NodeProto, changed: NodeProto, known: Known) -> None:
    """Note the sizes of what a node makes.

    Raises:
        Stuck: They cannot be told.
    """
    counted = node.op_type in UNKNOWN_COUNT or any(
        None in (known.worlds.dims(name) or ()) for name in changed.input if name
    )
    for name in node.output:
        if not name:
            continue
        known.makers[name] = node
        dims = known.worlds.dims(name)
        if dims is None or (None in dims and not counted):
            raise Stuck(label(node), "the shape of what it makes cannot be told")
        for axis, size in enumerate(dims):
            if size is None:
                continue
            if size[0] == 1 and not fixed(size) and size != known.batch:
                raise Stuck(
                    label(node),
                    "what it makes has one row or column at this size and more at others, so that nothing shows what "
                    "is a size and what is not; export the model at a larger size",
                )
            known.sizes.place(size, name, axis)


def _note_flatten(node: NodeProto, known: Known) -> None:
    source, made = (known.worlds.dims(name) for name in (node.input[0], node.output[0]))
    if source is None or made is None or any(size is None for size in (*source, *made)):
        return
    axis = next((int(item.i) for item in node.attribute if item.name == "axis"), 1) % (len(source) + 1)
    for vector, factors in zip(made, (source[:axis], source[axis:]), strict=True):
        if vector is not None:
            known.sizes.product(vector, [size for size in factors if size is not None])


def _at_each_size(node: NodeProto, edits: Sequence[Edit], worlds: Worlds) -> NodeProto:
    """The node as it will be, reading tensors that have their value or shape at each size."""
    if not edits:
        return node
    changed = NodeProto()
    changed.CopyFrom(node)
    for edit in edits:
        name = f"{edit.output}\0{edit.index}"
        recipe = edit.recipe
        arrays = None
        if isinstance(recipe, Integers | Plain):
            arrays = [recipe.value(world) for world in range(worlds.count)]
        worlds.give(name, dtype_of(recipe), arrays, [shape_of(recipe, world) for world in range(worlds.count)])
        while len(changed.input) <= edit.index:
            changed.input.append("")
        changed.input[edit.index] = name
        if edit.drop is not None:
            changed.input[edit.drop] = ""
        for key, value in edit.attributes:
            next(item for item in changed.attribute if item.name == key).i = value
    while changed.input and not changed.input[-1]:
        changed.input.pop()
    return changed


def _misfit(node: NodeProto, worlds: Worlds) -> str:
    first: list[str] = []
    other: list[str] = []
    for name in node.input:
        dims = worlds.dims(name) if name else None
        if dims is not None and all(size is not None for size in dims):
            for index, told in ((0, first), (1, other)):
                told.append(f"[{', '.join(str(size[index]) for size in dims if size is not None)}]")
    return f"what it reads fits at one size ({' and '.join(first)}) and not at another ({' and '.join(other)})"
