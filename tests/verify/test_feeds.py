from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.helper
import pytest
from PIL import Image

from graphkit.errors import ModelError, UsageError
from graphkit.model import Model
from graphkit.verify import letterbox, make_feeds

FLOAT, HALF, UINT8 = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.UINT8


def model(
    *inputs: tuple[str, int, Any], initializers: tuple[str, ...] = (), metadata: dict[str, str] | None = None
) -> Model:
    infos = [onnx.helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs]
    values = [onnx.helper.make_tensor(name, FLOAT, [1], [1.0]) for name in initializers]
    graph = onnx.helper.make_graph([], "g", infos, infos[:1], values)
    proto = onnx.helper.make_model(graph)
    onnx.helper.set_model_props(proto, metadata or {})
    return Model(proto)


def picture(folder: Path, name: str = "a.png", size: tuple[int, int] = (40, 20), colour: int = 255) -> Path:
    path = folder / name
    image = Image.new("RGB", size, (colour, 0, 0))
    image.putpixel((0, 0), (0, 255, 0))
    image.save(path)
    return path


def test_static_model_gets_random_values_and_the_test_picture() -> None:
    feeds = make_feeds(model(("images", FLOAT, [1, 3, 64, 96])))
    assert len(feeds) == 2
    assert feeds[0].name == "random"
    for feed in feeds:
        value = feed.inputs["images"]
        assert (value.shape, value.dtype.name) == ((1, 3, 64, 96), "float32")
        assert 0 <= value.min() < value.max() <= 1


def test_the_same_seed_gives_the_same_feeds() -> None:
    one, two, other = (make_feeds(model(("x", FLOAT, [1, 3, 32, 32])), seed=seed)[0].inputs["x"] for seed in (4, 4, 5))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_dynamic_sizes_get_a_batch_of_three_and_a_size_that_is_not_square() -> None:
    feeds = make_feeds(model(("images", FLOAT, ["batch", 3, "height", "width"]), ("other", FLOAT, ["batch", 2])))
    shapes = [feed.inputs["images"].shape for feed in feeds]
    assert shapes == [(1, 3, 320, 320), (1, 3, 320, 320), (3, 3, 320, 320), (1, 3, 256, 384)]
    assert [feed.inputs["other"].shape[0] for feed in feeds] == [1, 1, 3, 1]
    rows = feeds[2].inputs["images"]
    assert not np.array_equal(rows[0], rows[1])


def test_one_symbol_has_one_size() -> None:
    feeds = make_feeds(model(("images", FLOAT, [1, 3, "side", "side"])))
    assert feeds[-1].inputs["images"].shape == (1, 3, 256, 256)


def test_pictures_fill_a_fixed_batch_without_repeating(tmp_path: Path) -> None:
    paths = [picture(tmp_path, "a.png"), picture(tmp_path, "b.png", colour=99)]
    feeds = make_feeds(model(("images", FLOAT, [3, 3, 32, 32])), paths)
    assert [feed.name for feed in feeds] == ["random", "a.png", "b.png"]
    rows = feeds[1].inputs["images"]
    assert len({row.tobytes() for row in rows}) == 3
    np.testing.assert_array_equal(rows[1], letterbox(Image.open(paths[1]), 32, 32)[0])


def test_pictures_of_other_types_and_layouts(tmp_path: Path) -> None:
    path = picture(tmp_path)
    planes = letterbox(Image.open(path), 32, 64)[0]
    half = make_feeds(model(("x", HALF, [1, 3, 32, 64])), [path])[1].inputs["x"]
    assert half.dtype == np.float16
    np.testing.assert_array_equal(half[0], planes.astype(np.float16))
    bytes_ = make_feeds(model(("x", UINT8, [1, 32, 64, 3])), [path])[1].inputs["x"]
    assert bytes_.dtype == np.uint8
    np.testing.assert_array_equal(bytes_[0], np.rint(planes * 255).astype(np.uint8).transpose(1, 2, 0))


@pytest.mark.parametrize(("imgsz", "expected"), [("[96, 160]", (96, 160)), ("128", (128, 128)), ("oops(", (640, 640))])
def test_the_users_pictures_have_the_size_in_the_metadata(
    tmp_path: Path, imgsz: str, expected: tuple[int, int]
) -> None:
    given = model(("x", FLOAT, [1, 3, "h", "w"]), metadata={"imgsz": imgsz})
    assert make_feeds(given, [picture(tmp_path)])[1].inputs["x"].shape[2:] == expected


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("BOOL", "bool"), ("INT64", "int64"), ("INT8", "int8"), ("UINT16", "uint16"), ("DOUBLE", "float64")],
)
def test_other_inputs_get_values_of_their_type(kind: str, dtype: str) -> None:
    feed = make_feeds(model(("x", onnx.TensorProto.DataType.Value(kind), [2, "n"]), ("scalar", FLOAT, [])))[0]
    assert feed.inputs["x"].dtype == dtype
    assert feed.inputs["x"].shape == (2, 4)
    assert feed.inputs["scalar"].shape == ()


def test_overridable_initializers_are_left_out() -> None:
    feeds = make_feeds(model(("x", FLOAT, [2]), ("w", FLOAT, [1]), initializers=("w",)))
    assert [list(feed.inputs) for feed in feeds] == [["x"]]


def test_minus_one_is_a_free_dimension() -> None:
    assert make_feeds(model(("x", FLOAT, [-1, 3, -1, -1])))[0].inputs["x"].shape == (1, 3, 320, 320)


def test_refusals_say_which_input_and_why(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match='input "x" has no shape'):
        make_feeds(model(("x", FLOAT, None)))
    with pytest.raises(ModelError, match='input "x" has a dimension of size 0'):
        make_feeds(model(("x", FLOAT, [0, 3])))
    with pytest.raises(ModelError, match="of type STRING"):
        make_feeds(model(("x", onnx.TensorProto.STRING, [1])))
    with pytest.raises(ModelError, match="too large"):
        make_feeds(model(("x", FLOAT, [1 << 20, 1 << 20])))
    sequence = onnx.helper.make_tensor_sequence_value_info("s", FLOAT, [1])
    with pytest.raises(ModelError, match='input "s" is a sequence'):
        make_feeds(Model(onnx.helper.make_model(onnx.helper.make_graph([], "g", [sequence], []))))
    with pytest.raises(UsageError, match='its inputs: "x"'):
        make_feeds(model(("x", FLOAT, [1, 5])), [picture(tmp_path)])
    torn = tmp_path / "torn.jpg"
    torn.write_bytes(b"no picture")
    with pytest.raises(UsageError, match=r"torn\.jpg cannot be read as a picture"):
        make_feeds(model(("x", FLOAT, [1, 3, 32, 32])), [torn])


def test_letterbox_geometry() -> None:
    frame, ratio, pad = letterbox(Image.new("RGB", (100, 50), (255, 0, 0)), 64, 64)
    assert (frame.shape, frame.dtype.name, ratio, pad) == ((3, 64, 64), "float32", 0.64, (0, 16))
    assert np.all(frame[:, :16] == np.float32(114 / 255))
    assert np.all(frame[:, 48:] == np.float32(114 / 255))
    assert np.all(frame[0, 16:48] == 1)
    assert np.all(frame[1:, 16:48] == 0)


def test_odd_padding_goes_right_and_below() -> None:
    """d = 0.5: round(0.4) = 0 on the left, round(0.6) = 1 on the right."""
    frame, _, pad = letterbox(Image.new("RGB", (63, 64), (255, 255, 255)), 64, 64)
    assert pad == (0, 0)
    assert np.all(frame[:, :, 62] == 1)
    assert np.all(frame[:, :, 63] == np.float32(114 / 255))


def test_letterbox_enlarges_and_reads_grey_pictures() -> None:
    frame, ratio, pad = letterbox(Image.new("L", (8, 4), 200), 32, 32)
    assert (ratio, pad) == (4.0, (0, 8))
    assert np.all(frame[:, 8:24] == np.float32(200 / 255))
