"""What the NMS inside a model is meant to do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import onnx

from graphkit.heads import Head, NmsContract
from graphkit.heads.head import Task
from graphkit.model import Model

_SEMANTICS = ("best-class", "multi-label", "class-agnostic")
_ULTRALYTICS = (0.25, 0.7)
"""Confidence and IoU of ultralytics' `nms=True`, which it does not write into the metadata."""
_ROWS = 300


@dataclass(frozen=True)
class Inside:
    """A contract, and how it is known, for a reader; "" where there is nothing to say."""

    contract: NmsContract
    source: str


def rows_contract(head: Head) -> Inside:
    """Of a head that chooses its own detections: so many rows, and no threshold."""
    rows = head.anchors if isinstance(head.anchors, int) else _ROWS
    contract = NmsContract("multi-label", 0.0, 1.0, rows, rotated=head.rotated, suppress=False)
    return Inside(contract, f"the head chooses {rows} detections itself")


def inside_contract(model: Model, task: Task) -> Inside:
    """From what embed-nms wrote down, else from the NMS operator, else from what ultralytics does by default."""
    rotated = task == "obb"
    told = _told(model)
    if told is not None:
        plugin = told.get("backend") == "efficientnms"
        return Inside(
            NmsContract(
                told["semantics"],
                told["confidence"],
                told["iou"],
                told["max-detections"],
                candidates=told.get("candidates"),
                keep_equal=plugin,
                suppress_equal=plugin,
                rotated=rotated,
            ),
            f"embed-nms wrote down confidence {told['confidence']}, IoU {told['iou']}",
        )
    proto = model.proto()
    rows = _rows(proto)
    plugin_node = next((node for node in proto.graph.node if node.op_type == "EfficientNMS_TRT"), None)
    if plugin_node is not None:
        values = {item.name: onnx.helper.get_attribute_value(item) for item in plugin_node.attribute}
        confidence, iou = float(values.get("score_threshold", 0.25)), float(values.get("iou_threshold", 0.5))
        semantics: Any = "class-agnostic" if values.get("class_agnostic") else "multi-label"
        contract = NmsContract(semantics, confidence, iou, rows, keep_equal=True, suppress_equal=True, rotated=rotated)
        return Inside(contract, "as the attributes of EfficientNMS_TRT say")
    confidence, iou = _ULTRALYTICS
    source = f"taken to be ultralytics' own, confidence {confidence} and IoU {iou}"
    return Inside(NmsContract("best-class", confidence, iou, rows, rotated=rotated), source)


def _told(model: Model) -> dict[str, Any] | None:
    """Embed-nms's options; None where there are none that can be used."""
    try:
        told = json.loads(model.metadata.get("graphkit.nms", "null"))
    except (ValueError, RecursionError):
        return None
    wanted = {"confidence": float, "iou": float, "max-detections": int}
    if not isinstance(told, dict) or told.get("semantics") not in _SEMANTICS:
        return None
    usable = all(isinstance(told.get(key), kind | int) and told[key] >= 0 for key, kind in wanted.items())
    return told if usable else None


def _rows(proto: onnx.ModelProto) -> int:
    """K, as the outputs declare it."""
    for info in proto.graph.output:
        dims = info.type.tensor_type.shape.dim
        if len(dims) == 3 and dims[1].dim_value > 0:
            return int(dims[1].dim_value)
    return _ROWS
