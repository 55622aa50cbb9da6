"""Functions of the model are converted in place, with the types that they are called with."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from graphkit.model import Model
from graphkit.passes.opset import convert
from graphkit.passes.pin_opset import PinOpset
from tests.passes.helpers import parse
from tests.passes.opset.pinning import assert_same, pin, refused


def model(graph: str, *functions: str, opset: int = 18) -> onnx.ModelProto:
    """A model and its functions, all of domain f."""
    proto = parse(graph, opset, more=', "f" : 1')
    for text in functions:
        head = "" if text.startswith("<") else f'<domain: "f", opset_import: ["" : {opset}, "f" : 1]>\n'
        proto.functions.append(onnx.parser.parse_function(head + text))
    return proto


HALVES = "F (p) => (q) { q, r = Split<axis = 0, num_outputs = 2>(p) }"
RELU = "F (p) => (q) { q = Relu(p) }"


@pytest.mark.parametrize("target", [9, 11, 13, 17, 21])
def test_converted_in_place(target: int) -> None:
    proto = model("g (float[4] x) => (float[2] y) { y = f.F(x) }", HALVES)
    after = pin(proto, target)
    assert [(item.domain, item.version) for item in after.functions[0].opset_import] == [("", target), ("f", 1)]
    assert after.graph.node == proto.graph.node
    assert_same(proto, after)


def test_constants_stand_at_the_front_of_the_function() -> None:
    after = pin(model("g (float[4] x) => (float[2] y) { y = f.F(x) }", HALVES), 13)
    assert [node.op_type for node in after.functions[0].node] == ["Constant", "Split"]
    assert not after.graph.initializer


def test_the_types_are_those_of_the_call() -> None:
    """Nothing takes bfloat16 before opset 13."""
    pin(model("g (float[4] x) => (float[4] y) { y = f.F(x) }", RELU), 12)
    refused(
        model("g (bfloat16[4] x) => (bfloat16[4] y) { y = f.F(x) }", RELU), 12, r"tensor\(bfloat16\) is not admitted"
    )


def test_two_calls_with_different_types() -> None:
    text = "g (float[4] x, bfloat16[4] i) => (float[4] y, bfloat16[4] z) { y = f.F(x) z = f.F(i) }"
    refused(model(text, RELU), 12, 'the type of "p" is not known')


def test_two_calls_with_different_shapes() -> None:
    """What is true of both calls is the type and the rank, and no sizes follow from one of them."""
    text = "g (float[4] x, float[6] w) => (float[2] y, float[3] z) { y = f.F(x) z = f.F(w) }"
    proto = model(text, HALVES)
    made = convert(proto, 11, numpy_helper.to_array)
    if made.blockers:
        assert "num_outputs=2" in made.blockers[0].reason
    else:
        assert_same(proto, made.model)


def test_a_function_that_calls_another() -> None:
    outer = "G (p) => (q) { a = Exp(p) q = f.F(a) }"
    for functions in ((HALVES, outer), (outer, HALVES)):
        proto = model("g (float[4] x) => (float[2] y) { y = f.G(x) }", *functions)
        # What Exp makes inside of G is told by G's call, so that Split's sizes in F are known.
        assert_same(proto, pin(proto, 11))


def test_a_call_in_a_subgraph_of_a_function_counts() -> None:
    """F is called with float from the graph, and with bfloat16 from a branch in G, which stands behind F."""
    outer = """G (c, i) => (q) {
        q = If (c) <then_branch = t () => (bfloat16[4] a) { a = f.F(i) },
                    else_branch = e () => (bfloat16[4] b) { b = f.F(i) }>
    }"""
    text = "g (float[4] x, bool c, bfloat16[4] i) => (float[4] y, bfloat16[4] z) { y = f.F(x) z = f.G(c, i) }"
    for functions in ((RELU, outer), (outer, RELU)):
        refused(model(text, *functions), 12, 'the type of "p" is not known')


def test_a_call_in_a_function_without_the_default_domain_counts() -> None:
    outer = '<domain: "f", opset_import: ["f" : 1]>\nG (p) => (q) { q = f.F(p) }'
    text = "g (float[4] x, bfloat16[4] i) => (float[4] y, bfloat16[4] z) { y = f.F(x) z = f.G(i) }"
    refused(model(text, RELU, outer), 12, 'the type of "p" is not known')
    after = pin(model("g (float[4] x) => (float[4] y) { y = f.G(x) }", RELU, outer), 12)
    assert [(item.domain, item.version) for item in after.functions[1].opset_import] == [("f", 1)]


def test_a_function_of_another_opset_than_the_model() -> None:
    """Each is converted from its own: the function's Split has its sizes as an attribute already."""
    old = '<domain: "f", opset_import: ["" : 11]>\nF (p) => (q) { q, r = Split<axis = 0, split = [2, 2]>(p) }'
    proto = model("g (float[4] x) => (float[2] y) { y = f.F(x) }", old)
    for target, inputs in ((11, 1), (13, 2), (19, 2)):
        after = pin(proto, target, check=False)
        assert len(after.functions[0].node[-1].input) == inputs
        assert after.functions[0].opset_import[0].version == target


def test_a_function_that_nobody_calls() -> None:
    """Nothing is known of its inputs; what needs no types is converted all the same."""
    mean = "F (p) => (q) { a = Constant<value = int64[1] {1}>() q = ReduceMean(p, a) }"
    proto = model("g (float[2, 3] x) => (float[2, 3] y) { y = Exp(x) }", mean)
    after = pin(proto, 17, check=False)
    assert [item.name for item in after.functions[0].node[-1].attribute] == ["axes"]


def test_an_attribute_that_is_a_parameter_is_kept() -> None:
    proto = model(
        "g (float[2, 3] x) => (float[2, 3] y) { y = f.F<a = 1>(x) }",
        "F <a> (p) => (q) { q = Concat<axis: int = @a>(p) }",
    )
    after = pin(proto, 11)
    assert after.functions[0].node[0].attribute[0].ref_attr_name == "a"
    assert_same(proto, after)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("F <a> (p) => (q) { q = Softmax<axis: int = @a>(p) }", 11),
        ("F <a> (p) => (q) { q, r = Split<axis = 0, num_outputs: int = @a>(p) }", 13),
    ],
)
def test_a_parameter_that_has_to_be_known_is_refused(text: str, target: int) -> None:
    proto = model("g (float[4, 2, 2] x) => (float[c, d, e] y) { y = f.F<a = 2>(x) }", text)
    refused(proto, target, 'is the parameter "a" of a function')


def test_a_written_out_operator_keeps_the_parameter() -> None:
    """LeakyRelu's alpha goes into the body that takes Celu's or HardSwish's place only as the parameter it is."""
    text = "F <a> (p) => (q) { q = ThresholdedRelu<alpha: float = @a>(p) }"
    proto = model("g (float[4] x) => (float[4] y) { y = f.F<a = 1.5>(x) }", text)
    made = convert(proto, 9, numpy_helper.to_array)
    assert made.blockers or "alpha" in str(made.model.functions[0])
    model_ = Model(proto)
    PinOpset(opset=10).run(model_)
    assert_same(proto, model_.proto(), {"x": np.array([-1, 0.5, 1.5, 2], np.float32)})


def test_an_operator_with_parameters_is_written_out_with_them() -> None:
    """HardSwish has a plain body, Celu one with its alpha in it."""
    text = "F <a> (p) => (q) { b = Celu<alpha: float = @a>(p) q = HardSwish(b) }"
    proto = model("g (float[4] x) => (float[4] y) { y = f.F<a = 0.5>(x) }", text)
    made = convert(proto, 11, numpy_helper.to_array)
    if made.blockers:
        assert "parameter" in made.blockers[0].reason
    else:
        assert_same(proto, made.model, {"x": np.array([-1, 0.5, 1.5, 2], np.float32)}, limit=1e-6)


def test_attributes_with_a_default() -> None:
    text = '<domain: "f", opset_import: ["" : 18]>\nF <a: int = 1> (p) => (q) { q = Concat<axis: int = @a>(p) }'
    proto = model("g (float[2, 3] x) => (float[2, 3] y) { y = f.F(x) }", text)
    after = pin(proto, 11)
    assert after.functions[0].attribute_proto == proto.functions[0].attribute_proto
    assert_same(proto, after)


def test_functions_that_call_each_other_end() -> None:
    """Recursion is invalid; it is not this pass that has to say so, only to come to an end."""
    proto = model(
        "g (float[4] x) => (float[4] y) { y = f.F(x) }",
        "F (p) => (q) { q = f.G(p) }",
        "G (p) => (q) { q = f.F(p) }",
    )
    assert not convert(proto, 11, numpy_helper.to_array).blockers


def test_overloads_are_two_functions() -> None:
    proto = model("g (float[4] x, bfloat16[4] i) => (float[4] y, bfloat16[4] z) { y = f.F(x) z = f.F(i) }", RELU, RELU)
    proto.functions[0].overload, proto.functions[1].overload = "float", "int"
    proto.graph.node[0].overload, proto.graph.node[1].overload = "float", "int"
    found = convert(proto, 12, numpy_helper.to_array).blockers
    assert [item.reason for item in found] == ["tensor(bfloat16) is not admitted for X in its definition of opset 6"]


def test_value_info_of_a_function_is_kept() -> None:
    proto = model("g (float[4] x) => (float[2] y) { y = f.F(x) }", HALVES)
    proto.functions[0].value_info.append(helper.make_tensor_value_info("r", 1, [2]))
    assert pin(proto, 11, check=False).functions[0].value_info == proto.functions[0].value_info
