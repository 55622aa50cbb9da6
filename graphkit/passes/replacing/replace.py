"""Putting another backend in the place of the one that was found."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.edit import replace_uses
from graphkit.errors import PassRefused
from graphkit.facts.learning import learn_model
from graphkit.heads import DetectionOutputs, Head, NmsContract, Seam
from graphkit.heads.head import Dimension
from graphkit.passes.contract import PassResult
from graphkit.passes.embed_nms import (
    efficientnms_backend,
    matrix_backend,
    onnx_backend,
    unrolled_backend,
    unrolled_rows,
)
from graphkit.passes.embed_nms.common_backend import Build, Rows, corner_rows, seam
from graphkit.passes.embed_nms.embed import (
    KEY,
    LATE_CANDIDATES,
    LATE_KEY,
    MATRIX_CANDIDATES,
    PLUGIN_CANDIDATES,
    SHORT,
    unrolled_refusal,
)
from graphkit.passes.embed_nms.rows import outputs as make_outputs
from graphkit.passes.emit import Emitter
from graphkit.passes.replacing.every_box import every_box
from graphkit.passes.replacing.found import Found, NotReplaceable, Threshold

if TYPE_CHECKING:
    from graphkit.model import Model
    from graphkit.passes.replace_nms import ReplaceNms


def replace_backend(model: Model, found: Found, options: ReplaceNms) -> PassResult:
    """Rewrite the graph behind the candidates.

    Raises:
        PassRefused: The backend cannot do what the model's NMS does.
    """
    plugin = options.backend == "efficientnms"
    graph = model.graph
    emit = Emitter(graph, "replace-nms")
    head = found.prepare(emit)
    entered = found.limit or (head.anchors if isinstance(head.anchors, int) else None)
    if options.backend == "unrolled":
        head = _whole(model, emit, head)
    _check(head, found, options)
    limit = _limit(head, found, options)
    confidence, iou = _held(emit, found.confidence, "confidence"), _held(emit, found.iou, "iou")
    make = Build(emit, head, found.rows, found.semantics, confidence, iou, limit, options.iterations)
    if plugin:
        made = efficientnms_backend.build(make, found.confidence.value, found.iou.value)
    elif options.backend == "unrolled":
        made = unrolled_rows.outputs(make, unrolled_backend.build(make, None), found.layout)
    else:
        boxes = corner_rows(make)
        rows: Rows = (matrix_backend if options.backend == "matrix" else onnx_backend).build(make, boxes)
        shared = options.backend == "onnx" and not make.pairs
        made = make_outputs(make, boxes, rows, shared, found.layout)
    names = _put(emit, found, made)
    contract = NmsContract(
        found.semantics,
        found.confidence.value,
        found.iou.value,
        found.rows,
        candidates=limit,
        keep_equal=plugin,
        suppress_equal=plugin,
    )
    relation = DetectionOutputs(
        found.decode,
        contract,
        tuple(names[key] for key in ("num_dets", "boxes", "scores", "classes", "detections") if key in names),
        _seam(head, found),
        {kind: names[kind] for kind in names if kind in ("masks", "keypoints")},
        found.layout,
        {} if plugin else {confidence.name: found.confidence.value, iou.name: found.iou.value},
        found.exposed,
    )
    return PassResult(
        rewrites=1,
        summary=f"{found.backend} → {options.backend}, {SHORT[found.semantics]}",
        relation=relation,
        metadata=_metadata(model, options, limit),
        warnings=tuple(_warnings(head, found, options, limit, entered)),
    )


def _seam(head: Head, found: Found) -> Seam:
    """Before a cast where there is one: made-up float16 candidates are rounded as real ones are."""
    there = seam(head)
    return replace(there, boxes=found.exposed[0], scores=found.exposed[1]) if found.direct else there


def _whole(model: Model, emit: Emitter, head: Head) -> Head:
    """The head with every box: there is no TopK to choose candidates with."""
    scope = learn_model(model.proto(), model.values)

    def shape(tensor: gs.Tensor) -> list[Dimension | None] | None:
        known = scope.shape(tensor.name)
        return None if known is None else list(known)

    try:
        return every_box(emit, head, shape)
    except NotReplaceable as error:
        raise PassRefused(
            f"cannot let every box enter again, as backend unrolled needs it: {error}. Run embed-nms with late: false"
        ) from error


def _check(head: Head, found: Found, options: ReplaceNms) -> None:
    if options.backend == "unrolled":
        reason = unrolled_refusal(head, found.semantics, options.candidates)
        if reason is not None:
            raise PassRefused(reason)
    if options.backend != "efficientnms":
        return
    if head.extras:
        what = " and ".join(extra.kind for extra in head.extras)
        raise PassRefused(
            f"cannot carry {what} through backend efficientnms: the plugin does not say which boxes it kept. "
            "Use backend matrix."
        )
    if found.layout != "four":
        raise PassRefused(
            "cannot make the one output of layout ultralytics with backend efficientnms, whose outputs are four. "
            "Use backend matrix."
        )
    if found.confidence.input is not None or found.iou.input is not None:
        raise PassRefused(
            "cannot take thresholds that are inputs of the model to backend efficientnms: they are attributes of the "
            "plugin. Use backend matrix."
        )
    if options.candidates is not None:
        raise PassRefused(
            "cannot set candidates with backend efficientnms: the plugin considers the 5000 best by itself. Leave "
            "candidates out."
        )
    if found.limit is not None:
        raise PassRefused(
            f"cannot keep the limit of {found.limit} candidates with backend efficientnms: the plugin considers the "
            "5000 best by itself. Use backend matrix."
        )


def _limit(head: Head, found: Found, options: ReplaceNms) -> int | None:
    """Pairs that enter: as many as entered before, where the backend can."""
    if options.backend == "efficientnms":
        return PLUGIN_CANDIDATES
    if options.backend == "unrolled":
        return None
    limit = options.candidates if options.candidates is not None else found.limit
    if options.backend == "onnx":
        return limit
    several = head.classes if found.semantics == "multi-label" else 1
    total = head.anchors * several if isinstance(head.anchors, int) else None
    if limit is None:
        # Every pair meets every other: with the candidates of late decode that is cheap, with all it is not.
        limit = total if total is not None and total <= LATE_CANDIDATES else MATRIX_CANDIDATES
    return limit if total is None else min(limit, total)


def _held(emit: Emitter, threshold: Threshold, name: str) -> gs.Tensor:
    if threshold.input is not None:
        return threshold.input
    return gs.Constant(emit.unique(f"{name}_threshold"), np.array([threshold.value], np.float32))


def _put(emit: Emitter, found: Found, made: dict[str, gs.Tensor]) -> dict[str, str]:
    """Give the new outputs the names, types and places of the old ones; meaning -> name."""
    graph, names = emit.graph, dict[str, str]()
    for meaning, old in found.outputs.items():
        new = made[meaning]
        if old.dtype is not None and np.dtype(old.dtype) == np.float16:
            new = emit.cast(new, 10)
        names[meaning], old.name = old.name, emit.unique("before")
        new.name = names[meaning]
        replace_uses(old, new)
        graph.outputs[:] = [new if output is old else output for output in graph.outputs]
    return names


def _metadata(model: Model, options: ReplaceNms, limit: int | None) -> dict[str, str]:
    """What embed-nms left about itself, brought up to date; nothing where it did not make the model."""
    try:
        told = json.loads(model.metadata.get(KEY, ""))
    except ValueError:
        return {}
    if not isinstance(told, dict):
        return {}
    told |= {"backend": options.backend, "candidates": None if options.backend == "efficientnms" else limit}
    late = {LATE_KEY: "no: backend unrolled decodes every box"} if options.backend == "unrolled" else {}
    return {KEY: json.dumps(told), **late}


def _warnings(head: Head, found: Found, options: ReplaceNms, limit: int | None, entered: int | None) -> list[str]:
    said: list[str] = []
    if options.backend == "efficientnms":
        said += efficientnms_backend.WARNINGS
    if found.backend == "efficientnms":
        said.append(
            "the plugin kept a score that equals the threshold and suppressed an IoU that equals it; now they have to "
            "be above"
        )
    if options.backend == "unrolled":
        said.append(unrolled_backend.cost(found.rows, head.classes, found.semantics))
        if entered is not None and entered != head.anchors:
            said.append(f"all {head.anchors} boxes of an image enter now, where the {entered} best did")
    if options.backend == "matrix" and limit is not None:
        times = matrix_backend.repetitions(options.iterations, limit)
        if times < limit - 1:
            said.append(
                f"the matrix backend follows chains of up to {times} overlapping boxes; in a longer one it may keep a "
                "box too many. Raise iterations where that matters"
            )
        before = found.limit or (PLUGIN_CANDIDATES if found.backend == "efficientnms" else None)
        if isinstance(head.anchors, int) and (before is None or limit < before) and limit < head.anchors:
            said.append(
                f"only the {limit} best candidates of an image enter now; set candidates where a picture has more"
            )
    return said
