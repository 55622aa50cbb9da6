"""Values in pieces: all of them, in order, and never a large tensor of external data as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from graphkit.analysis.differences import compare
from graphkit.analysis.statistics import measure
from graphkit.errors import ModelError
from graphkit.model import Model, external
from graphkit.model.save import size_of
from graphkit.passes import registry
from tests.model.beside import save_beside

tensors = import_module("graphkit.model.tensors")  # the package has a function of that name
PIECE = 64
SIDE = 32


def model(change: float = 0.0) -> ModelProto:
    """Three MatMuls with weights of one shape, the third the same as the first; `change` is added to the last value."""
    rng = np.random.default_rng(0)
    first = rng.standard_normal([SIDE, SIDE]).astype(np.float32)
    second = first.copy()
    second[-1, -1] += 1 + change
    weights = {"a": first, "b": second, "c": first.copy()}
    nodes = [helper.make_node("MatMul", [left, right], [out]) for left, right, out in ("xap", "pbq", "qcy")]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, SIDE]) for name in "xy"]
    held = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Lengths of what is read of external data, in pieces of 64 values."""
    lengths: list[int] = []
    real = external.read_bytes
    monkeypatch.setattr(tensors, "PIECE", PIECE)

    def read_bytes(place: external.Place) -> bytes:
        lengths.append(place.length)
        return real(place)

    monkeypatch.setattr(external, "read_bytes", read_bytes)
    yield lengths
    assert max(lengths, default=0) <= PIECE * 4


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        (np.float32, 1000),
        (np.float16, 64),
        (np.int64, 65),
        (np.bool_, 129),
        (ml_dtypes.bfloat16, 130),
        (ml_dtypes.int4, 33),
        (np.float32, 0),
    ],
)
def test_all_values_in_order(tmp_path: Path, kind: type, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensors, "PIECE", PIECE)
    values: NDArray[Any] = (np.arange(count) % 7).astype(kind)
    inline = numpy_helper.from_array(values, "t")
    (tmp_path / "w.bin").write_bytes(b"12345678" + inline.raw_data)
    outside = TensorProto(name="t", data_type=inline.data_type, dims=[count], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", "w.bin"), ("offset", "8"), ("length", str(len(inline.raw_data)))):
        outside.external_data.add(key=key, value=value)
    for tensor in (inline, outside):
        pieces = list(tensors.stream_tensor(tensor, tmp_path))
        assert [piece.size for piece in pieces] == [min(PIECE, count - at) for at in range(0, max(count, 1), PIECE)]
        np.testing.assert_array_equal(np.concatenate(pieces), values)
        assert {piece.dtype for piece in pieces} == {np.dtype(kind)}


def test_a_file_that_is_cut_off_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensors, "PIECE", PIECE)
    path = save_beside(model(), tmp_path)
    loaded = Model.load(path)
    pieces = loaded.stream(loaded.proto().graph.initializer[0])
    next(pieces)
    next(iter(loaded.data_files.values())).write_bytes(b"")
    with pytest.raises(ModelError, match="was cut off while it was read; copy it again"):
        list(pieces)


def test_inspect_finds_duplicates_in_pieces(tmp_path: Path, reads: list[int]) -> None:
    found = measure(Model.load(save_beside(model(), tmp_path)))
    assert [item.names for item in found.findings if item.kind == "duplicate-constants"] == [("c",)]
    assert sum(reads) == 3 * SIDE * SIDE * 4


def test_deduplicate_constants_reads_pieces(tmp_path: Path, reads: list[int]) -> None:
    loaded = Model.load(save_beside(model(), tmp_path))
    assert registry().get("deduplicate-constants")().run(loaded).rewrites == 1
    assert [list(node.input) for node in loaded.proto().graph.node] == [["x", "a"], ["p", "b"], ["q", "a"]]
    assert len(reads) > 3


def test_diff_reads_pieces_and_says_how_far_apart(tmp_path: Path, reads: list[int]) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    one = Model.load(save_beside(model(), tmp_path / "one"))
    other = Model.load(save_beside(model(2.0), tmp_path / "other"))
    assert compare(one, one).equal
    (node,) = compare(one, other).nodes
    (told,) = node.changes
    assert (told.changed, told.size) == (1, SIDE * SIDE)
    assert told.max_error == pytest.approx(2.0)
    values = one.values(one.proto().graph.initializer[1])
    assert told.relative_l2 == pytest.approx(2.0 / float(np.linalg.norm(values)), rel=1e-6)
    assert len(reads) > 3


@pytest.mark.parametrize("size", [0, 1, 127, 128, 20_000])
def test_the_size_is_that_of_one_message(size: int) -> None:
    proto = model()
    proto.graph.initializer.append(numpy_helper.from_array(np.zeros(size, np.uint8), "n"))
    proto.metadata_props.add(key="k", value="v")
    assert size_of(proto) == len(proto.SerializeToString())
    assert size_of(onnx.ModelProto(ir_version=8)) == 2
