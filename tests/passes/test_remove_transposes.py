"""remove-transposes: exact counts, the numbers to the bit, and a reason for each one that stays."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from graphkit.heads import DerivedOutputs, MappedInputs
from graphkit.model import Model
from graphkit.passes.remove_transposes import RemoveTransposes
from graphkit.passes.transposes.permutation import IDENTITY, compose, full, moves_only_ones, reverse
from tests.passes.helpers import assert_identical, evaluate, feeds, live, ops, parse, run_pass

A = "perm = [0, 2, 3, 1]"  # channels last
B = "perm = [0, 3, 1, 2]"  # its inverse


@pytest.mark.parametrize(
    ("body", "out", "removed", "left"),
    [
        (f"a = Transpose<{A}>(x) b = Transpose<{B}>(a) y = Relu(b)", "1,2,3,4", 2, 0),
        (f"a = Transpose<{A}>(x) y = Transpose<{B}>(a)", "1,2,3,4", 2, 0),
        (f"r = Relu(x) a = Transpose<{A}>(r) y = Transpose<{B}>(a)", "1,2,3,4", 2, 0),
        (
            f"a = Transpose<{A}>(x) b = Transpose<{B}>(a) c = Transpose<{B}>(a) d = Relu(b) e = Neg(c) y = Add(d, e)",
            "1,2,3,4",
            3,
            0,
        ),
        (f"a = Transpose<{A}>(x) b = Transpose<{A}>(a) y = Relu(b)", "1,4,2,3", 1, 1),
        (f"a = Transpose<{A}>(x) b = Transpose<{A}>(a) c = Transpose<{A}>(b) y = Relu(c)", "1,2,3,4", 3, 0),
        (
            f"a = Transpose<{A}>(x) b = Transpose<{B}>(a) c = Relu(a) d = Transpose<{B}>(c) y = Add(b, d)",
            "1,2,3,4",
            3,
            0,
        ),
        ("a = Transpose<perm = [0, 1, 2, 3]>(x) y = Relu(a)", "1,2,3,4", 1, 0),
        ("y = Transpose<perm = [0, 1, 2, 3]>(x)", "1,2,3,4", 1, 0),
        ("a = Transpose(x) b = Transpose(a) y = Relu(b)", "1,2,3,4", 2, 0),
        ("a = Transpose(x) b = Transpose<perm = [3, 2, 1, 0]>(a) y = Relu(b)", "1,2,3,4", 2, 0),
        (f"a = Transpose<{A}>(x) b = Relu(a) y = Transpose<{B}>(b)", "1,2,3,4", 2, 0),
        (f"a = Transpose<{A}>(x) y = Relu(a)", "1,3,4,2", 0, 1),
    ],
)
def test_counts(body: str, out: str, removed: int, left: int) -> None:
    ran = run_pass(RemoveTransposes(), parse(f"g (float[1, 2, 3, 4] x) => (float[{out}] y) {{ {body} }}"))
    assert ran.result.rewrites == removed
    assert ops(ran.after).get("Transpose", 0) == left == len(ran.result.declined)
    assert_identical(ran)


def test_between_input_and_output_an_identity_is_left() -> None:
    ran = run_pass(
        RemoveTransposes(),
        parse(f"g (float[1,2,3,4] x) => (float[1,2,3,4] y) {{ a = Transpose<{A}>(x) y = Transpose<{B}>(a) }}"),
    )
    assert ops(ran.after) == {"Identity": 1}


def test_a_middle_tensor_that_is_an_output_stays() -> None:
    text = (
        f"g (float[1,2,3,4] x) => (float[1,2,3,4] y, float[1,3,4,2] a) {{ a = "
        f"Transpose<{A}>(x) b = Transpose<{B}>(a) y = Relu(b) }}"
    )
    ran = run_pass(RemoveTransposes(), parse(text))
    assert (ran.result.rewrites, ops(ran.after)) == (1, {"Transpose": 1, "Relu": 1})
    assert ran.reasons == ['it feeds the graph output "a"; its source "x" comes from outside']
    assert_identical(ran)


def test_merging_stops_at_an_output_in_the_middle() -> None:
    text = (
        f"g (float[1,2,3,4] x) => (float[1,4,2,3] y, float[1,3,4,2] a) {{ a = "
        f"Transpose<{A}>(x) y = Transpose<{A}>(a) }}"
    )
    ran = run_pass(RemoveTransposes(), parse(text))
    assert ran.result.rewrites == 0
    assert ran.after.graph.node[1].input[0] == "a"


@pytest.mark.parametrize("shape", ["N, 2, 3, 4", "1, 0, 3, 4", "a, b, c, d"])
def test_sizes_unknown_and_zero(shape: str) -> None:
    text = f"g (float[{shape}] x) => (float[{shape}] y) {{ a = Transpose<{A}>(x) b = Transpose<{B}>(a) y = Relu(b) }}"
    ran = run_pass(RemoveTransposes(), parse(text))
    assert ran.result.rewrites == 2
    assert_identical(ran, sizes={"a": 2, "b": 3, "c": 4, "d": 5})


def test_two_reversals_cancel_where_the_rank_is_unknown() -> None:
    proto = parse(
        "g (float[2, 3] x, int64[2] s) => (float[P, Q] y) { r = Reshape(x, s) a = "
        "Transpose(r) b = Transpose(a) y = Relu(b) }"
    )
    ran = run_pass(RemoveTransposes(), proto)
    assert (ran.result.rewrites, ops(ran.after)) == (2, {"Reshape": 1, "Relu": 1})
    inputs = {"x": feeds(proto)["x"], "s": np.array([3, 2])}
    np.testing.assert_array_equal(evaluate(ran.after, inputs)["y"], evaluate(proto, inputs)["y"])


def test_a_constant_is_transposed_into_one_of_its_own() -> None:
    text = """g (float[2, 2] x) => (float[2, 3] y) <float[3, 2] w = {1, 2, 3, 4, 5, 6}> {
        v = Transpose(w) a = MatMul(x, v) b = MatMul(a, w) y = MatMul(b, v)
    }"""
    ran = run_pass(RemoveTransposes(), parse(text))
    assert (ran.result.rewrites, ops(ran.after)) == (1, {"MatMul": 3})
    values = {item.name: onnx.numpy_helper.to_array(item) for item in ran.after.graph.initializer}
    assert len(values) == 2
    np.testing.assert_array_equal(values["w"], [[1, 2], [3, 4], [5, 6]])
    assert_identical(ran)


def test_a_constant_node_is_transposed() -> None:
    text = (
        "g (float[2, 2] x) => (float[2, 3] y) { w = Constant<value = float[3, 2] "
        "{1, 2, 3, 4, 5, 6}>() v = Transpose(w) y = MatMul(x, v) }"
    )
    ran = run_pass(RemoveTransposes(), parse(text))
    assert ran.result.rewrites == 1
    assert ops(live(ran.after)) == {"MatMul": 1}
    assert_identical(ran)


def test_what_follows_from_constants_is_a_constant() -> None:
    text = """g (float[3, 2] x) => (float[3, 2] y) <float[2, 3] w = {1, 2, 3, 4, 5, 6}, float c = {2}> {
        v = Mul(w, c) t = Transpose(v) y = Add(x, t)
    }"""
    ran = run_pass(RemoveTransposes(), parse(text))
    assert (ran.result.rewrites, ops(live(ran.after))) == (1, {"Add": 1})
    assert_identical(ran)


def test_a_default_that_a_caller_may_replace_is_no_constant() -> None:
    text = (
        "g (float[2, 2] x, float[3, 2] w) => (float[2, 3] y) <float[3, 2] w = {1, "
        "2, 3, 4, 5, 6}> { v = Transpose(w) y = Add(x, v) }"
    ).replace("[2, 2]", "[2, 3]")
    assert RemoveTransposes().run(Model(parse(text))).rewrites == 0


def test_a_constant_that_is_an_output_stays() -> None:
    ran = run_pass(
        RemoveTransposes(),
        parse(
            "g (float[2] x) => (float[2, 3] y, float[2] z) <float[3, 2] w = {1, 2, 3, "
            "4, 5, 6}> { y = Transpose(w) z = Relu(x) }"
        ),
    )
    assert ran.reasons == ['it feeds the graph output "y"; its source "w" comes from outside']


def test_in_subgraphs_and_across_them() -> None:
    text = """g (float[2, 3] x, bool c) => (float[2, 3] y) {
        a = Transpose(x)
        y = If (c) <then_branch = t () => (float[2, 3] p) { p = Transpose(a) },
                    else_branch = e () => (float[2, 3] r) { k = Relu(x) l = Transpose(k) m = Transpose(l) r = Neg(m) }>
    }"""
    ran = run_pass(RemoveTransposes(), parse(text))
    assert ran.result.rewrites == 4
    assert ops(ran.after) == {"If": 1, "Relu": 1, "Neg": 1, "Identity": 1}
    assert_identical(ran)


def test_reasons_name_what_is_fed() -> None:
    proto = parse(
        "g (float[1,2,3] x) => (float[1,3,2] y, float[1,3,2] z) { a = "
        "Transpose<perm = [0,2,1]>(x) y = Softmax(a) z = Relu(a) }"
    )
    proto.graph.node[1].name = "soft"
    ran = run_pass(RemoveTransposes(), proto)
    assert ran.reasons == ['it feeds Softmax (soft) and Relu (Relu → z); its source "x" comes from outside']
    assert ran.result.declined[0].nodes == ("Transpose → a",)
    assert "1 kept: it feeds Softmax (soft)" in ran.result.summary


@pytest.mark.parametrize(
    ("opset", "shape", "out", "left"),
    [
        (17, "1,2,3", "2,1,3", {"Reshape": 1, "Relu": 1}),
        (17, "1,N,3", "N,1,3", {"Reshape": 1, "Relu": 1}),
        (17, "1,N,M", "N,1,M", {"Squeeze": 1, "Unsqueeze": 1, "Relu": 1}),
        (11, "1,N,M", "N,1,M", {"Squeeze": 1, "Unsqueeze": 1, "Relu": 1}),
        (17, "1,0,3", "0,1,3", {"Squeeze": 1, "Unsqueeze": 1, "Relu": 1}),
    ],
)
def test_moving_an_axis_of_size_one_is_another_shape(opset: int, shape: str, out: str, left: dict[str, int]) -> None:
    text = f"g (float[{shape}] x) => (float[{out}] y) {{ a = Transpose<perm = [1,0,2]>(x) y = Relu(a) }}"
    ran = run_pass(RemoveTransposes(), parse(text, opset))
    assert (ran.result.rewrites, ops(ran.after)) == (1, left)
    assert_identical(ran, sizes={"N": 2, "M": 4})


@pytest.mark.parametrize(
    ("perm", "reason"),
    [([0, 0, 1], "is not a permutation"), ([0, 1, 3], "is not a permutation"), ([1, 0], "which has 3 axes")],
)
def test_a_broken_perm_is_left_alone(perm: list[int], reason: str) -> None:
    proto = parse("g (float[2,2,2] x) => (float[2,2,2] y) { a = Transpose(x) b = Transpose(a) y = Relu(b) }")
    proto.graph.node[0].attribute.append(helper.make_attribute("perm", perm))
    result = RemoveTransposes().run(Model(proto))
    assert result.rewrites == 0
    assert reason in result.declined[0].reason


def test_no_transposes() -> None:
    ran = run_pass(RemoveTransposes(), parse("g (float[2] x) => (float[2] y) { y = Relu(x) }"))
    assert ran.reasons == ["there is no Transpose"]
    assert ran.after is ran.before


def test_a_cycle_ends() -> None:
    proto = parse("g (float[2,2] x) => (float[2,2] y) { a = Transpose(b) b = Transpose(a) y = Relu(x) }")
    RemoveTransposes().run(Model(proto))


def test_a_long_chain() -> None:
    count = 6000
    names = ["x", *(f"t{index}" for index in range(count - 1)), "y"]
    nodes = [helper.make_node("Transpose", [names[i]], [names[i + 1]], perm=[1, 2, 0]) for i in range(count)]
    values = [helper.make_tensor_value_info(name, 1, [2, 2, 2]) for name in ("x", "y")]
    model = Model(helper.make_model(helper.make_graph(nodes, "g", values[:1], values[1:])))
    result = RemoveTransposes().run(model)
    assert result.rewrites == count  # 6000 rotations of three axes are no rotation at all
    assert [node.op for node in model.graph.nodes] == ["Identity"]


def test_many_readers() -> None:
    count = 3000
    nodes = [helper.make_node("Transpose", ["x"], ["a"])]
    nodes += [helper.make_node("Transpose", ["a"], [f"b{i}"]) for i in range(count)]
    nodes += [helper.make_node("Sum", [f"b{i}" for i in range(count)], ["y"])]
    values = [helper.make_tensor_value_info(name, 1, [2, 2]) for name in ("x", "y")]
    model = Model(helper.make_model(helper.make_graph(nodes, "g", values[:1], values[1:])))
    assert RemoveTransposes().run(model).rewrites == count + 1


def test_the_algebra() -> None:
    value = np.arange(24).reshape(2, 3, 4)
    for first, second in itertools.product(itertools.permutations(range(3)), repeat=2):
        both = compose(first, second)
        assert both is not None
        np.testing.assert_array_equal(value.transpose(first).transpose(second), value.transpose(full(both, 3)))
    with pytest.raises(ValueError, match="of 2 and of 3 axes"):
        compose((1, 0), (1, 0, 2))
    assert compose(None, (2, 0, 1)) == tuple(reverse(3)[axis] for axis in (2, 0, 1))
    assert compose(None, None) == IDENTITY
    assert compose(None, IDENTITY) is None
    assert moves_only_ones((1, 0, 2), [1, 5, 6])
    assert not moves_only_ones((1, 0, 2), [2, 5, 6])
    assert not moves_only_ones((1, 0, 2), ["N", 5, 6])


PERMS = list(itertools.permutations(range(3)))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-2, len(PERMS) - 1), st.integers(0, 30)), min_size=1, max_size=12),
    st.sets(st.integers(1, 12), max_size=2),
)
def test_any_graph(steps: list[tuple[int, int]], extra: set[int]) -> None:
    # A cube, so that every permutation fits every tensor.
    names, lines = ["x"], []
    for index, (kind, one) in enumerate(steps):
        source = names[-1] if one > 15 else names[one % len(names)]
        if kind == -2:
            lines.append(f"t{index} = Relu({source})")
        elif kind == -1:
            lines.append(f"t{index} = Add({source}, {names[one % len(names)]})")
        else:
            attribute = f"<perm = {list(PERMS[kind])}>" if one % 5 else ""
            lines.append(f"t{index} = Transpose{attribute}({source})")
        names.append(f"t{index}")
    outputs = sorted({len(steps)} | {item for item in extra if item <= len(steps)})
    text = ", ".join(f"float[2, 2, 2] {names[item]}" for item in outputs)
    ran = run_pass(RemoveTransposes(), parse(f"g (float[2, 2, 2] x) => ({text}) {{ {' '.join(lines)} }}"))
    counts = ops(live(ran.before)).get("Transpose", 0), ops(live(ran.after)).get("Transpose", 0)
    assert counts[0] - counts[1] == ran.result.rewrites >= 0
    assert_identical(ran)


def test_on_a_detector(coco_model: Path) -> None:
    ran = run_pass(RemoveTransposes(), onnx.load(coco_model))
    assert (ran.result.rewrites, ops(ran.after)["Transpose"]) == (0, 1)
    assert ran.reasons[0].startswith("it feeds the DFL Softmax (")


def _nhwc() -> onnx.ModelProto:
    """A model that takes and gives channels last, and works channels first."""
    return parse(
        f"""g (float[N, 4, 5, 3] x) => (float[N, 4, 5, 2] y, float[N, 2, 4, 5] z)
        <float[2, 3, 1, 1] w = {{1, 2, 3, 4, 5, 6}}> {{
            a = Transpose<{B}>(x) b = Conv(a, w) y = Transpose<{A}>(b) z = Relu(b)
        }}"""
    )


@pytest.mark.parametrize(
    ("inputs", "outputs", "left"), [(False, False, 2), (True, False, 1), (False, True, 1), (True, True, 0)]
)
def test_inputs_and_outputs_may_take_another_layout(inputs: bool, outputs: bool, left: int) -> None:
    proto = _nhwc()
    model = Model(proto)
    result = RemoveTransposes(inputs=inputs, outputs=outputs).run(model)
    after = model.proto()
    onnx.checker.check_model(after, full_check=True)
    assert ops(after).get("Transpose", 0) == left
    x = np.arange(2 * 4 * 5 * 3, dtype=np.float32).reshape(2, 4, 5, 3)
    fed = {"x": np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if inputs else x}
    old, new = evaluate(proto, {"x": x}), evaluate(after, fed)
    if inputs:
        assert result.inputs is not None
        assert isinstance(result.inputs, MappedInputs)
        (before,) = result.inputs.before(fed)
        np.testing.assert_array_equal(before["x"], x)
    if outputs:
        assert isinstance(result.relation, DerivedOutputs)
        old = result.relation.derive(old)
        assert old["y"].shape == (2, 2, 4, 5)
    for name, value in old.items():
        np.testing.assert_array_equal(value, new[name])
    assert len(result.warnings) == inputs + outputs
    assert RemoveTransposes(inputs=inputs, outputs=outputs).run(model).rewrites == 0


def test_an_input_that_is_handed_out_stays_as_it_is() -> None:
    proto = parse(f"g (float[1,2,3,4] x) => (float[1,2,3,4] x, float[1,3,4,2] y) {{ y = Transpose<{A}>(x) }}")
    model = Model(proto)
    assert RemoveTransposes(inputs=True).run(model).rewrites == 0
    RemoveTransposes(inputs=True, outputs=True).run(model)
    value = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)
    np.testing.assert_array_equal(evaluate(model.proto(), {"x": value})["x"], value)


def test_a_name_that_is_an_input_and_made_too_is_left_alone() -> None:
    body = f"a = Transpose<{A}>(x) b = Relu(a) y = Transpose<{B}>(b)"
    proto = parse(f"g (float[1,2,3,4] x) => (float[1,2,3,4] y) {{ {body} }}")
    proto.graph.node[1].output[0] = "x"
    proto.graph.node[2].input[0] = "x"
    result = RemoveTransposes().run(Model(proto))
    assert (result.rewrites, result.declined[0].reason) == (0, '"x" is written twice')


def test_what_a_model_declares_inside_is_not_believed() -> None:
    # onnx infers nothing of an operator of another domain, and the first axis is of size 1 only if the caller says so.
    proto = parse(
        """g (float[A, B, C] x) => (float[P, Q, R] y) <float[1, 6, 8] r> {
            r = com.microsoft.QuickGelu(x) y = Transpose<perm = [1, 0, 2]>(r)
        }""",
        more=', "com.microsoft" : 1',
    )
    ran = run_pass(RemoveTransposes(), proto, check=False)
    assert ran.result.rewrites == 0
    fed = {"x": np.arange(48, dtype=np.float32).reshape(2, 3, 8)}
    np.testing.assert_array_equal(evaluate(ran.after, fed)["y"], evaluate(ran.before, fed)["y"])


def test_a_declared_rank_that_the_operator_cannot_give_is_not_built_upon() -> None:
    proto = parse("g (float[1, 2, 3, 4] x) => (float[2] y) { y = Relu(x) }", 18)
    del proto.graph.node[:]
    a = helper.make_node("Transpose", ["x"], ["a"], perm=[0, 2, 3, 1])
    k = helper.make_node("Unknown", ["x"], ["k"], domain="com.example")
    u = helper.make_node("Where", ["k", "a", "a"], ["u"])
    y = helper.make_node("Transpose", ["u"], ["y"], perm=[4, 3, 2, 1, 0])
    proto.graph.node.extend([a, k, u, y])
    proto.graph.value_info.append(helper.make_tensor_value_info("k", TensorProto.BOOL, [1, 3, 4, 2]))
    proto.graph.value_info.append(helper.make_tensor_value_info("u", TensorProto.FLOAT, [1, 2, 3, 4, 5]))
    assert RemoveTransposes().run(Model(proto)).rewrites == 0
