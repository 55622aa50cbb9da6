"""Why there is no detection head to work on, in words that tell the user what there is instead and what to do."""

from __future__ import annotations

from collections.abc import Iterable

import onnx_graphsurgeon as gs

from graphkit.heads.decode import match_boxes
from graphkit.heads.dims import Dims
from graphkit.heads.head import HeadNotFound
from graphkit.heads.trace import peel, producer, upstream

_REEXPORT = "Export the model again without NMS (ultralytics: nms=False) to rework its head."


def nms_inside(outputs: Iterable[gs.Tensor]) -> HeadNotFound | None:
    """The refusal for a model that runs non-maximum suppression itself, by any operator that is named so."""
    outputs = list(outputs)
    for node in upstream(outputs):
        if "nms" in node.op.lower() or node.op == "NonMaxSuppression":
            return HeadNotFound("final", f"{_listed(outputs)} already {_come(outputs)} out of {node.op}", _REEXPORT)
    return None


def explain(graph: gs.Graph, dims: Dims) -> HeadNotFound:
    """The refusal that fits the outputs best. Never raises itself."""
    outputs = list(graph.outputs)
    if not outputs:
        return HeadNotFound("unknown", "the graph has no outputs")
    for output in outputs:
        found = _joined_otherwise(output)
        if found is not None:
            return found
    if any(_rank(output, dims) == 3 and dims.dim(output, 2) in (6, 7) for output in outputs) and any(
        node.op == "TopK" for node in upstream(outputs)
    ):
        return HeadNotFound(
            "one-to-one",
            f"{_listed(outputs)} already {_come(outputs)} out of a TopK: a one-to-one head, which needs no NMS",
            "It can be deployed as it is; passes/cleanup.yaml fits it.",
        )
    what = f"the one output, {_named(outputs[0])}, is" if len(outputs) == 1 else f"the outputs, {_listed(outputs)}, are"
    if len(outputs) == 1 and _rank(outputs[0], dims) == 2:
        return HeadNotFound(
            "classifier",
            f"{what} not made of boxes and scores",
            "It looks like a classifier; passes/cleanup.yaml fits it.",
        )
    if all(producer(peel(output).tensor, "Conv") is not None for output in outputs):
        return HeadNotFound(
            "features",
            f"{what} raw feature maps of convolutions: the head's decoding was cut off or never exported",
            "Export the model with its head, as ultralytics does by default.",
        )
    return HeadNotFound(
        "unknown",
        f"{what} not boxes and scores that a known head decodes",
        "Known are the detect heads of YOLOv8, v9, 11, 12 and v5u as ultralytics exports them; "
        "passes/cleanup.yaml fits other models.",
    )


def _joined_otherwise(output: gs.Tensor) -> HeadNotFound | None:
    """A Concat of boxes with something that is not just scores."""
    concat = producer(peel(output).tensor, "Concat")
    if concat is None or not concat.inputs:
        return None
    boxes, count = match_boxes(concat.inputs[0]), len(concat.inputs)
    if boxes is not None and count > 2:
        return HeadNotFound(
            "unsupported-task",
            f"{_named(output)} joins boxes and scores with {count - 2} further part{'s' if count > 3 else ''} "
            "(mask coefficients, keypoints or an angle)",
            "Only detect heads are reworked so far; passes/cleanup.yaml fits it.",
        )
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
