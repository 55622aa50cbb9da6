"""Heads that choose their own detections, as a Head: joined [B, K, 6 + E], or split by split-head."""

from __future__ import annotations

from dataclasses import replace

import onnx_graphsurgeon as gs

from graphkit.heads.dims import Dims
from graphkit.heads.head import Head, HeadNotFound, Layout
from graphkit.heads.joined import extras_of, logits_of
from graphkit.heads.keypoints import match_keypoints
from graphkit.heads.one_to_one import OneToOne, gathered, match_columns
from graphkit.heads.sizes import check_channels, disagreement, size
from graphkit.heads.trace import peel


def final_joined(output: gs.Tensor, found: OneToOne, graph: gs.Graph, dims: Dims, names: tuple[str, ...]) -> Head:
    """The head whose output is [B, K, 6 + E]."""
    others = [other for other in graph.outputs if other is not output]
    return _head((output,), "nc", peel(output).casts, found, others, dims, names)


def final_split(graph: gs.Graph, dims: Dims, names: tuple[str, ...]) -> Head | None:
    """The head whose outputs are boxes [B, K, 4], scores [B, K], classes [B, K] and extras; None where none is."""
    rows = [output for output in graph.outputs if gathered(output) is not None]
    others = [output for output in graph.outputs if all(output is not row for row in rows)]
    for scores in others if rows else ():
        for labels in others:
            found = match_columns(rows[0], scores, labels, tuple(rows[1:])) if labels is not scores else None
            if found is not None:
                rest = [other for other in others if other is not scores and other is not labels]
                return _head((rows[0], scores, labels, *rows[1:]), None, (), found, rest, dims, names)
    return None


def _head(
    outputs: tuple[gs.Tensor, ...],
    layout: Layout | None,
    casts: tuple[int, ...],
    found: OneToOne,
    others: list[gs.Tensor],
    dims: Dims,
    names: tuple[str, ...],
) -> Head:
    joined = found.candidates
    axis = joined.axis
    inner: Layout = "cn" if axis == 1 else "nc"
    widths: list[int | None] = []
    for part in joined.rest:
        points = match_keypoints(part, dims)
        widths.append(points.count * points.values if points is not None else dims.dim(part, axis))
    extras, prototypes, task = extras_of(joined.rest, widths, joined.decode, [inner] * len(widths), others, dims)
    four, classes = dims.dim(joined.boxes, axis) or 4, dims.dim(joined.scores, axis)
    total = dims.dim(joined.tensor, axis)
    check_channels(outputs[0], four, classes, total, sum(extra.width for extra in extras))
    assert classes is not None
    declared = outputs[0].shape if outputs[0].shape is not None and len(outputs[0].shape) == 3 else [None, None, None]
    if len(extras) != len(found.rest):
        raise _other_extras(outputs[0], len(found.rest), len(extras))
    decode = joined.decode
    return Head(
        family="YOLOv10-style" if decode.bins else decode.family,
        task=task,
        state="final",
        classes=classes,
        outputs=tuple(output.name for output in outputs),
        boxes=found.boxes,
        scores=found.scores,
        box_layout="nc",
        score_layout="nc",
        output_layout=layout,
        coding=decode.coding,
        activated=True,
        strides=decode.strides,
        bins=decode.bins,
        batch=size(declared[0], "batch"),
        anchors=size(declared[1], "detections"),
        casts=casts,
        logits=logits_of(joined.scores),
        extras=tuple(replace(e, tensor=t, layout="nc") for e, t in zip(extras, found.rest, strict=True)),
        prototypes=prototypes,
        decode=decode,
        labels=found.labels,
        names=names,
        warnings=disagreement(names, classes),
    )


def _other_extras(output: gs.Tensor, got: int, expected: int) -> HeadNotFound:
    return HeadNotFound(
        "unsupported-task",
        f'"{output.name}" holds {got} further parts for each detection, and its candidates have {expected}',
        "Export the model again with all its outputs.",
    )
