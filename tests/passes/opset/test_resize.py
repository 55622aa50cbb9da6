from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from tests.passes.helpers import Arrays, ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused

COORDINATES = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]
ROUNDINGS = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]


def resize(
    attributes: str,
    *,
    scales: list[float] | None = None,
    sizes: list[int] | None = None,
    shape: str = "1,1,4,6",
    opset: int = 13,
    kind: str = "float",
) -> onnx.ModelProto:
    names = "scales" if sizes is None else ", sizes"
    proto = parse(f"g ({kind}[{shape}] x) => ({kind}[a,b,c,d] y) {{ y = Resize<{attributes}>(x, , {names}) }}", opset)
    if scales is not None:
        proto.graph.initializer.append(numpy_helper.from_array(np.array(scales, np.float32), "scales"))
    if sizes is not None:
        proto.graph.initializer.append(numpy_helper.from_array(np.array(sizes, np.int64), "sizes"))
    return proto


def image(height: int = 4, width: int = 6) -> Arrays:
    return {"x": np.arange(height * width, dtype=np.float32).reshape(1, 1, height, width)}


def attributes_of(proto: onnx.ModelProto) -> dict[str, str]:
    return {item.name: item.s.decode() for item in proto.graph.node[0].attribute if item.s}


@pytest.mark.parametrize("shape", ["1,1,4,6", "1,1,h,w"])
def test_a_yolo_upsampling_goes_all_the_way(shape: str) -> None:
    proto = resize(
        'mode = "nearest", coordinate_transformation_mode = "asymmetric", nearest_mode = "floor", cubic_coeff_a = -0.7',
        scales=[1, 1, 2, 2],
        shape=shape,
        opset=17,
    )
    for target, op in ((28, "Resize"), (13, "Resize"), (11, "Resize"), (10, "Resize"), (9, "Upsample")):
        after = pin(proto, target)
        assert ops(after) == {op: 1}
        assert_same(proto, after, image())
        newest = pin(after, 28)
        assert ops(newest) == {"Resize": 1}
        assert_same(proto, newest, image())
    assert len(pin(proto, 11).graph.node[0].input) == 3
    assert attributes_of(pin(pin(proto, 9), 28)) == {
        "mode": "nearest",
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
    }


@settings(max_examples=60, deadline=None)
@given(
    coordinates=st.sampled_from(COORDINATES),
    rounding=st.sampled_from(ROUNDINGS),
    scales=st.tuples(*[st.sampled_from([0.5, 0.6, 1.0, 1.5, 2.0, 2.6, 3.0])] * 2),
    height=st.integers(1, 5),
)
def test_nearest_with_scales(coordinates: str, rounding: str, scales: tuple[float, float], height: int) -> None:
    proto = resize(
        f'coordinate_transformation_mode = "{coordinates}", nearest_mode = "{rounding}"',
        scales=[1, 1, *scales],
        shape=f"1,1,{height},6",
    )
    _go_down(proto, image(height))


@settings(max_examples=60, deadline=None)
@given(
    coordinates=st.sampled_from(COORDINATES),
    rounding=st.sampled_from(ROUNDINGS),
    sizes=st.tuples(st.integers(1, 9), st.integers(1, 13)),
    height=st.integers(1, 5),
)
def test_nearest_with_sizes(coordinates: str, rounding: str, sizes: tuple[int, int], height: int) -> None:
    proto = resize(
        f'coordinate_transformation_mode = "{coordinates}", nearest_mode = "{rounding}"',
        sizes=[1, 1, *sizes],
        shape=f"1,1,{height},6",
    )
    _go_down(proto, image(height))


def _go_down(proto: onnx.ModelProto, inputs: Arrays) -> None:
    from graphkit.errors import PassRefused

    assert_same(proto, pin(proto, 11), inputs)
    assert_same(proto, pin(pin(proto, 11), 28), inputs)
    for target in (10, 9):
        try:
            after = pin(proto, target)
        except PassRefused as refusal:
            assert "matter of rounding" in str(refusal) or "not what it does there" in str(refusal)
            continue
        assert_same(proto, after, inputs)


@pytest.mark.parametrize("coordinates", ["half_pixel", "pytorch_half_pixel"])
@pytest.mark.parametrize("factor", [1, 2, 3, 7])
def test_whole_factors_need_no_shape(coordinates: str, factor: int) -> None:
    proto = resize(
        f'coordinate_transformation_mode = "{coordinates}"', scales=[1, 1, factor, factor], shape="1,1,h,w", opset=18
    )
    after = pin(proto, 9)
    assert ops(after) == {"Upsample": 1}
    assert_same(proto, after, image())


def test_making_smaller_without_a_shape_is_refused() -> None:
    text = 'coordinate_transformation_mode = "asymmetric", nearest_mode = "floor"'
    proto = resize(text, scales=[1, 1, 0.5, 0.5], shape="1,1,h,w")
    pin(proto, 11)
    refused(proto, 10, r"is not what it does there for scales \[1.0, 1.0, 0.5, 0.5\]")
    known = resize(text, scales=[1, 1, 0.5, 0.5])
    assert ops(pin(known, 9)) == {"Gather": 2}
    assert_same(known, pin(known, 9), image())


def test_linear() -> None:
    proto = resize('coordinate_transformation_mode = "asymmetric", mode = "linear"', scales=[1, 1, 2, 1.5])
    after = pin(proto, 9)
    assert ops(after) == {"Upsample": 1}
    assert_same(proto, after, image(), limit=1e-6)
    assert_same(proto, pin(after, 28), image(), limit=1e-6)
    sized = resize('coordinate_transformation_mode = "asymmetric", mode = "linear"', sizes=[1, 1, 7, 9])
    assert_same(sized, pin(sized, 9), image(), limit=1e-5)
    half = resize('mode = "linear"', scales=[1, 1, 2, 2])
    refused(half, 10, "mode=linear with coordinate_transformation_mode=half_pixel is not what it does there")
    assert_same(half, pin(half, 11), image())


def test_what_ten_has_not_is_refused() -> None:
    refused(resize('mode = "cubic"', scales=[1, 1, 2, 2]), 10, "mode=cubic does not exist there")
    sizes = parse("g (float[1,1,4,6] x, int64[4] s) => (float[a,b,c,d] y) { y = Resize(x, , , s) }", 13)
    refused(sizes, 10, "its sizes are computed at run time")
    crop = parse(
        """
        g (float[1,1,4,6] x) => (float[a,b,c,d] y) <float[8] r = {0,0,0,0,1,1,1,1}, float[4] s = {1,1,2,2}> {
            y = Resize<coordinate_transformation_mode = "tf_crop_and_resize">(x, r, s)
        }""",
        13,
    )
    assert_same(crop, pin(crop, 11), image())
    refused(crop, 10, "tf_crop_and_resize does not exist there")


def test_scales_of_run_time() -> None:
    text = "g (float[1,1,4,6] x, float[4] s) => (float[a,b,c,d] y) { y = Upsample(x, s) }"
    proto = parse(text, 9)
    inputs = {**image(), "s": np.array([1, 1, 2, 1.5], np.float32)}
    for target in (10, 11, 28):
        after = pin(proto, target)
        assert ops(after) == {"Max": 1, "Resize": 1}
        assert_same(proto, after, inputs)
        assert_same(proto, pin(after, 9), inputs)
    ten = parse(text.replace("Upsample", "Resize"), 10)
    refused(ten, 11, "its scales are not known, or make one axis larger and one smaller")
    refused(ten, 9, "its scales are below 1, or not known")


def test_ten_takes_the_ceiling_where_it_makes_smaller() -> None:
    proto = parse(
        "g (float[1,1,4,6] x) => (float[a,b,c,d] y) <float[4] s = {1,1,0.6,0.5}> { y = Resize(x, s) }",
        10,
    )
    after = pin(proto, 28)
    assert attributes_of(after)["nearest_mode"] == "ceil"
    assert_same(proto, after, image())
    assert ops(pin(proto, 9)) == {"Gather": 2}
    assert_same(proto, pin(proto, 9), image())
    mixed = parse("g (float[1,1,4,6] x) => (float[a,b,c,d] y) <float[4] s = {1,1,0.5,2}> { y = Resize(x, s) }", 10)
    refused(mixed, 11, "rounds both ways")


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_tf_half_pixel_for_nn(rounding: str) -> None:
    proto = parse(
        f"""
        g (float[1,1,4,6] x) => (float[a,b,c,d] y) <float[0] r = {{}}, float[4] s = {{1,1,0.6,2.6}}> {{
            y = Resize<coordinate_transformation_mode = "tf_half_pixel_for_nn", nearest_mode = "{rounding}">(x, r, s)
        }}""",
        11,
    )
    if rounding in ("floor", "round_prefer_floor"):
        after = pin(proto, 28)
        assert attributes_of(after)["coordinate_transformation_mode"] == "half_pixel"
        assert_same(proto, after, image())
    else:
        refused(proto, 13, "tf_half_pixel_for_nn does not exist there")


@pytest.mark.parametrize("form", ["scales", "sizes"])
@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("shape", ["1,1,4,6", "1,1,4,w"])
def test_axes(form: str, constant: bool, shape: str) -> None:
    value = np.array([2, 3], np.float32) if form == "scales" else np.array([8, 18])
    kind = "float" if form == "scales" else "int64"
    names = "s" if form == "scales" else ", s"
    modes = 'coordinate_transformation_mode = "asymmetric", nearest_mode = "floor"'
    proto = parse(
        f"""
        g (float[{shape}] x, {kind}[2] s) => (float[a,b,c,d] y) {{
            y = Resize<axes = [2, -1], {modes}>(x, , {names})
        }}""",
        18,
    )
    inputs = image()
    if constant:
        del proto.graph.input[1]
        proto.graph.initializer.append(numpy_helper.from_array(value, "s"))
    else:
        inputs = {**inputs, "s": value}
    for target in (13, 11):
        assert_same(proto, pin(proto, target), inputs)
    if constant and (form == "scales" or "w" not in shape):
        assert_same(proto, pin(proto, 9), inputs)


def test_a_region_of_some_axes() -> None:
    proto = parse(
        """
        g (float[1,1,4,6] x) => (float[1,1,6,8] y) <float[4] r = {0.1,0.2,0.9,0.8}, int64[2] s = {6,8}> {
            y = Resize<axes = [3, 2], mode = "linear", coordinate_transformation_mode = "tf_crop_and_resize">(x, r, , t)
        }""",
        18,
    )
    proto.graph.initializer.append(numpy_helper.from_array(np.array([8, 6]), "t"))
    after = pin(proto, 13)
    assert_same(proto, after, image(), limit=1e-6)


def test_antialias_matters_where_something_becomes_smaller() -> None:
    larger = resize('mode = "linear", antialias = 1', scales=[1, 1, 2, 1.5], opset=18)
    assert_same(larger, pin(larger, 11), image(), limit=1e-5)
    nearest = resize("antialias = 1", scales=[1, 1, 2, 2], opset=18)
    assert ops(pin(nearest, 13)) == {"Resize": 1}
    smaller = resize('mode = "linear", antialias = 1', scales=[1, 1, 0.5, 1.5], opset=18)
    refused(smaller, 17, "antialias=1 does not exist there")


@pytest.mark.parametrize("policy", ["not_larger", "not_smaller"])
@pytest.mark.parametrize("sizes", [[8, 9], [2, 3], [3, 5]])
def test_keep_aspect_ratio(policy: str, sizes: list[int]) -> None:
    text = f'keep_aspect_ratio_policy = "{policy}", axes = [2, 3], coordinate_transformation_mode = "asymmetric"'
    proto = resize(text, sizes=sizes, opset=18)
    for target in (13, 11):
        assert_same(proto, pin(proto, target), image())
    unknown = resize(text, sizes=sizes, opset=18, shape="1,1,h,w")
    refused(unknown, 17, "does not exist there, and the sizes are not known")


def test_half_pixel_symmetric() -> None:
    text = 'mode = "linear", coordinate_transformation_mode = "half_pixel_symmetric"'
    whole = resize(text, scales=[1, 1, 1.5, 2], opset=19)
    after = pin(whole, 11)
    assert attributes_of(after)["coordinate_transformation_mode"] == "half_pixel"
    assert_same(whole, after, image(), limit=1e-6)
    sized = resize(text, sizes=[1, 1, 7, 9], opset=19)
    assert_same(sized, pin(sized, 11), image(), limit=1e-6)
    fraction = resize(text, scales=[1, 1, 1.3, 2], opset=19)
    refused(fraction, 18, "half_pixel_symmetric is new")
    refused(resize(text, scales=[1, 1, 1.5, 2], shape="1,1,h,w", opset=19), 18, "half_pixel_symmetric is new")


def test_bfloat16_stops_at_13() -> None:
    refused(resize('mode = "nearest"', scales=[1, 1, 2, 2], kind="bfloat16"), 12, "bfloat16")
