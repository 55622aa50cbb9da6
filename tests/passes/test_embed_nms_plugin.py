"""embed-nms: what EfficientNMS_TRT is given, so that it returns what the semantics ask for."""

from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper

from graphkit.errors import PassRefused
from graphkit.heads import DetectionOutputs
from graphkit.passes.embed_nms import EmbedNms
from graphkit.passes.split_head import SplitHead
from tests.heads.build import detector
from tests.heads.greedy import greedy
from tests.heads.running import apply, run, shapes
from tests.passes.nms import SEMANTICS, behind, crowd, feed, places


def plugin(boxes: NDArray[Any], scores: NDArray[Any], node: onnx.NodeProto) -> list[list[tuple[float, int, int]]]:
    """EfficientNMS_TRT as documented: multi-label, both thresholds inclusive."""
    attrs = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if attrs["box_coding"]:
        boxes = np.concatenate([boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., :2] + boxes[..., 2:] / 2], -1)
    found = []
    for image in range(len(boxes)):
        # Agnostic greedy NMS over pairs is multi-label NMS with all pairs in one class.
        classes = scores[image].shape[1]
        if attrs["class_agnostic"]:
            flat = np.repeat(boxes[image], classes, 0)
            rows = greedy(
                flat,
                scores[image].reshape(-1, 1),
                "multi-label",
                attrs["score_threshold"],
                attrs["iou_threshold"],
                attrs["max_output_boxes"],
                or_equal=True,
            )
            found.append([(score, pair % classes, pair // classes) for score, _, pair in rows])
        else:
            found.append(
                greedy(
                    boxes[image],
                    scores[image],
                    "multi-label",
                    attrs["score_threshold"],
                    attrs["iou_threshold"],
                    attrs["max_output_boxes"],
                    or_equal=True,
                )
            )
    return found


@pytest.mark.parametrize("semantics", SEMANTICS)
@pytest.mark.parametrize("split", [None, ("nc", "corners"), ("cn", "center-size")])
@pytest.mark.parametrize("confidence", [0.0, 0.25])
@pytest.mark.parametrize("opset", [11, 18])
def test_efficientnms_gets_what_gives_the_same_semantics(
    semantics: Any, split: tuple[Any, Any] | None, confidence: float, opset: int
) -> None:
    model = detector(batch="batch", classes=4, opset=opset)
    if split is not None:
        model, _ = apply(model, SplitHead(layout=split[0], coding=split[1]))
    rewrite = EmbedNms(backend="efficientnms", semantics=semantics, confidence=confidence, max_detections=400)
    made, result = apply(model, rewrite)
    onnx.checker.check_model(made, full_check=True)
    node = next(node for node in made.graph.node if node.op_type == "EfficientNMS_TRT")
    assert ("TRT", 1) in {(entry.domain, entry.version) for entry in made.opset_import}
    assert node.domain == "TRT"
    assert {a.name for a in node.attribute} == {
        "plugin_version",
        "background_class",
        "score_activation",
        "box_coding",
        "class_agnostic",
        "score_threshold",
        "iou_threshold",
        "max_output_boxes",
    }
    assert shapes(made) == {
        "num_dets": ["batch", 1],
        "boxes": ["batch", 400, 4],
        "scores": ["batch", 400],
        "classes": ["batch", 400],
    }
    values, raw = feed(result, crowd(np.random.default_rng(5), 2, 84, 4))
    into = run(behind(made, result, list(node.input)), values)
    boxes, scores = (into[name] for name in node.input)
    assert (boxes.shape, scores.shape) == ((2, 84, 4), (2, 84, 4))
    for image, rows in enumerate(plugin(boxes, scores, node)):
        assert rows == greedy(raw.boxes[image], raw.scores[image], semantics, confidence, 0.7, 400, or_equal=True)
        assert rows
    assert isinstance(result.relation, DetectionOutputs)
    contract = result.relation.contract
    assert (contract.keep_equal, contract.suppress_equal) == (True, True)
    assert any("candidates" in warning for warning in result.warnings)


def test_efficientnms_has_its_own_candidates() -> None:
    for options in ({"candidates": 100, "late": False}, {"candidates": 100, "semantics": "multi-label"}):
        with pytest.raises(PassRefused, match="5000"):
            apply(detector(), EmbedNms(backend="efficientnms", **options))
    with pytest.raises(PassRefused, match="5000"):
        apply(detector(), EmbedNms(backend="efficientnms", candidates=5001))
    _, result = apply(detector(), EmbedNms(backend="efficientnms", candidates=20))
    assert isinstance(result.relation, DetectionOutputs)
    assert result.relation.contract.candidates == 20
    assert places(result) == 20
