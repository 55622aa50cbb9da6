"""Where two models part: planted errors, right rewriting beside them, and what cannot be run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from graphkit.bisect import Bisection, Culprit, Inputs, bisect, bisecting, in_pieces
from graphkit.bisect.measuring import distance
from graphkit.bisect.running import Walk
from graphkit.demo import demo_detector
from graphkit.model import Model
from graphkit.pipeline import Settings, parse_pipeline, run_pipeline
from graphkit.verify import Feed, run_model

Change = Callable[[onnx.ModelProto], None]
PICTURE = np.random.default_rng(0).random((1, 3, 320, 320), np.float32)
MIDDLE = "/model.12/cv1/conv/Conv"


def detector(*changes: Change) -> Model:
    proto = onnx.load_from_string(demo_detector())
    for change in changes:
        change(proto)
    return Model(proto)


def looked(left: Model, right: Model, tolerance: float = 1e-4) -> Bisection:
    name = left.proto().graph.input[0].name
    return bisect(left, right, Inputs("noise", {name: PICTURE}, {name: PICTURE}), tolerance)


def the_one(found: Bisection) -> Culprit:
    (culprit,) = found.culprits
    return culprit


def node(proto: onnx.ModelProto, name: str) -> onnx.NodeProto:
    (found,) = (item for item in proto.graph.node if item.name == name)
    assert isinstance(found, onnx.NodeProto)
    return found


def weights(where: str, factor: float) -> Change:
    def change(proto: onnx.ModelProto) -> None:
        name = node(proto, where).input[1]
        tensor = next(item for item in proto.graph.initializer if item.name == name)
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * np.float32(factor), name))

    return change


def operator(where: str, op: str) -> Change:
    def change(proto: onnx.ModelProto) -> None:
        node(proto, where).op_type = op

    return change


def swapped(where: str) -> Change:
    def change(proto: onnx.ModelProto) -> None:
        item = node(proto, where)
        item.input[0], item.input[1] = item.input[1], item.input[0]

    return change


def padding(proto: onnx.ModelProto) -> None:
    item = next(part for part in node(proto, "/model.3/conv/Conv").attribute if part.name == "pads")
    item.ints[:] = [2, 1, 0, 1]


PLANTS = {
    "a weight": (weights(MIDDLE, 1.01), MIDDLE, "constant"),
    "an operator": (operator("/model.6/cv1/act/Sigmoid", "Tanh"), "/model.6/cv1/act/Sigmoid", "operator"),
    "a wire": (swapped("/model.15/Concat"), "/model.15/Concat", "input"),
    "an attribute": (padding, "/model.3/conv/Conv", "attribute"),
}


@pytest.mark.parametrize(("change", "where", "kind"), PLANTS.values(), ids=list(PLANTS))
def test_a_planted_error_is_named(change: Change, where: str, kind: str) -> None:
    found = looked(detector(), detector(change))
    culprit = the_one(found)
    assert (culprit.kind, culprit.reaches, culprit.origin) == ("node", True, True)
    assert [item.label for item in culprit.left] == [item.label for item in culprit.right] == [where]
    assert {item.kind for _, item in culprit.differences} == {kind}
    assert culprit.before == 0
    assert culprit.at > 1e-4
    assert found.matched == found.left_nodes == 239
    assert found.equal == 238


def test_the_same_model() -> None:
    found = looked(detector(), detector())
    assert found.culprits == ()
    assert (found.vanished, found.compared, found.equal, found.unmatched) == (0, 248, 239, ())


def rewritten(model: Model, *steps: str) -> Model:
    lines = "".join(f"  - {step}\n" for step in steps)
    pipeline = parse_pipeline(f"version: 1\npasses:\n{lines}", "test")
    return run_pipeline(pipeline, model, Settings(verify=False)).model


@pytest.mark.parametrize(
    "steps",
    [
        ("to-float16",),
        pytest.param(("simplify", "pin-opset: 11"), marks=pytest.mark.slow),
        pytest.param(("embed-nms: {backend: onnx}",), marks=pytest.mark.slow),
        pytest.param(("split-head: {cut: raw}",), marks=pytest.mark.slow),
    ],
)
def test_through_right_rewriting(steps: tuple[str, ...]) -> None:
    right = rewritten(detector(operator("/model.12/cv1/act/Sigmoid", "Tanh")), *steps)
    culprit = looked(detector(), right, 2e-2).culprits[0]
    assert [item.label for item in culprit.left] == ["/model.12/cv1/act/Sigmoid"]
    assert culprit.reaches
    assert ("operator", "Sigmoid", "Tanh") in {(item.kind, item.left, item.right) for _, item in culprit.differences}


def floats(*values: float) -> NDArray[Any]:
    return np.array(values, np.float32)


def small(nodes: list[onnx.NodeProto], constants: dict[str, NDArray[Any]] | None = None, width: int = 4) -> Model:
    stored = [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()]
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, width]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "g", info[:1], info[1:], stored)
    return Model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8))


def make(op: str, read: str, made: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, read.split(), made.split(), **attributes)


SMALL = np.linspace(0.5, 2, 8, dtype=np.float32).reshape(2, 4)


def parted(left: Model, right: Model, tolerance: float = 1e-4) -> Bisection:
    return bisect(left, right, Inputs("line", {"x": SMALL}, {"x": SMALL}), tolerance)


def test_a_difference_that_vanishes_is_not_the_answer() -> None:
    def chain(cut: float, factor: float) -> Model:
        nodes = [make("Sub", "x big", "a"), make("Relu", "a", "b"), make("Add", "b x", "c"), make("Mul", "c f", "y")]
        return small(nodes, {"big": floats(cut), "f": floats(factor)})

    found = parted(chain(10, 2), chain(20, 3))
    assert found.vanished == 1
    assert [item.label for item in the_one(found).left] == ["Mul → y"]
    alone = parted(chain(10, 2), chain(20, 2))
    assert alone.vanished == 1
    assert the_one(alone).reaches is False


def test_two_errors_are_two_places_in_order() -> None:
    def fork(first: str, second: str) -> Model:
        return small([make(second, "x", "b"), make(first, "x", "a"), make("Add", "a b", "y")])

    found = parted(fork("Exp", "Tanh"), fork("Sin", "Cos"))
    assert [(item.left[0].op, item.right[0].op) for item in found.culprits] == [("Tanh", "Cos"), ("Exp", "Sin")]


def test_what_rewriting_moved_into_other_constants() -> None:
    """A factor folded into the weights: the MatMul differs and what reads both does not; a Neg behind it is wrong."""
    weight = np.arange(1, 17, dtype=np.float32).reshape(4, 4)
    left = small(
        [make("MatMul", "x w", "a"), make("Mul", "a two", "b"), make("Sqrt", "b", "c"), make("Neg", "c", "y")],
        {"w": weight, "two": floats(2)},
    )
    right = small([make("MatMul", "x w", "a"), make("Sqrt", "a", "c"), make("Abs", "c", "y")], {"w": weight * 2})
    found = parted(left, right)
    assert found.vanished == 1
    assert [item.op for item in the_one(found).right] == ["Abs"]


def test_an_error_that_larger_numbers_hide() -> None:
    def joined(factor: float) -> Model:
        nodes = [make("Mul", "x f", "s"), make("Mul", "x big", "p"), make("Add", "s p", "y")]
        return small(nodes, {"f": floats(factor), "big": floats(1e4)})

    culprit = the_one(parted(joined(1), joined(1.01)))
    assert culprit.reaches
    assert [item.label for item in culprit.left] == ["Mul → s"]


def test_a_small_error_that_grows() -> None:
    """At 1000 + x, 0.02 more is 2e-5 of it; what takes the 1000 away again makes it a hundredth."""

    def chain(added: float) -> Model:
        nodes = [make("Add", "x big", "a"), make("Relu", "a", "r"), make("Sub", "r away", "y")]
        return small(nodes, {"big": floats(1000 + added), "away": floats(1000)})

    culprit = the_one(parted(chain(0), chain(0.02)))
    assert [item.label for item in culprit.left] == ["Add → a"]
    assert culprit.differences[0][1].max_error == pytest.approx(0.02, rel=1e-2)


def test_bit_by_bit() -> None:
    def chain(factor: float) -> Model:
        return small([make("Exp", "x", "a"), make("Mul", "a f", "y")], {"f": floats(factor)})

    tiny = np.nextafter(np.float32(2), np.float32(3))
    assert [item.label for item in the_one(parted(chain(2), chain(tiny), 0.0)).left] == ["Mul → y"]


def test_a_node_that_cannot_be_run_any_more() -> None:
    def chain(shape: list[int]) -> Model:
        nodes = [make("Exp", "x", "a"), make("Reshape", "a s", "b"), make("Neg", "b", "y")]
        return small(nodes, {"s": np.array(shape, np.int64)})

    culprit = the_one(parted(chain([2, 4]), chain([3, 3])))
    assert "cannot run the model" in culprit.problem
    assert [item.op for item in culprit.left] == ["Reshape"]
    assert [item.name for _, item in culprit.differences] == ["shape"]


def test_inputs_that_differ_are_said() -> None:
    model = small([make("Exp", "x", "y")])
    culprit = the_one(bisect(model, model, Inputs("two", {"x": SMALL}, {"x": SMALL * 2})))
    assert (culprit.kind, culprit.left_tensor, culprit.left) == ("input", "x", ())


def test_only_added_nodes_differ() -> None:
    left = small([make("Exp", "x", "y")])
    right = small([make("Exp", "x", "a"), make("Tanh", "a", "b"), make("Sin", "b", "y")])
    culprit = the_one(parted(left, right))
    assert (culprit.kind, culprit.left_count) == ("region", 0 if not culprit.left else 1)
    assert [item.op for item in culprit.right][-2:] == ["Tanh", "Sin"]


def test_inside_a_subgraph() -> None:
    def branching(op: str) -> Model:
        graphs = [
            helper.make_graph(
                [make(name, "x", f"r{place}")],
                f"b{place}",
                [],
                [helper.make_tensor_value_info(f"r{place}", TensorProto.FLOAT, None)],
            )
            for place, name in enumerate((op, "Neg"))
        ]
        nodes = [make("If", "flag", "b", then_branch=graphs[0], else_branch=graphs[1]), make("Abs", "b", "y")]
        return small(nodes, {"flag": np.array(True)})

    culprit = the_one(parted(branching("Exp"), branching("Cosh")))
    assert ("operator", "Exp", "Cosh") in {(item.kind, item.left, item.right) for _, item in culprit.differences}


def test_sequences_are_run_whole() -> None:
    def chain(op: str) -> Model:
        nodes = [
            make("SplitToSequence", "x", "s", axis=0),
            make(op, "x", "a"),
            make("SequenceAt", "s one", "t"),
            make("Add", "t a", "y"),
        ]
        return small(nodes, {"one": np.array(1, np.int64)})

    assert [item.op for item in the_one(parted(chain("Exp"), chain("Sin"))).right] == ["Sin"]


def test_pieces_return_what_the_whole_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    from graphkit.bisect import running

    model, feed = detector(), Feed("noise", {"images": PICTURE})
    monkeypatch.setattr(running, "_NODES", 20)
    found = in_pieces(model)(feed)
    (whole,) = run_model(model, [feed])
    assert list(found) == list(whole)
    assert all(np.array_equal(found[name], whole[name]) for name in whole)


def test_tensors_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is held than the budget and what is still to be read; each node is run once."""
    monkeypatch.setattr(bisecting, "BUDGET", 8 << 20)
    held, nodes = [0], list[tuple[int, int]]()
    run, release = Walk._run, Walk.release

    def counted(walk: Walk, chosen: set[int], wanted: list[str]) -> None:
        nodes.extend((id(walk), index) for index in chosen if not walk._free[index])
        run(walk, chosen, wanted)

    def watched(walk: Walk, names: list[str]) -> None:
        release(walk, names)
        held.append(walk.held)

    monkeypatch.setattr(Walk, "_run", counted)
    monkeypatch.setattr(Walk, "release", watched)
    looked(detector(), detector(weights(MIDDLE, 1.01)))
    assert len(nodes) == len(set(nodes)) == 2 * 239
    assert held[-1] == 0
    assert max(held) < 16 << 20


def test_distances() -> None:
    ones = np.array([3.0, 4.0], np.float32)
    assert distance(ones, ones).relative_l2 == 0
    assert distance(ones, np.array([3.0, 4.5], np.float32)).relative_l2 == pytest.approx(0.1)
    assert distance(ones, ones[None]).problem == "shapes [2] and [1, 2]"
    broken = np.array([np.nan, 4.0], np.float32)
    assert distance(broken, broken).relative_l2 == 0
    assert distance(ones, broken).problem == "NaN or infinity in other places"
    assert distance(np.array([True]), np.array([False])).relative_l2 == 1
    assert np.isinf(distance(ones * 0, ones).relative_l2)
    assert distance(np.array(["a"], object), np.array(["b"], object)).problem == "other strings"


def test_the_first_model_cannot_be_run(tmp_path: Path) -> None:
    lost = small([make("Exp", "x", "a"), helper.make_node("Nowhere", ["a"], ["y"], domain="own")])
    lost.proto().opset_import.append(helper.make_opsetid("own", 1))
    found = parted(lost, lost)
    assert found.culprits == ()
    assert found.notes
    assert "Nowhere" in found.notes[0]
