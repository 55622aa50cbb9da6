"""What is known of a model's nodes: types, shapes, constants, definitions, in subgraphs and functions too."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from graphkit.facts import NodeFacts, survey, survey_body
from graphkit.facts.kinds import tensor_type
from tests.passes.helpers import parse


def surveyed(proto: ModelProto) -> dict[str, NodeFacts]:
    """The facts by the node's first output."""
    nodes = survey(proto, numpy_helper.to_array)
    return {item.name: node for node in nodes if (item := node.outputs[0]) is not None}


def test_a_node() -> None:
    found = surveyed(parse("g (float16[2, n] x) => (float16[2, n] y) { [act] y = LeakyRelu <alpha = 0.5> (x) }"))["y"]
    assert (found.label, found.op, found.domain, found.since, found.opset) == ("act", "LeakyRelu", "", 16, 17)
    assert (found.types, found.attributes, found.place) == ({"T": "float16"}, {"alpha": 0.5}, "")
    tensor = found.input(0)
    assert tensor is not None
    assert (tensor.type, tensor.shape, tensor.rank, tensor.static) == ("float16", (2, "n"), 2, False)
    assert not tensor.constant
    assert found.input(1) is None


def test_defaults_are_filled_in() -> None:
    found = surveyed(parse("g (float[2, 3] x) => (float[2, 3] y) { y = Softmax (x) }"))["y"]
    assert found.attr("axis") == -1
    assert found.attr("nothing", 7) == 7


def test_the_definition_is_that_of_the_opset() -> None:
    text = "g (float[2, 3] x) => (float[2, 3] y) { y = Softmax (x) }"
    assert [surveyed(parse(text, opset=opset))["y"].since for opset in (9, 11, 12, 13, 21)] == [1, 11, 11, 13, 13]
    assert surveyed(parse("g (float[1] x) => (float[1] y) { y = Gelu (x) }", opset=19))["y"].since == 0
    assert surveyed(parse("g (float[1] x) => (float[1] y) { y = Mystery (x) }"))["y"].since == 0


def test_constants_and_what_follows_from_them() -> None:
    text = """g (float[2, 3] x, float[n, 3] z, float[2] i) => (float[2, 3] y, float[n, 3] v)
        <int64[2] w = {3, 2}, float[2] i = {1, 2}> {
        c = Constant <value = int64[1] {1}> () s = Shape (x) g = Gather (s, c) m = Mul (w, w)
        t = Shape (z) y = Reshape (x, m) v = Reshape (z, t) u = Add (i, i) }"""
    found = surveyed(parse(text))
    shape = found["y"].input(1)
    assert shape is not None
    assert shape.value is not None
    assert (shape.constant, shape.folded, shape.value.tolist()) == (False, True, [9, 4])
    weights = found["m"].input(0)
    assert weights is not None
    assert weights.constant
    gathered = found["g"].outputs[0]
    assert gathered is not None
    assert gathered.value is not None
    assert gathered.value.tolist() == [3]
    dynamic, overridable = found["v"].input(1), found["u"].input(0)
    assert dynamic is not None
    assert overridable is not None
    assert (dynamic.folded, overridable.constant, overridable.folded) == (False, False, False)


def test_large_constants_are_not_looked_at() -> None:
    proto = parse("g (float[1] x) => (float[1] y) { y = Add (x, w) }")
    proto.graph.initializer.append(numpy_helper.from_array(np.zeros(100_000, np.float32), "w"))
    weight = surveyed(proto)["y"].input(1)
    assert weight is not None
    assert (weight.constant, weight.folded, weight.value) == (True, True, None)


def test_what_is_inferred_comes_before_what_is_declared() -> None:
    proto = parse("g (float[2, 3] x) => (float[2, 3] y) <float[7] a> { a = Relu (x) y = Relu (a) }")
    tensor = surveyed(proto)["y"].input(0)
    assert tensor is not None
    assert tensor.shape == (2, 3)


def test_shapes_that_onnx_alone_does_not_infer() -> None:
    """A slice of half of a static size, as exporters write it."""
    text = """g (float[1, 4, 8] x) => (float[1, 2, 8] y) <int64[1] one = {1}, int64[1] two = {2}, int64[1] zero = {0}> {
        s = Shape (x) d = Gather (s, one) a = Add (d, one) h = Div (a, two) e = Mul (h, one)
        p = Slice (x, zero, e, one) y = Relu (p) }"""
    tensor = surveyed(parse(text))["y"].input(0)
    assert tensor is not None
    assert tensor.shape == (1, 2, 8)


def test_subgraphs() -> None:
    text = """g (bool c, float[2] x) => (float[2] y) {
        [choose] y = If (c) <
            then_branch = t () => (float[2] p) { p = Neg (x) },
            else_branch = e () => (float[2] q) {
                [inner] q = If (c) < then_branch = tt () => (float[2] r) { r = Exp (x) },
                                     else_branch = ee () => (float[2] s) { s = Erf (x) } > } > }"""
    found = surveyed(parse(text))
    assert [node.op for node in found.values()] == ["If", "Neg", "If", "Exp", "Erf"]
    assert found["p"].place == "then_branch of choose"
    assert found["s"].place == "else_branch of inner, else_branch of choose"
    assert found["s"].types == {"T": "float"}


FUNCTIONS = """<ir_version: 8, opset_import: ["" : 21, "local" : 1]>
    g (double[2] x) => (double[2] y) { [call] y = local.outer <slope = 0.25> (x) }
    <domain: "local", opset_import: ["" : 13, "local" : 1]> outer <slope> (u) => (w) {
        v = local.inner (u) w = LeakyRelu <alpha : float = @slope> (v) }
    <domain: "local", opset_import: ["" : 17]> inner (u) => (v) { v = Relu (u) }"""


def test_functions_stand_in_place_of_their_calls() -> None:
    found = survey(onnx.parser.parse_model(FUNCTIONS), numpy_helper.to_array)
    assert [(node.op, node.opset, node.since, node.types) for node in found] == [
        ("Relu", 17, 14, {"T": "double"}),
        ("LeakyRelu", 13, 6, {"T": "double"}),
    ]
    assert found[1].attr("alpha") == 0.25
    assert found[0].place.startswith("function inner, called by ")
    assert found[0].place.endswith("function outer, called by call")


@pytest.mark.parametrize("kind", ["value_float", "value_int", "value_floats", "value"])
def test_a_caller_that_gives_a_function_another_type_than_it_takes(kind: str) -> None:
    """The attribute of a function has no type; only its value can be wrong."""
    text = f"""<ir_version: 8, opset_import: ["" : 17, "local" : 1]>
        g (float[2] x) => (float[2] y) {{ y = local.f <alpha = "text"> (x) }}
        <domain: "local", opset_import: ["" : 17]> f <alpha> (u) => (v) {{
            k = Constant <{kind} : {"tensor" if kind == "value" else kind[6:]} = @alpha> () v = Mul (u, k) }}"""
    found = survey(onnx.parser.parse_model(text), numpy_helper.to_array)
    assert [node.op for node in found] == ["Constant", "Mul"]
    factor = found[1].input(1)
    assert factor is not None
    assert factor.value is None


def test_functions_that_call_each_other_end() -> None:
    text = """<ir_version: 8, opset_import: ["" : 17, "local" : 1]>
        g (float[2] x) => (float[2] y) { y = local.f (x) }
        <domain: "local", opset_import: ["" : 17, "local" : 1]> f (u) => (v) { w = Relu (u) v = local.f (w) }"""
    found = survey(onnx.parser.parse_model(text), numpy_helper.to_array)
    assert {node.op for node in found} == {"Relu", "f"}
    assert len(found) < 40


def test_bodies() -> None:
    """Of an operator with a body in onnx.defs, in the operators of the model's opset where it is built for the node."""
    plain = surveyed(parse("g (float[2] x) => (float[2] y) { y = HardSwish (x) }", opset=21))["y"]
    assert plain.expandable
    assert [(item.op, item.opset) for item in survey_body(plain)] == [("HardSigmoid", 14), ("Mul", 14)]
    assert survey_body(plain)[0].types == {"T": "float"}
    for opset in (13, 21):
        text = "g (float[2, 3] x) => (float[2, 3] y) { y = Softmax (x) }"
        built = survey_body(surveyed(parse(text, opset=opset))["y"])
        assert {item.opset for item in built} == {opset}
        assert "ReduceSum" in {item.op for item in built}
        assert all(item.since for item in built)
    assert survey_body(surveyed(parse("g (float[2] x) => (float[2] y) { y = Relu (x) }", opset=13))["y"]) == []


def test_a_body_that_depends_on_types_that_are_not_known() -> None:
    proto = parse("g (float[2, 3] x) => (float[2, 3] y) { a = other.Thing (x) y = Softmax (a) }", more=', "other" : 1')
    proto.graph.output[0].ClearField("type")
    assert survey_body(surveyed(proto)["y"]) == []


@pytest.mark.parametrize("what", ["no types", "no opset", "circle", "twice", "unnamed", "shape of a lie"])
def test_of_a_broken_model_little_is_known(what: str) -> None:
    proto = parse("g (float[2, 3] x) => (float[2, 3] y) { a = Relu (x) b = Add (a, x) y = Relu (b) }")
    nodes = proto.graph.node
    if what == "no types":
        proto.graph.input[0].ClearField("type")
    elif what == "no opset":
        del proto.opset_import[:]
    elif what == "circle":
        nodes[0].input[0] = "b"
    elif what == "twice":
        nodes[1].output[0] = "a"
    elif what == "unnamed":
        nodes[1].output[0] = nodes[2].input[0] = ""
    else:
        proto.graph.initializer.append(helper.make_tensor("a", TensorProto.FLOAT, [2], [1.0, 2.0]))
    assert [node.op for node in survey(proto, numpy_helper.to_array)] == ["Relu", "Add", "Relu"]


def test_an_if_is_of_the_types_that_its_branches_return(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where onnx infers nothing of the whole model: of one node it does not know what branches take from around it."""

    def failing(*_: object, **__: object) -> ModelProto:
        raise RuntimeError

    monkeypatch.setattr(onnx.shape_inference, "infer_shapes", failing)
    proto = parse("""g (float16[2] x, bool c) => (float16[2] y) {
        i = If (c) < then_branch = t () => (p) { p = Exp (x) }, else_branch = e () => (q) { q = Mystery (x) }>
        y = Neg (i) }""")
    found = surveyed(proto)["y"].input(0)
    assert found is not None
    assert (found.type, found.shape) == ("float16", None)


def test_a_size_that_onnx_cannot_say_is_unknown() -> None:
    dims = tensor_type(TensorProto.FLOAT, (2**63 - 1, 2**63, "N", None)).tensor_type.shape.dim
    assert [dim.WhichOneof("value") for dim in dims] == ["dim_value", None, "dim_param", None]


def test_a_shape_of_billions_of_numbers_is_no_rank() -> None:
    """Declared by a hostile file; the rank of the output stays unknown, and nothing of that size is made."""
    proto = parse("g (float[2] x, int64[4000000000] s) => (float y) { a = Reshape(x, s) y = Identity(a) }")
    assert surveyed(proto)["y"].inputs[0] is not None
    output = surveyed(proto)["a"].outputs[0]
    assert output is not None
    assert output.shape is None
