"""Why there is no detection head to work on, in words that tell the user what there is instead and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import onnx_graphsurgeon as gs

from graphkit.heads.decode import match_boxes
from graphkit.heads.dims import Dims
from graphkit.heads.head import HeadNotFound
from graphkit.heads.trace import operand, peel, producer, upstream

_REEXPORT = "Export the model again without NMS (ultralytics: nms=None) to rework its head."
_CLEANUP = "passes/cleanup.yaml fits it."
_KEY = "graphkit.head"


def nms_inside(outputs: Iterable[gs.Tensor]) -> HeadNotFound | None:
    """The refusal for a model that runs non-maximum suppression itself, by any operator that is named so."""
    outputs = list(outputs)
    for node in upstream(outputs):
        if "nms" in node.op.lower() or node.op == "NonMaxSuppression":
            return HeadNotFound("final", f"{_listed(outputs)} already {_come(outputs)} out of {node.op}", _REEXPORT)
    return None


def cut_before(metadata: Mapping[str, str]) -> HeadNotFound | None:
    """The refusal for a model whose metadata says that split-head cut its head in front of the decode."""
    try:
        told = json.loads(metadata.get(_KEY, "{}"))
    except (ValueError, RecursionError):
        return None
    how = told.get("cut") if isinstance(told, dict) else None
    if how not in ("raw", "rknn"):
        return None
    return HeadNotFound(
        "cut",
        f"split-head already cut the head in front of its decode (cut: {how})",
        f"The metadata ({_KEY}) says how to decode it; run other passes on the model before it was cut.",
    )


def explain(graph: gs.Graph, dims: Dims) -> HeadNotFound:
    """The refusal that fits the outputs best. Never raises itself."""
    outputs = list(graph.outputs)
    if not outputs:
        return HeadNotFound("unknown", "the graph has no outputs")
    what = f"the one output, {_named(outputs[0])}, is" if len(outputs) == 1 else f"the outputs, {_listed(outputs)}, are"
    for output in outputs:
        found = _joined_otherwise(output)
        if found is not None:
            return found
    return (
        _one_to_one(outputs, dims)
        or _undecoded(outputs, dims, what)
        or _one_tensor(outputs, dims, what)
        or _several_tensors(outputs, dims, what)
        or HeadNotFound(
            "unknown",
            f"{what} not boxes and scores that a known head decodes",
            "Known are the heads of YOLOv5, v7, v8, v9, v10, 11, 12 and 26 with their decode in the graph, for detect, "
            "segment, pose and obb; passes/cleanup.yaml fits other models.",
        )
    )


def _joined_otherwise(output: gs.Tensor) -> HeadNotFound | None:
    """A Concat of boxes with something that is not just scores."""
    concat = producer(peel(output).tensor, "Concat")
    if concat is None or not concat.inputs:
        return None
    boxes, count = match_boxes(concat.inputs[0]), len(concat.inputs)
    if boxes is not None:
        return HeadNotFound(
            "unknown",
            f"{_named(output)} joins boxes with something that is not the output of a Sigmoid",
            "Export the model with activated scores, as ultralytics does by default.",
        )
    activated = [producer(peel(part).tensor, "Sigmoid") is not None for part in concat.inputs]
    if count == 2 and all(activated):
        return HeadNotFound(
            "one-to-one",
            f"{_named(output)} joins two Sigmoids: boxes normalised to 0..1, as RT-DETR predicts them",
            "Such a model predicts a set and needs no NMS; passes/cleanup.yaml fits it.",
        )
    if count == 2 and activated[1]:
        return HeadNotFound(
            "unknown",
            f"{_named(output)} joins scores with {_named(concat.inputs[0])}, which no known head decodes to boxes",
            "Known are distances to the four sides of a box around anchor points, in pixels, as YOLOv8, v9, 11, 12 "
            "and v5u have them.",
        )
    return None


def _one_to_one(outputs: list[gs.Tensor], dims: Dims) -> HeadNotFound | None:
    """Detections that a TopK chose from something unknown."""
    rows = [output for output in outputs if _rank(output, dims) == 3 and dims.dim(output, 2) in (6, 7)]
    if not rows or not any(node.op == "TopK" for node in upstream(outputs)):
        return None
    return HeadNotFound(
        "one-to-one",
        f"{_listed(outputs)} already {_come(outputs)} out of a TopK: a one-to-one head, which needs no NMS",
        "It can be deployed as it is; passes/cleanup.yaml fits it.",
    )


def _undecoded(outputs: list[gs.Tensor], dims: Dims, what: str) -> HeadNotFound | None:
    """Heads whose predictions leave the graph before they are boxes."""
    if any(_is_yolox(output) for output in outputs):
        return HeadNotFound(
            "yolox",
            f"{what} a YOLOX head that is not decoded: Sigmoid on objectness and classes, raw box regression",
            "Decode it outside the model, as YOLOX's own demos do ((xy + cell) · stride, exp(wh) · stride), or export "
            f"with decode_in_inference; {_CLEANUP}",
        )
    ranks = {_rank(output, dims) for output in outputs}
    if len(outputs) > 1 and ranks == {5}:
        return HeadNotFound(
            "features",
            f"{what} the levels of a YOLOv5-style head, [B, anchors, H, W, 5 + classes]: their decode was left out",
            "Export the model with its decode (YOLOv5: export.py as it is; YOLOv7: export.py --grid).",
        )
    if all(producer(peel(output).tensor, "Conv") is not None for output in outputs) and ranks <= {4, None}:
        if len(outputs) == 1:
            return None
        return HeadNotFound(
            "features",
            f"{what} raw feature maps of convolutions: the head's decoding was cut off or never exported",
            "Export the model with its head, as ultralytics does by default.",
        )
    return None


def _is_yolox(output: gs.Tensor) -> bool:
    """Levels of Concat(box, Sigmoid(objectness), Sigmoid(classes)) on the channels, flattened and joined."""
    joined = producer(peel(output).tensor, "Concat")
    for part in joined.inputs if joined is not None else ():
        flat = producer(peel(part).tensor, "Reshape", "Flatten")
        source = operand(flat, 0) if flat is not None else None
        level = producer(peel(source).tensor, "Concat") if source is not None else None
        if level is None or len(level.inputs) != 3:
            return False
        kinds = [producer(peel(item).tensor, "Sigmoid", "Conv") for item in level.inputs]
        if [node.op if node is not None else "" for node in kinds] != ["Conv", "Sigmoid", "Sigmoid"]:
            return False
    return joined is not None and len(joined.inputs) > 1


def _one_tensor(outputs: list[gs.Tensor], dims: Dims, what: str) -> HeadNotFound | None:
    if len(outputs) != 1:
        return None
    rank = _rank(outputs[0], dims)
    if rank == 2:
        return HeadNotFound(
            "classifier",
            f"{what} not made of boxes and scores",
            "It looks like a classifier; passes/cleanup.yaml fits it.",
        )
    if rank == 4 or (rank == 3 and producer(peel(outputs[0]).tensor, "ArgMax", "Squeeze") is not None):
        return HeadNotFound(
            "semantic",
            f"{what} a map over the image and not boxes and scores",
            "It looks like a semantic segmentation or depth model, or a feature extractor; passes/cleanup.yaml fits "
            "it.",
        )
    return None


def _several_tensors(outputs: list[gs.Tensor], dims: Dims, what: str) -> HeadNotFound | None:
    """Boxes and scores as separate outputs of families whose decode is not known, by their shapes."""
    shapes = [dims.shape(output) for output in outputs]
    if all(producer(peel(output).tensor, "Conv") is not None for output in outputs):
        return HeadNotFound(
            "features",
            f"{what} raw feature maps of convolutions: the head's decoding was cut off or never exported",
            "Export the model with its head, as ultralytics does by default.",
        )
    flat = [shape for shape in shapes if shape is not None and len(shape) == 3]
    if len(outputs) == 2 and len(flat) == 2:
        boxes = [shape for shape in flat if shape[2] == 4]
        if len(boxes) == 1:
            return HeadNotFound(
                "one-to-one" if _has_sigmoid(outputs) else "unknown",
                f"{what} shaped like boxes and scores of another family (SSD, RT-DETR and DETR have such outputs)",
                "Its decode is not known here: SSD needs its default boxes and variances, RT-DETR predicts a set and "
                f"needs no NMS; {_CLEANUP}",
            )
    if len(outputs) >= 4 and len(flat) == len(outputs) and len(outputs) % 2 == 0:
        return HeadNotFound(
            "features",
            f"{what} the levels of a head whose decode is not in the graph, as PicoDet and NanoDet are exported",
            "Export it with its postprocessing, or decode it outside the model; passes/cleanup.yaml fits it.",
        )
    return None


def _has_sigmoid(outputs: list[gs.Tensor]) -> bool:
    return any(producer(peel(output).tensor, "Sigmoid") is not None for output in outputs)


def _rank(tensor: gs.Tensor, dims: Dims) -> int | None:
    shape = dims.shape(tensor)
    return None if shape is None else len(shape)


def _named(tensor: gs.Tensor) -> str:
    if tensor.shape is None:
        return f'"{tensor.name}" (shape unknown)'
    return f'"{tensor.name}" [{",".join(str(d) if d not in (None, "") else "?" for d in tensor.shape)}]'


def _listed(outputs: list[gs.Tensor]) -> str:
    shown = ", ".join(map(_named, outputs[:4]))
    return shown + (f" and {len(outputs) - 4} more" if len(outputs) > 4 else "")


def _come(outputs: list[gs.Tensor]) -> str:
    return "comes" if len(outputs) == 1 else "come"
