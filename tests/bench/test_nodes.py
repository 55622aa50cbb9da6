"""Times by the nodes of the model that was given, whatever onnxruntime makes of it."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from graphkit.bench import Serving, time_nodes
from graphkit.bench.operators import outermost
from graphkit.bench.tracing import Group, tagged, trace
from graphkit.model import Model
from tests.bench.test_operators import node


def graph(nodes: list[onnx.NodeProto], inputs: list[str], outputs: list[str], constants: int = 0) -> onnx.GraphProto:
    def values(names: list[str]) -> list[onnx.ValueInfoProto]:
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 8, 16, 16]) for name in names]

    weights = [numpy_helper.from_array(np.ones((8, 8, 3, 3), np.float32) / 72, f"w{n}") for n in range(constants)]
    return helper.make_graph(nodes, "g", values(inputs), values(outputs), weights)


def model(made: onnx.GraphProto) -> Model:
    return Model(helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9))


def op(kind: str, reads: str, makes: str, name: str = "", **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, reads.split(), makes.split(), name, **attributes)


def silu(reads: str, stem: str, weight: str) -> list[onnx.NodeProto]:
    return [
        op("Conv", f"{reads} {weight}", f"{stem}c", f"{stem}/conv", pads=[1, 1, 1, 1]),
        op("Sigmoid", f"{stem}c", f"{stem}s", f"{stem}/gate"),
        op("Mul", f"{stem}c {stem}s", f"{stem}y", f"{stem}/mul"),
    ]


def test_fused_nodes_share_a_time_and_every_other_has_its_own() -> None:
    nodes = [*silu("x", "a", "w0"), *silu("ay", "b", "w1"), op("Relu", "by", "r"), op("Add", "ay r", "y", "sum")]
    found = time_nodes(model(graph(nodes, ["x"], ["y"], 2)), Serving(threads=1), runs=2)
    keys = sorted(key for item in found.times for key in item.nodes)
    assert keys == sorted(["a/conv", "a/gate", "a/mul", "b/conv", "b/gate", "b/mul", "Relu → r", "sum"])
    fused = next(item for item in found.times if "a/gate" in item.nodes)
    assert {"a/gate", "a/mul"} <= set(fused.nodes)
    assert fused.ran != ("Sigmoid",)
    assert all(item.milliseconds >= 0 for item in found.times)
    assert found.milliseconds == pytest.approx(found.added + sum(item.milliseconds for item in found.times))
    assert found.runs == 6
    assert "1 thread" in found.runtime
    assert found.given == "x [1,8,16,16] float32, noise (seed 0)"


def test_without_optimisation_every_node_is_run_as_it_is() -> None:
    nodes = [*silu("x", "a", "w0"), op("Relu", "ay", "y", "last")]
    found = time_nodes(model(graph(nodes, ["x"], ["y"], 1)), Serving(optimise="off"), runs=2)
    assert [item.nodes for item in found.times] == [("a/conv",), ("a/gate",), ("a/mul",), ("last",)]
    assert [item.ran for item in found.times] == [("Conv",), ("Sigmoid",), ("Mul",), ("Relu",)]
    assert found.added == 0


def test_what_is_folded_or_merged_takes_no_time() -> None:
    nodes = [
        op("Relu", "w0", "folded", "constant"),
        op("Conv", "x folded", "c", "conv", pads=[1, 1, 1, 1]),
        op("Exp", "c", "e1", "first"),
        op("Exp", "c", "e2", "twin"),
        op("Add", "e1 e2", "y", "sum"),
    ]
    found = time_nodes(model(graph(nodes, ["x"], ["y"], 1)), runs=2)
    keys = [key for item in found.times for key in item.nodes]
    assert "constant" not in keys
    assert len({"first", "twin"} & set(keys)) == 1
    assert next(item for item in found.times if "sum" in item.nodes).nodes == ("sum",)


def test_a_body_counts_for_the_node_that_holds_it() -> None:
    inner = helper.make_graph(
        [op("Exp", "x", "i", "inner")], "then", [], [helper.make_tensor_value_info("i", TensorProto.FLOAT, None)]
    )
    nodes = [
        op("ReduceSum", "x", "total", keepdims=0),
        op("Cast", "total", "flag", to=TensorProto.BOOL),
        op("If", "flag", "y", "choose", then_branch=inner, else_branch=inner),
    ]
    keys = [key for item in time_nodes(model(graph(nodes, ["x"], ["y"])), runs=2).times for key in item.nodes]
    assert "choose" in keys
    assert "inner" not in keys
    events = [node("If", 0, 100), node("Exp", 10, 40), node("Exp", 60, 40), node("Add", 100, 5)]
    assert [event["args"]["op_name"] for event in outermost(events)] == ["If", "Add"]


def test_the_model_is_not_changed_and_tags_are_in_no_name() -> None:
    given = model(graph([op("Relu", "x", "gk0.", "gkk"), op("Exp", "gk0.", "y")], ["x"], ["y"]))
    before = given.proto().SerializeToString()
    made, tag = tagged(given.proto())
    assert tag == "gkkk"
    assert [item.name for item in made.graph.node] == ["gkkk0.", "gkkk1."]
    assert given.proto().SerializeToString() == before


def test_layouts_and_shapes_that_are_put_behind_belong_to_what_they_are_of() -> None:
    before = graph(
        [op("MatMul", "x w", "m", "t0."), op("Add", "m b", "s", "t1."), op("Relu", "s", "y", "t2.")], ["x"], ["y"]
    )
    after = graph(
        [
            op("Reshape", "x shape", "flat", "in"),
            op("Gemm", "flat w b", "product", "t0./MatMulAddFusion"),
            op("Reshape", "product shape2", "s", "out"),
            op("Relu", "s", "y", "t2."),
        ],
        ["x"],
        ["y"],
    )
    assert trace(before, after, "t", set()) == [Group((0, 1), ("t0./MatMulAddFusion", "out")), Group((2,), ("t2.",))]


def test_a_convolution_in_blocked_layout_is_found_by_its_tensor() -> None:
    before = graph(
        [op("Conv", "x w", "c", "t0."), op("Sigmoid", "c", "s", "t1."), op("Mul", "c s", "y", "t2.")], ["x"], ["y"]
    )
    after = graph(
        [
            op("Conv", "x r", "r0", "c_nchwc"),
            op("QuickGelu", "r0", "r1", "t2./QuickGeluFusion/"),
            op("ReorderOutput", "r1", "y", "back"),
        ],
        ["x"],
        ["y"],
    )
    assert trace(before, after, "t", set()) == [
        Group((0,), ("c_nchwc",)),
        Group((1, 2), ("t2./QuickGeluFusion/", "back")),
    ]
