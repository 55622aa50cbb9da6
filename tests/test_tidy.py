"""Tidying: dead nodes go, order is restored, subgraphs keep alive what they read."""

from collections.abc import Iterator

import numpy as np
import onnx_graphsurgeon as gs
import pytest
from onnx import parser

from graphkit import tidy as tidying
from graphkit.model import Model
from graphkit.tidy import is_tidy, tidy
from tests.passes.helpers import parse


def graph_of(text: str) -> gs.Graph:
    return Model(parser.parse_model(text)).graph


HEAD = '<ir_version: 8, opset_import: ["" : 17]>\n'


def ops(graph: gs.Graph) -> list[str]:
    return [node.op for node in graph.nodes]


def test_dead_nodes_go_with_what_only_they_need() -> None:
    graph = graph_of(HEAD + "g (float[2] x) => (float[2] y) { y = Relu(x) a = Exp(x) b = Add(a, x) c = Neg(b) }")
    tidy(graph)
    assert ops(graph) == ["Relu"]
    assert [node.op for node in graph.inputs[0].outputs] == ["Relu"]


def test_inputs_and_outputs_stay() -> None:
    graph = graph_of(HEAD + "g (float[2] x, float[2] unused) => (float[2] y, float[2] x) { y = Relu(x) }")
    tidy(graph)
    assert [tensor.name for tensor in graph.inputs] == ["x", "unused"]
    assert [tensor.name for tensor in graph.outputs] == ["y", "x"]


def test_order_is_restored_and_otherwise_kept() -> None:
    graph = graph_of(HEAD + "g (float[2] x) => (float[2] y) { a = Exp(x) b = Neg(x) c = Abs(a) y = Add(c, b) }")
    graph.nodes.reverse()
    tidy(graph)
    assert ops(graph) == ["Neg", "Exp", "Abs", "Add"]


def test_what_a_subgraph_reads_from_outside_is_alive_and_comes_first() -> None:
    graph = graph_of(
        HEAD
        + "g (float[2] x, bool c) => (float[2] y) { a = Exp(x) d = Neg(a)"
        + " y = If (c) <then_branch = t () => (float[2] p) { q = Abs(x) p = Relu(d) },"
        + " else_branch = e () => (float[2] r) { r = Identity(a) }> }"
    )
    graph.nodes.reverse()
    tidy(graph)
    assert ops(graph) == ["Exp", "Neg", "If"]
    assert ops(graph.nodes[2].attrs["then_branch"]) == ["Relu"]


def test_a_cycle_is_left_as_it_stands() -> None:
    a, b = gs.Variable("a", np.float32, [1]), gs.Variable("b", np.float32, [1])
    graph = gs.Graph([gs.Node("Relu", inputs=[a], outputs=[b]), gs.Node("Exp", inputs=[b], outputs=[a])], outputs=[b])
    tidy(graph)
    assert ops(graph) == ["Relu", "Exp"]


@pytest.mark.parametrize("length", [20_000])
def test_long_chains_do_not_recurse(length: int) -> None:
    tensors = [gs.Variable(f"t{i}", np.float32, [1]) for i in range(length + 1)]
    nodes = [gs.Node("Relu", inputs=[tensors[i]], outputs=[tensors[i + 1]]) for i in range(length)]
    graph = gs.Graph(nodes[::-1], inputs=[tensors[0]], outputs=[tensors[-1]])
    tidy(graph)
    assert graph.nodes[0].inputs[0] is tensors[0]
    assert graph.nodes[-1].outputs[0] is tensors[-1]


@pytest.mark.parametrize(
    ("body", "tidied"),
    [
        ("a = Relu(x) y = Neg(a)", True),
        ("a = Relu(x) y = Neg(x)", False),  # dead
        ("y = Neg(a) a = Relu(x)", False),  # out of order
        ("y = Add(x, c)", True),
        ("k = Less(x, x) y = Neg(x)", False),
    ],
)
def test_a_tidy_graph_is_known(body: str, tidied: bool) -> None:
    initializer = "<float c = {1}>" if "c)" in body else ""
    assert is_tidy(parse(f"g (float[2] x) => (float[2] y) {initializer} {{ {body} }}").graph) == tidied


def test_what_nothing_reads_is_not_tidy() -> None:
    assert not is_tidy(parse("g (float[2] x) => (float[2] y) <float c = {1}> { y = Neg(x) }").graph)
    text = """g (float[2] x, bool k) => (float[2] y) <float c = {1}> {
        y = If (k) <then_branch = t () => (float[2] p) { p = Add(x, c) },
                    else_branch = e () => (float[2] q) { DEAD q = Neg(x) }>
    }"""
    assert is_tidy(parse(text.replace("DEAD", "")).graph)
    assert not is_tidy(parse(text.replace("DEAD", "d = Abs(x)")).graph)


def test_dead_twins_go_both() -> None:
    """Nodes that gs takes for equal, as damaged files have them: each is taken off its tensors, not its twin."""
    graph = Model(parse("g (float[2] x) => (float[2] y) { y = Relu(x) }")).graph
    x = graph.inputs[0]
    for _ in range(3):
        graph.nodes.append(gs.Node("Exp", "twin", {}, [x], []))
    graph.nodes[1].inputs.append(x)
    tidy(graph)
    assert ops(graph) == ["Relu"]
    assert [node.op for node in x.outputs] == ["Relu"]


def test_what_stands_before_a_branch_is_not_walked_again_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linear: of 50 Ifs in a row, each of which reads the one before from inside, every node is asked a few times."""
    count = 50
    rows = [
        f"i{n} = If (c) <then_branch = t{n} () => (float[2] p{n}) {{ p{n} = Relu(a{n}) }},"
        f" else_branch = e{n} () => (float[2] q{n}) {{ q{n} = Abs(a{n}) }}> a{n + 1} = Add(i{n}, a{n})"
        for n in range(count)
    ]
    graph = graph_of(
        HEAD + "g (float[2] x, bool c) => (float[2] y) { a0 = Exp(x) " + " ".join(rows) + f" y = Neg(a{count}) }}"
    )
    asked: list[str] = []
    real = tidying._reads

    def reads(node: gs.Node) -> Iterator[gs.Tensor]:
        asked.append(node.op)
        return real(node)

    monkeypatch.setattr(tidying, "_reads", reads)
    tidy(graph)
    assert len(graph.nodes) == 2 * count + 2
    assert (
        len(asked) == 2 * (2 * count + 2) + 2 * 2 * count
    )  # for what is dead and for the order, each in its own graph
