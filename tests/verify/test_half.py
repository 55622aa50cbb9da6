"""The proof for half precision: it really rounds, and sees what is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx.parser

from graphkit.heads import NmsContract, RawDetections
from graphkit.model import Model
from graphkit.verify import Feed, run_model
from graphkit.verify.half import same_candidates
from graphkit.verify.rounding import rounded

CONTRACT = NmsContract("best-class", 0.25, 0.7, 300)


def test_every_result_is_rounded() -> None:
    text = '<ir_version: 8, opset_import: ["" : 17]> g (float16[1] x) => (float16[1] y) { a = Mul(x, x) y = Sqrt(a) }'
    model, feed = Model(onnx.parser.parse_model(text)), Feed("large", {"x": np.array([300], np.float16)})
    assert run_model(model, [feed])[0]["y"][0] == 300  # computed in float32 throughout
    assert np.isinf(run_model(rounded(model), [feed])[0]["y"][0])


def candidates(seed: int = 0) -> RawDetections:
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 500, (1, 200, 2))
    boxes = np.concatenate([corner, corner + random.uniform(20, 90, (1, 200, 2))], axis=-1).astype(np.float32)
    return RawDetections(boxes, random.uniform(0, 1, (1, 200, 5)).astype(np.float32) ** 4)


def test_the_same_candidates_agree() -> None:
    left = candidates()
    found, problem = same_candidates(left, replace(left, scores=left.scores * np.float32(1.003)), CONTRACT, "f")
    assert problem is None
    assert (found.compared, found.classes) == (200, (0, 1, 2, 3, 4))


def test_what_is_wrong_is_seen() -> None:
    left = candidates()
    swapped = replace(left, scores=left.scores[:, :, [1, 0, 2, 3, 4]])
    assert "the score" in (same_candidates(left, swapped, CONTRACT, "f")[1] or "")
    scaled = replace(left, scores=left.scores * np.float32(0.8))
    assert "the score" in (same_candidates(left, scaled, CONTRACT, "f")[1] or "")
    moved = replace(left, boxes=left.boxes + np.float32(8))
    assert "moves" in (same_candidates(left, moved, CONTRACT, "f")[1] or "")
    shifted = replace(left, boxes=np.roll(left.boxes, 1, axis=1))
    assert "to an IoU of 0" in (same_candidates(left, shifted, CONTRACT, "f")[1] or "")


def test_a_few_small_boxes_may_be_undecided() -> None:
    left = candidates()
    boxes = left.boxes.copy()
    boxes[0, :4, 2] += 0.3 * (boxes[0, :4, 2] - boxes[0, :4, 0])
    found, problem = same_candidates(left, replace(left, boxes=boxes), CONTRACT, "f")
    assert problem is None
    assert 0.7 < found.min_iou < 0.8
