"""What one joined tensor of a head is made of: boxes, scores, and what else belongs to each candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.heads.anchored import match_anchored_joined
from graphkit.heads.decode import BoxDecode, match_boxes
from graphkit.heads.dims import Dims
from graphkit.heads.head import Extra, HeadNotFound, Layout, Task
from graphkit.heads.keypoints import match_keypoints
from graphkit.heads.trace import operand, peel, producer

_DEEPEST = 12


@dataclass(frozen=True)
class Joined:
    """Boxes, scores and the rest, in the order in which they are joined along `axis`.

    A head with anchor boxes has no such tensors: all of them are the joined tensor itself.
    """

    tensor: gs.Tensor
    axis: int
    boxes: gs.Tensor
    scores: gs.Tensor
    rest: tuple[gs.Tensor, ...]
    decode: BoxDecode


def match_joined(tensor: gs.Tensor) -> Joined | None:
    """Recognise a tensor [B, 4 + C + E, A] or [B, A, …] behind no further operators; None where it is not that."""
    levels = match_anchored_joined(tensor)
    if levels is not None:
        strides = tuple(sorted(level.stride for level in levels))
        rest = (tensor,) if len(levels[0].parts) > 3 else ()
        return Joined(tensor, 2, tensor, tensor, rest, BoxDecode(2, "center-size", strides, None, levels=levels))
    concat = producer(tensor, "Concat")
    if concat is None or len(concat.inputs) < 2:
        return None
    axis = channel_axis(concat)
    parts = list(concat.inputs)
    decode = match_boxes(parts[0])
    inner = producer(parts[0], "Concat")
    if decode is None and inner is not None and channel_axis(inner) == axis:
        parts[:1] = list(inner.inputs)  # boxes and scores were joined first
        decode = match_boxes(parts[0])
    if decode is None or len(parts) < 2 or decode.channel_axis != axis or not activated(parts[1]):
        return None
    return Joined(tensor, axis, parts[0], parts[1], tuple(parts[2:]), decode)


def channel_axis(concat: gs.Node) -> int:
    """The axis of a Concat of rank-3 tensors."""
    axis = int(concat.attrs.get("axis", 0))
    return axis + 3 if axis < 0 else axis


def activated(tensor: gs.Tensor, depth: int = 0) -> bool:
    """Whether a tensor holds outputs of Sigmoids only: moved, joined, cut or multiplied with each other."""
    tensor = peel(tensor).tensor
    node = producer(tensor, "Sigmoid", "Concat", "Reshape", "Split", "Slice", "Mul")
    if node is None or node.op == "Sigmoid" or depth > _DEEPEST:
        return node is not None and node.op == "Sigmoid"
    if node.op in ("Concat", "Mul"):
        return 1 < len(node.inputs) <= 16 and all(activated(part, depth + 1) for part in node.inputs)
    source = operand(node, 0)
    return source is not None and activated(source, depth + 1)


def logits_of(scores: gs.Tensor) -> gs.Tensor | None:
    """The scores before one Sigmoid over all of them, lying as the scores do; None where there is no such tensor."""
    peeled = peel(scores)
    node = producer(peeled.tensor, "Sigmoid")
    return node.inputs[0] if node is not None and not peeled.transposed else None


def extras_of(
    rest: Sequence[gs.Tensor],
    widths: Sequence[int | None],
    decode: BoxDecode,
    layouts: Sequence[Layout],
    outputs: Sequence[gs.Tensor],
    dims: Dims,
) -> tuple[tuple[Extra, ...], str | None, Task]:
    """Say what each further part is: extras, the output with the prototypes, the task.

    Raises:
        HeadNotFound: A part is none of mask coefficients, keypoints and an angle.
    """
    extras: list[Extra] = []
    prototypes: str | None = None
    for tensor, width, layout in zip(rest, widths, layouts, strict=True):
        if decode.angle is not None and peel(tensor).tensor is decode.angle:
            extras.append(Extra("angle", tensor, 1, layout))
            continue
        points = match_keypoints(tensor, dims)
        if points is not None:
            extras.append(Extra("keypoints", tensor, points.count * points.values, layout))
            continue
        found = next((out for out in outputs if width is not None and _holds_prototypes(out, width, dims)), None)
        if found is None or width is None:
            raise HeadNotFound(
                "unsupported-task",
                f"boxes and scores are joined with {width or 'an unknown number of'} further channels that are neither "
                "keypoints, nor the angle that turns the boxes, nor mask coefficients with an output of prototypes",
                "Export the model again with all its outputs, or keep boxes and scores only.",
            )
        extras.append(Extra("masks", tensor, width, layout))
        prototypes = found.name
    kinds = {extra.kind for extra in extras}
    if len(kinds) != len(extras) or (decode.angle is not None and "angle" not in kinds):
        raise HeadNotFound(
            "unsupported-task",
            "the boxes are turned by an angle that is no output"
            if len(kinds) == len(extras)
            else "two parts of the head seem to hold the same thing",
            "Export the model again with all its outputs.",
        )
    task: Task = (
        "obb" if "angle" in kinds else "pose" if "keypoints" in kinds else "segment" if "masks" in kinds else "detect"
    )
    return tuple(extras), prototypes, task


def _holds_prototypes(output: gs.Tensor, width: int, dims: Dims) -> bool:
    """Whether an output is [B, width, H, W] of floating-point numbers."""
    shape = dims.shape(output)
    real = output.dtype is None or np.dtype(output.dtype).kind == "f"
    return shape is not None and len(shape) == 4 and shape[1] in (width, None) and real
