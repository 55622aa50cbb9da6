"""The conditions of onnxruntime in a browser, WebNN and WebGPU, and of its CPU provider."""

from __future__ import annotations

from typing import Any

import pytest

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints import decided
from tests.runtimes.nodes import big, c, check, folded, node, said, table, unranked, untyped, x

WEBNN, WEBGPU, CPU = "onnxruntime-webnn@1.30.0", "onnxruntime-webgpu@1.30.0", "onnxruntime-cpu@1.32.0"
IMAGE = x(1, 3, 8, 8)
TWICE = c([1, 1, 2, 2], "float")
BIG = x(1, 3, 16, 16)


def resize(scales: Any = TWICE, data: Any = IMAGE, out: Any = BIG, **attributes: Any) -> NodeFacts:
    return node("Resize", data, None, scales, out=out, **attributes)


def one(op: str, *inputs: Any, out: Any = IMAGE, **attributes: Any) -> NodeFacts:
    return node(op, *inputs, out=out, **attributes)


CASES: list[tuple[str, NodeFacts, str | None]] = [
    # WebNN
    (WEBNN, one("Sigmoid", IMAGE), None),
    (WEBNN, one("Sigmoid", x("n", 3)), "its input 0 has the dynamic size n"),
    (WEBNN, one("Sigmoid", IMAGE, out=x(1, "m")), "its output 0 has the dynamic size m"),
    (WEBNN, one("Sigmoid", IMAGE, out=unranked()), "? the shape of its output 0"),
    (WEBNN, one("ReduceMax", IMAGE, c([1])), None),
    (WEBNN, one("ReduceMax", IMAGE, x(1, kind="int64")), "its input axes is computed"),
    (WEBNN, one("Squeeze", x(1, 3), folded([0])), None),
    (WEBNN, one("Expand", x(3), x(2, kind="int64")), "its input shape is computed"),
    (WEBNN, one("Expand", x(3), c([2, 3])), None),
    (WEBNN, one("Clip", IMAGE, x()), "its input min is computed"),
    (WEBNN, one("Pad", IMAGE, c([0] * 8)), None),
    (WEBNN, one("Pad", IMAGE, c([0] * 8), opset=19, mode="wrap"), "its mode is wrap"),
    (WEBNN, one("Reshape", IMAGE, c([0, -1])), None),
    (WEBNN, one("Reshape", IMAGE, c([0, -1]), allowzero=1), "that allowzero keeps"),
    (WEBNN, one("Slice", IMAGE, c([0]), c([1])), None),
    (WEBNN, one("Split", x(1, 6), c([0, 6]), axis=1), "one of its parts has no elements"),
    (WEBNN, one("Split", x(1, 6), c([3, 3]), axis=1), None),
    (WEBNN, resize(), None),
    (WEBNN, resize(mode="cubic"), "its mode is cubic"),
    (WEBNN, resize(antialias=1, mode="linear"), "it antialiases"),
    (WEBNN, resize(x(4)), "are computed at run time"),
    (WEBNN, resize(c([2, 2], "float"), axes=[2, 3]), None),
    (WEBNN, resize(c([2, 2, 2], "float"), axes=[1, 2, 3]), "it gives 3 axes; it takes two"),
    (WEBNN, resize(c([1, 1, 2], "float"), x(1, 3, 8)), "has 3 dimensions; it takes 4"),
    (WEBNN, resize(c([2, 1, 2, 2], "float")), "it resizes batch and channels"),
    (WEBNN, one("Conv", IMAGE, big(8, 3, 3, 3)), None),
    (WEBNN, one("Conv", x(1, 3, 8, 8, 8), big(8, 3, 3, 3, 3)), "has 5 dimensions; it takes 3 and 4"),
    (WEBNN, one("MaxPool", IMAGE, kernel_shape=[2, 2]), None),
    (WEBNN, one("MaxPool", IMAGE, kernel_shape=[2, 2], storage_order=1), "its storage_order is 1"),
    (WEBNN, one("LpPool", IMAGE, kernel_shape=[2, 2], p=1), "its p is 1"),
    (WEBNN, one("BatchNormalization", IMAGE, *[big(3)] * 4), None),
    (WEBNN, one("BatchNormalization", IMAGE, *[big(3)] * 4, training_mode=1), "its training_mode is 1"),
    (WEBNN, one("LayerNormalization", x(1, 8), big(8)), None),
    (WEBNN, one("BatchNormalization", IMAGE, *[big(3)] * 4, opset=13), None),
    (WEBNN, one("ScatterND", x(9), x(2, 1, kind="int64"), x(2)), None),
    (WEBNN, one("ScatterND", x(9), x(2, 1, kind="int64"), x(2), reduction="add"), "its reduction is add"),
    (WEBNN, one("GatherND", x(8, 4), c([[0]])), None),
    (WEBNN, one("GatherND", x(8, 4), c([[0]]), batch_dims=1), "its batch_dims is 1"),
    (WEBNN, one("Gemm", x(1, 4), big(4, 8)), None),
    (WEBNN, one("Gemm", x(4), big(4, 8)), "its input A has 1 dimensions"),
    # WebGPU
    (WEBGPU, node("Conv", IMAGE, big(8, 3, 3, 3)), None),
    (WEBGPU, node("Conv", x(1, 3, 8, 8, 8), big(8, 3, 3, 3, 3)), "has 5 dimensions; it takes 3 and 4"),
    (WEBGPU, node("Conv", unranked(), big(8, 3, 3, 3)), "? the rank of its input"),
    (WEBGPU, node("ConvTranspose", IMAGE, big(3, 8, 2, 2)), None),
    (WEBGPU, node("ConvTranspose", x(1, 3, 8, 8, 8), big(3, 8, 2, 2, 2)), "has 5 dimensions"),
    (WEBGPU, node("Sigmoid", untyped(1, 3)), "? the type of its input"),
    (WEBGPU, node("Sigmoid", x(1, 3, kind="double")), "its input is double; it takes float and float16"),
    (WEBGPU, node("Concat", x(4, kind="int64"), x(4, kind="int64"), axis=0), "its input is int64"),
    (WEBGPU, node("Concat", x(4, kind="int32"), x(4, kind="int32"), axis=0), None),
    (WEBGPU, node("Expand", x(4, kind="bool"), c([2, 4])), None),
    (WEBGPU, node("MaxPool", IMAGE, kernel_shape=[2, 2]), None),
    (WEBGPU, node("MaxPool", IMAGE, kernel_shape=[2, 2], ceil_mode=1), "its ceil_mode is 1"),
    (WEBGPU, node("BatchNormalization", IMAGE, *[big(3)] * 4), None),
    (WEBGPU, node("BatchNormalization", IMAGE, *[big(3)] * 4, training_mode=1), "its training_mode is 1"),
    (WEBGPU, node("GridSample", IMAGE, x(1, 4, 4, 2)), None),
    (WEBGPU, node("GridSample", x(1, 3, 8, 8, 8), x(1, 4, 4, 4, 3)), "has 5 dimensions"),
    (WEBGPU, resize(), None),
    (WEBGPU, resize(antialias=1, mode="linear"), "it antialiases"),
    (WEBGPU, resize(c([1, 1, 0.5, 0.5], "float"), coordinate_transformation_mode="align_corners"), "it shrinks with"),
    (WEBGPU, resize(coordinate_transformation_mode="align_corners"), None),
    (WEBGPU, resize(c([1, 2, 2, 2], "float"), mode="linear"), "it resizes batch and channels"),
    # CPU
    (CPU, resize(), None),
    (CPU, resize(mode="linear"), None),
    (CPU, resize(mode="linear", antialias=1), None),
    (CPU, resize(antialias=1), "it antialiases with mode nearest"),
    (CPU, resize(c([1, 2, 2, 1], "float"), mode="linear"), None),
    (CPU, resize(c([2, 1, 2, 2], "float"), mode="linear"), "it resizes batch or channels, with factors 2, 1, 2 and 2"),
    (CPU, resize(c([1, 1, 2, 2, 2], "float"), x(1, 3, 8, 8, 8), mode="cubic"), "it resizes 5 axes with mode cubic"),
    (CPU, resize(x(4), mode="linear", out=unranked()), "? it is not known by how much"),
    (CPU, resize(x(4), unranked(), mode="linear"), "? the rank of its input is not known"),
    (CPU, resize(x(4), x("n", 3, 8, 8), mode="linear", out=x("n", 3, None, None)), None),
    (CPU, node("Upsample", IMAGE, c([1, 1, 2, 2], "float"), opset=9, mode="linear"), None),
    (CPU, node("GridSample", IMAGE, x(1, 4, 4, 2)), None),
    (CPU, node("GridSample", x(1, 3, 8), x(1, 4, 1)), "has 3 dimensions; it takes 4 and 5"),
    (CPU, node("GridSample", x(1, 3, 8, 8, 8), x(1, 4, 4, 4, 3), mode="bicubic"), "its mode is cubic on five"),
]


@pytest.mark.parametrize(("name", "facts", "expected"), CASES, ids=lambda item: getattr(item, "op", str(item)))
def test_condition(name: str, facts: NodeFacts, expected: str | None) -> None:
    check(name, facts, expected)


def test_training_gives_more_outputs_than_webnn_has() -> None:
    trained = node("BatchNormalization", IMAGE, *[big(3)] * 4, out=3, training_mode=1)
    assert "its training_mode is 1; it takes 0" in said(WEBNN, trained)


def test_which_words_are_decided() -> None:
    slice_ = node("Slice", IMAGE, c([0]), c([1]))
    assert decided(table(WEBNN), slice_)
    # The code's list of 1.24 leaves out what each browser takes.
    assert not decided(table("onnxruntime-webnn@1.24.0"), slice_)
    assert decided(table(WEBGPU), node("Conv", IMAGE, big(8, 3, 3, 3)))
    assert not decided(table(WEBGPU), node("Concat", x(4, kind="int32"), x(4, kind="int32"), axis=0))
