"""Every way a file can be wrong has its own sentence, with the file in it and what to do."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from graphkit.errors import ModelError
from graphkit.model import Model, load
from graphkit.model.protos import DecodeError
from tests.model.everything import everything, numbers


def good() -> bytes:
    return bytes(numbers().SerializeToString())


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", b"x")
    return file.getvalue()


def changed(change: Callable[[ModelProto], object]) -> bytes:
    proto = numbers()
    change(proto)
    return bytes(proto.SerializeToString())


def short(proto: ModelProto) -> None:
    proto.graph.initializer[0].ClearField("float_data")
    proto.graph.initializer[0].raw_data = b"1234"


def short_constant(proto: ModelProto) -> None:
    tensor = TensorProto(name="deep", data_type=TensorProto.INT4, dims=[5], raw_data=b"12")
    proto.graph.node.append(helper.make_node("Constant", [], ["k"], value=tensor))


WRONG: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty; export or copy it again"),
    "random": (np.random.default_rng(1).bytes(4000), "is not an ONNX file"),
    "zip": (zipped(), "is a zip archive, as PyTorch writes.*yolo export"),
    "pickle": (pickle.dumps({"model": 1}, protocol=2), "is a Python pickle.*export it to ONNX"),
    "tflite": (b"\x1c\0\0\0TFL3" + bytes(50), "is a TensorFlow Lite model"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer.*git lfs pull"),
    "text": ("ein Text, kein Modell: äöü\n".encode() * 9, "is text, not a binary ONNX file"),
    "json": (json.dumps({"irVersion": 8}).encode(), "is JSON, not a binary ONNX file"),
    "html": (b"<!DOCTYPE html><html>404</html>", "is XML or HTML.*download or export it again"),
    "cut": (good()[:-3], "was cut off, at least 3 bytes are missing"),
    "cut early": (good()[:90], "was cut off"),
    "no graph": (changed(lambda m: m.ClearField("graph")), "an ONNX file without a graph"),
    "opset": (
        changed(lambda m: setattr(m.opset_import[0], "version", 999)),
        rf"is of opset 999.*knows up to {onnx.defs.onnx_opset_version()}; upgrade onnx, or export the model again",
    ),
    "ir": (changed(lambda m: setattr(m, "ir_version", 999)), "has IR version 999.*upgrade onnx"),
    "no opset": (changed(lambda m: m.ClearField("opset_import")), "does not say which opset"),
    "short tensor": (changed(short), r'tensor "scale" holds 4 bytes where its shape \[2\] needs 8'),
    "short packed tensor": (changed(short_constant), r'tensor "deep" holds 2 bytes where its shape \[5\] needs 3'),
    "negative": (changed(lambda m: m.graph.initializer[0].dims.append(-1)), "has a dimension of -1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_refused_in_one_sentence(case: str, tmp_path: Path) -> None:
    data, message = WRONG[case]
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=message) as caught:
        Model.load(path)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    assert "Traceback" not in text


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not there; check the path"):
        Model.load(tmp_path / "nothing.onnx")
    with pytest.raises(ModelError, match="is a folder"):
        Model.load(tmp_path)
    with pytest.raises(ModelError, match="is not a regular file"):
        Model.load("/dev/zero")
    with pytest.raises(ModelError, match="cannot be read"):
        Model.load(tmp_path / "nul\0byte.onnx")
    os.mkfifo(tmp_path / "fifo.onnx")
    with pytest.raises(ModelError, match="is not a regular file"):
        Model.load(tmp_path / "fifo.onnx")


def test_over_two_gib_is_said_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "big.onnx"
    with path.open("wb") as file:
        file.truncate(load.LIMIT + 1)  # sparse: takes no room
    with pytest.raises(ModelError, match=r"has 2\.0 GiB.*export it with external data"):
        Model.load(path)


@pytest.mark.parametrize(
    "length",
    [*range(0, len(good()), 7), *range(len(changed(lambda m: m.ClearField("metadata_props"))) - 3, len(good()))],
)
def test_cut_anywhere(length: int, tmp_path: Path) -> None:
    """What is left of a file is refused, unless it happens to end with a field and lacks only metadata."""
    path = tmp_path / "model.onnx"
    path.write_bytes(good()[:length])
    whole = len(changed(lambda m: m.ClearField("metadata_props")))
    if length >= whole and _parses(good()[:length]):
        assert Model.load(path).proto().graph == numbers().graph
    else:
        with pytest.raises(ModelError, match=r"model\.onnx"):
            Model.load(path)


def _parses(data: bytes) -> bool:
    try:
        ModelProto.FromString(data)
    except DecodeError:
        return False
    return True


def test_what_is_fine(tmp_path: Path) -> None:
    """Custom domains, an opset that only a function needs, IR version 2, and everything at once."""
    for index, proto in enumerate((everything(), numbers())):
        path = tmp_path / f"{index}.onnx"
        path.write_bytes(proto.SerializeToString())
        model = Model.load(path)
        assert model.proto() == proto
        assert model.source == path
        assert model.size_bytes == path.stat().st_size
    import hashlib

    assert model.sha256 == model.copy().sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    custom = numbers()
    for node in custom.graph.node:
        node.domain = "com.unheard.of"
    del custom.opset_import[:]
    path.write_bytes(custom.SerializeToString())
    assert Model.load(str(path)).opset == 1
    old = numbers()
    old.ir_version = 2
    del old.opset_import[:]
    path.write_bytes(old.SerializeToString())
    assert Model.load(path).opset == 1
