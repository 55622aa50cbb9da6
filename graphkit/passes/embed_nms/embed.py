"""Putting the parts of embed-nms together."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.edit import names_in
from graphkit.heads import DetectionOutputs, Head, NmsContract, raw_detections
from graphkit.heads.head import Extra
from graphkit.passes.contract import Declined, PassResult
from graphkit.passes.embed_nms import (
    efficientnms_backend,
    matrix_backend,
    one_to_one,
    onnx_backend,
    unrolled_backend,
    unrolled_rows,
)
from graphkit.passes.embed_nms.candidates import Candidates, all_of, chosen
from graphkit.passes.embed_nms.common_backend import Build, corner_rows, is_rotated, lay, seam
from graphkit.passes.embed_nms.rows import outputs
from graphkit.passes.emit import Emitter, apart, free_name, replace_outputs

if TYPE_CHECKING:
    from graphkit.model import Model
    from graphkit.passes.embed_nms import EmbedNms

KEY = "graphkit.nms"
LATE_KEY = "graphkit.nms.late"
PLUGIN_CANDIDATES = 5000
LATE_CANDIDATES = 1000
MATRIX_CANDIDATES = 512
SHORT = {"best-class": "best class", "multi-label": "multi-label", "class-agnostic": "class-agnostic"}


@dataclass(frozen=True)
class _Limits:
    """How many may enter.

    Attributes:
        pairs: (box, class) pairs an image that enter NMS; None for all.
        boxes: Boxes an image that are decoded; None for all.
        note: Why all are decoded although `late` was asked for.
    """

    pairs: int | None
    boxes: int | None
    note: str | None = None


def refusal(head: Head, options: EmbedNms, opset: int, oldest: int) -> str | None:
    """Why these options do not fit this head, with what to do; None where they do."""
    plugin, final = options.backend == "efficientnms", head.state == "final"
    if opset < oldest:
        return f"needs opset {oldest} or newer; the model has {opset}. Export it again."
    if plugin and options.candidates is not None and options.candidates > PLUGIN_CANDIDATES:
        return (
            f"cannot let {options.candidates} candidates enter with backend efficientnms: the plugin considers the "
            "5000 best by itself. Set 5000 or fewer, or use backend onnx."
        )
    if (
        plugin
        and not final
        and options.candidates is not None
        and (options.semantics == "multi-label" or not options.late)
    ):
        return (
            "cannot set candidates with backend efficientnms, unless late and with another semantics than multi-label: "
            "the plugin considers the 5000 best by itself. Leave candidates out, or use backend onnx."
        )
    if plugin and options.layout != "four":
        return (
            f"cannot make layout {options.layout} with backend efficientnms: ultralytics does not read the plugin's "
            "outputs. Use layout four, or backend onnx."
        )
    if plugin and options.runtime_thresholds:
        return (
            "cannot change thresholds at run time with backend efficientnms: they are attributes of the plugin. "
            "Leave runtime-thresholds out, or use backend onnx."
        )
    if options.backend == "unrolled":
        return unrolled_refusal(head, options.semantics, options.candidates)
    if final:
        return None
    if is_rotated(head) and options.backend != "matrix":
        return f"cannot suppress rotated boxes with backend {options.backend}: it has none. Use backend matrix."
    if plugin and head.extras:
        what = " and ".join(extra.kind for extra in head.extras)
        return (
            f"cannot carry {what} through backend efficientnms: the plugin does not say which boxes it kept. "
            "Use backend onnx or matrix."
        )
    return None


def unrolled_refusal(head: Head, semantics: str, candidates: int | None) -> str | None:
    """Why the unrolled backend cannot take this head; None where it can."""
    if not isinstance(head.anchors, int):
        return (
            "cannot unroll over a number of boxes that is known at run time only. Fix the image size, or use backend "
            "matrix."
        )
    if head.state == "final":
        return None
    if is_rotated(head):
        return "cannot suppress rotated boxes with backend unrolled: it has none. Use backend matrix."
    if semantics == "multi-label" and head.classes > 1:
        return (
            "cannot do multi-label with backend unrolled: a round would look at every pair of box and class. Use "
            "backend matrix or onnx, or semantics best-class."
        )
    if candidates is not None:
        return (
            "cannot choose candidates with backend unrolled: that takes TopK, which it is there to do without. Leave "
            "candidates out, or use backend matrix."
        )
    return None


def _limits(head: Head, options: EmbedNms) -> _Limits:
    """What the options mean for this backend."""
    pairs = options.candidates
    if options.backend == "unrolled":
        reason = "backend unrolled has no TopK to choose candidates with, and every box is decoded"
        return _Limits(None, None, reason if options.late else None)
    if options.backend == "efficientnms":
        if not options.late:
            return _Limits(PLUGIN_CANDIDATES, None)
        if options.semantics == "multi-label" and head.classes > 1:
            reason = "multi-label needs the 5000 best pairs of all boxes, and TensorRT's TopK gives 3840 at most"
            return _Limits(PLUGIN_CANDIDATES, None, reason)
        pairs = min(pairs or LATE_CANDIDATES, efficientnms_backend.LARGEST_TOPK)
        return _Limits(pairs, pairs)
    if options.backend == "matrix":
        pairs = pairs or MATRIX_CANDIDATES
        total = head.anchors * head.classes if isinstance(head.anchors, int) else pairs
        single = head.anchors if isinstance(head.anchors, int) else pairs
        pairs = min(pairs, total if options.semantics == "multi-label" else single)
    elif options.late and pairs is None:
        pairs = LATE_CANDIDATES
    return _Limits(pairs, pairs if options.late else None)


def embed(model: Model, head: Head, options: EmbedNms) -> PassResult:
    """Rewrite the graph behind the head."""
    graph = model.graph
    decode = raw_detections(head)  # speaks of the outputs' names before they change
    emit = Emitter(graph, "embed-nms")
    before, head = head, apart(emit, head)
    thresholds = _thresholds(emit, options)
    final, plugin = head.state == "final", options.backend == "efficientnms" and head.state != "final"
    limits = _Limits(None, None) if final else _limits(head, options)
    labels: gs.Tensor | None = None
    if final:
        columns, labels = one_to_one.parts(emit, head)
        found = Candidates(columns, False)
    elif limits.boxes is not None:
        found = chosen(emit, head, limits.boxes)
    else:
        found = all_of(emit, head, limits.note)
    if found.head.anchors == before.anchors and plugin:
        limits = replace(limits, pairs=PLUGIN_CANDIDATES)
    elif found.head.anchors == before.anchors and options.backend == "onnx":
        limits = replace(limits, pairs=options.candidates)  # all anchors are in: nothing else asks for a limit
    cut = replace(found.head, extras=_laid(emit, found.head))
    make = Build(emit, cut, options.max_detections, options.semantics, *thresholds, limits.pairs, options.iterations)
    thresholds_of_plugin = (options.confidence, options.iou)
    made = efficientnms_backend.build(make, *thresholds_of_plugin) if plugin else _rows(make, options, labels)
    contract = NmsContract(
        options.semantics,
        options.confidence,
        options.iou,
        options.max_detections,
        candidates=limits.pairs,
        keep_equal=plugin,
        suppress_equal=plugin,
        rotated=is_rotated(head),
        suppress=not final,
    )
    replace_outputs(graph, before, list(made.values()))
    if head.output_layout is None:  # outputs of their own until now: their names go to the new ones
        parts = (head.boxes, head.scores, head.labels, *(extra.tensor for extra in head.extras))
        for tensor in (part for part in parts if part is not None):
            tensor.name = emit.unique("decoded")
    names = _name(graph, made, thresholds if options.runtime_thresholds else ())
    held = {} if plugin else {thresholds[0].name: options.confidence}
    if not plugin and not final:
        held[thresholds[1].name] = options.iou
    relation = DetectionOutputs(
        decode,
        contract,
        tuple(names[key] for key in ("num_dets", "boxes", "scores", "classes", "detections") if key in names),
        None if final else seam(cut),
        {kind: names[kind] for kind in names if kind in ("masks", "keypoints")},
        options.layout,
        held,
    )
    return _report(before, found, options, limits, relation)


def _rows(make: Build, options: EmbedNms, labels: gs.Tensor | None) -> dict[str, gs.Tensor]:
    if options.backend == "unrolled":
        return unrolled_rows.outputs(make, unrolled_backend.build(make, labels), options.layout)
    boxes = corner_rows(make)
    if labels is not None:
        return outputs(make, boxes, one_to_one.build(make, labels), True, options.layout)
    if options.backend == "matrix":
        return outputs(make, boxes, matrix_backend.build(make, boxes), False, options.layout)
    rows = onnx_backend.build(make, boxes)
    return outputs(make, boxes, rows, not make.pairs, options.layout)


def _laid(emit: Emitter, head: Head) -> tuple[Extra, ...]:
    """The extras in the layout of the boxes: the seam has one layout for both."""
    return tuple(
        replace(
            extra,
            tensor=lay(emit, head, extra.tensor, extra.layout, head.box_layout, extra.width),
            layout=head.box_layout,
        )
        for extra in head.extras
    )


def _thresholds(emit: Emitter, options: EmbedNms) -> tuple[gs.Constant, gs.Constant]:
    """Confidence and IoU, float32 [1], each of them used as this threshold only."""
    return (
        gs.Constant(emit.unique("confidence_threshold"), np.array([options.confidence], np.float32)),
        gs.Constant(emit.unique("iou_threshold"), np.array([options.iou], np.float32)),
    )


def _name(graph: gs.Graph, made: dict[str, gs.Tensor], inputs: tuple[gs.Constant, ...]) -> dict[str, str]:
    """Give outputs and new inputs their names; wanted name -> name."""
    taken = names_in(graph) - {tensor.name for tensor in made.values()}
    names = {}
    for wanted, tensor in made.items():
        tensor.name = names[wanted] = free_name(taken, wanted)
    for tensor, wanted in zip(inputs, ("confidence_threshold", "iou_threshold"), strict=False):
        if tensor.outputs:
            tensor.name = free_name(taken, wanted)
            graph.inputs.append(tensor)
    return names


def _report(
    head: Head, found: Candidates, options: EmbedNms, limits: _Limits, relation: DetectionOutputs
) -> PassResult:
    final = head.state == "final"
    if final:
        summary = "one-to-one: filtered and sorted, no NMS"
    else:
        words = [options.backend, SHORT[options.semantics], *(["late"] if found.late else [])]
        summary = ", ".join(words)
    late = "yes" if found.late else "no" if found.note is None else f"no: {found.note}"
    metadata = {KEY: json.dumps(options.options()), LATE_KEY: late}
    if options.layout == "ultralytics":
        metadata["end2end"] = "True"  # what ultralytics reads to leave out its own NMS
    declined = (Declined(f"late decode: {found.note}"),) if found.note is not None and not final else ()
    return PassResult(
        rewrites=1,
        summary=summary,
        declined=declined,
        relation=relation,
        metadata=metadata,
        warnings=(*head.warnings, *_warnings(head, options, limits)),
    )


def _warnings(head: Head, options: EmbedNms, limits: _Limits) -> list[str]:
    if head.state == "final":
        return ["the head is one-to-one: iou, semantics, candidates and backend have nothing to act on"]
    found: list[str] = []
    if options.backend == "efficientnms":
        found += efficientnms_backend.WARNINGS
        if options.semantics != "multi-label" and head.classes > 1:
            found.append(f"EfficientNMS_TRT is multi-label by itself; scores are masked to make it {options.semantics}")
    if options.backend == "unrolled":
        found.append(unrolled_backend.cost(options.max_detections, head.classes, options.semantics))
    if options.backend == "matrix" and limits.pairs is not None:
        times = matrix_backend.repetitions(options.iterations, limits.pairs)
        if times < limits.pairs - 1:
            found.append(
                f"the matrix backend follows chains of up to {times} overlapping boxes; in a longer one it may keep a "
                "box too many. Raise iterations where that matters"
            )
    return found
