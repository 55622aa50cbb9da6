"""The walk from definition to definition: what stays, what changes, which names are given, what is refused."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from graphkit.errors import PassRefused
from graphkit.model import Model
from graphkit.passes.opset import convert, reach
from graphkit.passes.pin_opset import PinOpset
from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused

SPLIT = "g (float[4] x) => (float[2] y) { a, b = Split<axis = 0, num_outputs = 2>(x) y = Add(a, b) }"
MEAN = "g (float[2, 3] x) => (float[2, 1] y) <int64[1] axes = {1}> { y = ReduceMean(x, axes) }"


def names(proto: onnx.ModelProto) -> set[str]:
    return {name for node in proto.graph.node for name in node.output}


@pytest.mark.parametrize("target", [9, 11, 13, 17, 19, 23, 28])
def test_nodes_that_mean_the_same_stay_as_they_are(target: int) -> None:
    proto = parse("g (float[2, 3] x) => (float[2, 3] y) { a = Relu(x) b = Exp(a) y = Transpose<perm = [0, 1]>(b) }", 18)
    after = pin(proto, target)
    assert list(after.graph.node) == list(proto.graph.node)
    assert_same(proto, after)


@pytest.mark.parametrize("target", [9, 11, 12, 13, 17])
def test_a_node_takes_every_step_on_its_way(target: int) -> None:
    """ReduceMean: 18 → 13 → 11 → 1; Split: 18 → 13 → 11 → 2."""
    for text in (MEAN, SPLIT):
        proto = parse(text, 18)
        after = pin(proto, target)
        assert ops(after) == ops(proto)
        assert_same(proto, after)
        assert_same(proto, pin(after, 21))


@pytest.mark.parametrize("target", [9, 10, 11, 13, 28])
def test_models_older_than_what_is_converted_to_go_up(target: int) -> None:
    text = "g (float[1, 1, 2, 3] x) => (float[1, 1, 4, 6] y) { y = Upsample<scales = [1.0, 1.0, 2.0, 2.0]>(x) }"
    proto = parse(text, 7, ir=3)
    after = pin(proto, target)
    assert ops(after) == ({"Upsample": 1} if target < 10 else {"Resize": 1})
    assert_same(proto, after)


def test_the_way_through_another_opset_is_the_same() -> None:
    proto = parse(SPLIT, 18)
    straight, around = pin(proto, 11), pin(pin(proto, 15), 11)
    assert list(straight.graph.node) == list(around.graph.node)


def test_what_is_written_out_is_converted_further() -> None:
    """A body of opset 18 for an operator of 23 goes down to 11 like any other nodes, and its constants with it."""
    text = "g (float[2, 8] x) => (float[2, 8] y) <float[8] s = {1, 2, 3, 4, 5, 6, 7, 8}> { y = RMSNormalization(x, s) }"
    proto = parse(text, 23, ir=10)
    after = pin(proto, 11)
    assert "RMSNormalization" not in ops(after)
    read = {name for node in after.graph.node for name in node.input}
    assert {item.name for item in after.graph.initializer} <= read
    assert_same(proto, after, limit=1e-6)


def test_a_body_older_than_the_target_is_brought_up_to_it() -> None:
    """RMSNormalization has a body of opset 18; ReduceMean and Cast got definitions between that and 22."""
    text = "g (float[2, 8] x) => (float[2, 8] y) <float[8] s = {1, 2, 3, 4, 5, 6, 7, 8}> { y = RMSNormalization(x, s) }"
    proto = parse(text, 23, ir=10)
    assert_same(proto, pin(proto, 22), limit=1e-6)


def test_other_domains_are_left_alone() -> None:
    text = "g (float[2] x) => (float[2] y) { a = Relu(x) b = my.Split<num_outputs = 2>(a) y = Exp(b) }"
    proto = parse(text, 18, more=', "my" : 3, "unused" : 7')
    after = pin(proto, 11, check=False)
    assert [(item.domain, item.version) for item in after.opset_import] == [("", 11), ("my", 3), ("unused", 7)]
    assert after.graph.node[1] == proto.graph.node[1]


def test_the_other_spelling_of_the_domain() -> None:
    proto = parse(SPLIT, 18)
    proto.opset_import[0].domain = "ai.onnx"
    model = Model(proto)
    PinOpset(opset=11).run(model)
    after = model.proto()
    assert [(item.domain, item.version) for item in after.opset_import] == [("ai.onnx", 11)]
    onnx.checker.check_model(after, full_check=True)
    assert_same(parse(SPLIT, 18), after)


def test_nodes_come_out_in_an_order_that_runs() -> None:
    proto = parse(SPLIT, 18)
    nodes = list(proto.graph.node)[::-1]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    after = pin(proto, 11)
    assert [node.op_type for node in after.graph.node] == ["Split", "Add"]
    assert_same(parse(SPLIT, 18), after)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("g (float[2] x) => (float[2] y) { y = Relu(nope) }", 'reads "nope", which nothing makes'),
        ("g (float[2] x) => (float[2] y) { a = Add(x, b) b = Relu(a) y = Relu(b) }", "in a circle"),
        ("g (float[2] x) => (float[2] y) { y = Relu(x) y = Relu(x) }", '"y" is made by two nodes'),
    ],
)
def test_broken_models_are_refused(text: str, reason: str) -> None:
    assert "\n" not in refused(parse(text), 16, reason)


def test_an_operator_that_no_opset_knows_is_left_alone_and_said() -> None:
    proto = parse("g (float[2] x) => (float[2] y) { y = EfficientNMS_TRT(x) }")
    model = Model(proto)
    result = PinOpset(opset=11).run(model)
    assert model.proto().graph.node == proto.graph.node
    assert any("EfficientNMS_TRT is no operator of any opset" in item for item in result.warnings)


def test_such_an_operator_is_found_in_subgraphs_too() -> None:
    text = """g (float[2] x, bool c) => (float[2] y) {
        y = If (c) <then_branch = t () => (float[2] p) { p = Foo(x) },
                    else_branch = e () => (float[2] q) { q = Exp(x) }>
    }"""
    assert convert(parse(text), 16, numpy_helper.to_array).unknown == ("Foo",)


def test_an_operator_newer_than_the_model_is_refused() -> None:
    proto = parse("g (float[2] x) => (float[2] y) { y = Gelu(x) }", 17)
    for target in (13, 21):
        message = refused(proto, target, "Gelu")
        assert "the operator exists from opset 20 on, and the model says it is at opset 17" in message


def test_a_refusal_names_the_node_and_how_far_the_model_gets() -> None:
    proto = parse("g (float[2, 3] x, int64[1] axes) => (float[a, b] y) { y = ReduceMean(x, axes) }", 22)
    proto.graph.node[0].name = "/model.2/Mean"
    message = refused(proto, 11, "computed at run time")
    assert "ReduceMean (/model.2/Mean) stops at opset 18: its axes (axes) " in message
    assert "pin-opset: 18" in message
    assert "\n" not in message


def test_a_refusal_says_what_of_a_written_out_operator_is_in_the_way() -> None:
    text = "g (bfloat16[2, 8] x, bfloat16[8] s) => (bfloat16[2, 8] y) { y = RMSNormalization(x, s) }"
    message = refused(parse(text, 23, ir=10), 11, "RMSNormalization → y")
    assert "written out with older operators it needs" in message
    assert "bfloat16" in message


def test_what_blocks_a_node_below_blocks_it_for_all_behind() -> None:
    text = "g (float[2, 3] x, int64[1] axes) => (float[a, b] y) { y = ReduceMean(x, axes) z = ReduceSum(x, axes) }"
    proto = parse(text, 18)
    found = reach(proto, numpy_helper.to_array)
    assert found.lowest == 18
    assert {item.op: item.limit for item in found.down} == {"ReduceMean": 18, "ReduceSum": 13}
    for target in range(9, 28):
        blocked = convert(proto, target, numpy_helper.to_array).blockers
        assert {item.op for item in blocked} == {item.op for item in found.blockers(target)}


def test_best_effort_goes_as_far_as_it_can() -> None:
    proto = parse("g (float[2] x, int64[1] axes) => (float[a] y) { y = ReduceSum(x, axes) }", 18)
    model = Model(proto)
    result = PinOpset(opset=11, best_effort=True).run(model)
    assert [item.version for item in model.proto().opset_import] == [13]
    assert result.summary.startswith("18 → 13")
    assert len(result.warnings) == 1
    assert "axes" in result.warnings[0]


def test_outputs_without_a_name_stay_without() -> None:
    """Neither Split's second output nor Dropout's mask is wanted. onnxruntime crashes on that Split: it is not run."""
    text = 'g (float[4] x) => (float[2] y) { a, "" = Split<axis = 0, num_outputs = 2>(x) y, "" = Dropout(a) }'
    after = pin(parse(text, 18), 11)
    assert list(after.graph.node[0].output) == ["a", ""]
    assert list(after.graph.node[0].attribute[-1].ints) == [2, 2]


def test_new_names_avoid_those_there_are() -> None:
    """Names the engine would give are taken by an input, an initializer, a subgraph's tensor and a value_info."""
    taken = parse(
        """g (float[2, 3] "opset/axes", bool c, float[4] x) => (float[2, 3] y, float[2] z) {
            "opset/axes_2" = Softmax<axis = 1>("opset/axes")
            y = If (c) <then_branch = t () => (float[2, 3] "opset/split") { "opset/split" = Exp("opset/axes_2") },
                        else_branch = e () => (float[2, 3] q) { q = Exp("opset/axes") }>
            a, b = Split<axis = 0, split = [2, 2]>(x)
            z = ReduceSum<axes = [-1], keepdims = 0>(u)
            u = Unsqueeze<axes = [1]>(a)
        }""",
        12,
    )
    taken.graph.value_info.append(helper.make_tensor_value_info("opset/axes_3", TensorProto.FLOAT, [1]))
    after = pin(taken, 18)
    made = {item.name for item in after.graph.initializer}
    assert made
    assert not made & {"opset/axes", "opset/axes_2", "opset/axes_3", "opset/split"}
    everything = [*made, *names(after), *(item.name for item in after.graph.input)]
    assert len(everything) == len(set(everything))
    feeds = {
        "opset/axes": np.ones((2, 3), np.float32),
        "c": np.array(True),
        "x": np.arange(4, dtype=np.float32),
    }
    assert_same(taken, after, feeds)


def test_equal_constants_are_shared() -> None:
    text = """g (float[1, 2] x) => (float[2] y, float[2] z) {
        y = Squeeze<axes = [0]>(x)
        z = Squeeze<axes = [0]>(x)
    }"""
    after = pin(parse(text, 12), 13)
    assert len(after.graph.initializer) == 1


def test_a_node_keeps_its_name_and_what_it_says() -> None:
    proto = parse(SPLIT, 18)
    node = proto.graph.node[0]
    node.name, node.doc_string = "/model.2/Split", "halves"
    node.metadata_props.add(key="k", value="v")
    after = pin(proto, 11).graph.node[0]
    assert (after.op_type, after.name, after.doc_string, after.metadata_props[0].value) == (
        "Split",
        "/model.2/Split",
        "halves",
        "v",
    )


def test_training_graphs_are_refused() -> None:
    proto = parse(SPLIT, 18)
    proto.training_info.add().algorithm.node.append(helper.make_node("Exp", ["x"], ["e"]))
    refused(proto, 11, "training_info")


def test_a_function_in_an_operators_place_is_refused() -> None:
    proto = parse("g (float[2] x) => (float[2] y) { y = Softmax(x) }", 13)
    proto.functions.append(
        helper.make_function("", "Softmax", ["p"], ["q"], [helper.make_node("Exp", ["p"], ["q"])], proto.opset_import)
    )
    with pytest.raises(PassRefused, match="function of its own in the place of ONNX's operator Softmax"):
        PinOpset(opset=11).run(Model(proto))
