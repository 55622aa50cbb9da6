"""BatchNormalization across opsets 14 and 15."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.passes.helpers import Arrays, ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused


def model(kinds: str, attributes: str = "", outputs: str = "y", opset: int = 15) -> onnx.ModelProto:
    """One node, with the types of X, the scales and the statistics."""
    x, scales, statistics = kinds.split()
    made = outputs.split(", ")
    types = [f"{x}[2,3,4,4] y", f"{statistics}[3] m", f"{statistics}[3] v"][: len(made)]
    return parse(
        f"g ({x}[2,3,4,4] x, {scales}[3] s, {scales}[3] b, {statistics}[3] mean, {statistics}[3] var) "
        f"=> ({', '.join(types)}) {{ {outputs} = BatchNormalization{attributes}(x, s, b, mean, var) }}",
        opset=opset,
    )


def given(proto: onnx.ModelProto) -> Arrays:
    random = np.random.default_rng(0)
    return {
        item.name: np.abs(random.normal(size=[dim.dim_value for dim in item.type.tensor_type.shape.dim])).astype(
            onnx.helper.tensor_dtype_to_np_dtype(item.type.tensor_type.elem_type)
        )
        for item in proto.graph.input
    }


def test_inference_of_one_type_stays() -> None:
    before = model("float float float", "<training_mode=0>")
    after = pin(before, 9)
    assert ops(after) == {"BatchNormalization": 1}
    assert not after.graph.node[0].attribute
    assert_same(before, after)
    assert_same(before, pin(after, 21))


@pytest.mark.parametrize(
    "kinds", ["float16 float float", "float16 float16 float", "float double double", "double float float"]
)
@pytest.mark.parametrize("target", [14, 9])
def test_types_that_differ(kinds: str, target: int) -> None:
    before = model(kinds)
    after = pin(before, target)
    assert ops(after)["BatchNormalization"] == 1
    assert_same(before, after, given(before), limit=1e-3)


@pytest.mark.parametrize("outputs", ["y", "y, m", "y, m, v"])
@pytest.mark.parametrize("kinds", ["float float float", "double double double"])
def test_training_is_written_out(outputs: str, kinds: str) -> None:
    before = model(kinds, "<training_mode=1, momentum=0.8, epsilon=0.01>", outputs)
    after = pin(before, 13)
    assert "BatchNormalization" not in ops(after)
    assert_same(before, after, given(before), limit=1e-3)
    assert_same(before, pin(before, 9), given(before), limit=1e-3)


def test_refusals() -> None:
    old = parse(
        "g (float[2,3,4,4] x, float[3] s) => (float[2,3,4,4] y, float[3] m, float[3] v) "
        "{ y, m, v = BatchNormalization(x, s, s, s, s) }",
        opset=9,
    )
    refused(old, 14, "stops at opset 13: it has outputs for training .* define differently")
    refused(
        parse(
            "g (bfloat16[2,3] x, bfloat16[3] s) => (bfloat16[2,3] y) { y = BatchNormalization(x, s, s, s, s) }",
            opset=15,
        ),
        13,
        "bfloat16",
    )
    unknown = parse(
        "g (float[2,3] a, int64[K] k, float[3] s) => (float[] y) "
        "{ x = Reshape(a, k) y = BatchNormalization<training_mode=1>(x, s, s, s, s) }"
    )
    refused(unknown, 13, 'the rank of "x" is not known')
