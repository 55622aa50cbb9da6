"""The conditions of onnxruntime's CoreML provider: met, not met, and not to be told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints import decided
from tests.runtimes.nodes import big, c, check, folded, node, said, table, unranked, untyped, x

ML, NN = "onnxruntime-coreml@1.24.0", "onnxruntime-coreml-neuralnetwork@1.24.0"
IMAGE = x(1, 3, 8, 8)
TWICE = c([1, 1, 2, 2], "float")
ASYMMETRIC: dict[str, Any] = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}


def resize(scales: Any = TWICE, data: Any = IMAGE, out: Any = None, **attributes: Any) -> NodeFacts:
    return node("Resize", data, None, scales, out=out, **attributes)


def sized(sizes: Any, data: Any = IMAGE, **attributes: Any) -> NodeFacts:
    return node("Resize", data, None, c([], "float"), sizes, **attributes)


def pads(values: Any, *rest: Any, **attributes: Any) -> NodeFacts:
    return node("Pad", IMAGE, values, *(rest or (c(0.0, "float"),)), **attributes)


BOTH: list[tuple[NodeFacts, str | None]] = [
    (node("Sigmoid", IMAGE), None),
    (node("Sigmoid", x(1, 1, 1, 1, 1, 1)), "its input 0 has 6 dimensions; it takes 0 to 5"),
    (node("Sigmoid", unranked()), "? the rank of its input 0 is not known"),
    (node("Sigmoid", x(0, 3)), "its input 0 has no elements"),
    (node("Sigmoid", untyped(1, 3)), "? the type of its input is not known"),
    (node("Sigmoid", x(1, 3, kind="double")), "its input is double"),
    (node("Pow", IMAGE, c(2.0, "float")), None),
    (node("Pow", IMAGE, c(2)), "its exponent is not of the type"),
    (node("Conv", IMAGE, big(8, 3, 3, 3), big(8)), None),
    (node("Conv", IMAGE, big(8, 3, 3, 3), x(8)), "its input bias is computed at run time"),
    (node("Conv", x(1, 3, 8, 8, 8), big(8, 3, 3, 3, 3)), "its input weight has 5 dimensions; it takes 3 and 4"),
    (node("MaxPool", IMAGE, kernel_shape=[2, 2]), None),
    (node("MaxPool", IMAGE, kernel_shape=[2, 2], dilations=[2, 2]), "its dilations are 2 and 2"),
    (node("MaxPool", x(1, 3, 8), kernel_shape=[2]), "has 3 dimensions; it takes 4"),
    (node("BatchNormalization", IMAGE, *[big(3)] * 4), None),
    (node("BatchNormalization", IMAGE, x(3), *[big(3)] * 3), "its input scale is computed"),
    (node("BatchNormalization", x(1, 3, 8), *[big(3)] * 4), "has 3 dimensions"),
    (node("Concat", IMAGE, IMAGE, axis=1), None),
    (node("Concat", IMAGE, axis=1), "it has only one input"),
    (node("Gather", x(8, 4), c([1])), None),
    (node("Gather", x(8, 4), c(1)), "its indices are a scalar"),
    (node("Gather", IMAGE, x(1, 1, 1, kind="int64")), "its result has 6 dimensions; it has at most 5"),
    (node("Gemm", x(1, 4), big(4, 8), big(8)), None),
    (node("Gemm", x(1, 4), big(4, 8), big(1, 8)), None),
    (node("Gemm", x(1, 4), big(4, 8), big(8, 1)), "its C is of shape [8, 1]"),
    (node("Gemm", x(1, 4), x(4, 8)), "its input B is computed"),
    (node("Gemm", x(4, 1), big(4, 8), transA=1), "its transA is 1"),
    (node("ArgMax", IMAGE), None),
    (node("ArgMax", IMAGE, select_last_index=1), "its select_last_index is 1"),
    (node("Clip", IMAGE, c(0.0, "float"), c(6.0, "float")), None),
    (node("Clip", IMAGE, x(), c(6.0, "float")), "its input min is computed"),
    (node("Clip", IMAGE, c(1.0, "float"), c(1.0, "float")), "its min is its max"),
    (node("ReduceMean", IMAGE, c([1])), None),
    (node("ReduceMean", IMAGE, x(1, kind="int64")), "its input axes is computed"),
    (node("Reshape", IMAGE, c([1, -1])), None),
    (node("Reshape", IMAGE, folded([1, -1])), None),
    (node("Reshape", IMAGE, x(2, kind="int64")), "its input shape is computed"),
    (node("Reshape", x("n", 3), c([1, -1])), "has the dynamic size n"),
    (node("Reshape", x(None, 3), c([1, -1])), "? the shape of its input is not known"),
    (node("Reshape", IMAGE, c([1, 1, 1, 1, 1, -1])), "its result has 6 dimensions"),
    (node("Reshape", IMAGE, c([0, -1]), allowzero=1), "that allowzero keeps"),
    (node("Slice", IMAGE, c([0]), c([1]), c([1])), None),
    (node("Slice", IMAGE, x(1, kind="int64"), c([1]), c([1])), "its input starts is computed"),
    (node("Slice", IMAGE, c([1]), c([1]), c([1]), out=x(1, 0, 8, 8)), "its result has no elements"),
    (node("Softmax", IMAGE, axis=1), None),
    (node("Softmax", x("n", 3), opset=11), "has the dynamic size n"),
    (node("Split", x(1, 144, 80), c([64, 80]), axis=1, out=2), None),
    (node("Split", x(1, 144), x(2, kind="int64"), axis=1, out=2), "its input split is computed"),
    (node("Split", x(1, 144), c([0, 144]), axis=1, out=2), "has no elements"),
    (node("Split", x(1, 144), axis=1, num_outputs=1), "it makes only one part"),
    (node("Squeeze", x(1, 3), c([0])), None),
    (node("Squeeze", x(1, 3), x(1, kind="int64")), "its input axes is computed"),
    (node("PRelu", IMAGE, big(3, 1, 1)), None),
    (node("PRelu", IMAGE, x(3, 1, 1)), "its input slope is computed"),
    (node("PRelu", IMAGE, big(3, 8, 8)), "its slope is of shape [3, 8, 8]"),
    (node("DepthToSpace", IMAGE, blocksize=2), None),
    # Resize
    (resize(**ASYMMETRIC), None),
    (
        resize(mode="cubic", coordinate_transformation_mode="asymmetric"),
        "its mode is cubic; it takes nearest and linear",
    ),
    (resize(antialias=1, **ASYMMETRIC), "it antialiases"),
    (resize(coordinate_transformation_mode="asymmetric"), "its nearest_mode is round_prefer_floor; it takes floor"),
    (resize(exclude_outside=1, **ASYMMETRIC), "it sets exclude_outside"),
    (resize(keep_aspect_ratio_policy="not_larger", **ASYMMETRIC), "its keep_aspect_ratio_policy is not_larger"),
    (resize(x(4), **ASYMMETRIC), "are computed at run time and must be constant"),
    (resize(c([1, 1, 1.5, 2], "float"), **ASYMMETRIC), "it grows by 1.5 and 2, not whole numbers"),
    (resize(c([1, 1, 0.5, 2], "float"), **ASYMMETRIC), "one side grows and the other shrinks"),
    (resize(big(4), **ASYMMETRIC), "? its scales are not known"),
    (sized(c([1, 3, 16, 16]), **ASYMMETRIC), None),
]


@pytest.mark.parametrize("name", [ML, NN])
@pytest.mark.parametrize(("facts", "expected"), BOTH, ids=lambda item: getattr(item, "op", str(item)))
def test_condition_of_both_forms(name: str, facts: NodeFacts, expected: str | None) -> None:
    found = said(name, facts)
    assert (found == []) is (expected is None), found
    if expected is not None:
        assert any(expected in item for item in found), found


EACH: list[tuple[str, NodeFacts, str | None]] = [
    (ML, node("Conv", IMAGE, x(8, 3, 3, 3)), None),
    (NN, node("Conv", IMAGE, x(8, 3, 3, 3)), "its input weight is computed"),
    (NN, node("Exp", IMAGE), "only the MLProgram form has the operator"),
    (ML, node("Exp", IMAGE), None),
    (ML, node("Flatten", IMAGE), "only the NeuralNetwork form has the operator"),
    (NN, node("Flatten", IMAGE), None),
    (ML, node("Sigmoid", x(1, 3, kind="float16")), None),
    (NN, node("Sigmoid", x(1, 3, kind="float16")), "its input is float16; it takes float"),
    (ML, node("Shape", x(1, 3, kind="int32")), None),
    (NN, node("Shape", x(1, 3, kind="int32")), "its input is int32"),
    (NN, node("Shape", x(1, 3), start=1), "its start is 1"),
    (NN, node("Shape", x(1, 3), end=1), "it gives end"),
    (NN, node("Shape", x(1, 3)), None),
    (ML, node("Gather", x(8, kind="int32"), c([1])), "its input data is int32"),
    (NN, node("Gather", x(8, kind="int32"), c([1])), "its input data is int32"),
    (ML, node("Shape", x(1, 3, kind="bool")), "its input is bool"),
    (ML, node("Cast", x(3), out=x(3, kind="int32"), to=6), None),
    (ML, node("Cast", x(3), out=x(3, kind="bool"), to=9), "it casts to bool"),
    (ML, node("Cast", untyped(3), out=x(3), to=1), "? the type of its input is not known"),
    (NN, node("Cast", x(3, kind="int64"), out=x(3, kind="int32"), to=6), "? it is only taken after an ArgMax"),
    (ML, node("LayerNormalization", x(1, 8), big(8), big(8)), None),
    (ML, node("LayerNormalization", x(1, 8), x(8), big(8)), "its input scale is computed"),
    (ML, node("LayerNormalization", x(1, 8), big(8, kind="float16"), big(8)), "its inputs are of different types"),
    (ML, node("InstanceNormalization", untyped(1, 3, 8), big(3), big(3)), "? the type of its input is not known"),
    (ML, node("ConvTranspose", IMAGE, big(3, 8, 2, 2), big(8), pads=[0, 0, 0, 0]), None),
    (ML, node("ConvTranspose", IMAGE, x(3, 8, 2, 2)), "its input weight is computed"),
    (ML, node("ConvTranspose", IMAGE, big(3, 8, 2, 2), auto_pad="SAME_UPPER"), "its auto_pad is SAME_UPPER"),
    (ML, node("ConvTranspose", IMAGE, big(3, 8, 2, 2), pads=[0, 0, 1, 1]), "its pads differ"),
    (ML, node("ConvTranspose", IMAGE, big(3, 8, 2, 2), output_shape=[9, 9]), "it gives output_shape"),
    (ML, node("ConvTranspose", IMAGE, big(3, 8, 2, 2), output_padding=[1, 1]), "it gives output_padding"),
    (ML, node("MaxPool", IMAGE, kernel_shape=[2, 2], ceil_mode=1), None),
    (NN, node("MaxPool", IMAGE, kernel_shape=[2, 2], ceil_mode=1), "its ceil_mode is 1"),
    (ML, node("Concat", x(1, 3, 8), x(1, 3, 8), axis=2), None),
    (NN, node("Concat", x(1, 3, 8), x(1, 3, 8), axis=2), "has 3 dimensions; it takes 4"),
    (NN, node("Concat", IMAGE, IMAGE, axis=2), "its axis is 2; it takes only the channels"),
    (ML, node("DepthToSpace", x("n", 4, 8, 8), blocksize=2, mode="CRD"), "has the dynamic size n"),
    (ML, node("DepthToSpace", IMAGE, blocksize=2, mode="CRD"), None),
    (NN, node("DepthToSpace", IMAGE, blocksize=2, mode="CRD"), "its mode is CRD; it takes DCR"),
    (ML, node("MatMul", x(1, 4, 8), x(1, 8, 4)), None),
    (ML, node("MatMul", x(4, 8), x(8)), "one of its inputs is a vector"),
    (NN, node("MatMul", x(4, 8), big(8, 2)), None),
    (NN, node("MatMul", x(1, 4, 8), big(8, 2)), "its input A has 3 dimensions"),
    (NN, node("MatMul", x(4, 8), x(8, 2)), "its input B is computed"),
    (ML, node("GridSample", IMAGE, x(1, 4, 4, 2), mode="bilinear"), None),
    (ML, node("GridSample", IMAGE, x(1, 4, 4, 2), mode="nearest"), "its mode is nearest"),
    (ML, node("GridSample", IMAGE, x(1, 4, 4, 2), padding_mode="reflection"), "without align_corners"),
    (NN, pads(c([0, 0, 1, 1, 0, 0, 1, 1])), None),
    (NN, pads(c([0, 1, 1, 1, 0, 1, 1, 1])), "it pads more than the last two axes"),
    (NN, pads(c([0, 0, -1, 1, 0, 0, 1, 1])), "it has negative pads"),
    (NN, pads(x(8, kind="int64")), "its input pads is computed"),
    (NN, pads(big(8, kind="int64")), "? its pads are not known"),
    (NN, pads(c([0] * 8), mode="reflect"), "its mode is reflect"),
    (NN, pads(c([0] * 8), None), "it leaves out constant_value"),
    (NN, node("LRN", IMAGE, size=3), None),
    (NN, node("LRN", x(1, 3), size=3), "has 2 dimensions"),
    (ML, node("Unsqueeze", IMAGE, c([0]), out=x(1, 1, 3, 8, 8)), None),
    (ML, node("Unsqueeze", IMAGE, c([0, 1]), out=x(1, 1, 1, 3, 8, 8)), "its result has 6 dimensions"),
    (ML, resize(coordinate_transformation_mode="half_pixel", nearest_mode="floor"), "mode nearest takes asymmetric"),
    (ML, resize(mode="linear"), None),
    (NN, resize(mode="linear"), "its coordinate_transformation_mode is half_pixel; it takes asymmetric"),
    (ML, resize(mode="linear", coordinate_transformation_mode="asymmetric"), "mode linear takes half_pixel and align_"),
    (ML, sized(c([1, 3, 16, 16]), mode="linear", coordinate_transformation_mode="asymmetric"), None),
    (ML, resize(mode="linear", coordinate_transformation_mode="pytorch_half_pixel", out=x(1, 3, 16, 16)), None),
    (ML, resize(mode="linear", coordinate_transformation_mode="pytorch_half_pixel", out=x(1, 3, 1, 16)), "becomes 1"),
    (
        ML,
        resize(mode="linear", coordinate_transformation_mode="pytorch_half_pixel"),
        "? it is not known whether a side",
    ),
    (ML, resize(c([1, 1, 0.5, 0.5], "float"), **ASYMMETRIC), None),
    (NN, resize(c([1, 1, 0.5, 0.5], "float"), **ASYMMETRIC), "it shrinks"),
    (ML, resize(c([1, 1, 0.3, 0.3], "float"), **ASYMMETRIC), "1 / scale must be whole and divide the size"),
    (ML, resize(c([1, 2], "float"), x(1, 3), **ASYMMETRIC), "has 2 dimensions; it takes 3 to 5"),
    (NN, sized(c([1, 3, 12, 12]), **ASYMMETRIC), "its sizes are no multiples of the input's"),
]


@pytest.mark.parametrize(("name", "facts", "expected"), EACH, ids=lambda item: getattr(item, "op", str(item)))
def test_condition(name: str, facts: NodeFacts, expected: str | None) -> None:
    check(name, facts, expected)


NEWER = "onnxruntime-coreml@1.32.0"


NEWEST: list[tuple[NodeFacts, str | None]] = [
    (node("GatherND", x(8, 4), c([[0]])), None),
    (node("GatherND", x(8, 4), c([[0]]), batch_dims=1), "its batch_dims is 1"),
    (node("Tile", x(8, 4), c([1, 2])), None),
    (node("Tile", x(1, 1, 1, 1, 1, 1), c([1] * 6)), "has 6 dimensions"),
    (node("Tile", unranked(), c([1] * 6)), "? the rank of its input"),
    (node("Where", x(3, kind="bool"), x(3), x(3)), None),
    (node("Where", x(3, kind="bool"), x(3, kind="int64"), x(3, kind="int64")), "its input X is int64"),
    (node("Where", x(3, kind="bool"), untyped(3), x(3)), "? the type of its input X"),
]


@pytest.mark.parametrize(("facts", "expected"), NEWEST, ids=lambda item: getattr(item, "op", str(item)))
def test_what_the_newest_list_adds(facts: NodeFacts, expected: str | None) -> None:
    check(NEWER, facts, expected)
    assert decided(table(NEWER), facts)
    assert not decided(table(ML), facts)


def test_a_type_that_older_code_refuses_is_only_unknown_later() -> None:
    wide = node("Sigmoid", x(1, 3, kind="double"))
    assert said(ML, wide) == ["its input is double; it takes float, float16 and int64"]
    assert said(NEWER, wide) == ["? its input is double; it takes float, float16 and int64 (so it was in 1.24)"]


def test_reciprocal_stays_undecided_for_the_epsilon_that_coreml_adds() -> None:
    assert decided(table(ML), node("Sigmoid", IMAGE))
    assert not decided(table(ML), node("Reciprocal", IMAGE))
    assert not decided(table(NN), node("Erf", IMAGE))


def test_a_node_without_a_known_rank_of_either_input() -> None:
    facts = node("Gather", unranked(), unranked("int64"))
    assert all(item.startswith("?") for item in said(ML, facts))
    assert said(ML, replace(facts, inputs=(x(8, 4), unranked("int64"))))
