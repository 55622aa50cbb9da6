"""External data: looked at before it is used, read only when asked for, never outside the folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs
import pytest
from onnx import ModelProto, TensorProto, helper

from graphkit.errors import ModelError, WriteError
from graphkit.model import Model, external
from tests.model.everything import f32, floats, info
from tests.model.test_edit import run

SIZE = 1000
W = np.random.default_rng(3).standard_normal(SIZE).astype(np.float32)
B = np.random.default_rng(4).standard_normal(SIZE).astype(np.float32)
X = np.random.default_rng(5).standard_normal(SIZE).astype(np.float32)


def proto(location: str = "weights.bin", **entries: str) -> ModelProto:
    """y = x * w + b with w and b in one data file; s is small and inline."""
    graph = helper.make_graph(
        [
            helper.make_node("Mul", ["x", "w"], ["m"]),
            helper.make_node("Add", ["m", "b"], ["a"]),
            helper.make_node("Mul", ["a", "s"], ["y"]),
        ],
        "g",
        [info("x", floats(SIZE))],
        [info("y", floats(SIZE))],
    )
    for index, name in enumerate("wb"):
        tensor = graph.initializer.add(
            name=name, data_type=TensorProto.FLOAT, dims=[SIZE], data_location=TensorProto.EXTERNAL
        )
        values = {"location": location, "offset": str(index * 4096), "length": str(SIZE * 4)} | entries
        for key, value in values.items():
            tensor.external_data.add(key=key, value=value)
    graph.initializer.append(onnx.numpy_helper.from_array(f32(2.0), "s"))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def data() -> bytes:
    return W.tobytes() + bytes(96) + B.tobytes()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "weights.bin").write_bytes(data())
    (folder / "model.onnx").write_bytes(proto().SerializeToString())
    return folder / "model.onnx"


def put(path: Path, location: str = "weights.bin", **entries: str) -> Path:
    path.write_bytes(proto(location, **entries).SerializeToString())
    return path


def test_loading_reads_no_data(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def watch(where: external.Place) -> bytes:
        opened.append(where.location)
        return b""

    monkeypatch.setattr(external, "read_bytes", watch)
    monkeypatch.setattr(np, "memmap", watch)
    loaded = Model.load(model)
    loaded.graph.nodes[0].name = "changed"
    loaded.proto()
    loaded.save(model.with_name("other.onnx"))
    assert not opened
    assert loaded.size_bytes == len(loaded.proto().SerializeToString()) + 8000
    assert loaded.has_external_data


def test_values_are_mapped_and_may_be_written_to(model: Path) -> None:
    loaded = Model.load(model)
    constants = {t.name: t for t in loaded.graph.tensors().values() if isinstance(t, gs.Constant)}
    np.testing.assert_array_equal(constants["w"].values, W)
    np.testing.assert_array_equal(loaded.values(loaded.proto().graph.initializer[1]), B)
    assert loaded.proto() == proto()  # read, not changed
    constants["w"].values[:] = 0
    assert (model.parent / "weights.bin").read_bytes() == data()
    changed = loaded.proto().graph.initializer[0]
    assert not external.is_external(changed)
    assert not any(changed.raw_data)


def test_every_type_can_be_external(tmp_path: Path) -> None:
    for kind in TensorProto.DataType.values():
        if kind in (TensorProto.UNDEFINED, TensorProto.STRING):
            continue
        values = np.array([1, 0, 1]).astype(helper.tensor_dtype_to_np_dtype(kind))
        inline = onnx.numpy_helper.from_array(values, "k")
        (tmp_path / "k.bin").write_bytes(b"junk" + inline.raw_data)
        tensor = TensorProto(name="k", data_type=kind, dims=[3], data_location=TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value="k.bin")
        tensor.external_data.add(key="offset", value="4")
        read = external.read(tensor, tmp_path)
        assert read.dtype == values.dtype
        assert str(read.tolist()) == str(values.tolist()), kind
    empty = TensorProto(name="k", data_type=1, dims=[0, 3], data_location=TensorProto.EXTERNAL)
    empty.external_data.add(key="location", value="k.bin")
    assert external.read(empty, tmp_path).shape == (0, 3)


WRONG: list[tuple[str, dict[str, str], str]] = [
    ("missing.bin", {}, r'tensor "w" lies in \'missing.bin\', which is not there'),
    ("../secret.bin", {}, "outside the model's folder"),
    ("sub/../../secret.bin", {}, "outside the model's folder"),
    ("..\\secret.bin", {}, "outside the model's folder"),
    ("C:\\secret.bin", {}, "outside the model's folder"),
    ("/etc/hostname", {}, "outside the model's folder"),
    ("link.bin", {}, "outside the model's folder"),
    ("folder_link/secret.bin", {}, "outside the model's folder"),
    ("/dev/zero", {}, "outside the model's folder"),
    ("null.bin", {}, "outside the model's folder"),
    ("fifo", {}, "is not a regular file"),
    ("sub", {}, "is not a regular file"),
    ("", {}, "names no file"),
    ("we\0ird", {}, "impossible file"),
    ("loop", {}, "cannot be resolved|is not there"),
    ("weights.bin", {"offset": "4200"}, r'tensor "w" needs bytes 4200 to 8200 .* ends after 8096'),
    ("weights.bin", {"offset": str(2**62)}, "ends after 8096"),
    ("weights.bin", {"offset": "-4"}, "offset '-4'.* no number of bytes"),
    ("weights.bin", {"offset": "x"}, "offset 'x'.* no number of bytes"),
    ("weights.bin", {"length": "8"}, "needs 4000 bytes but the model says 8"),
    ("weights.bin", {"length": "-1"}, "no number of bytes"),
]


@pytest.mark.parametrize(("location", "entries", "message"), WRONG)
def test_wrong_external_data_is_refused(
    location: str, entries: dict[str, str], message: str, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.bin").write_bytes(data())
    folder = model.parent
    (folder / "sub").mkdir()
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    (folder / "folder_link").symlink_to(tmp_path)
    (folder / "null.bin").symlink_to("/dev/null")
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "fifo")
    path = put(folder / "bad.onnx", location, **entries)
    with pytest.raises(ModelError, match=message) as caught:
        Model.load(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("kind", [TensorProto.UNDEFINED, TensorProto.STRING])
def test_types_that_cannot_be_external(kind: int, model: Path) -> None:
    changed = proto()
    changed.graph.initializer[0].data_type = kind
    path = model.with_name("other.onnx")
    path.write_bytes(changed.SerializeToString())
    with pytest.raises(ModelError, match=rf'"w" is of type {TensorProto.DataType.Name(kind)}, which cannot lie in a'):
        Model.load(path)


def test_a_link_within_the_folder_is_fine(model: Path) -> None:
    (model.parent / "sub").mkdir()
    (model.parent / "sub" / "link.bin").symlink_to("../weights.bin")
    loaded = Model.load(put(model.parent / "ok.onnx", "sub/link.bin"))
    np.testing.assert_array_equal(loaded.values(loaded.proto().graph.initializer[0]), W)


def test_data_that_went_away_since(model: Path) -> None:
    loaded = Model.load(model)
    w = loaded.graph.nodes[0].inputs[1]
    (model.parent / "weights.bin").unlink()
    with pytest.raises(ModelError, match="which is not there"):
        w.values  # noqa: B018
    with pytest.raises(ModelError, match="has no folder"):
        Model(proto()).values(proto().graph.initializer[0])


def test_onnxruntime_runs_it_from_memory_and_nothing_is_written(model: Path) -> None:
    loaded = Model.load(model)
    before = sorted(model.parent.iterdir())
    np.testing.assert_array_equal(run(loaded, x=X)[0], (X * W + B) * np.float32(2))
    assert sorted(model.parent.iterdir()) == before


def edit(loaded: Model) -> None:
    """A big constant in place of w, a small one in place of s."""
    mul, _, last = loaded.graph.nodes
    mul.inputs[1].values = W * 3
    last.inputs[1].values = f32(4.0)


def check(path: Path) -> ModelProto:
    """Everybody can read it, and it computes what it should."""
    saved = Model.load(path)
    onnx.checker.check_model(str(path))
    np.testing.assert_array_equal(run(saved, x=X)[0], (X * (W * 3) + B) * np.float32(4))
    onnx.load(str(path))
    return saved.proto()


def locations(saved: ModelProto) -> dict[str, str]:
    return {
        t.name: next((e.value for e in t.external_data if e.key == "location"), "") for t in saved.graph.initializer
    }


def test_saved_beside_its_source_it_uses_the_same_data(model: Path) -> None:
    Model.load(model).save(model.with_name("copy.onnx"))
    assert Model.load(model.with_name("copy.onnx")).proto() == proto()
    loaded = Model.load(model)
    edit(loaded)
    loaded.save(model.with_name("out.onnx"))
    assert locations(check(model.with_name("out.onnx"))) == {"w": "out.onnx.data", "b": "weights.bin", "s": ""}
    assert {p.name for p in model.parent.iterdir()} == {
        "model.onnx", "weights.bin", "copy.onnx", "out.onnx", "out.onnx.data",
    }  # fmt: skip


def test_saved_in_place_again_and_again_no_data_file_is_touched(model: Path) -> None:
    first = Model.load(model)
    edit(first)
    for _ in range(2):
        first.save(model)
        assert locations(check(model)) == {"w": "model.onnx.data", "b": "weights.bin", "s": ""}
    before = (model.parent / "model.onnx.data").read_bytes()
    second = Model.load(model)
    second.graph.nodes[0].inputs[1].values = W * 5
    second.save(model)
    assert locations(Model.load(model).proto())["w"] == "model.onnx.1.data"
    assert (model.parent / "model.onnx.data").read_bytes() == before
    assert (model.parent / "weights.bin").read_bytes() == data()
    np.testing.assert_array_equal(run(first, x=X)[0], (X * (W * 3) + B) * np.float32(4))


def test_saved_elsewhere_the_data_comes_along(model: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (model.parent / "sub").mkdir()
    (model.parent / "weights.bin").rename(model.parent / "sub" / "weights.bin")
    loaded = Model.load(put(model, "sub/weights.bin"))
    for _ in range(2):
        loaded.save(target / "m.onnx")
    assert Model.load(target / "m.onnx").proto() == loaded.proto()
    assert (target / "sub" / "weights.bin").read_bytes() == data()
    assert (target / "sub" / "weights.bin").stat().st_nlink == 1  # onnx refuses hard links
    edit(loaded)
    loaded.save(target / "edited.onnx")
    saved = check(target / "edited.onnx")
    assert locations(saved) == {"w": "edited.onnx.data", "b": "sub/weights.bin", "s": ""}


def test_another_file_of_that_name_is_left_alone(model: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "weights.bin").write_bytes(b"somebody else's")
    (target / "m.onnx.data").write_bytes(b"somebody else's too")
    loaded = Model.load(model)
    loaded.save(target / "m.onnx")
    assert locations(Model.load(target / "m.onnx").proto())["w"] == "m.onnx.1.data"
    np.testing.assert_array_equal(run(Model.load(target / "m.onnx"), x=X)[0], (X * W + B) * np.float32(2))
    assert (target / "weights.bin").read_bytes() == b"somebody else's"
    assert (target / "m.onnx.data").read_bytes() == b"somebody else's too"
    assert loaded.proto() == proto()


def test_another_file_of_that_name_and_a_relative_path(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "weights.bin").write_bytes(b"something else")
    monkeypatch.chdir(tmp_path)
    Model.load(model).save("elsewhere/m.onnx")
    saved = Model.load("elsewhere/m.onnx")
    assert set(saved.data_files) == {"m.onnx.data"}
    assert saved.data_files["m.onnx.data"].read_bytes() == data()


def test_a_save_that_fails_takes_its_data_files_back(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graphkit.model import atomic

    target = tmp_path / "target"
    target.mkdir()
    loaded = Model.load(model)
    edit(loaded)

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic, "write", lambda *_: fail())
    with pytest.raises(OSError, match="No space"):
        loaded.save(target / "m.onnx")
    assert not list(target.iterdir())
    monkeypatch.undo()
    (model.parent / "weights.bin").unlink()
    with pytest.raises(WriteError, match="which is not there"):
        loaded.save(target / "m.onnx")
    assert not list(target.iterdir())


def test_over_the_limit_data_goes_out_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the limit lowered; the real one takes gigabytes and is in the slow suite."""
    from graphkit.model import save

    graph = proto().graph
    inline = helper.make_model(
        helper.make_graph(
            graph.node,
            "g",
            graph.input,
            graph.output,
            [
                onnx.numpy_helper.from_array(W, "w"),
                helper.make_tensor("b", TensorProto.FLOAT, [SIZE], B),  # float_data, not raw_data
                onnx.numpy_helper.from_array(f32(2.0), "s"),
            ],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )
    inline.graph.initializer[0].doc_string = "weights"
    model = Model(inline)
    monkeypatch.setattr(save, "LIMIT", 4000)
    model.save(tmp_path / "m.onnx")
    saved = Model.load(tmp_path / "m.onnx")
    assert locations(saved.proto()) == {"w": "m.onnx.data", "b": "m.onnx.data", "s": ""}
    assert saved.proto().graph.initializer[0].doc_string == "weights"
    assert (tmp_path / "m.onnx").stat().st_size < 1000
    np.testing.assert_array_equal(run(saved, x=X)[0], (X * W + B) * np.float32(2))
    onnx.checker.check_model(str(tmp_path / "m.onnx"))
    monkeypatch.setattr(save, "LIMIT", 100)
    with pytest.raises(WriteError, match="without its initializers it still has over 2 GiB"):
        model.save(tmp_path / "n.onnx")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.onnx", "m.onnx.data"]


def test_onnxruntime_gets_a_file_where_memory_cannot_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from graphkit.model import save
    from tests.model.everything import numbers

    model = Model(numbers())
    model.graph.nodes[0].inputs[1] = gs.Constant("big", np.ones((600, 2), np.float32))
    monkeypatch.setattr(save, "LIMIT", 4000)
    source = model.session_source()
    assert isinstance(source.model, str)
    x = np.ones((600, 2), np.float32)
    np.testing.assert_array_equal(run(model, x=x)[0], np.maximum(x + f32(0.5, -0.5), 0))


@pytest.mark.slow
def test_really_over_two_gib(tmp_path: Path) -> None:
    from tests.model.everything import numbers

    model = Model(numbers())
    big = np.zeros((2**28 + 2**20, 2), np.float32)
    big[-1] = 1
    model.graph.nodes[0].inputs[1] = gs.Constant("big", big)
    model.save(tmp_path / "m.onnx")
    saved = Model.load(tmp_path / "m.onnx")
    assert saved.size_bytes > 2**31
    assert saved.graph.nodes[0].inputs[1].values[-1].tolist() == [1.0, 1.0]
