"""Inputs of other batches and sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx.parser
import pytest

from graphkit.errors import ProofFailed
from graphkit.heads import OtherSizes
from graphkit.model import Model
from graphkit.verify import Known, make_feeds, refeed, run_model


def model(body: str, shape: str = "1,3,4,4") -> Model:
    text = f'<ir_version: 8, opset_import: ["" : 17]> g (float[{shape}] x) => (float[a,b,c,d] y) {{ {body} }}'
    return Model(onnx.parser.parse_model(text))


def refed(before: Model, after: Model, relation: OtherSizes) -> tuple[Any, Any, str]:
    feeds = make_feeds(before)
    return refeed(before, after, relation, Known(feeds, run_model(before, feeds)), [], 0)


def test_a_batch_is_what_each_image_gives() -> None:
    before = model("m = ReduceMean<axes = [1, 2, 3]>(x) y = Mul(x, m)")
    feeds, outputs, note = refed(
        before, model("m = ReduceMean<axes = [1, 2, 3]>(x) y = Mul(x, m)", "n,3,4,4"), OtherSizes(frozenset({"x"}))
    )
    assert [feed.name for feed in feeds] == ["random", "shapes.png", "batch 3"]
    assert note == ""
    batch = feeds[-1].inputs["x"]
    assert batch.shape == (3, 3, 4, 4)
    assert not np.array_equal(batch[0], batch[1])
    assert not np.array_equal(batch[0], batch[2])
    np.testing.assert_allclose(outputs[-1]["y"], batch * batch.mean((1, 2, 3), keepdims=True), rtol=1e-6)


def test_other_sizes_by_shape_and_decode() -> None:
    before, after = model("r = Relu(x) y = Neg(r)"), model("r = Relu(x) y = Neg(r)", "1,3,h,w")
    elsewhere = (({"x": (1, 3, 6, 8)}, {"y": (1, 3, 6, None)}),)
    relation = OtherSizes(
        frozenset(), elsewhere, lambda arrays: {"y": np.asarray(arrays["r"], np.float32) * -1}, ("r",)
    )
    feeds, _, note = refed(before, after, relation)
    assert [feed.name for feed in feeds] == ["random", "shapes.png"]
    assert note == (
        "proven at 1 × 3 × 6 × 8 by the shapes of the outputs, and y by decoding what the last layers predict "
        "(relative L2 0); the model before cannot be run there"
    )
    wrong = OtherSizes(
        frozenset(), elsewhere, lambda arrays: {"y": np.asarray(arrays["r"], np.float32) * -1.01}, ("r",)
    )
    with pytest.raises(ProofFailed, match="at another size the rewritten model does not decode what it predicts"):
        refed(before, after, wrong)
    with pytest.raises(ProofFailed, match=r'the output "y" has the shape \[1, 3, 6, 8\], where \[1, 3, 6, 9\]'):
        refed(before, after, OtherSizes(frozenset(), (({"x": (1, 3, 6, 8)}, {"y": (1, 3, 6, 9)}),)))
