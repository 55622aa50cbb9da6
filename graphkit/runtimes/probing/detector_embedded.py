"""The nodes that choose detections inside of a model: what embedded NMS, end-to-end heads and masks are made of."""

from __future__ import annotations

from collections.abc import Iterator

from graphkit.runtimes.probing.detector_cases import Sketch
from graphkit.runtimes.probing.detector_values import floats, ints


def embedded() -> Iterator[Sketch]:
    """Every node."""
    yield from _splits()
    yield from _indices()
    yield from _sizes()


def _splits() -> Iterator[Sketch]:
    for shape, axis in (((1, 9, 4), 2), ((1, 4, 9), 1), ((9, 4), 1), ((9, 4), -1)):
        for parts in ((2, 2), (1, 1, 1, 1), (2, 1, 1)):
            yield Sketch("Split", (floats(*shape), ints(*parts)), {"axis": axis}, len(parts), opset=18)
    for size in (1, 3):
        weight = floats(4, 8, size) - 1
        for stride in (1, 2):
            given = {"kernel_shape": [size], "strides": [stride], "pads": [size // 2, size // 2]}
            yield Sketch("Conv", (floats(1, 8, 12), weight), given)
            yield Sketch("Conv", (floats(1, 8, 12), weight, floats(4)), given)


def _indices() -> Iterator[Sketch]:
    import numpy as np

    classes = ints(0, 3, 7, 1, 1, 2, 5, 6, 4).reshape(1, 1, 9)
    yield Sketch("ScatterElements", (floats(1, 8, 9), classes, floats(1, 1, 9)), {"axis": 1}, opset=18)
    yield Sketch("ScatterElements", (floats(1, 1, 9), classes[..., :3], floats(1, 1, 3)), {"axis": 2}, opset=18)
    yield Sketch("ScatterElements", (floats(4, 9), classes[0, :, :3], floats(1, 3)), {"axis": 1}, opset=18)
    rows = ints(5, 0, 3)
    yield Sketch("GatherElements", (floats(1, 4, 9), rows.reshape(1, 1, 3).repeat(4, 1)), {"axis": 2})
    yield Sketch("GatherElements", (floats(1, 9), rows.reshape(1, 3)), {"axis": 1})
    places = ints(0, 2, 5, 0, 7, 1, 0, 1, 8, 0, 0, 0).reshape(4, 3)
    for chosen in (places, places[:1], places[:0]):
        yield Sketch("GatherND", (floats(1, 8, 9), chosen))
        yield Sketch("ScatterND", (floats(1, 8, 9), chosen, floats(len(chosen))), opset=18)
    yield Sketch("GatherND", (ints(4, 5, 6, 7).reshape(2, 2), ints(0, 1, 1, 0).reshape(2, 2)))
    for axis, count in ((2, 5), (-1, 5), (2, 12)):
        yield Sketch("TopK", (floats(1, 1, 12), ints(count)), {"axis": axis}, 2)
    yield Sketch("OneHot", (ints(0, 2, 1), np.array(4, np.int64), np.array([0, 1], np.float32)), {"axis": -1})


def _sizes() -> Iterator[Sketch]:
    import numpy as np

    for shape, target in (((1, 9, 8), (1, -1, 2, 4)), ((1, 4, 9), (4, 9)), ((1, 2, 3, 4), (1, 6, 4)), ((8,), (2, 4))):
        yield Sketch("Reshape", (floats(*shape), ints(*target)), {"allowzero": 1})
    yield Sketch("ConstantOfShape", (ints(2, 3),))
    for mode, transform, rounding in (
        ("nearest", "asymmetric", "floor"),
        ("nearest", "half_pixel", "round_prefer_floor"),
        ("linear", "half_pixel", "round_prefer_floor"),
    ):
        given = {"mode": mode, "coordinate_transformation_mode": transform, "nearest_mode": rounding, "axes": [2, 3]}
        yield Sketch("Resize", (floats(1, 4, 5, 6), None, np.array([2, 2], np.float32)), given, opset=18)
        yield Sketch("Resize", (floats(1, 4, 5, 6), None, None, ints(10, 12)), given, opset=18)
