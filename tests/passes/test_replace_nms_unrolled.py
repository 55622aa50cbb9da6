"""replace-nms, backend unrolled: every box enters, whatever was chosen before."""

from typing import Any

import numpy as np
import onnx
import pytest

from graphkit.errors import PassRefused
from graphkit.model import Model
from graphkit.passes.embed_nms import EmbedNms
from graphkit.passes.embed_nms.unrolled_backend import OPERATORS
from graphkit.passes.replace_nms import ReplaceNms
from graphkit.passes.split_head import SplitHead
from graphkit.pipeline import Pipeline, run_pipeline
from tests.heads.build import detector
from tests.heads.running import apply, images, run
from tests.passes.helpers import live, ops, signature


def embedded(backend: Any = "onnx", **options: Any) -> onnx.ModelProto:
    """A small detector with NMS inside, which finds something in noise."""
    sizes = {name: options.pop(name) for name in ("classes", "batch", "opset") if name in options}
    made, _ = apply(
        detector(**sizes),
        EmbedNms(backend=backend, **{"confidence": 0.01, "iou": 0.8, "max_detections": 20, **options}),
    )
    return live(made)


@pytest.mark.parametrize(
    "options",
    [
        {"candidates": 40},
        {"candidates": 40, "batch": 2},
        {"candidates": 40, "batch": "batch"},
        {"candidates": 40, "opset": 11, "semantics": "class-agnostic"},
        {"candidates": 40, "layout": "ultralytics"},
        {"candidates": 40, "runtime_thresholds": True},
        {"late": False},
        {"backend": "efficientnms"},
        {"backend": "efficientnms", "candidates": 40, "batch": "batch"},
    ],
    ids=str,
)
def test_the_same_detections_of_every_box(options: dict[str, Any]) -> None:
    before = embedded(**options)
    after, result = apply(before, ReplaceNms(backend="unrolled"))
    after = live(after)
    assert result.rewrites == 1
    assert signature(after) == signature(before)
    bare = ops(live(apply(detector(), SplitHead())[0]))
    batched = {"Pad", "Unsqueeze"} if "batch" in options else set()
    assert {op for op, count in ops(after).items() if count > bare.get(op, 0)} - batched <= OPERATORS
    assert result.metadata["graphkit.nms.late"] == "no: backend unrolled decodes every box"
    # The plugin's threshold counts as over, which no score of noise equals.
    sizes = {name: options[name] for name in ("batch", "opset") if name in options}
    rest = {name: value for name, value in options.items() if name not in (*sizes, "backend", "candidates", "late")}
    whole = {"backend": "unrolled", "confidence": 0.01, "iou": 0.8, "max_detections": 20, **rest}
    fed = images(2 if options.get("batch") in (2, "batch") else 1)
    got, expected = run(after, fed), run(live(apply(detector(**sizes), EmbedNms(**whole))[0]), fed)
    assert list(got) == list(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(got[name], value, err_msg=name)
    assert np.count_nonzero(expected["scores" if "scores" in expected else "detections"]) >= 10


def test_it_is_proven_like_any_other() -> None:
    steps = (ReplaceNms(backend="unrolled"),)
    outcome = run_pipeline(Pipeline("test", "", steps), Model(embedded(candidates=40)))
    record = outcome.report.passes[0]
    assert record.summary == "onnx → unrolled, best class"
    assert any("all 84 boxes of an image enter now, where the 40 best did" in warning for warning in record.warnings)
    assert record.proof is not None
    assert record.proof.detections is not None
    assert record.proof.detections.compared >= 50
    again, result = apply(outcome.model.proto(), ReplaceNms(backend="unrolled"))
    assert (result.rewrites, result.declined[0].reason) == (0, "its NMS is unrolled already")
    assert again == outcome.model.proto()


@pytest.mark.parametrize(
    ("made", "replace", "what"),
    [
        ({"semantics": "multi-label"}, {}, "cannot do multi-label with backend unrolled"),
        ({}, {"candidates": 10}, "cannot choose candidates with backend unrolled"),
    ],
)
def test_what_it_cannot_do_is_refused(made: dict[str, Any], replace: dict[str, Any], what: str) -> None:
    with pytest.raises(PassRefused, match=what):
        apply(embedded(**made), ReplaceNms(backend="unrolled", **replace))


def test_a_choice_that_was_made_to_size_cannot_be_taken_back() -> None:
    before = embedded(candidates=40)
    changed = 0
    for tensor in before.graph.initializer:
        value = onnx.numpy_helper.to_array(tensor)
        if "late_shape" in tensor.name:
            value = np.where(value == -1, 40, value)
            tensor.CopyFrom(onnx.numpy_helper.from_array(value, tensor.name))
            changed += 1
    assert changed
    with pytest.raises(PassRefused, match=r"holds for the chosen candidates only. Run embed-nms with late: false"):
        apply(before, ReplaceNms(backend="unrolled"))
