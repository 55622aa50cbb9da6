"""Same graph, other numbers: what counts and what does not."""

import onnx
import pytest

from graphkit.export.structure import same_graph

TEXT = """
<ir_version: 8, opset_import: ["" : 17]>
g (float[1,4] x) => (float[1,4] y)
<float[4] w = {W}, float[1] t = {T}, int64[2] s = {1, 4}>
{
    z = {OP}(x, w)
    u = Add(z, t)
    y = Reshape(u, s)
}
"""


def model(op: str = "Mul", w: str = "{1, 2, 3, 4}", t: str = "{0.25}", shape: str = "{1, 4}") -> onnx.ModelProto:
    text = TEXT.replace("{OP}", op).replace("{W}", w).replace("{T}", t).replace("{1, 4}>", f"{shape}>")
    return onnx.parser.parse_model(text)


def test_itself() -> None:
    assert same_graph(model(), model(), other_weights=False)


def test_a_single_number_may_differ() -> None:
    assert same_graph(model(), model(t="{0.001}"), other_weights=False)


def test_weights_may_differ_only_where_that_is_meant() -> None:
    other = model(w="{4, 3, 2, 1}")
    assert same_graph(model(), other, other_weights=True)
    assert not same_graph(model(), other, other_weights=False)


@pytest.mark.parametrize("other", [{"op": "Sub"}, {"shape": "{4, 1}"}, {"shape": "{-1, 4}"}])
def test_operators_and_whole_numbers_count(other: dict[str, str]) -> None:
    assert not same_graph(model(), model(**other), other_weights=True)


def test_wiring_counts() -> None:
    other = model(op="Sub")
    one = model(op="Sub")
    other.graph.node[0].input[:] = ["w", "x"]
    assert not same_graph(one, other, other_weights=True)


def test_names_do_not_count() -> None:
    other = model()
    other.graph.initializer[0].name = other.graph.node[0].input[1] = "renamed"
    assert same_graph(model(), other, other_weights=False)


def test_an_identity_of_a_weight_is_looked_through() -> None:
    other = model()
    identity = onnx.helper.make_node("Identity", ["w"], ["same"])
    other.graph.node[0].input[1] = "same"
    other.graph.node.insert(0, identity)
    assert same_graph(model(), other, other_weights=False)


def test_an_identity_of_something_else_counts() -> None:
    other = model()
    other.graph.node[0].input[0] = "same"
    other.graph.node.insert(0, onnx.helper.make_node("Identity", ["x"], ["same"]))
    assert not same_graph(model(), other, other_weights=True)
