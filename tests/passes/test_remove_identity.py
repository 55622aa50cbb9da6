"""remove-identity: exact counts, and names that have to stay."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from graphkit.passes.remove_identity import RemoveIdentity
from tests.passes.helpers import assert_identical, ops, parse, run_pass


@pytest.mark.parametrize(
    ("body", "removed", "left"),
    [
        ("a = Relu(x) b = Identity(a) y = Neg(b)", 1, {"Relu": 1, "Neg": 1}),
        ("a = Relu(x) b = Identity(a) c = Identity(b) y = Neg(c)", 2, {"Relu": 1, "Neg": 1}),
        ("a = Relu(x) y = Identity(a)", 1, {"Relu": 1}),
        ("a = Relu(x) b = Identity(a) y = Identity(b)", 2, {"Relu": 1}),
        ("a = Identity(x) y = Neg(a)", 1, {"Neg": 1}),
        ("a = Relu(x) y = Identity(a) b = Neg(a) c = Add(a, b)", 1, {"Relu": 1, "Neg": 1, "Add": 1}),
        ("a = Relu(x) b = Identity(a) c = Add(b, b) y = Add(b, c)", 1, {"Relu": 1, "Add": 2}),
        ("a = Relu(x) b = Dropout(a) y = Neg(b)", 1, {"Relu": 1, "Neg": 1}),
        ("a = Concat<axis = 0>(x) y = Neg(a)", 1, {"Neg": 1}),
        ("a = Cast<to = 1>(x) y = Neg(a)", 1, {"Neg": 1}),
        ("x1 = Identity(x) y = Identity(x1)", 1, {"Identity": 1}),
    ],
)
def test_counts(body: str, removed: int, left: dict[str, int]) -> None:
    ran = run_pass(RemoveIdentity(), parse(f"g (float[2, 3] x) => (float[2, 3] y) {{ {body} }}"))
    assert ran.result.rewrites == removed
    assert ops(ran.after) == left
    assert_identical(ran)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("g (float[2] x) => (float[2] y) { y = Identity(x) }", 'graph input "x"'),
        ("g (float[2] x) => (float[2] y) <float[2] w = {1, 2}> { y = Identity(w) }", 'initializer "w"'),
        ("g (float[2] x) => (float[2] y, float[2] a) { a = Relu(x) y = Identity(a) }", "both graph outputs"),
        ("g (float[2] x) => (float[2] y, bool[2] m) { a, m = Dropout(x) y = Neg(a) }", "its mask is read"),
        (
            "g (float[2] x, bool t) => (float[2] y) { a = Dropout(x, , t) y = Neg(a) }",
            "training_mode is not a constant",
        ),
        ("g (float[2] x) => (float[2] y) <bool t = {1}> { a = Dropout(x, , t) y = Neg(a) }", "training_mode is true"),
        ("g (float[2] x, bool t) => (float[2] y) <bool t = {0}> { a = Dropout(x, , t) y = Neg(a) }", "not a constant"),
        ("g (float[2] x) => (double[2] y) { y = Cast<to = 11>(x) }", "changes what it is given"),
        ("g (float[2] x) => (float[2] y) { y = Relu(x) }", "there is no Identity"),
    ],
)
def test_declines(text: str, reason: str) -> None:
    ran = run_pass(RemoveIdentity(), parse(text))
    assert ran.result.rewrites == 0
    assert any(reason in item for item in ran.reasons)


def test_two_graph_outputs_of_one_tensor() -> None:
    ran = run_pass(
        RemoveIdentity(),
        parse("g (float[2] x) => (float[2] y, float[2] z) { a = Relu(x) y = Identity(a) z = Identity(a) }"),
    )
    assert (ran.result.rewrites, ops(ran.after)) == (1, {"Relu": 1, "Identity": 1})
    assert ran.reasons == ['"y" and "z" are both graph outputs']
    assert_identical(ran)


def test_a_weight_through_identity_is_shared() -> None:
    text = """g (float[1, 2, 4, 4] x) => (float[1, 2, 4, 4] y) <float[2, 2, 1, 1] w = {1, 2, 3, 4}> {
        v = Identity(w) a = Conv(x, w) y = Conv(a, v)
    }"""
    ran = run_pass(RemoveIdentity(), parse(text))
    assert ran.result.rewrites == 1
    assert [node.input[1] for node in ran.after.graph.node] == ["w", "w"]
    assert_identical(ran)


def test_inside_subgraphs_and_captured_by_them() -> None:
    text = """g (float[2] x, bool c) => (float[2] y) {
        a = Relu(x)
        b = Identity(a)
        y = If (c) <then_branch = t () => (float[2] p) { k = Identity(b) l = Neg(k) p = Identity(l) },
                    else_branch = e () => (float[2] r) { r = Identity(b) }>
    }"""
    ran = run_pass(RemoveIdentity(), parse(text))
    assert ran.result.rewrites == 3
    assert ops(ran.after) == {"Relu": 1, "If": 1, "Neg": 1, "Identity": 1}
    assert ran.reasons == ['it hands "a", which this graph does not make, to the graph output "r"']
    assert_identical(ran)


def test_a_subgraph_with_a_tensor_of_that_name_keeps_it() -> None:
    # The branch has a tensor "a" of its own: reading the outer "a" there would be another value.
    text = """g (float[2] x, bool c) => (float[2] y) {
        a = Relu(x)
        b = Identity(a)
        y = If (c) <then_branch = t () => (float[2] p) { a = Neg(x) p = Add(a, b) },
                    else_branch = e () => (float[2] r) { r = Abs(x) }>
    }"""
    ran = run_pass(RemoveIdentity(), parse(text), check=False)
    assert ran.result.rewrites == 0
    assert 'a tensor of its own called "a"' in ran.reasons[0]


def test_a_loop_body_keeps_its_signature() -> None:
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["c"], ["d"]),
            helper.make_node("Neg", ["v"], ["m"]),
            helper.make_node("Identity", ["m"], ["w"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", 7, []),
            helper.make_tensor_value_info("c", 9, []),
            helper.make_tensor_value_info("v", 1, [2]),
        ],
        [helper.make_tensor_value_info("d", 9, []), helper.make_tensor_value_info("w", 1, [2])],
    )
    proto = parse("g (float[2] x) => (float[2] y) <int64 n = {3}, bool k = {1}> { y = Relu(x) }")
    proto.graph.node[0].CopyFrom(helper.make_node("Loop", ["n", "k", "x"], ["y"], body=body))
    ran = run_pass(RemoveIdentity(), proto)
    assert (ran.result.rewrites, ops(ran.after)) == (1, {"Loop": 1, "Neg": 1, "Identity": 1})
    assert_identical(ran)


def test_old_dropout_counts_as_inference_from_opset_7_on() -> None:
    assert (
        run_pass(
            RemoveIdentity(),
            parse("g (float[2] x) => (float[2] y) { a = Dropout<ratio = 0.5>(x) y = Neg(a) }", opset=10),
        ).result.rewrites
        == 1
    )
    ran = run_pass(
        RemoveIdentity(), parse("g (float[2] x) => (float[2] y) { a = Dropout<ratio = 0.5>(x) y = Neg(a) }", opset=6)
    )
    assert ran.reasons == ["it drops values: is_test is not set"]


def test_another_domain_means_another_operator() -> None:
    proto = parse("g (float[2] x) => (float[2] y) { a = other.Identity(x) y = Neg(a) }", more=', "other" : 1')
    assert run_pass(RemoveIdentity(), proto, check=False).result.rewrites == 0


def test_sizes_unknown_and_zero() -> None:
    for shape in ("N, 3", "0, 3"):
        ran = run_pass(
            RemoveIdentity(),
            parse(f"g (float[{shape}] x) => (float[{shape}] y) {{ a = Identity(x) b = Relu(a) y = Identity(b) }}"),
        )
        assert ran.result.rewrites == 2
        assert_identical(ran)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["Identity", "Relu", "Dropout", "Add"]), st.integers(0, 50), st.integers(0, 50)),
        min_size=1,
        max_size=12,
    ),
    st.sets(st.integers(1, 12), max_size=3),
)
def test_any_graph(steps: list[tuple[str, int, int]], extra: set[int]) -> None:
    names, lines = ["x"], []
    for index, (op, one, two) in enumerate(steps):
        inputs = [names[one % len(names)]] + ([names[two % len(names)]] if op == "Add" else [])
        lines.append(f"t{index} = {op}({', '.join(inputs)})")
        names.append(f"t{index}")
    outputs = sorted({len(steps)} | {item for item in extra if item <= len(steps)})
    text = ", ".join(f"float[3] {names[item]}" for item in outputs)
    ran = run_pass(RemoveIdentity(), parse(f"g (float[3] x) => ({text}) {{ {' '.join(lines)} }}"))
    assert sum(ops(ran.before).values()) - sum(ops(ran.after).values()) == ran.result.rewrites
    assert_identical(ran)


def test_on_a_detector(coco_model: Path) -> None:
    ran = run_pass(RemoveIdentity(), onnx.load(coco_model))
    assert sum(ops(ran.before).values()) - sum(ops(ran.after).values()) == ran.result.rewrites
