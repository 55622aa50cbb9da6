"""Made-up candidates for the embedded NMS, and what must come out of it."""

from typing import Any

import numpy as np
import onnx

from graphkit.heads import DetectionOutputs, RawDetections
from graphkit.passes import PassResult
from graphkit.passes.embed_nms import EmbedNms
from tests.heads.greedy import greedy
from tests.heads.running import Arrays, between

SEMANTICS = ["best-class", "multi-label", "class-agnostic"]


def crowd(rng: np.random.Generator, batch: int, anchors: int, classes: int) -> RawDetections:
    """Boxes around a few places, so that many overlap; scores over the whole of 0..1."""
    places = rng.uniform(50, 600, (batch, 1 + anchors // 8, 2))
    chosen = rng.integers(0, places.shape[1], (batch, anchors))
    center = np.take_along_axis(places, chosen[..., None], 1) + rng.normal(0, 6, (batch, anchors, 2))
    half = rng.uniform(15, 40, (batch, anchors, 2))
    boxes = np.concatenate([center - half, center + half], -1).astype(np.float32)
    return RawDetections(boxes, rng.random((batch, anchors, classes), dtype=np.float32))


def feed(result: PassResult, raw: RawDetections) -> tuple[Arrays, RawDetections]:
    """Values for the seam, and the candidates they stand for after float32 rounding of the coding."""
    assert isinstance(result.relation, DetectionOutputs)
    seam = result.relation.seam
    assert seam is not None
    boxes, corners = raw.boxes, raw.boxes
    if seam.box_coding == "center-size":
        center, size = (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]
        boxes = np.concatenate([center, size], -1)
        half = size * np.float32(0.5)
        corners = np.concatenate([center - half, center + half], -1)
    values = {
        seam.boxes: boxes if seam.box_layout == "nc" else boxes.transpose(0, 2, 1),
        seam.scores: raw.scores if seam.score_layout == "nc" else raw.scores.transpose(0, 2, 1),
    }
    return {k: np.ascontiguousarray(v) for k, v in values.items()}, RawDetections(corners, raw.scores)


def places(result: PassResult, free: int = 84) -> int:
    """How many candidates the seam takes: fewer than the head has where they are chosen before."""
    assert isinstance(result.relation, DetectionOutputs)
    assert result.relation.seam is not None
    return result.relation.seam.anchors or free


def behind(model: onnx.ModelProto, result: PassResult, outputs: list[str] | None = None) -> onnx.ModelProto:
    """The part behind the seam alone: nothing else of the model may be needed to run it."""
    assert isinstance(result.relation, DetectionOutputs)
    assert result.relation.seam is not None
    free = (np.float32, ["n", "p", "q"])
    seam = result.relation.seam
    return between(model, {seam.boxes: free, seam.scores: free}, outputs or list(result.relation.outputs))


def assert_detections(got: Arrays, raw: RawDetections, rewrite: EmbedNms, **also: Any) -> int:
    """Every row of every image; returns how many detections were compared."""
    rows, compared = rewrite.max_detections, 0
    batch = len(raw.boxes)
    assert {k: (v.dtype.name, v.shape) for k, v in got.items() if k != "extra"} == {
        "num_dets": ("int32", (batch, 1)),
        "boxes": ("float32", (batch, rows, 4)),
        "scores": ("float32", (batch, rows)),
        "classes": ("int32", (batch, rows)),
    }
    for image in range(batch):
        expected = greedy(
            raw.boxes[image],
            raw.scores[image],
            rewrite.semantics,
            rewrite.confidence,
            rewrite.iou,
            rows,
            **{"candidates": rewrite.candidates, **also},
        )
        count = int(got["num_dets"][image, 0])
        assert count == len(expected)
        np.testing.assert_array_equal(got["scores"][image, :count], [row[0] for row in expected])
        np.testing.assert_array_equal(got["classes"][image, :count], [row[1] for row in expected])
        chosen = raw.boxes[image][[row[2] for row in expected]] if expected else np.zeros((0, 4))
        np.testing.assert_array_equal(got["boxes"][image, :count], chosen)
        assert not got["boxes"][image, count:].any()
        assert not got["scores"][image, count:].any()
        assert (got["classes"][image, count:] == -1).all()
        compared += count
    return compared
