"""Runtimes in processes of their own: what they do to each other and to us."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from graphkit.errors import UsageError
from graphkit.runtimes.runners import (
    Crashed,
    NotInstalled,
    NotLoaded,
    NotMeasurable,
    NotRun,
    Process,
    Runner,
    TimedOut,
    find,
    registry,
    runners,
)

X = np.array([[-1.5, 2.0]], np.float32)
ABS = onnx.parser.parse_model(
    '<ir_version: 8, opset_import: ["" : 17]> g (float[1,2] x) => (float[1,2] y) { y = Abs(x) }'
)
ADD = onnx.parser.parse_model(
    '<ir_version: 8, opset_import: ["" : 17]> g (float[1,2] a, float[1,2] b) => (float[1,2] y) { y = Sub(a, b) }'
)


def fake(choice: str, **options: Any) -> Process:
    return Process("fake", "tests.runtimes.fake_runtime", choice, **options)


def run_fake(choice: str, **options: Any) -> dict[str, Any]:
    with fake(choice, **options) as process:
        return process.run(ABS.SerializeToString(), {"x": X})


def test_a_model_runs() -> None:
    assert run_fake("")["y"].tolist() == [[1.5, 2.0]]


@pytest.mark.parametrize(
    ("choice", "error", "said"),
    [
        ("refuse", NotLoaded, "it has no such operator"),
        ("raise", NotLoaded, "broken in two lines"),
        ("crash loading", Crashed, "SIGSEGV while loading"),
        ("crash running", Crashed, "SIGSEGV while running"),
        ("exit", Crashed, "exit status 3 while loading"),
        ("other types", NotMeasurable, "float8"),
        ("sizes", NotLoaded, r"told {'x': \(1, 2\)}"),
        ("call home", NotRun, "may not use the network"),
        ("grow", NotRun, "allocate"),
        ("cannot be imported", NotInstalled, "no such library"),
    ],
)
def test_what_goes_wrong_is_told(choice: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        run_fake(choice)


def test_a_runtime_that_hangs_is_ended() -> None:
    with fake("hang", timeout=0.5) as process, pytest.raises(TimedOut, match=r"running after 0\.5 s"):
        process.run(ABS.SerializeToString(), {"x": X})


def test_the_next_model_runs_after_a_crash() -> None:
    with fake("crash once") as process:
        assert process.run(ABS.SerializeToString(), {"x": X})["y"][0, 0] == 1.5
        with pytest.raises(Crashed):
            process.run(ABS.SerializeToString(), {"x": X})
        assert process.served == 0
        assert process.run(ABS.SerializeToString(), {"x": X})["y"][0, 0] == 1.5


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_fake("print")["y"].shape == (1, 2)
    assert capfd.readouterr().out == ""


def test_no_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(tmp_path)
    run_fake("litter")
    assert list(tmp_path.iterdir()) == []


VALUES = [
    pytest.param(np.zeros((), np.int64), id="scalar"),
    pytest.param(np.zeros((0, 3), np.float16), id="empty"),
    pytest.param(np.arange(6.0).reshape(2, 3).T, id="not contiguous"),
    pytest.param(np.array(["a", "b"], object), id="strings"),
    pytest.param([np.ones(2, np.float32), np.zeros(1, np.float32)], id="sequence"),
    pytest.param([], id="empty sequence"),
    pytest.param(None, id="no value"),
]


@pytest.mark.parametrize("value", VALUES)
def test_values_arrive_as_they_were(value: Any) -> None:
    with fake("") as process:
        got = process.run(ABS.SerializeToString(), {"z": value})["z"]
    if isinstance(value, np.ndarray):
        assert (got.dtype, got.shape, got.tolist()) == (value.dtype, value.shape, value.tolist())
    else:
        assert str(got) == str(value)


def test_onnxruntime_runs_a_model_given_as_bytes_and_as_a_file(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(ABS.SerializeToString())
    with find("onnxruntime-cpu").process() as process:
        for model in (path, path.read_bytes()):
            assert process.run(model, {"x": X})["y"].tolist() == [[1.5, 2.0]]


def test_inputs_can_be_constants() -> None:
    values = {"a": X, "b": np.ones((1, 2), np.float32)}
    for constant in ((), ("b",), ("a",), ("a", "b")):
        got = find("onnxruntime-cpu").run(ADD.SerializeToString(), values, constant)
        assert got["y"].tolist() == [[-2.5, 1.0]]
    with pytest.raises(NotMeasurable, match='"b" is no tensor'):
        find("onnxruntime-cpu").run(ADD.SerializeToString(), {"a": X, "b": [X]}, ("b",))


def test_what_onnxruntime_says_is_told_without_its_paths() -> None:
    model = onnx.ModelProto()
    model.CopyFrom(ABS)
    model.graph.node[0].op_type = "NoSuchOperator"
    with pytest.raises(NotLoaded) as error:
        find("onnxruntime-cpu").run(model.SerializeToString(), {"x": X})
    assert "NoSuchOperator" in error.value.reason
    assert "/" not in error.value.reason.replace("function/op", "")


def test_types_that_numpy_lacks_are_not_measured() -> None:
    kind = onnx.TensorProto.BFLOAT16
    infos = [onnx.helper.make_tensor_value_info(name, kind, [2]) for name in "xy"]
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    graph = onnx.helper.make_graph([node], "g", infos[:1], infos[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    with pytest.raises(NotMeasurable, match="bfloat16"):
        find("onnxruntime-cpu").run(model.SerializeToString(), {"x": np.zeros(2, np.float32)})


def test_names() -> None:
    names = [item.name for item in runners()]
    assert len(names) == len(set(names))
    assert find("OpenVINO").name == "openvino"
    assert find("openvino@2026.4").name == "openvino"
    with pytest.raises(UsageError, match='no models can be run in "openvin"; did you mean "openvino"'):
        find("openvin")
    with pytest.raises(UsageError, match="tensorrt"):
        find("")


def test_what_is_not_installed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_version", lambda name: None)
    assert find("ncnn").installed() is None
    with pytest.raises(
        NotInstalled, match=r"pip install ncnn pnnx, or with others: pip install 'onnx-graphkit\[runtimes\]'"
    ):
        find("ncnn").required()
    with pytest.raises(NotInstalled):
        find("ncnn").process()


def test_distributions_over_each_other_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"opencv-python": "4.11.0.86", "opencv-python-headless": "5.0.0.93"}
    monkeypatch.setattr(registry, "_version", versions.get)
    version, why = find("opencv").version()
    assert version is None
    assert "opencv-python-headless 5.0.0.93 and opencv-python 4.11.0.86 are installed over each other" in why


def test_a_provider_that_is_not_there() -> None:
    version, why = find("onnxruntime-qnn").version()
    assert version is None
    assert "no QNNExecutionProvider" in why
    with pytest.raises(NotInstalled, match=r"pip install onnxruntime-qnn$"):
        find("onnxruntime-qnn").required()


@pytest.mark.parametrize("runner", [item for item in runners() if not item.name.startswith("onnxruntime")], ids=str)
def test_every_installed_runtime_computes(runner: Runner) -> None:
    if runner.installed() is None:
        pytest.skip(f"{runner.name} is not installed")
    value = np.linspace(-2, 2, 48, dtype=np.float32).reshape(1, 3, 4, 4)
    text = '<ir_version: 8, opset_import: ["" : 17]> g (float[1,3,4,4] x) => (float[1,3,4,4] y) { y = Sigmoid(x) }'
    model = onnx.parser.parse_model(text)
    with runner.process(timeout=60) as process:
        got = process.run(model.SerializeToString(), {"x": value})
    assert list(got) == ["y"]
    np.testing.assert_allclose(got["y"].reshape(value.shape), 1 / (1 + np.exp(-value)), rtol=1e-3, atol=1e-4)
