"""Taking back the choice of candidates that late decode made in front of the decoding.

What stands between that choice and NMS treats every box by itself, so it computes for all boxes what it computed for
the chosen ones, once the gathers are left out. Only operators that late decode puts there are walked through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import onnx_graphsurgeon as gs

from graphkit.edit import constant_value, describe, replace_uses
from graphkit.heads import Head
from graphkit.heads.head import Dimension, Layout
from graphkit.heads.trace import producer
from graphkit.passes.embed_nms.late_rules import BINARY, UNARY
from graphkit.passes.emit import Emitter, shape_of
from graphkit.passes.replacing.found import NotReplaceable

_BY_ITSELF = UNARY | BINARY | {"Transpose", "Softmax", "Conv", "MatMul", "Reshape", "Concat", "Slice", "Split"}
"""Operators of which late decode makes copies, and those it puts around them."""
_INDEX = frozenset({"Reshape", "Unsqueeze", "Expand", "Cast", "Identity"})
Shape = Callable[[gs.Tensor], "list[Dimension | None] | None"]


def every_box(emit: Emitter, head: Head, shape: Shape) -> Head:
    """The head with all boxes where it had chosen ones; as it is where none were chosen.

    Args:
        emit: Of the graph, which is changed in place.
        head: The candidates.
        shape: Gives the shape of a tensor, as far as known.

    Raises:
        NotReplaceable: The choice cannot be taken back.
    """
    parts = [head.boxes, head.scores, *(extra.tensor for extra in head.extras)]
    gathers = list(_gathers(parts, head))
    if not gathers:
        return head
    sizes = {_places(node, shape) for node in gathers}
    count = next(iter(sizes), None)
    if len(sizes) != 1 or count is None:
        raise NotReplaceable("how many boxes there are before candidates are chosen is not known")
    sources = {id(node.outputs[0]): _leave_out(emit, node) for node in gathers}
    _forget_shapes(parts, {id(node.inputs[0]) for node in gathers})
    whole = replace(head, anchors=count)

    def all_of(tensor: gs.Tensor, layout: Layout, channels: int) -> gs.Tensor:
        found = sources.get(id(tensor), tensor)
        found.shape = shape_of(whole, layout, channels)
        return found

    return replace(
        whole,
        boxes=all_of(head.boxes, head.box_layout, 4),
        scores=all_of(head.scores, head.score_layout, head.classes),
        extras=tuple(replace(item, tensor=all_of(item.tensor, item.layout, item.width)) for item in head.extras),
    )


def _gathers(parts: list[gs.Tensor], head: Head) -> Iterator[gs.Node]:
    """Nodes that gather by an index out of TopK, upstream of these tensors."""
    seen: set[int] = set()
    waiting = list(parts)
    passed = list[gs.Node]()
    found = list[gs.Node]()
    while waiting:
        node = producer(waiting.pop())
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if _chooses(node):
            found.append(node)
        elif node.op in _BY_ITSELF:
            passed.append(node)
            waiting += node.inputs
    for node in passed if found else ():
        target = constant_value(node.inputs[1]) if node.op == "Reshape" else None
        if node.op == "Reshape" and (target is None or head.anchors in target.reshape(-1).tolist()):
            raise NotReplaceable(f"{describe(node)} holds for the chosen candidates only")
    yield from found


def _chooses(node: gs.Node) -> bool:
    if node.op not in ("Gather", "GatherElements") or len(node.inputs) != 2:
        return False
    index: gs.Tensor = node.inputs[1]
    source = producer(index)
    while source is not None and source.op in _INDEX:
        index = source.inputs[0]
        source = producer(index)
    return source is not None and source.op == "TopK" and source.outputs[1] is index


def _axis(node: gs.Node, rank: int) -> int:
    return int(node.attrs.get("axis", 0)) % rank


def _places(node: gs.Node, shape: Shape) -> int | None:
    """Size of the axis that is gathered from, where it is fixed."""
    value = constant_value(node.inputs[0])
    sizes = list(value.shape) if value is not None else shape(node.inputs[0])
    size = sizes[_axis(node, len(sizes))] if sizes else None
    return size if isinstance(size, int) else None


def _leave_out(emit: Emitter, node: gs.Node) -> gs.Tensor:
    """What stands in the gather's place now."""
    source: gs.Tensor = node.inputs[0]
    index = producer(node.inputs[1])
    target = constant_value(index.inputs[1]) if index is not None and index.op == "Reshape" else None
    if node.op == "Gather" and (target is None or target.size != 1):
        # An index [B, N] puts the batch in front of the boxes; these are the same for every image.
        shape = None if source.shape is None else list(source.shape)
        full = None
        if shape is not None:
            place = _axis(node, len(shape))
            full = [*shape[:place], 1, *shape[place:]]
        axis = int(node.attrs.get("axis", 0))
        source = emit.with_axes("Unsqueeze", source, [axis], 13, full or [])
        if full is None:
            source.shape = None
    replace_uses(node.outputs[0], source)
    return source


def _forget_shapes(parts: list[gs.Tensor], sources: set[int]) -> None:
    """What was declared for the chosen ones only, down from the gathers."""
    seen: set[int] = set()
    waiting = list(parts)
    while waiting:
        tensor = waiting.pop()
        node = producer(tensor)
        if id(tensor) in seen or id(tensor) in sources or node is None or node.op not in _BY_ITSELF:
            continue
        seen.add(id(tensor))
        tensor.shape = None
        waiting += node.inputs
