"""TensorRT's conditions: met, not met, and not to be told."""

from __future__ import annotations

import pytest

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints import decided
from tests.runtimes.nodes import big, c, check, folded, node, said, table, unranked, x

NOW = "tensorrt@10.1"
IMAGE = x(1, 3, 8, 8)
TWICE = c([1, 1, 2, 2], "float")
ASYMMETRIC = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}


def resize(scales: object = TWICE, data: object = IMAGE, **attributes: object) -> NodeFacts:
    return node("Resize", data, None, scales, **attributes)  # type: ignore[arg-type]


def cubic(scales: list[float]) -> NodeFacts:
    return resize(c(scales, "float"), mode="cubic")


CASES: list[tuple[str, NodeFacts, str | None]] = [
    # Resize
    (NOW, resize(mode="nearest", **ASYMMETRIC), None),
    ("tensorrt@8.6", resize(mode="nearest", **ASYMMETRIC), None),
    (NOW, resize(coordinate_transformation_mode="half_pixel_symmetric"), "is half_pixel_symmetric; the parser knows"),
    (NOW, resize(coordinate_transformation_mode="tf_half_pixel_for_nn", nearest_mode="floor"), "must be round_prefer_"),
    (NOW, resize(coordinate_transformation_mode="tf_half_pixel_for_nn"), None),
    (NOW, resize(antialias=1), "antialiases"),
    (NOW, resize(keep_aspect_ratio_policy="not_larger"), "is not_larger; it must be stretch"),
    (NOW, cubic([1, 1, 2, 2]), None),
    (NOW, cubic([1, 2, 2, 2]), "more than the last 2 axes, with factors 1, 2, 2 and 2"),
    ("tensorrt@8.6", cubic([1, 1, 2, 2]), None),
    ("tensorrt@8.4", cubic([1, 1, 2, 2]), "its mode is cubic; it takes nearest and linear"),
    (NOW, resize(c([2, 1, 1, 1], "float"), mode="linear"), "more than the last 3 axes"),
    (NOW, resize(mode="linear"), None),
    (NOW, resize(x(4), mode="linear"), "? it is not known by how much"),
    (NOW, resize(x(2), axes=[2, 3]), "no initializer for some axes only"),
    (NOW, resize(x(4), axes=[0, 1, 2, 3]), None),
    (NOW, resize(x(2), unranked(), axes=[2, 3]), "? the rank of its input is not known"),
    (NOW, resize(c([2, 2], "float"), axes=[2, 3]), None),
    (NOW, node("Resize", IMAGE, None, None, x(4, kind="int64"), mode="nearest"), None),
    (NOW, node("Upsample", IMAGE, TWICE, opset=9, mode="linear"), None),
    (NOW, node("Upsample", IMAGE, TWICE, opset=9, mode="cubic"), "its mode is cubic"),
    (NOW, node("Upsample", IMAGE, x(4), opset=9, mode="linear"), "? it is not known by how much"),
    # TopK
    (NOW, node("TopK", x(1, 8400), c([300]), out=2), None),
    (NOW, node("TopK", x(1, 8400), c([3840]), out=2), None),
    (NOW, node("TopK", x(1, 8400), c([3841]), out=2), "its K is 3841; it may be at most 3840"),
    ("tensorrt@8.6", node("TopK", x(1, 8400), c([4000]), out=2), "at most 3840"),
    (NOW, node("TopK", x(1, 8400), x(1, kind="int64"), out=2), "? its K is not known"),
    (NOW, node("TopK", x(1, 80), x(1, kind="int64"), out=2), None),
    (NOW, node("TopK", x(1, 80), out=2, opset=9, k=40), None),
    (NOW, node("TopK", x(1, 8400), c([5]), out=2, sorted=0), "its sorted is 0; it takes 1"),
    ("tensorrt@8.6", node("TopK", x(1, 8400), c([5]), out=2, sorted=0), None),
    ("tensorrt@8.5", node("TopK", x(1, 80), x(1, kind="int64"), out=2), "its input K is computed at run time"),
    ("tensorrt@8.5", node("TopK", x(1, 80), folded([5]), out=2), "its input K is computed by other nodes"),
    ("tensorrt@8.5", node("TopK", x(1, 80), c([5]), out=2), None),
    # Detection
    (NOW, node("NonMaxSuppression", x(1, 9, 4), x(1, 80, 9)), None),
    (NOW, node("NonMaxSuppression", x(9, 4), x(1, 80, 9)), "its input boxes has 2 dimensions; it takes 3"),
    (NOW, node("NonMaxSuppression", unranked(), x(1, 80, 9)), "? the rank of its input boxes is not known"),
    # Convolution and pooling
    (NOW, node("Conv", IMAGE, big(8, 3, 3, 3)), None),
    (NOW, node("Conv", x(1, 3, 8, 8, 8, 8), big(8, 3, 3, 3, 3, 3)), "has 6 dimensions; it takes 3 to 5"),
    (NOW, node("Conv", unranked(), big(8, 3, 3, 3)), "? the rank of its input"),
    (NOW, node("MaxPool", IMAGE, kernel_shape=[2, 2]), None),
    (NOW, node("MaxPool", IMAGE, kernel_shape=[2, 2], dilations=[1, 1]), None),
    (NOW, node("MaxPool", x(3, 8), kernel_shape=[2]), "has 2 dimensions"),
    (NOW, node("MaxPool", unranked(), kernel_shape=[2, 2]), "? the rank"),
    (NOW, node("MaxPool", IMAGE, kernel_shape=[2, 2], out=2), "2 of its outputs are wanted"),
    (NOW, node("MaxPool", IMAGE, kernel_shape=[2, 2], dilations=[2, 2]), "its dilations are 2 and 2; it takes only 1"),
    ("tensorrt@8.6", node("MaxPool", IMAGE, kernel_shape=[2, 2], dilations=[2, 2]), "≠ its dilations are 2 and 2"),
    ("tensorrt@8.6", node("MaxPool", IMAGE, kernel_shape=[2, 2]), None),
    ("tensorrt@8.4", node("Resize", IMAGE, None, TWICE, mode="linear"), None),
    (NOW, node("BatchNormalization", IMAGE, *[big(3)] * 4), None),
    (NOW, node("BatchNormalization", IMAGE, *[big(3)] * 4, training_mode=1), "its training_mode is 1"),
    (NOW, node("DepthToSpace", IMAGE, blocksize=2), None),
    (NOW, node("DepthToSpace", x(3, 8, 8), blocksize=2), "has 3 dimensions"),
    (NOW, node("DepthToSpace", unranked(), blocksize=2), "? the rank"),
    (NOW, node("Gemm", x(1, 4), big(4, 8)), None),
    (NOW, node("Gemm", x(1, 1, 4), big(4, 8)), "its input A has 3 dimensions"),
    (NOW, node("Gemm", unranked(), big(4, 8)), "? the rank of its input A"),
    (NOW, node("GridSample", IMAGE, x(1, 4, 4, 2), mode="bilinear"), None),
    (NOW, node("GridSample", x(1, 3, 8, 8, 8), x(1, 4, 4, 4, 3), opset=20, mode="nearest"), "has 5 dimensions"),
    (NOW, node("GridSample", unranked(), x(1, 4, 4, 2)), "? the rank"),
    (NOW, node("GridSample", IMAGE, x(1, 4, 4, 2), opset=20), "≠ its mode is linear"),
    ("tensorrt@10.15", node("GridSample", IMAGE, x(1, 4, 4, 2), opset=20), None),
    (NOW, node("LayerNormalization", x(1, 4, 8), big(8)), None),
    (NOW, node("LayerNormalization", x(1, 4, 8), big(8), out=2), "2 of its outputs are wanted"),
    # Moving and cutting
    (NOW, node("ScatterND", x(9), x(2, 1, kind="int64"), x(2)), None),
    (NOW, node("ScatterND", x(9), x(2, 1, kind="int64"), x(2), reduction="add"), "its reduction is add"),
    (NOW, node("ReduceMax", IMAGE, c([1])), None),
    (NOW, node("ReduceMax", IMAGE, x(1, kind="int64")), "its input axes is computed at run time"),
    (NOW, node("ReduceMax", IMAGE, folded([1])), "computed by other nodes and must be a constant of the model"),
    (NOW, node("Squeeze", x(1, 3), c([0])), None),
    (NOW, node("Squeeze", x(1, 3), folded([0])), "its input axes is computed by other nodes"),
    ("tensorrt@10.15", node("Squeeze", x(1, 3), folded([0])), None),
    ("tensorrt@10.15", node("Squeeze", x(1, 3), x(1, kind="int64")), "its input axes is computed at run time"),
    (NOW, node("Squeeze", x("n", 3)), "has the dynamic size n; its shape must be static"),
    (NOW, node("Squeeze", unranked()), "? the shape of its input, of which it drops"),
    (NOW, node("Unsqueeze", x(3), c([0])), None),
    (NOW, node("Unsqueeze", x(3), x(1, kind="int64")), "its input axes is computed at run time"),
    (NOW, node("Slice", IMAGE, x(1, kind="int64"), x(1, kind="int64"), c([1])), None),
    (NOW, node("Slice", IMAGE, c([0]), c([1]), x(1, kind="int64")), "its input axes is computed at run time"),
    ("tensorrt@10.15", node("Slice", IMAGE, c([0]), c([1]), x(1, kind="int64")), None),
    (NOW, node("Pad", IMAGE, c([0] * 8), None, c([0, 1, 2, 3])), None),
    (NOW, node("Pad", IMAGE, c([0] * 8), None, x(4, kind="int64")), "its input axes is computed at run time"),
    ("tensorrt@8.6", node("Pad", IMAGE, c([0] * 8), mode="edge"), None),
    ("tensorrt@8.6", node("Pad", IMAGE, c([0] * 8), None, c([0])), "it gives axes"),
    ("tensorrt@8.6", node("Pad", IMAGE, c([0] * 8), opset=19, mode="wrap"), "its mode is wrap"),
    ("tensorrt@8.0", node("Pad", IMAGE, c([0] * 8), opset=13), None),
    ("tensorrt@8.0", node("Pad", IMAGE, c([0] * 8), opset=13, mode="reflect"), "its mode is reflect"),
    ("tensorrt@8.0", node("Pad", IMAGE, c([0] * 8), c(1.0, "float"), opset=13), "it pads with 1"),
    ("tensorrt@8.0", node("Pad", IMAGE, c([0] * 8), big(kind="float"), opset=13), "? its constant_value is not known"),
    ("tensorrt@8.0", node("Pad", IMAGE, opset=10, pads=[0] * 8, value=2.0), "it pads with 2"),
    (NOW, node("CumSum", x(9), c(0)), None),
    (NOW, node("CumSum", x(9), x(kind="int64")), "its input axis is computed"),
    (NOW, node("OneHot", x(3, kind="int64"), c(9), c([0, 1])), None),
    (NOW, node("OneHot", x(3, kind="int64"), x(kind="int64"), c([0, 1])), "its input depth is computed"),
    (NOW, node("Dropout", x(3), c(0.5, "float"), c(False, "bool")), None),
    (NOW, node("Dropout", x(3), c(0.5, "float"), c(True, "bool")), "it is in training mode"),
    (NOW, node("Dropout", x(3), c(0.5, "float"), x(kind="bool")), "its input training_mode is computed"),
    (NOW, node("Einsum", x(3, 4), x(4, 5), equation="ij,jk->ik"), None),
    (NOW, node("Einsum", x(3, 4), x(4, 5), equation="iJ,Jk->ik"), "its equation has J"),
    ("tensorrt@8.6", node("Einsum", x(3, 4), x(4, 5), equation="ij,jk->ik"), None),
    ("tensorrt@8.6", node("Einsum", x(3, 3), equation="ii->i"), "takes a diagonal"),
    ("tensorrt@8.6", node("Einsum", x(3, 3), equation="...i->..."), "has an ellipsis"),
    (NOW, node("QuantizeLinear", x(3), c(1.0, "float"), c(0, "int8")), None),
    (NOW, node("QuantizeLinear", x(3), c(1.0, "float"), c(3, "int8")), "its zero point is not 0"),
    (NOW, node("QuantizeLinear", x(3), c(1.0, "float"), big(900, kind="int8")), "? its zero point is not known"),
    (NOW, node("Transpose", IMAGE, perm=[0, 2, 3, 1]), None),
    (NOW, node("Transpose", x(*[1] * 9)), "has 9 dimensions"),
    (NOW, node("Transpose", unranked()), "? the rank"),
    (NOW, node("Constant", value_int=1), None),
    (NOW, node("Constant", value_string="a"), "it gives value_string"),
]


@pytest.mark.parametrize(("name", "facts", "expected"), CASES, ids=lambda item: getattr(item, "op", str(item)))
def test_condition(name: str, facts: NodeFacts, expected: str | None) -> None:
    check(name, facts, expected)


def test_the_execution_provider_of_onnxruntime_shares_the_parser() -> None:
    assert said("onnxruntime-tensorrt@1.24.0", resize(antialias=1)) == said(NOW, resize(antialias=1))
    assert said("onnxruntime-tensorrt@1.24.0", node("TopK", x(1, 9000), c([9000]), out=2))


def test_words_are_only_decided_for_types_that_the_parser_keeps() -> None:
    facts = [node("Slice", x(8, kind=kind), c([0]), c([1]), c([0])) for kind in ("float", "int64", "double")]
    assert [decided(table(NOW), item) for item in facts] == [True, True, False]
    assert [decided(table("tensorrt@8.6"), item) for item in facts] == [True, False, False]
    assert not decided(table("tensorrt@10.15"), facts[0])


def test_a_version_is_matched_as_a_whole() -> None:
    wide = node("Slice", IMAGE, c([0]), c([1]), x(1, kind="int64"))
    assert said("tensorrt@10.1", wide)
    assert not said("tensorrt@10.15", wide)
