"""cut: raw and rknn. The outputs of the last convolutions, in front of the decode, which the user then has to do.

Quantized runtimes and NPUs want it so: Hailo the plain convolutions, RKNN's model zoo the scores behind their Sigmoid
and, in its form with a sum a level, sum(scores) over the classes clipped to 0..1, by which cells are skipped quickly.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.edit import is_output, names_in
from graphkit.errors import PassRefused
from graphkit.heads import Head, RecoveredOutputs
from graphkit.heads.dims import Dims
from graphkit.heads.levels import RawHead, raw_head
from graphkit.heads.recipe import Names, recover
from graphkit.heads.relation import Kind
from graphkit.heads.trace import operand, producer
from graphkit.passes.contract import PassResult
from graphkit.passes.emit import Emitter, free_name, replace_outputs
from graphkit.passes.splitting.decoded import NAMES

if TYPE_CHECKING:
    from graphkit.passes.split_head import SplitHead


def split_raw(graph: gs.Graph, head: Head, options: SplitHead) -> PassResult:
    """Cut a head in front of its decode.

    Raises:
        PassRefused: There is no such place in this graph.
    """
    if head.state == "final":
        raise PassRefused(
            f"cannot cut a one-to-one head {options.cut}: the choice of its detections would be lost with the decode. "
            "Set cut: decoded, or export the model without it (ultralytics: end2end=False)."
        )
    raw = raw_head(head)
    if raw is None:
        raise PassRefused(
            "could not follow the head back to one convolution a level for its boxes, scores and the rest. Set "
            "cut: decoded, or run it on the model as it was exported."
        )
    emit = Emitter(graph, "split-head")
    rknn = options.cut == "rknn"
    rows = _outputs(emit, graph, head, raw, rknn, options.sums)
    made = [tensor for level in rows for tensor in level.values()]
    replace_outputs(graph, head, made)
    taken = names_in(graph) - {tensor.name for tensor in made}
    for level, stride in zip(rows, raw.strides, strict=True):
        for wanted, tensor in level.items():
            tensor.name = free_name(taken, f"{wanted}_stride{stride}")
    names = Names(
        boxes=tuple(level["boxes"].name for level in rows),
        scores=tuple(level[_scores(rknn)].name for level in rows if _scores(rknn) in level),
        extras=tuple(tuple(level[NAMES[e.kind]].name for level in rows) for e in raw.extras),
        sums=tuple(level["sums"].name for level in rows if "sums" in level),
        activated=rknn,
    )
    told = _told(head, raw, names, options)
    kinds: dict[str, Kind] = dict.fromkeys(head.outputs, "other")
    if head.output_layout is None:
        kinds |= {head.outputs[0]: "boxes", head.outputs[1]: "scores"}
    return PassResult(
        rewrites=1,
        summary=f"{len(made)} outputs in front of the decode",
        relation=RecoveredOutputs(recover(head, raw, names), kinds),
        metadata={"graphkit.head": json.dumps(told, ensure_ascii=False)},
        warnings=(
            *head.warnings,
            "the model no longer decodes its boxes: " + "; ".join(told["decode"]) + " (in the metadata, graphkit.head)",
        ),
    )


def _scores(rknn: bool) -> str:
    return "scores" if rknn else "logits"


def _outputs(
    emit: Emitter, graph: gs.Graph, head: Head, raw: RawHead, rknn: bool, sums: bool
) -> list[dict[str, gs.Tensor]]:
    """For each level its outputs by what they hold, in the order in which they are to stand."""
    dims, rows = Dims(), list[dict[str, gs.Tensor]]()
    for index, stride in enumerate(raw.strides):
        level: dict[str, gs.Tensor] = {}

        def expose(tensor: gs.Tensor, channels: int | None, stride: int = stride) -> gs.Tensor:
            tensor.dtype = tensor.dtype if tensor.dtype is not None else _dtype(tensor)
            tensor.shape = [head.batch, channels or dims.dim(tensor, 1), *_size(graph, stride)]
            if is_output(graph, tensor):
                return emit.node("Identity", tensor, dtype=tensor.dtype, shape=tensor.shape)
            return tensor

        def activated(tensor: gs.Tensor) -> gs.Tensor:
            return emit.node("Sigmoid", tensor, dtype=tensor.dtype, shape=tensor.shape)

        boxes = expose(raw.boxes[index], None)
        level["boxes"] = activated(boxes) if rknn and head.levels else boxes
        if raw.logits:
            logits = expose(raw.logits[index], head.classes)
            level[_scores(rknn)] = activated(logits) if rknn else logits
        if rknn and sums and raw.logits:
            shape = [head.batch, 1, *_size(graph, stride)]
            total = emit.with_axes("ReduceSum", level["scores"], [1], 13, shape, keepdims=1)
            low, high = (emit.constant(np.array(v, dtype=total.dtype or np.float32)) for v in (0, 1))
            level["sums"] = emit.node("Clip", total, low, high, dtype=total.dtype, shape=shape)
        for extra in raw.extras:
            level[NAMES[extra.kind]] = expose(extra.tensors[index], extra.width)
        rows.append(level)
    return rows


def _dtype(tensor: gs.Tensor) -> Any:
    """Of a Conv's output: that of its weights."""
    node = producer(tensor, "Conv")
    weights = operand(node, 1) if node is not None else None
    return weights.dtype if weights is not None and weights.dtype is not None else np.float32


def _size(graph: gs.Graph, stride: int) -> list[int | str]:
    """Height and width of a level's maps, where the image's are fixed."""
    image = next((item.shape for item in graph.inputs if item.shape is not None and len(item.shape) == 4), None)
    sides = image[2:] if image is not None else [None, None]
    return [
        side // stride if isinstance(side, int) and side > 0 and side % stride == 0 else f"{name}_{stride}"
        for side, name in zip(sides, ("height", "width"), strict=True)
    ]


def _told(head: Head, raw: RawHead, names: Names, options: SplitHead) -> dict[str, Any]:
    """What the metadata says: enough to decode the outputs without the graph."""
    told: dict[str, Any] = {
        "task": head.task,
        "family": head.family,
        "classes": head.classes,
        "cut": options.cut,
        "sums": options.sums,
        "strides": list(raw.strides),
        "layout": "[B, channels, H, W], one of each a stride; candidates are the levels in this order, row by row",
        "boxes": list(names.boxes),
    }
    if names.scores:
        told["scores" if names.activated else "logits"] = list(names.scores)
    if names.sums:
        told["score_sums"] = list(names.sums)
    if head.levels:
        told["anchors"] = [[list(size) for size in level.anchors] for level in head.levels]
    else:
        told["bins"] = head.bins or 1
        told["anchor_points"] = "x = column + 0.5, y = row + 0.5, in cells"
    if raw.extras:
        told["extras"] = {e.kind: list(n) for e, n in zip(raw.extras, names.extras, strict=True)}
    if head.prototypes is not None:
        told["prototypes"] = head.prototypes
    told["decode"] = _formulae(head, raw, names.activated)
    return told


def _formulae(head: Head, raw: RawHead, activated: bool) -> list[str]:
    """The decode in words, a sentence a step."""
    if head.levels:
        source = "the value" if activated else "sigmoid of the value"
        return [
            f"channels are anchors × (x, y, w, h, objectness, classes); s is {source}",
            "xy = (2 s - 0.5 + cell) × stride",
            "wh = (2 s)² × anchor",
            "score = objectness × class",
        ]
    found = []
    if head.bins:
        found.append(
            f"channels of boxes are 4 sides × {head.bins} bins: l t r b = sum over bins of softmax(bins) × bin index"
        )
    else:
        found.append("channels of boxes are l t r b in cells")
    if head.rotated:
        found.append(
            "(xf, yf) = ((r - l) / 2, (b - t) / 2), centre = (anchor + (xf cos a - yf sin a, xf sin a + yf cos a)) × "
            "stride, size = (l + r, t + b) × stride"
        )
    else:
        found.append("x1y1 = (anchor - lt) × stride, x2y2 = (anchor + rb) × stride")
    found.append("scores are probabilities" if activated else "score = sigmoid(logit)")
    for extra in raw.extras:
        if extra.kind == "angle":
            found.append("angle a = (sigmoid(value) - 0.25) × π" if extra.sigmoid else "angle a = the value, radians")
        elif extra.kind == "keypoints":
            xy = "(2 value - 0.5 + anchor)" if extra.scale == 2 else "(value + anchor)"
            third = ", visibility = sigmoid(value)" if extra.values == 3 else ""
            found.append(f"keypoints are {extra.values} values each: xy = {xy} × stride{third}")
        else:
            found.append("mask = sigmoid(coefficients · prototypes)")
    return found
