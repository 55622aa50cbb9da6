"""The nodes that detectors are made of, with values to run them on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphkit.runtimes.probing.detector_cases import Sketch
from graphkit.runtimes.probing.detector_elementwise import elementwise
from graphkit.runtimes.probing.detector_embedded import embedded
from graphkit.runtimes.probing.detector_logic import logic
from graphkit.runtimes.probing.detector_values import floats, ints, scalar


def sketches() -> Iterator[Sketch]:
    """Every node."""
    yield from elementwise()
    yield from _convolutions()
    yield from _pools()
    yield from _moves()
    yield from _parts()
    yield from _resizes()
    yield from _reductions()
    yield from _choices()
    yield from _shapes()
    yield from _products()
    # Cases are called by number: what is new comes last.
    yield from embedded()
    yield from logic()


def _convolutions() -> Iterator[Sketch]:
    for size, stride, group, dilation in (
        (1, 1, 1, 1),
        (3, 1, 1, 1),
        (3, 2, 1, 1),
        (6, 2, 1, 1),
        (3, 1, 8, 1),
        (5, 1, 8, 1),
        (7, 1, 8, 1),
        (3, 2, 8, 1),
        (3, 1, 2, 1),
        (3, 1, 1, 2),
    ):
        pad = dilation * (size // 2)
        attributes = {
            "kernel_shape": [size, size],
            "strides": [stride, stride],
            "pads": [pad] * 4,
            "group": group,
            "dilations": [dilation, dilation],
        }
        weight = floats(8, 8 // group, size, size) - 1
        yield Sketch("Conv", (floats(1, 8, 12, 12), weight, floats(8)), attributes)
        yield Sketch("Conv", (floats(1, 8, 12, 12), weight), attributes)
    basic = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    yield Sketch("Conv", (floats(2, 8, 9, 12), floats(4, 8, 3, 3) - 1, floats(4)), basic)
    yield Sketch(
        "Conv",
        (floats(1, 8, 9, 12), floats(4, 8, 3, 3) - 1, floats(4)),
        {"kernel_shape": [3, 3], "auto_pad": "SAME_UPPER"},
    )
    yield Sketch("Conv", (floats(1, 8, 9, 12), floats(4, 8, 3, 3) - 1), {"pads": [0, 0, 1, 1], "strides": [2, 2]})
    halves = [floats(*shape, kind="float16") for shape in ((1, 8, 9, 12), (4, 8, 3, 3), (4,))]
    yield Sketch("Conv", tuple(halves), basic)
    yield Sketch("Conv", (floats(1, 8, 12), floats(4, 8, 3) - 1, floats(4)), {"kernel_shape": [3], "pads": [1, 1]})
    up = {"kernel_shape": [2, 2], "strides": [2, 2]}
    yield Sketch("ConvTranspose", (floats(1, 8, 6, 6), floats(8, 4, 2, 2) - 1, floats(4)), up)
    yield Sketch("ConvTranspose", (floats(1, 8, 6, 6), floats(8, 4, 2, 2) - 1), up)
    wide = {"kernel_shape": [4, 4], "strides": [2, 2], "pads": [1, 1, 1, 1]}
    yield Sketch("ConvTranspose", (floats(1, 8, 6, 6), floats(8, 4, 4, 4) - 1, floats(4)), wide)
    yield Sketch("BatchNormalization", (floats(1, 4, 6, 6), *(floats(4) + i for i in range(4))), {"epsilon": 1e-3})
    yield Sketch("LayerNormalization", (floats(1, 6, 8), floats(8), floats(8) + 1), {"axis": -1, "epsilon": 1e-5})
    yield Sketch("InstanceNormalization", (floats(1, 4, 6, 6), floats(4), floats(4) + 1))


def _pools() -> Iterator[Sketch]:
    for size, stride, pad in ((5, 1, 2), (9, 1, 4), (13, 1, 6), (3, 2, 1), (2, 2, 0), (3, 1, 1)):
        attributes = {"kernel_shape": [size, size], "strides": [stride, stride], "pads": [pad] * 4}
        yield Sketch("MaxPool", (floats(1, 4, 14, 14),), attributes)
        yield Sketch("MaxPool", (floats(1, 4, 14, 14),), attributes | {"ceil_mode": 0, "dilations": [1, 1]})
        if size <= 3:
            yield Sketch("AveragePool", (floats(1, 4, 14, 14),), attributes)
            yield Sketch("AveragePool", (floats(1, 4, 14, 14),), attributes | {"count_include_pad": 1, "ceil_mode": 0})
    half = {"kernel_shape": [5, 5], "strides": [1, 1], "pads": [2, 2, 2, 2]}
    yield Sketch("MaxPool", (floats(1, 4, 14, 14, kind="float16"),), half)
    yield Sketch("GlobalAveragePool", (floats(1, 4, 6, 6),))
    yield Sketch("GlobalMaxPool", (floats(1, 4, 6, 6),))


def _moves() -> Iterator[Sketch]:
    for kind in ("float32", "float16"):
        x = floats(1, 8, 6, 6, kind=kind)
        yield Sketch("Reshape", (x, ints(1, 8, -1)))
        yield Sketch("Reshape", (x, ints(1, 8, 36)))
        yield Sketch("Reshape", (floats(1, 8, 36, kind=kind), ints(1, 2, 4, 36)))
        yield Sketch("Reshape", (floats(1, 8, 36, kind=kind), ints(1, 2, 4, 6, 6)))
        yield Sketch("Reshape", (floats(1, 8, 36, kind=kind), ints(-1, 36)))
        yield Sketch("Reshape", (floats(1, 8, 36, kind=kind), ints(-1)))
        yield Sketch("Reshape", (x, ints(0, -1, 36)))
        for order in ([0, 2, 3, 1], [0, 3, 1, 2], [0, 2, 1, 3], [0, 3, 2, 1], [0, 1, 3, 2]):
            yield Sketch("Transpose", (x,), {"perm": order})
        yield Sketch("Transpose", (floats(1, 4, 9, kind=kind),), {"perm": [0, 2, 1]})
        yield Sketch("Transpose", (floats(4, 9, kind=kind),), {"perm": [1, 0]})
        yield Sketch("Transpose", (floats(1, 2, 3, 4, 5, kind=kind),), {"perm": [0, 1, 3, 4, 2]})
        yield Sketch("Concat", (x, x + 1), {"axis": 1})
        yield Sketch("Concat", (x, x + 1, x + 2, x + 3), {"axis": 1})
        yield Sketch("Concat", (floats(1, 4, 9, kind=kind), floats(1, 2, 9, kind=kind)), {"axis": 1})
        yield Sketch(
            "Concat",
            (floats(1, 4, 9, kind=kind), floats(1, 4, 6, kind=kind), floats(1, 4, 3, kind=kind)),
            {"axis": 2},
        )
        yield Sketch("Concat", (floats(1, 4, 9, kind=kind), floats(1, 4, 6, kind=kind)), {"axis": -1})
        for axis in (0, 1, 2, -1):
            shape = [1, 4, 9]
            shape.insert(axis if axis >= 0 else 3, 1)
            yield Sketch("Unsqueeze", (floats(1, 4, 9, kind=kind), ints(axis)))
            yield Sketch("Squeeze", (floats(*shape, kind=kind), ints(axis)))
        yield Sketch("Flatten", (x,), {"axis": 1})
        yield Sketch("Expand", (floats(1, 4, 1, kind=kind), ints(1, 4, 9)))
        yield Sketch("Tile", (floats(1, 4, 1, kind=kind), ints(1, 1, 3)))
    yield Sketch("Flatten", (floats(2, 3, 4),), {"axis": 2})
    yield Sketch("Concat", (ints(1), ints(2, 3), ints(-1)), {"axis": 0})
    yield Sketch("Concat", (floats(4), floats(5)), {"axis": 0})
    yield Sketch("Concat", (floats(4, 2), floats(4, 3)), {"axis": 1})
    yield Sketch("Concat", (floats(4, 2), floats(3, 2)), {"axis": 0})
    yield Sketch("Reshape", (ints(1, 2, 3, 4), ints(2, 2)))
    yield Sketch("Unsqueeze", (scalar(4), ints(0)))
    yield Sketch("Unsqueeze", (ints(4, 5), ints(1)))
    yield Sketch("Squeeze", (ints(4), ints(0)))
    yield Sketch("Squeeze", (floats(1, 1, 9), ints(0, 1)))
    yield Sketch("Expand", (ints(4), ints(3)))
    yield Sketch("Tile", (floats(4, 2), ints(2, 1)))
    yield Sketch("DepthToSpace", (floats(1, 8, 3, 3),), {"blocksize": 2, "mode": "CRD"})
    yield Sketch("DepthToSpace", (floats(1, 8, 3, 3),), {"blocksize": 2})
    yield Sketch("SpaceToDepth", (floats(1, 2, 6, 6),), {"blocksize": 2})
    for mode in ("constant", "reflect", "edge"):
        yield Sketch("Pad", (floats(1, 4, 6, 6), ints(0, 0, 1, 1, 0, 0, 1, 1)), {"mode": mode})
    yield Sketch("Pad", (floats(1, 4, 6, 6), ints(0, 0, 1, 2, 0, 0, 3, 0), scalar(0.5, "float32")))


def _parts() -> Iterator[Sketch]:
    for kind in ("float32", "float16"):
        x = floats(1, 8, 6, 6, kind=kind)
        yield Sketch("Split", (x, ints(4, 4)), {"axis": 1}, 2)
        yield Sketch("Split", (x, ints(2, 6)), {"axis": 1}, 2)
        yield Sketch("Split", (floats(1, 8, 9, kind=kind), ints(4, 4)), {"axis": 1}, 2)
        yield Sketch("Split", (floats(1, 8, 9, kind=kind), ints(4, 3, 1)), {"axis": 1}, 3)
        yield Sketch("Split", (floats(1, 9, 8, kind=kind), ints(4, 4)), {"axis": 2}, 2)
        yield Sketch("Split", (floats(1, 9, 8, kind=kind), ints(2, 2, 4)), {"axis": -1}, 3)
        yield Sketch("Split", (floats(1, 2, 8, 9, kind=kind), ints(2, 2, 4)), {"axis": 2}, 3)
        yield Sketch("Slice", (x, ints(0), ints(4), ints(1), ints(1)))
        yield Sketch("Slice", (x, ints(0), ints(9223372036854775807), ints(2), ints(2)))
        yield Sketch("Slice", (x, ints(1), ints(9223372036854775807), ints(3), ints(2)))
        yield Sketch("Slice", (floats(1, 8, 9, kind=kind), ints(4), ints(9223372036854775807), ints(1), ints(1)))
        yield Sketch("Slice", (floats(1, 8, 9, kind=kind), ints(0), ints(4), ints(1)))
        yield Sketch("Slice", (floats(1, 9, 8, kind=kind), ints(0), ints(4), ints(2), ints(1)))
        yield Sketch("Slice", (floats(1, 9, 8, kind=kind), ints(-1), ints(9223372036854775807), ints(-1), ints(1)))
        yield Sketch("Slice", (floats(9, 8, kind=kind), ints(0), ints(4), ints(1), ints(1)))
        yield Sketch("Gather", (floats(1, 9, 8, kind=kind), ints(0, 2)), {"axis": 2})
        yield Sketch("Gather", (floats(1, 9, 8, kind=kind), scalar(1)), {"axis": 1})
        yield Sketch("Gather", (floats(1, 9, 8, kind=kind), scalar(0)), {"axis": 0})
        yield Sketch("Gather", (floats(3, 1, 9, 8, kind=kind), scalar(1)), {"axis": 0})
    yield Sketch("Slice", (ints(1, 2, 3, 4), ints(2), ints(4), ints(0)))
    yield Sketch("Slice", (ints(1, 2, 3, 4), ints(0), ints(2), ints(0), ints(1)))
    yield Sketch("Split", (floats(1, 8, 6, 6),), {"axis": 1}, 2, opset=17)
    yield Sketch("Gather", (ints(1, 3, 6, 6), scalar(2)), {"axis": 0})
    yield Sketch("Gather", (ints(1, 3, 6, 6), ints(2)), {"axis": 0})
    yield Sketch("Gather", (ints(1, 3, 6, 6), ints(2, 3)), {"axis": 0})
    yield Sketch("Gather", (floats(9, 4), ints(5, 0, 3)), {"axis": 0})
    yield Sketch("Gather", (floats(9), ints(5, 0, 3)), {"axis": 0})
    yield Sketch("GatherElements", (floats(1, 3, 4), ints(0, 1, 2, 0)[None, None] % 3), {"axis": 1})
    yield Sketch("GatherElements", (floats(1, 9, 4), ints(0, 1, 2, 0).reshape(1, 4, 1).repeat(4, 2)), {"axis": 1})
    yield Sketch("GatherND", (floats(1, 9, 4), ints(0, 1, 0, 3).reshape(2, 2)))
    yield Sketch("ScatterND", (floats(4, 3), ints(1, 3).reshape(2, 1), floats(2, 3)))
    yield Sketch("ScatterElements", (floats(4, 3), ints(1, 3, 0).reshape(1, 3), floats(1, 3)))


def _resizes() -> Iterator[Sketch]:
    import numpy as np

    nothing, double = np.zeros(0, np.float32), np.array([1, 1, 2, 2], np.float32)
    for kind in ("float32", "float16"):
        x = floats(1, 4, 5, 6, kind=kind)
        for attributes in (
            {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
            {"mode": "nearest", "coordinate_transformation_mode": "half_pixel", "nearest_mode": "round_prefer_floor"},
            {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
            {"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"},
            {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
            {"mode": "linear", "coordinate_transformation_mode": "asymmetric"},
            {"mode": "cubic", "coordinate_transformation_mode": "half_pixel", "cubic_coeff_a": -0.75},
        ):
            yield Sketch("Resize", (x, None, double), attributes)
            if kind == "float32":
                yield Sketch("Resize", (x, nothing, double), attributes)
                yield Sketch("Resize", (x, None, None, ints(1, 4, 10, 12)), attributes)
                yield Sketch("Resize", (x, nothing, nothing, ints(1, 4, 10, 12)), attributes, opset=11)
    grid = np.linspace(-0.9, 0.9, 18, dtype=np.float32).reshape(1, 3, 3, 2)
    yield Sketch("GridSample", (floats(1, 4, 5, 6), grid), {"mode": "linear", "align_corners": 0}, opset=20)


def _reductions() -> Iterator[Sketch]:
    shape: tuple[int, ...]
    axes: Sequence[int]
    for op in ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceProd"):
        for shape, axes, keep in (
            ((1, 4, 6, 6), [2, 3], 1),
            ((1, 4, 9), [1], 0),
            ((1, 9, 4), [-1], 0),
            ((1, 9, 4), [-1], 1),
        ):
            yield Sketch(op, (floats(*shape),), {"axes": axes, "keepdims": keep})
    for shape, axes, keep in (((1, 4, 6, 6), (2, 3), 1), ((1, 4, 9), (1,), 0), ((1, 9, 4), (-1,), 1), ((9,), (0,), 0)):
        yield Sketch("ReduceSum", (floats(*shape), ints(*axes)), {"keepdims": keep})
    for shape, axis in (
        ((1, 4, 6, 6), 1),
        ((1, 4, 6, 6), -1),
        ((1, 16, 4, 9), 1),
        ((1, 4, 9, 16), 3),
        ((1, 9, 4), -1),
        ((1, 9, 4), 2),
        ((1, 9, 4), 1),
        ((4, 9), 1),
    ):
        yield Sketch("Softmax", (floats(*shape),), {"axis": axis})
    yield Sketch("Softmax", (floats(1, 16, 4, 9, kind="float16"),), {"axis": 1})
    for axis, keep in ((1, 0), (-1, 0), (2, 1), (-1, 1)):
        yield Sketch("ArgMax", (floats(1, 9, 4),), {"axis": axis, "keepdims": keep})
    yield Sketch("CumSum", (floats(1, 9), scalar(1)))


def _choices() -> Iterator[Sketch]:
    import numpy as np

    for shape, axis in (((1, 12), -1), ((1, 12), 1), ((1, 12, 4), 1), ((12,), 0), ((12,), -1)):
        yield Sketch("TopK", (floats(*shape), ints(3)), {"axis": axis, "largest": 1, "sorted": 1}, 2)
    yield Sketch("TopK", (floats(1, 12), ints(3)), {"axis": -1}, 2)
    corners = np.array([[0, 0, 4, 4], [0.2, 0, 4, 4.1], [6, 6, 9, 9], [6, 6.3, 9, 9], [1, 8, 2, 9]], np.float32)[None]
    scores = np.array([[0.9, 0.8, 0.7, 0.75, 0.1], [0.05, 0.6, 0.5, 0.1, 0.3]], np.float32)
    limits = (ints(3), np.array([0.5], np.float32), np.array([0.25], np.float32))
    for made in (scores[None], scores[None, :1]):
        yield Sketch("NonMaxSuppression", (corners, made, *limits))
        yield Sketch("NonMaxSuppression", (corners, made, *limits), {"center_point_box": 0})
        yield Sketch("NonMaxSuppression", (corners, made, *limits), {"center_point_box": 1})
        yield Sketch("NonMaxSuppression", (corners, made, *limits[:2]))
    yield Sketch("NonZero", (floats(3, 4) > 1,))
    yield Sketch("NonZero", (floats(12) > 1,))
    boxes = np.array([[0, 0, 3, 3], [1, 1, 4, 5]], np.float32)
    pooled = {"output_height": 2, "output_width": 2, "sampling_ratio": 2, "spatial_scale": 1.0}
    yield Sketch("RoiAlign", (floats(1, 4, 6, 6), boxes, ints(0, 0)), pooled)


def _shapes() -> Iterator[Sketch]:
    import onnx

    for shape in ((1, 4, 6, 6), (1, 4, 9), (4, 9), (4,)):
        yield Sketch("Shape", (floats(*shape),))
    zero = onnx.helper.make_tensor("value", onnx.TensorProto.FLOAT, [1], [0.5])
    yield Sketch("ConstantOfShape", (ints(2, 3),), {"value": zero})
    yield Sketch(
        "ConstantOfShape", (ints(3),), {"value": onnx.helper.make_tensor("value", onnx.TensorProto.INT64, [1], [1])}
    )
    yield Sketch("Range", (scalar(0), scalar(6), scalar(1)))
    yield Sketch("Range", (scalar(0.0, "float32"), scalar(6.0, "float32"), scalar(1.0, "float32")))
    values = onnx.numpy_helper.from_array(floats(1, 4, 6, 6), "value")
    yield Sketch("Constant", (), {"value": values})
    yield Sketch("Constant", (), {"value": onnx.numpy_helper.from_array(ints(1, -1, 4), "value")})


def _products() -> Iterator[Sketch]:
    for kind in ("float32", "float16"):
        for left, right in (
            ((1, 2, 6, 4), (1, 2, 4, 6)),
            ((1, 6, 4), (1, 4, 6)),
            ((1, 6, 4), (4, 8)),
            ((6, 4), (4, 8)),
            ((1, 2, 6, 4), (4, 8)),
        ):
            yield Sketch("MatMul", (floats(*left, kind=kind), floats(*right, kind=kind)))
        yield Sketch("Gemm", (floats(2, 6, kind=kind), floats(8, 6, kind=kind), floats(8, kind=kind)), {"transB": 1})
    yield Sketch("Gemm", (floats(2, 6), floats(6, 8), floats(8)), {"alpha": 1.0, "beta": 1.0})
    yield Sketch("Einsum", (floats(1, 4, 6, 6), floats(1, 8, 4)), {"equation": "bchw,bkc->bkhw"})
