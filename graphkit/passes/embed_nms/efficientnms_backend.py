"""NMS by TensorRT's plugin EfficientNMS_TRT, version "1".

The plugin is multi-label by itself. For the other semantics all but each box's best score become -1, which no
threshold lets through (it keeps score >= threshold, so 0 would pass a threshold of 0).
"""

from __future__ import annotations

import numpy as np
import onnx
import onnx_graphsurgeon as gs

from graphkit.passes.embed_nms.common_backend import Build, best_class, lay
from graphkit.passes.emit import shape_of

DOMAIN = "TRT"
LARGEST_TOPK = 3840
"""TensorRT's limit for the K of a TopK."""
WARNINGS = (
    "EfficientNMS_TRT is a TensorRT plugin (deprecated since 10.12): ONNX Runtime on its own refuses to load the model",
    "EfficientNMS_TRT keeps score >= confidence, suppresses IoU >= iou and looks at no more than 5000 candidates",
)


def build(make: Build, confidence: float, iou: float) -> dict[str, gs.Tensor]:
    """Append the plugin behind the candidates; returns num_dets, boxes, scores, classes."""
    emit, head = make.emit, make.head
    boxes = lay(emit, head, head.boxes, head.box_layout, "nc", 4)
    scores = lay(emit, head, head.scores, head.score_layout, "nc", head.classes)
    if make.semantics != "multi-label" and head.classes > 1:
        scores = _only_best(make, scores)
    batch, rows = make.batch, make.rows
    _import_domain(emit.graph)
    found = emit.nodes(
        "EfficientNMS_TRT",
        [boxes, scores],
        [
            (np.int32, [batch, 1]),
            (np.float32, [batch, rows, 4]),
            (np.float32, [batch, rows]),
            (np.int32, [batch, rows]),
        ],
        hint="efficient_nms",
        domain=DOMAIN,
        plugin_version="1",
        background_class=-1,
        score_activation=0,
        box_coding=int(head.coding == "center-size"),
        class_agnostic=int(make.semantics == "class-agnostic"),
        score_threshold=float(confidence),
        iou_threshold=float(iou),
        max_output_boxes=rows,
    )
    return dict(zip(("num_dets", "boxes", "scores", "classes"), found, strict=True))


def _only_best(make: Build, scores: gs.Tensor) -> gs.Variable:
    """Scores [B, A, C] with -1 at every class that is not its box's best."""
    emit, head = make.emit, make.head
    best = emit.cast(best_class(emit, head, scores, 2), onnx.TensorProto.INT32)
    indices = emit.constant(np.arange(head.classes, dtype=np.int32).reshape(1, 1, -1), "classes")
    shape = shape_of(head, "nc", head.classes)
    is_best = emit.node("Equal", best, indices, dtype=np.bool_, shape=shape)
    never = emit.constant(np.array(-1, np.float32), "never")
    return emit.node("Where", is_best, scores, never, dtype=np.float32, shape=shape)


def _import_domain(graph: gs.Graph) -> None:
    """Declare the plugin's domain: in the default one onnx.checker and the version converter reject the node."""
    domains = list(graph.import_domains or [onnx.helper.make_opsetid("", graph.opset)])
    if all(entry.domain != DOMAIN for entry in domains):
        graph.import_domains = [*domains, onnx.helper.make_opsetid(DOMAIN, 1)]
