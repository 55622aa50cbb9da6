"""recognise: what flows where at the end of a detector, by structure and dataflow alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import onnx_graphsurgeon as gs

from graphkit.heads.decode import BoxDecode, match_boxes
from graphkit.heads.dims import Dims
from graphkit.heads.explain import explain, nms_inside
from graphkit.heads.head import Dimension, Head, HeadNotFound, Layout
from graphkit.heads.names import class_names
from graphkit.heads.trace import LONGEST_CHAIN, Peeled, operand, peel, producer

_LONGEST_SYMBOL = 40
_ELEMENTWISE = ("Identity", "Cast", "Sigmoid", "Transpose")


@dataclass(frozen=True)
class _Joined:
    output: gs.Tensor
    peeled: Peeled
    axis: int
    boxes: gs.Tensor
    scores: gs.Tensor
    decode: BoxDecode


def recognise(graph: gs.Graph, metadata: Mapping[str, str] | None = None) -> Head:
    """Find the one detection head among the graph's outputs.

    YOLOv8, v9, 11, 12 and v5u detect heads: boxes decoded in the graph (`heads.decode`), scores from a Sigmoid, joined
    by one Concat or already separate outputs, in either layout, with any number of classes, static or dynamic.
    Nothing is changed.

    Args:
        graph: The graph; may be unsorted and without value_info.
        metadata: The model's metadata, for class names only.

    Raises:
        HeadNotFound: The outputs are something else; says what.
    """
    inside = nms_inside(graph.outputs)
    if inside is not None:
        raise inside
    dims = Dims()
    names = class_names(metadata or {})
    joined = [found for output in graph.outputs if (found := _match_joined(output)) is not None]
    boxes = [(output, decode) for output in graph.outputs if (decode := match_boxes(output)) is not None]
    scores = [output for output in graph.outputs if _activated(output)] if boxes else []
    if len(joined) + len(boxes) > 1 or len(scores) > 1:
        listed = ", ".join(f'"{t.name}"' for t in (*(j.output for j in joined), *(b for b, _ in boxes), *scores))
        raise HeadNotFound(
            "several",
            f"more than one output belongs to a detection head: {listed}",
            "Keep the outputs of one head and run it again.",
        )
    if joined:
        return _joined_head(joined[0], dims, names)
    if boxes and scores:
        return _split_head(*boxes[0], scores[0], dims, names)
    raise explain(graph, dims)


def _match_joined(output: gs.Tensor) -> _Joined | None:
    peeled = peel(output)
    concat = producer(peeled.tensor, "Concat")
    if concat is None or len(concat.inputs) != 2:
        return None
    axis = int(concat.attrs.get("axis", 0))
    axis = axis + 3 if axis < 0 else axis
    boxes, scores = concat.inputs
    decode = match_boxes(boxes)
    if decode is None or decode.channel_axis != axis or not _activated(scores):
        return None
    return _Joined(output, peeled, axis, boxes, scores, decode)


def _activated(tensor: gs.Tensor) -> bool:
    """Whether a tensor is the output of a Sigmoid, or of one a level, joined over the anchors."""
    tensor = peel(tensor).tensor
    node = producer(tensor, "Sigmoid", "Concat")
    if node is None or node.op == "Sigmoid":
        return node is not None
    return len(node.inputs) > 1 and all(producer(peel(part).tensor, "Sigmoid") is not None for part in node.inputs)


def _joined_head(found: _Joined, dims: Dims, names: tuple[str, ...]) -> Head:
    axis_of_output = 3 - found.axis if found.peeled.transposed else found.axis
    total = dims.dim(found.output, axis_of_output)
    four = dims.dim(found.boxes, found.axis)
    classes = dims.dim(found.scores, found.axis)
    if four is None and total is not None and classes is not None:
        four = total - classes
    if four is None and total is not None:
        four = 4  # the decode joins two pairs of coordinates
    if classes is None and total is not None and four is not None:
        classes = total - four
    _check_channels(found.output, four, classes, total)
    assert classes is not None
    layout: Layout = "cn" if found.axis == 1 else "nc"
    declared = found.output.shape
    batch = declared[0] if declared is not None and len(declared) == 3 else dims.dim(found.boxes, 0)
    anchors = declared[3 - axis_of_output] if declared is not None and len(declared) == 3 else None
    return Head(
        family=_family(found.decode),
        task="detect",
        state="joined",
        classes=classes,
        outputs=(found.output.name,),
        boxes=found.boxes,
        scores=found.scores,
        box_layout=layout,
        score_layout=layout,
        output_layout="cn" if axis_of_output == 1 else "nc",
        coding=found.decode.coding,
        activated=True,
        strides=found.decode.strides,
        bins=found.decode.bins,
        batch=_size(batch, "batch"),
        anchors=_size(anchors, "anchors"),
        casts=found.peeled.casts,
        names=names,
        warnings=_disagreement(names, classes),
    )


def _split_head(boxes: gs.Tensor, decode: BoxDecode, scores: gs.Tensor, dims: Dims, names: tuple[str, ...]) -> Head:
    axis = _class_axis(scores, boxes, decode, dims)
    classes = dims.dim(scores, axis) if axis is not None else None
    _check_channels(boxes, dims.dim(boxes, decode.channel_axis) or 4, classes, None)
    assert classes is not None
    declared = boxes.shape if boxes.shape is not None and len(boxes.shape) == 3 else [None, None, None]
    return Head(
        family=_family(decode),
        task="detect",
        state="split",
        classes=classes,
        outputs=(boxes.name, scores.name),
        boxes=boxes,
        scores=scores,
        box_layout="cn" if decode.channel_axis == 1 else "nc",
        score_layout="cn" if axis == 1 else "nc",
        output_layout=None,
        coding=decode.coding,
        activated=True,
        strides=decode.strides,
        bins=decode.bins,
        batch=_size(declared[0], "batch"),
        anchors=_size(declared[3 - decode.channel_axis], "anchors"),
        names=names,
        warnings=_disagreement(names, classes),
    )


def _class_axis(scores: gs.Tensor, boxes: gs.Tensor, decode: BoxDecode, dims: Dims) -> int | None:
    """Which axis of the scores counts classes: the one that is not as long as the anchors, or as the levels join."""
    anchors = dims.dim(boxes, 3 - decode.channel_axis)
    sizes = [dims.dim(scores, axis) for axis in (1, 2)]
    if anchors is not None and sizes[0] != sizes[1] and anchors in sizes:
        return 1 if sizes[1] == anchors else 2
    tensor, transposed = scores, False
    for _ in range(LONGEST_CHAIN):
        node = producer(tensor, *_ELEMENTWISE, "Concat", "Split", "Slice")
        source = operand(node, 0) if node is not None else None
        if node is None or source is None:
            return None
        if node.op == "Concat":
            levels = int(node.attrs.get("axis", 0)) % 3
            axis = 3 - levels
        elif node.op in ("Split", "Slice"):
            axis = int(node.attrs.get("axis", 0)) % 3 if node.op == "Split" else 0
        else:
            if node.op == "Transpose" and list(node.attrs.get("perm", ())) not in ([0, 2, 1], [0, 1, 2]):
                return None
            transposed ^= node.op == "Transpose" and list(node.attrs["perm"]) == [0, 2, 1]
            tensor = source
            continue
        if axis not in (1, 2):
            return None
        return 3 - axis if transposed else axis
    return None


def _check_channels(tensor: gs.Tensor, four: int | None, classes: int | None, total: int | None) -> None:
    if classes is None or four is None:
        raise HeadNotFound(
            "unknown",
            f'the number of classes behind "{tensor.name}" follows neither from its shape nor from the graph',
            "Run the simplify pass before, or export the model with fixed shapes.",
        )
    if four != 4 or classes < 1 or (total is not None and total != four + classes):
        raise HeadNotFound(
            "unknown",
            f'"{tensor.name}" joins {four} box channels and {classes} class channels'
            + (f", but is declared with {total} channels" if total is not None else ""),
            "Boxes need 4 channels, scores at least one.",
        )


def _size(value: object, symbol: str) -> Dimension:
    if isinstance(value, int) and value >= 0:
        return value
    # onnxslim writes whole formulas for sizes that depend on the image's.
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_SYMBOL else symbol


def _family(decode: BoxDecode) -> str:
    return "YOLOv8-style, DFL" if decode.bins else "YOLOv8-style, no DFL"


def _disagreement(names: tuple[str, ...], classes: int) -> tuple[str, ...]:
    if not names or len(names) == classes:
        return ()
    return (f"the metadata names {len(names)} classes, the head has {classes}",)
