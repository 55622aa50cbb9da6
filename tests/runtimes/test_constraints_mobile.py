"""The conditions of onnxruntime's NNAPI, XNNPACK and QNN providers: met, not met, and not to be told."""

from __future__ import annotations

from typing import Any

import pytest

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints import decided
from tests.runtimes.nodes import big, c, check, folded, node, said, table, unranked, untyped, x

NNAPI, XNNPACK, QNN = "onnxruntime-nnapi@1.24.0", "onnxruntime-xnnpack@1.24.0", "onnxruntime-qnn@2.0.0"
IMAGE = x(1, 3, 8, 8)
TWICE = c([1, 1, 2, 2], "float")
ASYMMETRIC: dict[str, Any] = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}


def resize(scales: Any = TWICE, data: Any = IMAGE, out: Any = None, **attributes: Any) -> NodeFacts:
    return node("Resize", data, None, scales, out=out, **attributes)


def clip(low: float, high: float) -> NodeFacts:
    return node("Clip", IMAGE, c(low, "float"), c(high, "float"))


CASES: list[tuple[str, NodeFacts, str | None]] = [
    # NNAPI
    (NNAPI, node("Sigmoid", IMAGE), None),
    (NNAPI, node("Sigmoid", x("n", 3)), "its input 0 has the dynamic size n"),
    (NNAPI, node("Relu", x("unk__0", 3)), "? the shape of its input 0 is not known"),
    (NNAPI, node("Relu", untyped(1, 3)), "? the type of its input is not known"),
    (NNAPI, node("Relu", x(1, 3, kind="float16")), "its input is float16; it takes float"),
    (NNAPI, node("Concat", x(1, 3, kind="uint8"), x(1, 3, kind="uint8"), axis=1), None),
    (NNAPI, node("Pow", IMAGE, c(2)), "its input exponent is int64"),
    (NNAPI, node("Add", x(1, 1, 1, 1, 1), IMAGE), "its input 0 has 5 dimensions; it takes 0 to 4"),
    (NNAPI, node("Split", x(1, 144, 8, 8), opset=11, axis=1, split=[72, 72], out=2), "is of opset 11; it takes 13"),
    (NNAPI, node("Conv", IMAGE, big(8, 3, 3, 3)), None),
    (NNAPI, node("Conv", IMAGE, x(8, 3, 3, 3)), "its input weight is computed"),
    (NNAPI, node("Conv", x(1, 3, 8), big(8, 3, 3)), "its input weight has 3 dimensions; it takes 4"),
    (NNAPI, node("Conv", x(1, 4, 8, 8), big(4, 2, 3, 3), group=2, dilations=[2, 2]), "dilated and grouped"),
    (NNAPI, node("Conv", x(1, 4, 8, 8), big(4, 1, 3, 3), group=4, dilations=[2, 2]), None),
    (NNAPI, node("MaxPool", IMAGE, kernel_shape=[5, 5]), None),
    (NNAPI, node("MaxPool", IMAGE, kernel_shape=[5, 5], ceil_mode=1), "its ceil_mode is 1"),
    (NNAPI, node("AveragePool", IMAGE, kernel_shape=[5, 5], count_include_pad=1), "its count_include_pad is 1"),
    (NNAPI, node("BatchNormalization", IMAGE, *[big(3)] * 4), None),
    (NNAPI, node("BatchNormalization", IMAGE, *[big(3)] * 3, x(3)), "its input variance is computed"),
    (NNAPI, node("Cast", x(3), to=6), None),
    (NNAPI, node("Cast", x(3), to=7), "it casts to something else"),
    (NNAPI, clip(0, 6), None),
    (NNAPI, clip(0, 5), "it clips to 0.0 and 5.0"),
    (NNAPI, node("Clip", IMAGE, c(0.0, "float")), "it clips on one side only"),
    (NNAPI, node("Clip", IMAGE, x(), c(6.0, "float")), "its input min is computed"),
    (NNAPI, node("Clip", IMAGE, big(), big()), "? its min or max is not known"),
    (NNAPI, node("Clip", IMAGE, opset=6, min=-1.0, max=1.0), None),
    (NNAPI, node("DepthToSpace", IMAGE, blocksize=2), None),
    (NNAPI, node("DepthToSpace", IMAGE, blocksize=2, mode="CRD"), "its mode is CRD"),
    (NNAPI, node("LRN", IMAGE, size=3), None),
    (NNAPI, node("LRN", x(1, 3), size=3), "has 2 dimensions"),
    (NNAPI, node("Gather", x(8, 4), c([1])), None),
    (NNAPI, node("Gather", x(8, 4), x(1, kind="int32")), None),
    (NNAPI, node("Gather", x(8, 4), x(1, kind="int64")), "its input indices is computed"),
    (NNAPI, node("Gather", x(8, 4), untyped(1)), "? the type of its indices"),
    (NNAPI, node("MatMul", x(4, 8), big(8, 2)), None),
    (NNAPI, node("MatMul", x(4, 8), x(8, 2)), "its input B is computed"),
    (NNAPI, node("MatMul", x(2, 4, 8), x(2, 8, 2)), None),
    (NNAPI, node("MatMul", x(2, 4, 8), x(1, 8, 2)), "different batch dimensions"),
    (NNAPI, node("MatMul", x(2, 4, 8), big(8, 2)), "its inputs have 3 and 2 dimensions"),
    (NNAPI, node("Gemm", x(4, 8), x(2, 8), transB=1), None),
    (NNAPI, node("Gemm", x(4, 8), big(8, 2), big(4, 1)), "its C is of shape [4, 1]"),
    (NNAPI, node("Gemm", x(4, 8), big(8, 2), beta=2.0), "its beta is 2.0"),
    (NNAPI, node("Max", x(3), x(3)), None),
    (NNAPI, node("Max", x(3), x(3), x(3)), "it has 3 inputs; it takes 2"),
    (NNAPI, node("Pad", IMAGE, c([0] * 8)), None),
    (NNAPI, node("Pad", IMAGE, c([0] * 7 + [-1])), "it has negative pads"),
    (NNAPI, node("Pad", IMAGE, c([0] * 8), mode="edge"), "its mode is edge"),
    (NNAPI, node("ReduceMean", IMAGE, c([1])), None),
    (NNAPI, node("ReduceMean", IMAGE, noop_with_empty_axes=1), "its noop_with_empty_axes is 1"),
    (NNAPI, node("Reshape", IMAGE, c([1, -1])), None),
    (NNAPI, node("Reshape", IMAGE, x(2, kind="int64")), "its input shape is computed"),
    (NNAPI, node("Reshape", IMAGE, c([0, -1]), allowzero=1), "that allowzero keeps"),
    (NNAPI, node("Slice", IMAGE, c([0]), folded([1]), c([1])), None),
    (NNAPI, node("Slice", IMAGE, c([0]), x(1, kind="int64"), c([1])), "its input ends is computed"),
    (NNAPI, node("Split", x(1, 144, 80), c([72, 72]), axis=1, out=2), None),
    (
        NNAPI,
        node("Split", x(1, 144, 80), c([64, 80]), axis=1, out=2),
        "it splits into [64, 80]; it takes equal parts only",
    ),
    (NNAPI, node("Split", x(1, 144), x(2, kind="int64"), axis=1, out=2), "its input split is computed"),
    (NNAPI, node("Split", x(1, 144), big(2, kind="int64"), axis=1, out=2), "? its split is not known"),
    (NNAPI, node("Split", x(1, 5), axis=1, num_outputs=2, out=2), "it splits 5 into 2 parts, not all equal"),
    (NNAPI, node("Squeeze", x(1, 3), c([0])), None),
    (NNAPI, node("Squeeze", x(1, 3), x(1, kind="int64")), "its input axes is computed"),
    (NNAPI, resize(**ASYMMETRIC), None),
    (NNAPI, resize(nearest_mode="floor"), "its coordinate_transformation_mode is half_pixel; it takes asymmetric"),
    (NNAPI, resize(coordinate_transformation_mode="asymmetric"), "its nearest_mode is round_prefer_floor"),
    (NNAPI, resize(mode="linear"), None),
    (NNAPI, resize(mode="cubic"), "its mode is cubic"),
    (NNAPI, resize(c([1, 2, 2, 2], "float"), **ASYMMETRIC), "it resizes batch and channels"),
    (NNAPI, resize(c([1, 1, 0.5, 0.5], "float"), **ASYMMETRIC), None),
    (NNAPI, resize(c([1, 1, 0.4, 0.4], "float"), **ASYMMETRIC), "where it shrinks, 1 / scale must be whole"),
    (NNAPI, resize(c([2, 2], "float"), axes=[2, 3], **ASYMMETRIC), "it gives axes"),
    (NNAPI, resize(big(4), **ASYMMETRIC), "? it is not known by how much it resizes"),
    (NNAPI, node("Softmax", IMAGE, axis=1), None),
    # XNNPACK
    (XNNPACK, node("Conv", x("n", 3, 8, 8), big(8, 3, 3, 3), big(8)), None),
    (XNNPACK, node("Conv", x(1, 3, "h", 8), big(8, 3, 3, 3)), "its input has the dynamic size h; only the batch"),
    (XNNPACK, node("Conv", x(1, 3, None, 8), big(8, 3, 3, 3)), "? the size of its input is not known"),
    (XNNPACK, node("Conv", IMAGE, x(8, 3, 3, 3)), "its input weight is computed"),
    (XNNPACK, node("Conv", IMAGE, big(8, 3, 3, 3), auto_pad="SAME_LOWER"), "its auto_pad is SAME_LOWER"),
    (XNNPACK, node("Conv", x(1, 3, 8, 8, kind="float16"), big(8, 3, 3, 3, kind="float16")), "? float16 runs only on"),
    (XNNPACK, node("MaxPool", IMAGE, kernel_shape=[5, 5]), None),
    (XNNPACK, node("MaxPool", IMAGE, kernel_shape=[1, 1]), "its kernel is 1x1"),
    (XNNPACK, node("MaxPool", IMAGE, kernel_shape=[5, 5], ceil_mode=1), "its ceil_mode is 1"),
    (XNNPACK, node("MaxPool", unranked(), kernel_shape=[5, 5]), "? the rank of its input"),
    (XNNPACK, node("AveragePool", IMAGE, kernel_shape=[5, 5], count_include_pad=1), "it counts its padding"),
    (XNNPACK, node("Softmax", x(1, 16, 4), axis=-1), None),
    (XNNPACK, node("Softmax", x(1, 16, 4, 8400), axis=1), "its axis is 1 of 4; it takes only the last"),
    (XNNPACK, node("Softmax", x(1, 16, 4), opset=11, axis=1), None),
    (XNNPACK, node("Softmax", x(1, "n")), "the size that it goes over is dynamic"),
    (XNNPACK, node("Softmax", x(1, None)), "? the size that it goes over is not known"),
    (XNNPACK, node("Softmax", unranked()), "? the rank of its input is not known"),
    (XNNPACK, node("MatMul", x(1, 4, 8), big(8, 2)), None),
    (XNNPACK, node("MatMul", x(1, 4, 8), x(8, 2)), "its input B is computed"),
    (XNNPACK, node("MatMul", x(1, 4, 8), big(1, 8, 2)), "its input B has 3 dimensions"),
    (XNNPACK, node("MatMul", untyped(1, 4, 8), big(8, 2)), "? the type of its input"),
    (XNNPACK, node("Gemm", x(4, 8), big(8, 2), big(2)), None),
    (XNNPACK, node("Gemm", x(4, 8), big(8, 2), big(1)), "its C is of shape [1]"),
    (XNNPACK, node("Gemm", x(4, 8), big(8, 2)), "? it has no C"),
    (XNNPACK, node("Gemm", x(4, 8), big(8, 2), big(2), alpha=0.5), "its alpha is 0.5"),
    (XNNPACK, resize(mode="linear"), None),
    (XNNPACK, resize(**ASYMMETRIC), "its mode is nearest; it takes only linear"),
    (XNNPACK, resize(mode="linear", antialias=1), "it antialiases"),
    (XNNPACK, resize(mode="linear", coordinate_transformation_mode="tf_crop_and_resize"), "is tf_crop_and_resize"),
    (XNNPACK, resize(mode="linear", coordinate_transformation_mode="pytorch_half_pixel"), "? it is not known whether"),
    (XNNPACK, resize(c([1, 2, 2, 2], "float"), mode="linear"), "it resizes the channels"),
    (XNNPACK, resize(c([1, 1, 0.3, 0.3], "float"), mode="linear"), "1 / scale must be whole"),
    (XNNPACK, resize(x(4), mode="linear"), "are computed at run time"),
    # QNN
    (QNN, node("Add", IMAGE, IMAGE), None),
    (QNN, node("Add", x("n", 3), x("n", 3)), "its input 0 has the dynamic size n"),
    (QNN, node("Add", unranked(), IMAGE), "? the shape of its input 0"),
    (QNN, node("Conv", IMAGE, x(8, 3, 3, 3)), None),
    (QNN, node("Conv", x(3, 8), big(8, 3)), "has 2 dimensions"),
    (QNN, node("ConvTranspose", IMAGE, big(3, 8, 2, 2), dilations=[2, 2]), "its dilations are 2 and 2"),
    (QNN, node("MaxPool", IMAGE, kernel_shape=[2, 2]), None),
    (QNN, node("MaxPool", x(1, 3, 8, 8, 8), kernel_shape=[2, 2, 2]), "a maximum over three axes"),
    (QNN, node("MaxPool", IMAGE, kernel_shape=[2, 2], out=2), "2 of its outputs"),
    (QNN, node("TopK", x(1, 80), c([5]), out=2), None),
    (QNN, node("TopK", x(1, 80), x(1, kind="int64"), out=2), "its input K is computed"),
    (QNN, node("Slice", IMAGE, c([0]), c([1])), None),
    (QNN, node("Slice", IMAGE, x(1, kind="int64"), c([1])), "its input starts is computed"),
    (QNN, node("Pad", IMAGE, c([0] * 8)), None),
    (QNN, node("Pad", IMAGE, c([0] * 4), None, c([2, 3])), "it gives axes"),
    (QNN, node("Pad", IMAGE, c([-1] * 8), mode="reflect"), "it reflects by a negative amount"),
    (QNN, node("Reshape", IMAGE, c([0, -1])), None),
    (QNN, node("Reshape", IMAGE, c([0, -1]), allowzero=1), "that allowzero keeps"),
    (QNN, node("Clip", IMAGE, c(0.0, "float")), None),
    (QNN, node("Clip", IMAGE, x()), "its input min is computed"),
    (QNN, node("Expand", x(3), c([2, 3])), None),
    (QNN, node("Tile", x(3), x(1, kind="int64")), "its input repeats is computed"),
    (QNN, node("BatchNormalization", IMAGE, *[big(3)] * 4), None),
    (QNN, node("BatchNormalization", IMAGE, x(3), *[big(3)] * 3), "its input scale is computed"),
    (QNN, node("InstanceNormalization", IMAGE, big(3), big(3)), None),
    (QNN, node("InstanceNormalization", x(1, 3, 8, 8, 8), big(3), big(3)), "has 5 dimensions"),
    (QNN, node("GridSample", IMAGE, x(1, 4, 4, 2)), None),
    (QNN, node("GridSample", IMAGE, x(1, 4, 4, 2), mode="bicubic"), "its mode is bicubic"),
    (QNN, node("ScatterND", x(9), x(2, 1, kind="int64"), x(2)), None),
    (QNN, node("ScatterND", x(9), x(2, 1, kind="int64"), x(2), reduction="max"), "its reduction is max"),
    (QNN, node("ScatterElements", x(9), x(9, kind="int64"), x(9), reduction="max"), None),
    (QNN, node("ScatterElements", x(9), x(9, kind="int64"), x(9), reduction="min"), "its reduction is min"),
    (QNN, node("Max", x(3), x(3)), None),
    (QNN, node("Sum", x(3), x(3), x(3)), "it has 3 inputs"),
    (QNN, node("Softmax", IMAGE, axis=1), None),
    (QNN, node("Softmax", big(3)), "its input is a constant"),
    (QNN, resize(**ASYMMETRIC), None),
    (QNN, resize(coordinate_transformation_mode="asymmetric"), "round_prefer_floor with asymmetric"),
    (QNN, resize(coordinate_transformation_mode="half_pixel_symmetric", opset=19), "is half_pixel_symmetric"),
    (QNN, resize(antialias=1, mode="linear"), "it antialiases"),
    (QNN, resize(c([1, 1, 2], "float"), x(1, 3, 8)), "without four dimensions it takes floor"),
    (QNN, resize(c([1, 1, 2], "float"), x(1, 3, 8), nearest_mode="round_prefer_ceil"), "without align_corners"),
    (QNN, resize(c([1, 2, 2, 2], "float"), mode="linear"), "it resizes batch and channels"),
    (
        QNN,
        resize(
            c([1, 1, 2], "float"),
            x(1, 3, 8),
            nearest_mode="floor",
            coordinate_transformation_mode="pytorch_half_pixel",
        ),
        "floor with pytorch_half_pixel",
    ),
]


@pytest.mark.parametrize(("name", "facts", "expected"), CASES, ids=lambda item: getattr(item, "op", str(item)))
def test_condition(name: str, facts: NodeFacts, expected: str | None) -> None:
    if expected is not None and expected.startswith("?"):
        found = said(name, facts)
        assert found
        assert expected in found[0]
    else:
        check(name, facts, expected)


def test_what_the_code_says_in_full_is_decided_and_what_a_library_says_later_is_not() -> None:
    conv = node("Conv", IMAGE, big(8, 3, 3, 3))
    assert decided(table(NNAPI), conv)
    assert decided(table(XNNPACK), conv)
    assert not decided(table(QNN), conv)
