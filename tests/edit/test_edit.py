"""The shared edits: identity decides, and names that have to stay, stay."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnx_graphsurgeon as gs
import pytest

from graphkit import edit


def _graph(text: str) -> gs.Graph:
    return gs.import_onnx(onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]>\n{text}'))


def _node(graph: gs.Graph, output: str) -> gs.Node:
    return next(node for scope in edit.all_graphs(graph) for node in scope.nodes if node.outputs[0].name == output)


def test_describe() -> None:
    graph = _graph("g (float[2] x) => (float[2] y) { y = Relu(x) }")
    assert edit.describe(graph.nodes[0]) == "Relu → y"
    graph.nodes[0].name = "act"
    assert edit.describe(graph.nodes[0]) == "act"
    assert edit.describe(gs.Node("Foo")) == "Foo → no output"


def test_is_output_goes_by_identity() -> None:
    graph = _graph("g (float[2] x) => (float[2] y) { y = Relu(x) }")
    assert edit.is_output(graph, graph.outputs[0])
    assert not edit.is_output(graph, gs.Variable("y"))


def test_replace_uses_counts_inputs_not_nodes() -> None:
    graph = _graph("g (float[2] x) => (float[2] y) { a = Relu(x) b = Add(a, a) y = Mul(a, b) }")
    a = _node(graph, "a").outputs[0]
    assert edit.replace_uses(a, graph.inputs[0]) == 3
    assert [tensor.name for tensor in _node(graph, "b").inputs] == ["x", "x"]
    assert not a.outputs
    assert edit.replace_uses(a, graph.inputs[0]) == 0


def test_builder_names_are_free_and_equal_constants_are_one() -> None:
    graph = _graph("g (float[2] x) => (float[2] y) { y = Relu(x) }")
    graph.nodes[0].name = "p/add"
    builder = edit.Builder(graph, "p")
    out = builder.node("Add", graph.inputs[0], builder.constant(np.ones(2, np.float32)), dtype=np.float32, shape=[2])
    assert (graph.nodes[1].name, out.name, builder.added) == ("p/add_2", "p/add_out", 1)
    assert builder.constant(np.ones(2, np.float32)) is graph.nodes[1].inputs[1]
    assert builder.constant(np.ones(2, np.float64)) is not graph.nodes[1].inputs[1]
    assert builder.constant(np.ones((2, 1), np.float32)) is not graph.nodes[1].inputs[1]


def test_all_graphs_and_operators_enter_subgraphs() -> None:
    text = """g (float[2] x, bool c) => (float[2] y) {
        y = If (c) <then_branch = t () => (float[2] p) { p = Relu(x) },
                    else_branch = e () => (float[2] r) { r = Neg(x) }>
    }"""
    assert [scope.name for scope in edit.all_graphs(_graph(text))] == ["g", "t", "e"] or len(
        list(edit.all_graphs(_graph(text)))
    ) == 3
    proto = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]>\n{text}')
    assert edit.operators(proto) == {"If", "Relu", "Neg"}


def test_overridable() -> None:
    proto = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[1] x, float[1] w) => (float[1] y) '
        "<float[1] w = {1}, float[1] v = {2}> { y = Sum(x, w, v) }"
    )
    assert edit.overridable(proto) == {"w"}


def test_constant_value() -> None:
    graph = _graph(
        "g (float[2] x) => (float[2] y) <float[2] w = {1, 2}> { k = Constant<value "
        "= float[1] {3}>() a = Mul(x, k) y = Add(a, w) }"
    )
    assert edit.constant_value(_node(graph, "y").inputs[1]).tolist() == [1, 2]  # type: ignore[union-attr]
    assert edit.constant_value(_node(graph, "a").inputs[1]).tolist() == [3]  # type: ignore[union-attr]
    assert edit.constant_value(graph.inputs[0]) is None
    for kind in (onnx.TensorProto.BFLOAT16, onnx.TensorProto.INT4, onnx.TensorProto.STRING):
        vals: Any = [b"a", b"b"] if kind == onnx.TensorProto.STRING else [1, 2]
        odd = gs.import_onnx(
            onnx.helper.make_model(
                onnx.helper.make_graph(
                    [onnx.helper.make_node("Identity", ["w"], ["y"])],
                    "g",
                    [],
                    [onnx.helper.make_tensor_value_info("y", kind, [2])],
                    [onnx.helper.make_tensor("w", kind, [2], vals)],
                )
            )
        )
        assert edit.constant_value(odd.nodes[0].inputs[0]) is None


@pytest.mark.parametrize(
    ("text", "output", "reason"),
    [
        ("g (float[2] x) => (float[2] y) { a = Relu(x) b = Identity(a) y = Neg(b) }", "b", None),
        ("g (float[2] x) => (float[2] y) { a = Relu(x) y = Identity(a) }", "y", None),
        ("g (float[2] x) => (float[2] y) { y = Identity(x) }", "y", 'the graph input "x"'),
        ("g (float[2] x) => (float[2] a, float[2] y) { a = Relu(x) y = Identity(a) }", "y", "both graph outputs"),
        ("g (float[2] x) => (float[2] y) { a = Identity(a) y = Relu(x) }", "a", "cycle"),
    ],
)
def test_bypass(text: str, output: str, reason: str | None) -> None:
    graph = _graph(text)
    node = _node(graph, output)
    before = [tensor.name for tensor in graph.outputs]
    verdict = edit.bypass(node, edit.Scopes(graph))
    assert (verdict is None) if reason is None else reason in str(verdict)
    assert [tensor.name for tensor in graph.outputs] == before
    assert bool(node.inputs) == (reason is not None)
    if reason is None:
        assert graph.outputs[0].inputs[0].op in ("Relu", "Neg")


def test_detach_takes_off_that_node_and_not_an_equal_one() -> None:
    # Two nodes without names and outputs are equal to graphsurgeon, which then forgets the wrong one.
    source = gs.Variable("x")
    first, second = gs.Node("Relu", inputs=[source]), gs.Node("Relu", inputs=[source])
    assert first == second
    edit.detach(second)
    assert len(source.outputs) == 1
    assert source.outputs[0] is first
    edit.detach(first)
    assert not source.outputs
    assert not first.inputs
