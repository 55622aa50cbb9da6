"""sort: any order in, a working order out; cycles are named."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from graphkit.errors import PassRefused
from graphkit.model import Model
from graphkit.passes.sort import Sort
from tests.passes.helpers import assert_identical, evaluate, ops, parse, run_pass


def _outputs(proto: onnx.ModelProto) -> list[str]:
    return [node.output[0] for node in proto.graph.node]


def test_in_order_is_untouched() -> None:
    ran = run_pass(Sort(), parse("g (float[2] x) => (float[2] y) { a = Relu(x) y = Neg(a) }"))
    assert (ran.result.rewrites, ran.result.summary) == (0, "already in order")
    assert ran.after is ran.before


def test_moves_only_what_has_to_move() -> None:
    ran = run_pass(Sort(), parse("g (float[2] x) => (float[2] y) { b = Relu(a) c = Neg(x) a = Abs(x) y = Add(b, c) }"))
    assert _outputs(ran.after) == ["c", "a", "b", "y"]
    assert ran.result.rewrites == 1
    assert_identical(ran)


def test_a_node_waits_for_what_its_subgraph_reads() -> None:
    text = """g (float[2] x, bool c) => (float[2] y) {
        y = If (c) <then_branch = t () => (float[2] p) { p = Relu(q) q = Neg(a) },
                    else_branch = e () => (float[2] r) { r = Abs(x) }>
        a = Abs(x)
    }"""
    ran = run_pass(Sort(), parse(text))
    assert _outputs(ran.after) == ["a", "y"]
    branch = next(item.g for item in ran.after.graph.node[1].attribute if item.name == "then_branch")
    assert [node.output[0] for node in branch.node] == ["q", "p"]
    assert ran.result.rewrites == 2
    # onnxruntime rejects the unsorted branch, so the outcome is computed by hand.
    x = np.array([-1.5, 2], np.float32)
    for choice, expected in ((True, [0, 0]), (False, [1.5, 2])):
        np.testing.assert_array_equal(evaluate(ran.after, {"x": x, "c": np.array(choice)})["y"], expected)


def test_a_local_name_in_a_subgraph_is_no_dependency() -> None:
    text = """g (float[2] x, bool c) => (float[2] y, float[2] z) {
        y = If (c) <then_branch = t () => (float[2] p) { k = Neg(x) p = Relu(k) },
                    else_branch = e () => (float[2] r) { r = Abs(x) }>
        z = Abs(x)
    }"""
    assert run_pass(Sort(), parse(text)).result.rewrites == 0


def test_functions_are_sorted() -> None:
    function = helper.make_function(
        "f",
        "F",
        ["a"],
        ["c"],
        [helper.make_node("Neg", ["b"], ["c"]), helper.make_node("Abs", ["a"], ["b"])],
        [helper.make_opsetid("", 17)],
    )
    proto = parse("g (float[2] x) => (float[2] y) { y = f.F(x) }", more=', "f" : 1')
    proto.functions.append(function)
    ran = run_pass(Sort(), proto)
    assert [node.op_type for node in ran.after.functions[0].node] == ["Abs", "Neg"]
    assert ran.result.rewrites == 1


def test_a_cycle_is_refused_with_its_nodes() -> None:
    proto = parse("g (float[2] x) => (float[2] y) { y = Abs(c) a = Add(x, c) b = Relu(a) c = Neg(b) d = Abs(c) }")
    for node in proto.graph.node:
        node.name = f"n_{node.output[0]}"
    with pytest.raises(PassRefused, match="cycle") as caught:
        Sort().run(Model(proto))
    message = str(caught.value)
    assert "n_a → n_b → n_c → n_a" in message
    assert "n_d" not in message
    assert "n_y" not in message


def test_a_node_that_reads_itself_is_a_cycle() -> None:
    with pytest.raises(PassRefused, match="Add → a → Add → a"):
        Sort().run(Model(parse("g (float[2] x) => (float[2] a) { a = Add(x, a) }")))


def test_a_tensor_written_twice_is_refused() -> None:
    with pytest.raises(PassRefused, match='"a" is written by two nodes'):
        Sort().run(Model(parse("g (float[2] x) => (float[2] a) { a = Relu(x) a = Neg(x) }")))


def test_omitted_outputs_and_inputs_are_not_tensors() -> None:
    proto = parse("g (float[2] x) => (float[2] y) { y = Clip(a, , m) m = Constant<value = float {1.0}>() a = Abs(x) }")
    ran = run_pass(Sort(), proto)
    assert _outputs(ran.after) == ["m", "a", "y"]


def test_a_deep_chain() -> None:
    count = 50_000
    names = ["x", *(f"t{index}" for index in range(count - 1)), "y"]
    nodes = [helper.make_node("Relu", [names[index]], [names[index + 1]]) for index in reversed(range(count))]
    value = [helper.make_tensor_value_info(name, 1, [2]) for name in ("x", "y")]
    proto = helper.make_model(helper.make_graph(nodes, "g", value[:1], value[1:]))
    model = Model(proto)
    result = Sort().run(model)
    assert result.rewrites == count - 1
    assert _outputs(model.proto()) == names[1:]


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.randoms(use_true_random=False))
def test_any_order_of_any_graph(count: int, rng: random.Random) -> None:
    names = ["x"]
    lines = []
    for index in range(count):
        op, arity = rng.choice([("Relu", 1), ("Neg", 1), ("Add", 2), ("Mul", 2)])
        lines.append(f"t{index} = {op}({', '.join(rng.choice(names) for _ in range(arity))})")
        names.append(f"t{index}")
    rng.shuffle(lines)
    ran = run_pass(Sort(), parse(f"g (float[3] x) => (float[3] t{count - 1}) {{ {' '.join(lines)} }}"))
    assert ops(ran.after) == ops(ran.before)
    seen = {"x"}
    for node in ran.after.graph.node:
        assert seen.issuperset(node.input)
        seen.update(node.output)
    assert (ran.result.rewrites > 0) == (_outputs(ran.before) != _outputs(ran.after))


def test_a_shuffled_detector_is_valid_again(coco_model: Path) -> None:
    proto = onnx.load(coco_model)
    nodes = list(proto.graph.node)
    random.Random(0).shuffle(nodes)
    shuffled = onnx.ModelProto()
    shuffled.CopyFrom(proto)
    del shuffled.graph.node[:]
    shuffled.graph.node.extend(nodes)
    with pytest.raises(onnx.checker.ValidationError):
        onnx.checker.check_model(shuffled)
    model = Model(shuffled)
    assert Sort().run(model).rewrites > 10
    onnx.checker.check_model(model.proto())
    assert ops(model.proto()) == ops(proto)
    assert len(model.proto().metadata_props) == len(proto.metadata_props)
