"""The conditions of OpenVINO, OpenCV, MNN, ncnn, LiteRT, onnx-mlir, tract, TVM and burn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest

from graphkit.facts.node import NodeFacts, TensorFacts
from graphkit.runtimes.constraints import decided
from tests.runtimes.nodes import big, c, check, folded, node, said, table, unranked, untyped, x

OPENVINO, OPENCV, NCNN = "openvino@2026.4.1", "opencv@4.10.0", "ncnn@doc-2026-07-22"
LITERT, MLIR, TRACT = "litert@onnx2tf-2.6.7", "onnx-mlir@doc-2026-07-01", "tract@git-2026-08-22"
OPENCV5, CPU = "opencv@5.0.0.93", "onnxruntime-cpu@1.32.0"
TVM, BURN = "tvm@0.27.0.post1", "burn@doc-2026-02-21"
IMAGE = x(1, 3, 8, 8)
TWICE = c([1, 1, 2, 2], "float")
ASYMMETRIC: dict[str, Any] = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
RUN = x(1, kind="int64")


def resize(scales: Any = TWICE, data: Any = IMAGE, out: Any = None, **attributes: Any) -> NodeFacts:
    return node("Resize", data, None, scales, out=out, **attributes)


def sized(**attributes: Any) -> NodeFacts:
    return node("Resize", IMAGE, None, None, c([1, 3, 16, 16]), **attributes)


def nms(boxes: Any, scores: Any, **attributes: Any) -> NodeFacts:
    return node("NonMaxSuppression", boxes, scores, c([300]), c([0.7], "float"), c([0.25], "float"), **attributes)


def begin(start: int) -> TensorFacts:
    """Four columns of twelve."""
    cut = node("Slice", x(1, 9, 12), c([start]), c([start + 4]), c([2]), c([1]))
    return replace(x(1, 9, 4), maker=cut)


ZERO = onnx.numpy_helper.from_array(np.zeros(1, np.float32))

CASES: list[tuple[str, NodeFacts, str | None]] = [
    # ONNX Runtime's CPU
    (CPU, node("LSTM", x(3, 1, 2), x(1, 12, 2), x(1, 12, 3), layout=1, hidden_size=3), "its layout is 1"),
    (CPU, node("LSTM", x(3, 1, 2), x(1, 12, 2), x(1, 12, 3), hidden_size=3), None),
    # OpenCV 5
    (OPENCV5, node("Cast", x(3, kind="int4"), to=1, opset=21), "it has values of int4, which it does not read"),
    (OPENCV5, node("Cast", x(3, kind="bfloat16"), to=1), None),
    (OPENCV5, node("GatherND", x(1, 8, 9), x("unk__1", 3, kind="int64")), "on none the process crashes"),
    (OPENCV5, node("GatherND", x(1, 8, 9), x(0, 3, kind="int64")), "it gathers nothing"),
    (OPENCV5, node("GatherND", x(1, 8, 9), x("batch", 3, kind="int64")), None),
    (OPENCV5, node("GatherND", x(1, 8, 9), x(4, 3, kind="int64")), None),
    # OpenVINO
    (OPENVINO, node("Cast", x(3, kind="float16"), to=1), None),
    (OPENVINO, node("Cast", x(3, kind="float8e5m2fnuz"), to=1, opset=19), "it has values of float8e5m2fnuz"),
    (OPENVINO, node("SequenceAt", untyped(), c(0)), None),
    (OPENVINO, resize(**ASYMMETRIC), None),
    (OPENVINO, resize(coordinate_transformation_mode="half_pixel_symmetric", opset=19), "is half_pixel_symmetric"),
    (OPENVINO, resize(mode="linear", antialias=1), "≠ it antialiases, which is computed otherwise"),
    (OPENVINO, resize(mode="cubic", exclude_outside=1), "≠ it sets exclude_outside, which is ignored"),
    (OPENVINO, resize(exclude_outside=1), None),
    (
        OPENVINO,
        resize(c([1, 1, 0.6, 0.6], "float"), mode="linear", coordinate_transformation_mode="align_corners"),
        "≠ it scales 8 by 0.6 with align_corners",
    ),
    (
        OPENVINO,
        resize(c([1, 1, 0.5, 0.5], "float"), mode="linear", coordinate_transformation_mode="align_corners"),
        None,
    ),
    (
        OPENVINO,
        resize(x(4), mode="linear", coordinate_transformation_mode="align_corners"),
        "? it is not known whether its scales give a whole number",
    ),
    (
        OPENVINO,
        resize(TWICE, x(1, 3, "h", "w"), mode="linear", coordinate_transformation_mode="align_corners"),
        None,
    ),
    (OPENVINO, node("GatherElements", x(1, 9, 8), x(1, 5, 4, kind="int64"), axis=1), "the size 4 where its data has 8"),
    (OPENVINO, node("GatherElements", x(1, 9, 8), x(1, 5, 8, kind="int64"), axis=1), None),
    (OPENVINO, node("GatherElements", x(1, 9, 8), x(1, 9, 4, kind="int64"), axis=-1), None),
    (OPENVINO, node("GatherElements", x(1, 9, 8), x(1, 9, "n", kind="int64"), axis=1), None),
    (
        OPENVINO,
        node("GatherElements", begin(0), x(1, 5, 4, kind="int64"), axis=1),
        "where what its data is sliced from",
    ),
    (OPENVINO, node("GatherElements", begin(0), unranked(), axis=1), "where what its data is sliced from"),
    (OPENVINO, node("GatherElements", begin(0), x(1, 5, 4, kind="int64"), axis=-1), "the size 5 where what"),
    (OPENVINO, node("GatherElements", begin(2), x(1, 5, 4, kind="int64"), axis=1), None),
    (OPENVINO, node("STFT", x("n", 512, 1), c(160), opset=17), "the shape of its signal is not fixed"),
    (OPENVINO, node("STFT", x(1, 512, 1), c(160), opset=17), None),
    (OPENVINO, resize(mode="linear", coordinate_transformation_mode="align_corners"), None),
    (OPENVINO, sized(keep_aspect_ratio_policy="not_larger"), "≠ its keep_aspect_ratio_policy is not_larger"),
    (OPENVINO, node("Pad", IMAGE, c([0] * 8)), None),
    (OPENVINO, node("Pad", IMAGE, c([0] * 8), opset=19, mode="wrap"), "its mode is wrap"),
    (OPENVINO, node("Pad", IMAGE, c([0] * 8), None, RUN), "? its input axes is computed"),
    ("onnxruntime-openvino@1.24.0", resize(coordinate_transformation_mode="tf_crop_and_resize"), "is tf_crop_and_resi"),
    # OpenCV
    (OPENCV, node("Slice", IMAGE, c([0]), folded([1]), c([1])), None),
    (OPENCV, node("Slice", IMAGE, c([0]), RUN, c([1])), "its input ends is computed at run time"),
    (OPENCV, node("Range", c(0), x(kind="int64"), c(1)), "its input limit is computed"),
    (OPENCV, node("TopK", x(1, 80), c([5]), out=2), None),
    (OPENCV, node("Unsqueeze", x(3), c([0])), None),
    (OPENCV, node("Unsqueeze", x(3), c([0, 1])), "it adds 2 axes; it adds one at a time"),
    (OPENCV, node("Unsqueeze", c([3]), c([0, 1])), None),
    (OPENCV, node("Pad", IMAGE, c([0] * 8), mode="reflect"), None),
    (OPENCV, node("Pad", IMAGE, c([0] * 4), None, c([2, 3])), "it gives axes"),
    (OPENCV, node("Pad", IMAGE, c([0] * 8), mode="edge"), "? whether it pads with mode edge"),
    (OPENCV, node("Cast", x(3), to=7), None),
    (OPENCV, node("Cast", x(3), to=9), "it casts to a type that it does not have"),
    (OPENCV, node("ConvTranspose", IMAGE, big(3, 8, 2, 2), kernel_shape=[2, 2]), None),
    (OPENCV, node("ConvTranspose", IMAGE, big(3, 8, 2, 2)), "it leaves out kernel_shape"),
    (OPENCV, resize(**ASYMMETRIC), None),
    (OPENCV, resize(x(4), data=IMAGE, out=x(1, 3, 16, 16), **ASYMMETRIC), "are computed at run time"),
    (OPENCV, resize(mode="linear", coordinate_transformation_mode="tf_crop_and_resize"), "is tf_crop_and_resize"),
    (OPENCV, resize(c([1, 1, 2], "float"), x(1, 3, 8), **ASYMMETRIC), "have 3 values; they must have 4"),
    (OPENCV, resize(mode="cubic"), "? whether it resizes cubically"),
    (OPENCV, resize(), "? whether it rounds by round_prefer_floor"),
    (OPENCV, resize(mode="linear", antialias=1), "≠ it antialiases, which is ignored"),
    (OPENCV, resize(c([1, 2, 2, 2], "float"), mode="linear"), "≠ it resizes batch and channels"),
    ("opencv@5.0.0", node("Unsqueeze", x(3), c([0, 1])), None),
    ("opencv@5.0.0", node("ConstantOfShape", c([2, 3]), value=ZERO), None),
    ("opencv@5.0.0", node("ConstantOfShape", c([2, 3])), "it leaves out value"),
    # MNN
    ("mnn@3.6.1", node("ConstantOfShape", c([2, 3]), value=ZERO), None),
    ("mnn@3.6.1", node("ConstantOfShape", c([2, 3])), "≠ it leaves out value"),
    # ncnn
    (NCNN, node("BatchNormalization", IMAGE, *[big(3)] * 4), None),
    (NCNN, node("BatchNormalization", IMAGE, *[big(3)] * 4, training_mode=1), "its training_mode is 1"),
    (NCNN, node("ConvTranspose", IMAGE, big(3, 8, 2, 2)), None),
    (NCNN, node("ConvTranspose", IMAGE, big(3, 8, 2, 2), auto_pad="SAME_UPPER"), "its auto_pad is SAME_UPPER"),
    (NCNN, node("DepthToSpace", IMAGE, blocksize=2, mode="CRD"), None),
    (NCNN, node("DepthToSpace", IMAGE, blocksize=2), "its mode is DCR; it takes CRD"),
    (NCNN, node("Shrink", IMAGE), None),
    (NCNN, node("Shrink", IMAGE, bias=0.1), "its bias is 0.1"),
    (NCNN, node("Unsqueeze", x(3), c([0])), None),
    (NCNN, node("Squeeze", x(1, 3), RUN), "? its input axes is computed at run time and must be a constant, but for"),
    (NCNN, node("Reshape", IMAGE, c([1, -1])), None),
    (NCNN, node("Reshape", IMAGE, RUN), "? its input shape is computed"),
    (NCNN, node("Softmax", IMAGE, axis=1), None),
    (NCNN, node("Softmax", IMAGE, axis=0), "? its axis is the first"),
    (NCNN, node("Softmax", unranked(), axis=-1), "? the rank of its input is not known"),
    (NCNN, node("Concat", c([1]), c([2]), axis=0), None),
    (NCNN, node("Add", IMAGE, IMAGE), None),
    (NCNN, node("Add", folded([1]), c([2])), None),
    (NCNN, node("Add", x(1, kind="int64"), c([2])), "? its input is int64, and it computes with float only, which is"),
    (
        NCNN,
        node("Mul", x(1, kind="int64"), x(1, kind="int64")),
        "≠ its input is int64, and it computes with float only",
    ),
    (NCNN, node("Mul", x(1, kind="int64"), c([2])), "? its input is int64, and it computes with float only, which is"),
    (NCNN, node("Pow", x(1, kind="int64"), c([2])), "≠ its input is int64"),
    (NCNN, node("Mul", IMAGE, c([2], "float")), None),
    (NCNN, resize(**ASYMMETRIC), None),
    (NCNN, resize(coordinate_transformation_mode="asymmetric"), "its nearest_mode is round_prefer_floor"),
    (NCNN, resize(mode="linear"), None),
    (NCNN, resize(mode="linear", nearest_mode="ceil"), "its nearest_mode is ceil"),
    (NCNN, resize(nearest_mode="floor"), "? whether it keeps half_pixel with mode nearest"),
    (NCNN, resize(c([1, 2, 2, 2], "float"), **ASYMMETRIC), "it resizes batch and channels"),
    (NCNN, resize(c([2, 2], "float"), x(3, 3), **ASYMMETRIC), "its input has 2 dimensions; it takes 3 to 5"),
    (NCNN, resize(x(4), out=x(1, 3, 16, 16), **ASYMMETRIC), "its scales are computed at run time"),
    (NCNN, node("Upsample", IMAGE, c([1, 1, 2, 2], "float"), opset=9), None),
    (NCNN, node("Upsample", x(1, 3), c([1, 2], "float"), opset=9), "its scales have 2 values"),
    # LiteRT: its other backend may take what the default one refuses
    (LITERT, resize(**ASYMMETRIC), None),
    (LITERT, resize(coordinate_transformation_mode="align_corners"), "? its coordinate_transformation_mode is align_"),
    (LITERT, resize(nearest_mode="round_prefer_ceil"), None),
    (LITERT, resize(coordinate_transformation_mode="asymmetric", nearest_mode="ceil"), "? its nearest_mode is ceil"),
    (LITERT, resize(c([1] * 5, "float"), x(1, 3, 8, 8, 8), mode="cubic"), "? it resizes three axes cubically"),
    (LITERT, resize(x(4), mode="linear"), "? its scales are computed at run time"),
    (LITERT, node("Conv", IMAGE, big(8, 3, 3, 3)), None),
    (LITERT, node("Conv", IMAGE, x(8, 3, 3, 3)), "? its input weight is computed"),
    (LITERT, node("Conv", x(1, 4, 8, 8, 8), big(6, 1, 3, 3, 3), group=4), "? it is grouped over three axes"),
    (LITERT, node("Conv", x(1, 4, 8, 8, 8), big(8, 1, 3, 3, 3), group=4), None),
    (LITERT, node("ConvTranspose", IMAGE, big(3, 8, 2, 2), dilations=[2, 2]), "? its dilations are 2 and 2"),
    (LITERT, node("MaxPool", x(3, 8), kernel_shape=[2]), "? its input has 2 dimensions"),
    (LITERT, node("MaxPool", IMAGE, kernel_shape=[2, 2]), None),
    (LITERT, node("Squeeze", x(1, 3), RUN), "? its input axes is computed"),
    (LITERT, node("Squeeze", x(1, 3), c([0])), None),
    (LITERT, node("BatchNormalization", IMAGE, *[big(3)] * 4), None),
    (LITERT, node("ConvTranspose", IMAGE, big(3, 8, 2, 2)), None),
    (LITERT, node("DepthToSpace", IMAGE, blocksize=2), None),
    (LITERT, node("GatherND", x(8, 4), c([[0]])), None),
    (LITERT, node("GridSample", IMAGE, x(1, 4, 4, 2)), None),
    (LITERT, node("InstanceNormalization", IMAGE, x(3), big(3)), "? its input scale is computed"),
    (LITERT, node("QuantizeLinear", x(3), c(1.0, "float"), c(0, "int8")), None),
    (LITERT, node("ScatterND", x(9), x(2, 1, kind="int64"), x(2)), None),
    (LITERT, node("Split", x(1, 144), c([64, 80]), axis=1, out=2), None),
    (LITERT, node("Split", x(1, 5), axis=1, num_outputs=2, out=2), "? it splits 5 into 2 parts"),
    (LITERT, node("Split", x(1, "n"), axis=1, num_outputs=2, out=2), "? the size that it splits is not known"),
    (LITERT, nms(x(1, 9, 4), x(1, 80, 9)), None),
    (LITERT, nms(x(1, 9, 4), x(1, 80, 9), center_point_box=1), "? its center_point_box is 1"),
    (LITERT, nms(x(2, 9, 4), x(2, 80, 9)), "? its batch is 2; it takes 1"),
    (LITERT, node("Pad", IMAGE, c([0] * 8)), None),
    (LITERT, node("Pad", IMAGE, c([0] * 8), mode="edge"), "? its mode is edge"),
    (LITERT, node("BatchNormalization", IMAGE, x(3), *[big(3)] * 3), "? its input scale is computed"),
    (LITERT, node("InstanceNormalization", IMAGE, big(3), big(3)), None),
    (LITERT, node("GridSample", IMAGE, x(1, 4, 4, 2), mode="nearest"), "? its mode is nearest"),
    (LITERT, node("GatherND", x(8, 4), c([[0]]), batch_dims=1), "? its batch_dims is 1"),
    (LITERT, node("ScatterND", x(9), x(2, 1, kind="int64"), x(2), reduction="add"), "? its reduction is add"),
    (LITERT, node("Einsum", x(3, 4), big(4, 5), equation="ij,jk->ik"), None),
    (LITERT, node("Einsum", x(3, 4), x(4, 5), equation="ij,jk->ik"), "? its input B is computed"),
    (LITERT, node("Einsum", x(2, 3, 4), x(4, 5), equation="bij,jk->bik"), "? its equation is bij,jk->bik"),
    (LITERT, node("DepthToSpace", x(3, 8, 8), blocksize=2), "? its input has 3 dimensions"),
    (LITERT, node("QuantizeLinear", x(3), x(), c(0, "int8")), "? its input scale is computed"),
    # onnx-mlir
    (MLIR, resize(**ASYMMETRIC), None),
    (MLIR, resize(coordinate_transformation_mode="align_corners"), "mode nearest takes asymmetric and half_pixel"),
    (MLIR, resize(mode="linear"), None),
    (MLIR, resize(mode="linear", coordinate_transformation_mode="asymmetric"), "mode linear takes half_pixel"),
    (MLIR, resize(mode="cubic", cubic_coeff_a=-0.5), "its cubic_coeff_a is -0.5"),
    (MLIR, resize(x("k"), **ASYMMETRIC), "its input scales or sizes has the dynamic size k"),
    (MLIR, node("BatchNormalization", IMAGE, *[big(3)] * 4), None),
    (MLIR, node("BatchNormalization", IMAGE, *[big(3)] * 4, training_mode=1), "its training_mode is 1"),
    (MLIR, node("ConvTranspose", IMAGE, big(3, 8, 2, 2)), None),
    (MLIR, node("ConvTranspose", IMAGE, x(3, 8, 2, 2)), "its input weight is computed"),
    (MLIR, node("MaxPool", IMAGE, kernel_shape=[2, 2]), None),
    (MLIR, node("MaxPool", x(1, 3, 8, 8, kind="uint8"), kernel_shape=[2, 2]), "its input is uint8"),
    (MLIR, node("MaxPool", untyped(1, 3, 8, 8), kernel_shape=[2, 2]), "? the type of its input"),
    (MLIR, node("ReduceMax", IMAGE, c([1])), None),
    (MLIR, node("ReduceMax", IMAGE, c([1]), keepdims=0), "its keepdims is 0"),
    (MLIR, node("ReduceSum", IMAGE, c([1])), None),
    (MLIR, node("ReduceSum", IMAGE), "it leaves out its axes"),
    (MLIR, node("Pad", IMAGE, c([0] * 8)), None),
    (MLIR, node("Pad", IMAGE, c([0] * 4), None, c([2, 3])), "it gives axes"),
    (MLIR, node("Slice", IMAGE, c([0]), c([1]), c([1])), None),
    (MLIR, node("Slice", IMAGE, c([0]), c([1]), RUN), "its input axes is computed"),
    (MLIR, node("Reshape", IMAGE, c([0, -1]), allowzero=1), "that allowzero keeps"),
    (MLIR, node("Reshape", IMAGE, RUN, allowzero=1), "? whether its shape has a 0"),
    (MLIR, node("Reshape", IMAGE, x("k", kind="int64")), "its input shape has the dynamic size k"),
    (MLIR, node("GridSample", IMAGE, x(1, 4, 4, 2)), None),
    (MLIR, node("GridSample", IMAGE, x(1, 4, 4, 2), padding_mode="reflection"), "its padding_mode is reflection"),
    (MLIR, node("ScatterND", x(9), x(2, 1, kind="int64"), x(2)), None),
    (MLIR, node("ScatterND", x(9), x(2, 1, kind="int64"), x(2), reduction="mul"), "it adds or multiplies"),
    (MLIR, node("Shape", x(1, 3)), None),
    (MLIR, node("Shape", x(1, 3), end=1), "it gives end"),
    (MLIR, node("Transpose", x(3, kind="int4"), opset=21), "its data is int4"),
    (MLIR, node("Identity", x(kind="seq(tensor(float))")), "its input is a sequence"),
    (MLIR, node("Identity", x(3)), None),
    (MLIR, node("Add", x(3, kind="int16"), x(3, kind="int16")), "its input is int16"),
    (MLIR, node("Add", x(3), x(3)), None),
    (MLIR, node("Pow", x(3), c(2.0, "float")), None),
    (MLIR, node("Pow", x(3), c(2)), "its input exponent is int64"),
    (MLIR, node("Mod", x(3), x(3), fmod=1), None),
    (MLIR, node("Reshape", IMAGE, c([1, -1])), None),
    (MLIR, node("Mod", x(3, kind="int64"), c(2)), "its input is int64"),
    (MLIR, node("Max", x(3), x(3)), None),
    (MLIR, node("Max", x(3, kind="uint8"), x(3, kind="uint8")), "its input is uint8"),
    (MLIR, node("Max", x(3, kind="float16"), x(3, kind="float16")), "? float16 runs only on ppc64le and macOS"),
    (MLIR, node("TopK", x(1, 80), c([5]), out=2), None),
    (MLIR, node("TopK", x(1, 80), unranked("int64"), out=2), "? the shape of its input K"),
    (MLIR, node("Einsum", x(3, 4), x(4, 5), equation="ij,jk->ik"), None),
    (MLIR, node("Einsum", x("n", 4), x(4, 5), equation="ij,jk->ik"), "its input 0 has the dynamic size n"),
    # tract
    (TRACT, node("Pad", IMAGE, c([0] * 8)), None),
    (TRACT, node("Pad", IMAGE, c([0] * 8), opset=19, mode="wrap"), "its mode is wrap"),
    (TRACT, node("Split", x(1, 6), c([3, 3]), axis=1, out=2), None),
    (TRACT, node("Split", x(1, 6), x(2, kind="int64"), axis=1, out=2), "its input split is computed"),
    (TRACT, node("Unsqueeze", x(3), c([0])), None),
    (TRACT, node("Unsqueeze", x(3), RUN), "its input axes is computed"),
    (TRACT, node("BatchNormalization", IMAGE, *[big(3)] * 4), None),
    (TRACT, node("BatchNormalization", IMAGE, x(3), *[big(3)] * 3), "its input scale is computed"),
    (TRACT, node("LpNormalization", IMAGE), None),
    (TRACT, node("LpNormalization", IMAGE, p=3), "its p is 3"),
    # TVM
    (TVM, node("Split", x(1, 6), c([3, 3]), axis=1, out=2), None),
    (TVM, node("Split", x(1, 6), x(2, kind="int64"), axis=1, out=2), "its input split is computed"),
    (TVM, node("TopK", x(1, 80), c([5]), out=2), None),
    (TVM, node("TopK", x(1, 80), c([5]), out=2, sorted=0), "its sorted is 0"),
    (TVM, node("Pad", IMAGE, c([0] * 8), opset=19, mode="wrap"), None),
    (TVM, node("Pad", IMAGE, x(8, kind="int64")), "its input pads is computed"),
    (TVM, node("ReduceSum", IMAGE, c([1])), None),
    (TVM, node("ReduceSum", IMAGE, RUN), "its input axes is computed"),
    (TVM, node("CumSum", IMAGE, c(1)), None),
    (TVM, node("CumSum", IMAGE, RUN), "its input axis is computed"),
    (TVM, node("OneHot", x(3, kind="int64"), c(4), c([0, 1])), None),
    (TVM, node("OneHot", x(3, kind="int64"), c(4), RUN), "its input values is computed"),
    (TVM, resize(x(4)), "its input scales is computed"),
    (TVM, resize(**ASYMMETRIC), None),
    (TVM, resize(c([2, 2], "float"), x(8, 8)), "has 2 dimensions; it takes 3 to 5"),
    (TVM, resize(data=unranked()), "? the rank of its input"),
    (TVM, node("Conv", IMAGE, big(8, 3, 3, 3)), None),
    (TVM, node("Conv", x(1, 3, 8, 8, 8, 8), big(8, 3, 3, 3, 3, 3)), "has 6 dimensions"),
    (TVM, node("MaxPool", IMAGE, kernel_shape=[2, 2]), None),
    (TVM, node("MaxPool", x(3, 8), kernel_shape=[2]), "has 2 dimensions"),
    # burn
    (BURN, node("Conv", IMAGE, big(8, 3, 3, 3)), None),
    (BURN, node("Conv", x(3, 8), big(8, 3)), "has 2 dimensions"),
    (BURN, node("MaxPool", x(1, 3, 8, 8, 8), kernel_shape=[2, 2, 2]), "has 5 dimensions; it takes 3 and 4"),
    (BURN, node("MaxPool", IMAGE, kernel_shape=[2, 2]), None),
    (BURN, node("MaxPool", unranked(), kernel_shape=[2, 2]), "? the rank of its input"),
]


@pytest.mark.parametrize(("name", "facts", "expected"), CASES, ids=lambda item: getattr(item, "op", str(item)))
def test_condition(name: str, facts: NodeFacts, expected: str | None) -> None:
    check(name, facts, expected)


def test_litert_says_which_of_its_backends_refuses() -> None:
    assert said(LITERT, node("Squeeze", x(1, 3), RUN)) == [
        "? its input axes is computed at run time and must be a constant (onnx2tf's default backend refuses that; "
        "tf_converter may take it)"
    ]


def test_which_words_are_decided() -> None:
    assert decided(table(BURN), node("Conv", IMAGE, big(8, 3, 3, 3)))
    assert decided(table(NCNN), node("DepthToSpace", IMAGE, blocksize=2))
    assert decided(table(MLIR), node("Resize", IMAGE, None, c([1, 1, 2, 2], "float")))
    assert not decided(table(MLIR), node("Split", x(1, 6), axis=1, num_outputs=2, out=2))
    assert not decided(table(LITERT), node("Conv", IMAGE, big(8, 3, 3, 3)))
