"""Models really timed."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from graphkit.bench import Budget, Serving, Wanted, bench
from graphkit.bench.inputs import bench_inputs
from graphkit.errors import ModelError, UsageError
from graphkit.model import Model
from graphkit.verify import NotRunnable

pytestmark = pytest.mark.usefixtures("only_what_is_new_is_collected")

SHORT = Budget(rounds=16)


def chain(path: Path, depth: int, shape: list[int | str], op: str = "Conv", inputs: str = "images") -> Path:
    """A chain of convolutions of three channels, padded to keep the size."""
    weights = numpy_helper.from_array(np.full((3, 3, 3, 3), 0.01, np.float32), "w")
    nodes, before = [], inputs
    for index in range(depth):
        after = f"t{index}" if index < depth - 1 else "out"
        nodes.append(helper.make_node("Conv", [before, "w"], [after], pads=[1, 1, 1, 1]))
        before = after
    if op != "Conv":
        nodes[-1] = helper.make_node(op, [nodes[-1].input[0]], ["out"])
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in (inputs, "out")]
    graph = helper.make_graph(nodes, "chain", info[:1], info[1:], [weights])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_more_work_takes_longer_and_the_operators_say_why(tmp_path: Path) -> None:
    short = chain(tmp_path / "short.onnx", 4, [1, 3, 160, 160])
    long = chain(tmp_path / "long.onnx", 16, [1, 3, 160, 160], "Erf")
    report = bench([short, long, short], Wanted(Serving(threads=1), SHORT))
    assert [item.label for item in report.models] == ["A", "B", "C"]
    assert [item.given for item in report.models] == ["images [1,3,160,160] float32"] * 3
    assert (report.loads, report.rounds) == (8, 16)
    slower, same = report.ratios
    assert slower.differs
    assert slower.low > 1.5
    assert same.ratio < slower.low
    for item in report.models:
        assert 0 < item.median <= (item.p90 or 0)
        assert (item.p99 is None) == (item.runs < 100)
    first, second, _ = report.profiles
    assert {item.op: item.calls for item in first.operators if item.op == "Conv"} == {"Conv": 4}
    assert {item.op: item.calls for item in second.operators if item.op in ("Conv", "Erf")} == {"Conv": 15, "Erf": 1}
    only = {item.op: item.only for item in second.changes if item.only}
    assert only["Erf"] == "B"
    assert first.changes == ()
    assert report.to_dict()["ratios"][0]["differs"] is True


def test_one_model_alone(tmp_path: Path) -> None:
    report = bench([chain(tmp_path / "m.onnx", 2, [1, 3, 32, 32])], Wanted(budget=SHORT, profile=False))
    assert (len(report.models), report.ratios, report.profiles) == (1, (), ())
    assert report.models[0].images_per_second > 0


def test_what_a_model_leaves_open_follows_the_others_and_the_options(tmp_path: Path) -> None:
    fixed = Model.load(chain(tmp_path / "fixed.onnx", 1, [2, 3, 96, 64]))
    free = Model.load(chain(tmp_path / "free.onnx", 1, ["b", 3, "h", "w"]))
    both = bench_inputs([fixed, free], None, None, [], 0)
    assert [item.given for item in both] == ["images [2,3,96,64] float32"] * 2
    assert np.array_equal(both[0].feeds[0].inputs["images"], both[1].feeds[0].inputs["images"])
    alone = bench_inputs([free], None, None, [], 0)[0]
    assert (alone.batch, alone.size) == (1, (640, 640))
    asked = bench_inputs([free], 4, (32, 96), [], 0)[0]
    assert asked.given == "images [4,3,32,96] float32"
    free.set_metadata({"imgsz": "[128, 160]"})
    assert bench_inputs([free], None, None, [], 0)[0].size == (128, 160)


def test_other_work_is_said(tmp_path: Path) -> None:
    small = chain(tmp_path / "small.onnx", 1, [1, 3, 32, 32])
    large = chain(tmp_path / "large.onnx", 1, [2, 3, 64, 64])
    notes = " ".join(bench([small, large], Wanted(budget=SHORT, profile=False)).notes)
    assert "not given the same work: they take pictures of 32 × 32, 64 × 64" in notes
    assert "batches differ" in notes


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted(batch=3), "fixed.onnx takes batches of 2 only, not 3"),
        (Wanted(size=(64, 64)), "takes pictures of 96 × 64 only (height × width), not 64 × 64"),
        (Wanted(Serving(providers=("NoSuchExecutionProvider",))), "has no NoSuchExecutionProvider"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, wanted: Wanted, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        bench([chain(tmp_path / "fixed.onnx", 1, [2, 3, 96, 64])], wanted)
    assert said in str(caught.value)


def test_files_that_cannot_be_timed(tmp_path: Path) -> None:
    (tmp_path / "weights.pt").write_bytes(b"PK")
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    plugin = tmp_path / "plugin.onnx"
    chain(plugin, 1, [1, 3, 32, 32])
    proto = onnx.load(plugin)
    proto.graph.node.append(helper.make_node("EfficientNMS_TRT", ["out"], ["n"], domain="TRT"))
    onnx.save(proto, plugin)
    unknown = tmp_path / "unknown.onnx"
    chain(unknown, 2, [1, 3, 32, 32], "NoSuchOp")
    for path, kind, said in (
        (tmp_path / "weights.pt", UsageError, "graphkit export"),
        (tmp_path / "none.onnx", UsageError, "does not exist"),
        (tmp_path / "broken.onnx", ModelError, "broken.onnx"),
        (plugin, UsageError, "TensorRT only"),
        (unknown, NotRunnable, "unknown.onnx cannot be timed: onnxruntime does not know the operator NoSuchOp"),
    ):
        with pytest.raises(kind) as caught:
            bench([path], Wanted(budget=SHORT))
        assert said in str(caught.value)


def test_a_model_that_loads_and_does_not_run_says_on_what(tmp_path: Path) -> None:
    path = chain(tmp_path / "m.onnx", 1, [1, 3, "h", "w"])
    proto = onnx.load(path)
    proto.graph.node.append(helper.make_node("Reshape", ["out", "to"], ["flat"]))
    proto.graph.initializer.append(numpy_helper.from_array(np.array([7], np.int64), "to"))
    proto.graph.output.append(helper.make_tensor_value_info("flat", TensorProto.FLOAT, [7]))
    onnx.save(proto, path)
    with pytest.raises(NotRunnable, match=r'm\.onnx cannot be run on "noise \(seed 0\)"'):
        bench([path], Wanted(budget=SHORT))
