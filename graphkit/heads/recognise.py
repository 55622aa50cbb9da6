"""recognise: what flows where at the end of a detector, by structure and dataflow alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import onnx_graphsurgeon as gs

from graphkit.heads.decode import BoxDecode, match_boxes
from graphkit.heads.dims import Dims
from graphkit.heads.explain import cut_before, explain, nms_inside
from graphkit.heads.final import final_joined, final_split
from graphkit.heads.head import Extra, Head, HeadNotFound, Layout
from graphkit.heads.joined import Joined, activated, extras_of, logits_of, match_joined
from graphkit.heads.keypoints import match_keypoints
from graphkit.heads.names import class_names
from graphkit.heads.one_to_one import match_one_to_one
from graphkit.heads.sizes import check_channels, disagreement, size
from graphkit.heads.trace import LONGEST_CHAIN, Peeled, operand, peel, producer

_ELEMENTWISE = ("Identity", "Cast", "Sigmoid", "Transpose")


@dataclass(frozen=True)
class _Found:
    output: gs.Tensor
    peeled: Peeled
    joined: Joined


def recognise(graph: gs.Graph, metadata: Mapping[str, str] | None = None) -> Head:
    """Find the one detection head among the graph's outputs.

    Known are, for detect, segment, pose and obb as far as the family has them: YOLOv8, v9, 11, 12, v5u (with DFL) and
    YOLO26 one-to-many (without), in every form that exporters write; YOLOv10 and YOLO26 one-to-one, which choose their
    detections themselves; YOLOv5 and v7 with anchor boxes and objectness. Joined by Concat or already separate
    outputs, in either layout, with any number of classes, static or dynamic. Nothing is changed.

    Args:
        graph: The graph; may be unsorted and without value_info.
        metadata: The model's metadata: class names, and what split-head left there about a head that it cut raw.

    Raises:
        HeadNotFound: The outputs are something else; says what.
    """
    inside = nms_inside(graph.outputs)
    if inside is not None:
        raise inside
    metadata = metadata or {}
    dims, names = Dims(), class_names(metadata)
    found = [_Found(o, peeled, joined) for o in graph.outputs if (joined := match_joined((peeled := peel(o)).tensor))]
    chosen = [(o, final) for o in graph.outputs if (final := match_one_to_one(peel(o).tensor)) is not None]
    boxes = [(output, decode) for output in graph.outputs if (decode := match_boxes(output)) is not None]
    scores = [output for output in graph.outputs if _is_scores(output, dims)] if boxes else []
    separate = final_split(graph, dims, names) if not (found or chosen or boxes) else None
    if len(found) + len(chosen) + len(boxes) > 1 or len(scores) > 1:
        heads = (*(f.output for f in found), *(o for o, _ in chosen), *(b for b, _ in boxes), *scores)
        listed = ", ".join(f'"{tensor.name}"' for tensor in heads)
        raise HeadNotFound(
            "several",
            f"more than one output belongs to a detection head: {listed}",
            "Keep the outputs of one head and run it again.",
        )
    if found:
        return _joined_head(found[0], graph, dims, names)
    if chosen:
        return final_joined(*chosen[0], graph, dims, names)
    if boxes and scores:
        return _split_head(*boxes[0], scores[0], graph, dims, names)
    if separate is not None:
        return separate
    raise cut_before(metadata) or explain(graph, dims)


def _is_scores(output: gs.Tensor, dims: Dims) -> bool:
    shape = dims.shape(output)
    return (shape is None or len(shape) == 3) and activated(output)


def _joined_head(found: _Found, graph: gs.Graph, dims: Dims, names: tuple[str, ...]) -> Head:
    joined, output = found.joined, found.output
    decode, axis = joined.decode, joined.axis
    axis_of_output = 3 - axis if found.peeled.transposed else axis
    total = dims.dim(output, axis_of_output)
    layout: Layout = "cn" if axis == 1 else "nc"
    if decode.levels:
        four: int | None = 4
        classes, widths = _anchored_widths(joined, dims, total)
    else:
        four, classes = dims.dim(joined.boxes, axis), dims.dim(joined.scores, axis)
        widths = [dims.dim(part, axis) for part in joined.rest]
        for index, part in enumerate(joined.rest):
            points = match_keypoints(part, dims)
            widths[index] = points.count * points.values if points is not None else widths[index]
        if four is None:
            four = 4 if total is None or classes is None or None in widths else total - classes - _sum(widths)
        if classes is None and total is not None and None not in widths:
            classes = total - four - _sum(widths)
        if widths.count(None) == 1 and total is not None and classes is not None:
            widths[widths.index(None)] = total - four - classes - _sum(widths)
    objectness = 1 if decode.levels else 0
    further = None if None in widths else _sum(widths) + objectness
    check_channels(output, four, classes, total if further is not None else None, further or 0)
    assert classes is not None
    extras, prototypes, task = extras_of(
        joined.rest, widths, decode, [layout] * len(widths), [o for o in graph.outputs if o is not output], dims
    )
    declared = output.shape if output.shape is not None and len(output.shape) == 3 else None
    batch = declared[0] if declared is not None else dims.dim(joined.tensor, 0)
    anchors = declared[3 - axis_of_output] if declared is not None else None
    return Head(
        family=decode.family,
        task=task,
        state="joined",
        classes=classes,
        outputs=(output.name,),
        boxes=joined.boxes,
        scores=joined.scores,
        box_layout=layout,
        score_layout=layout,
        output_layout="cn" if axis_of_output == 1 else "nc",
        coding=decode.coding,
        activated=True,
        strides=decode.strides,
        bins=decode.bins,
        batch=size(batch, "batch"),
        anchors=size(anchors, "anchors"),
        casts=found.peeled.casts,
        objectness=joined.tensor if decode.levels else None,
        logits=logits_of(joined.scores),
        extras=extras,
        prototypes=prototypes,
        levels=decode.levels,
        decode=decode,
        names=names,
        warnings=disagreement(names, classes),
    )


def _sum(widths: list[int | None]) -> int:
    return sum(width for width in widths if width is not None)


def _anchored_widths(joined: Joined, dims: Dims, total: int | None) -> tuple[int | None, list[int | None]]:
    """Classes and widths of the mask coefficients of a head with anchor boxes."""
    parts = joined.decode.levels[0].parts
    confidence = dims.dim(parts[2], 4)
    if len(parts) == 3:
        return (confidence - 1 if confidence is not None else total - 5 if total is not None else None), []
    masks = dims.dim(parts[3], 4)
    if confidence is None and masks is not None and total is not None:
        confidence = total - 4 - masks
    if masks is None and confidence is not None and total is not None:
        masks = total - 4 - confidence
    return (None if confidence is None else confidence - 1), [masks]


def _split_head(
    boxes: gs.Tensor, decode: BoxDecode, scores: gs.Tensor, graph: gs.Graph, dims: Dims, names: tuple[str, ...]
) -> Head:
    axis = _class_axis(scores, boxes, decode, dims)
    classes = dims.dim(scores, axis) if axis is not None else None
    check_channels(boxes, dims.dim(boxes, decode.channel_axis) or 4, classes, None)
    assert classes is not None
    others = [output for output in graph.outputs if output is not boxes and output is not scores]
    extras = _split_extras(others, decode, dims)
    outputs = [output for output in others if all(extra.tensor is not output for extra in extras)]
    known, prototypes, task = extras_of(
        [extra.tensor for extra in extras],
        [extra.width for extra in extras],
        decode,
        [extra.layout for extra in extras],
        outputs,
        dims,
    )
    declared = boxes.shape if boxes.shape is not None and len(boxes.shape) == 3 else [None, None, None]
    return Head(
        family=decode.family,
        task=task,
        state="split",
        classes=classes,
        outputs=(boxes.name, scores.name, *(extra.tensor.name for extra in known)),
        boxes=boxes,
        scores=scores,
        box_layout="cn" if decode.channel_axis == 1 else "nc",
        score_layout="cn" if axis == 1 else "nc",
        output_layout=None,
        coding=decode.coding,
        activated=True,
        strides=decode.strides,
        bins=decode.bins,
        batch=size(declared[0], "batch"),
        anchors=size(declared[3 - decode.channel_axis], "anchors"),
        logits=logits_of(scores),
        extras=known,
        prototypes=prototypes,
        levels=decode.levels,
        decode=decode,
        names=names,
        warnings=disagreement(names, classes),
    )


def _split_extras(others: list[gs.Tensor], decode: BoxDecode, dims: Dims) -> list[Extra]:
    """Outputs that say more about each candidate of a head that is split."""
    found = list[Extra]()
    for output in others:
        peeled = peel(output)
        if decode.angle is not None and peeled.tensor is decode.angle:
            found.append(Extra("angle", output, 1, "nc" if peeled.transposed else "cn"))
            continue
        points = match_keypoints(output, dims)
        if points is not None:
            layout: Layout = "nc" if peeled.transposed else "cn"
            found.append(Extra("keypoints", output, points.count * points.values, layout))
            continue
        masks = _mask_coefficients(output, others, dims)
        if masks is not None:
            found.append(masks)
    return found


def _mask_coefficients(output: gs.Tensor, others: list[gs.Tensor], dims: Dims) -> Extra | None:
    """An output [B, E, A] or [B, A, E] that is joined over levels, where another one is [B, E, H, W]."""
    shape = dims.shape(output)
    if shape is None or len(shape) != 3 or producer(peel(output).tensor, "Concat", "Split", "Slice", "Reshape") is None:
        return None
    for other in others:
        stack = dims.shape(other)
        if other is output or stack is None or len(stack) != 4 or stack[1] is None:
            continue
        for axis in (1, 2):
            if shape[axis] == stack[1] and shape[3 - axis] != stack[1]:
                return Extra("masks", output, stack[1], "cn" if axis == 1 else "nc")
    return None


def _class_axis(scores: gs.Tensor, boxes: gs.Tensor, decode: BoxDecode, dims: Dims) -> int | None:
    """Which axis of the scores counts classes: the one that is not as long as the anchors, or as the levels join."""
    anchors = dims.dim(boxes, 3 - decode.channel_axis)
    sizes = [dims.dim(scores, axis) for axis in (1, 2)]
    if anchors is not None and sizes[0] != sizes[1] and anchors in sizes:
        return 1 if sizes[1] == anchors else 2
    tensor, transposed = scores, False
    for _ in range(LONGEST_CHAIN):
        node = producer(tensor, *_ELEMENTWISE, "Mul", "Concat", "Split", "Slice")
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
