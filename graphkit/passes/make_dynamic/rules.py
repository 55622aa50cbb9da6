"""For each operator that can have a size in it: where it is, and what has to take its place."""

from __future__ import annotations

from collections.abc import Callable

from onnx import NodeProto

from graphkit.passes.make_dynamic import combining, grids, shaping
from graphkit.passes.make_dynamic.edits import Edit
from graphkit.passes.make_dynamic.known import Known, attribute, listed, operand, searched
from graphkit.passes.make_dynamic.operators import ELEMENTWISE, LOOKUPS, NORMS, POOLS, PRODUCTS
from graphkit.passes.make_dynamic.sizes import CannotTell
from graphkit.passes.make_dynamic.worlds import fixed


def edits_of(node: NodeProto, known: Known) -> list[Edit]:
    """What has to be done to a node, whose inputs are known.

    Raises:
        CannotTell: It has a size in it that does not follow from the graph.
    """
    rule = _RULES.get(node.op_type)
    return rule(node, known) if rule is not None else []


def lookup(node: NodeProto, known: Known) -> list[Edit]:
    """A constant that has a row for each position has to grow; a fixed index of one that moves may be another."""
    data, indices = node.input[0], node.input[1]
    shape = known.worlds.constant_shape(data)
    axis = int(attribute(node, "axis", 0))
    if shape is not None and known.worlds.constant_shape(indices) is None:
        axis = 0 if node.op_type == "GatherND" else axis % max(len(shape), 1)
        rows = shape[axis] if shape else 1
        array = known.worlds.constant(data)
        if rows == 1 or array is None or not known.sizes.like(rows):
            return []
        size = searched(indices, known)
        if size is None or size[0] != rows:
            raise CannotTell(f"it looks up in a constant of {rows} rows, which may be the size of a map or not")
        if fixed(size):
            return []
        return [Edit(node.output[0], 0, grids.recognise(array, {axis: size}, known.sizes))]
    dims = known.worlds.dims(data)
    picked = known.worlds.constant(indices)
    if dims is None or picked is None:
        return []
    if node.op_type != "Gather":
        raise CannotTell("it takes fixed positions out of what depends on the size")
    size = dims[axis]
    if size is None or fixed(size):
        return []
    if size == known.batch:
        raise CannotTell("it takes single images out of the batch")
    if picked.size != 1 or int(picked.flat[0]) not in (0, -1):
        raise CannotTell(f"it takes fixed positions out of {size[0]}, which depend on the size")
    return []


def pool(node: NodeProto, known: Known) -> list[Edit]:
    """A kernel as large as the map."""
    dims, kernel = known.dims(node.input[0]), list(attribute(node, "kernel_shape", ()))
    pads = attribute(node, "pads", ())
    spatial = dims[2:]
    whole = [size is not None and size[0] == n for size, n in zip(spatial, kernel, strict=False)]
    if whole and all(whole) and not any(pads) and any(size is None or not fixed(size) for size in spatial):
        raise CannotTell(
            f"its kernel of {kernel} is the whole map, which it pools at this size only; use global pooling instead"
        )
    return []


def product(node: NodeProto, known: Known) -> list[Edit]:
    """A layer for a fixed number of features."""
    if node.op_type not in ("MatMul", "Gemm"):
        return []
    first, second = (known.worlds.dims(name) for name in node.input[:2])
    if not first or not second:
        return []
    swapped = [bool(attribute(node, name, 0)) for name in ("transA", "transB")]
    left = first[0 if swapped[0] else -1]
    right = second[-1 if swapped[1] or len(second) == 1 else -2]
    if left is not None and right is not None and left != right:
        raise CannotTell(
            f"it is a layer for {left[0]} features, and at another size there are others ({left[1]}, for example)"
        )
    return []


def norm(node: NodeProto, known: Known) -> list[Edit]:
    """Scale and bias of the shape that is normalised."""
    dims = known.worlds.dims(node.input[0]) or ()
    axis = int(attribute(node, "axis", -1))
    if any(size is None or not fixed(size) for size in dims[axis:] if len(node.input) > 1):
        raise CannotTell("its scale has a value for each position of the map")
    return []


def topk(node: NodeProto, known: Known) -> list[Edit]:
    """A fixed number, of which there have to be as many; all of them may be fewer than were asked for."""
    dims = known.worlds.dims(node.input[0])
    size = dims[int(attribute(node, "axis", -1))] if dims else None
    if size is None or fixed(size):
        return []
    count = (listed(known, operand(node, 1)) or [(0,)])[0]
    if not fixed(count):
        return []
    if count[0] == size[0]:
        raise CannotTell(
            f"it takes all {count[0]} of {size[0]}, and whether more would be taken at a larger size cannot be told; "
            "export the model at a larger size"
        )
    known.assumptions.append(
        f"{node.name or node.output[0]} takes the best {count[0]}, so the input must be large enough for as many"
    )
    return []


Rule = Callable[[NodeProto, Known], list[Edit]]

_RULES: dict[str, Rule] = {
    **dict.fromkeys(ELEMENTWISE, combining.elementwise),
    **dict.fromkeys(LOOKUPS, lookup),
    **dict.fromkeys(POOLS, pool),
    **dict.fromkeys(PRODUCTS, product),
    **dict.fromkeys(NORMS, norm),
    "Clip": combining.clip,
    "Concat": combining.concat,
    "Expand": shaping.expand,
    "Reshape": shaping.reshape,
    "Resize": shaping.resize,
    "Slice": shaping.slice_,
    "Split": shaping.split,
    "Tile": shaping.tile,
    "TopK": topk,
}
