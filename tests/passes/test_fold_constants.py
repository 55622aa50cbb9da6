"""fold-constants: what depends on constants alone becomes one, and what stays is named."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import onnx
import onnx_graphsurgeon as gs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkit import edit
from graphkit.model import Model
from graphkit.passes.fold_constants import FoldConstants
from tests.passes.helpers import assert_close, assert_identical, evaluate, make_external, ops, parse, run_pass
from tests.passes.proving import sentences, twice

W = "<float[2] w = {1, 2}>"


@pytest.mark.parametrize(
    ("body", "folded", "left"),
    [
        ("a = Neg(w) y = Add(x, a)", 1, {"Add": 1}),
        ("a = Neg(w) b = Exp(a) c = Mul(a, b) y = Add(x, c)", 3, {"Add": 1}),
        ("a = Neg(w) b = Exp(a) c = Add(x, a) y = Add(c, b)", 2, {"Add": 2}),
        ("a, b = Split<axis = 0>(w) c = Add(x, a) y = Add(c, b)", 1, {"Add": 2}),
        ("k = Constant<value = float[2] {3, 4}>() a = Neg(k) y = Add(x, a)", 1, {"Add": 1}),
        ("s = Shape(x) a = Cast<to = 1>(s) y = Add(x, a)", 2, {"Add": 1}),
        ("a = Clip(w, , w0) w0 = Constant<value = float {1.5}>() y = Add(x, a)", 1, {"Add": 1}),
    ],
)
def test_counts(body: str, folded: int, left: dict[str, int]) -> None:
    ran = run_pass(FoldConstants(), parse(f"g (float[2] x) => (float[2] y) {W} {{ {body} }}"))
    assert ran.result.rewrites == folded
    assert ops(ran.after) == left
    if "w0" not in body:
        assert_close(ran)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("g (float[2] x) => (float[2] y) { y = Relu(x) }", "no node depends on constants alone"),
        (
            f"g (float[2] x) => (float[2] y, float[2] z) {W} {{ y = Relu(x) z = Neg(w) }}",
            'its result is the graph output "z"',
        ),
        (
            "g (float[2] x) => (float[2] y) { r = RandomNormal<shape = [2]>() a = Neg(r) y = Add(x, a) }",
            "no node depends",
        ),
        ("g (float[N] x) => (int64[1] y) { s = Shape(x) y = Neg(s) }", "no node depends"),
        ("g (float[2] x) => (float[2] y) { k = Constant<value = float[2] {3, 4}>() y = Add(x, k) }", "no node depends"),
    ],
)
def test_declines(text: str, reason: str) -> None:
    ran = run_pass(FoldConstants(), parse(text))
    assert ran.result.rewrites == 0
    assert reason in ran.reasons[0]


def test_max_bytes_stops_at_the_large_and_folds_what_it_reads() -> None:
    text = """g (float[1000] x) => (float[1000] y) <float[1] w = {2}, int64[1] n = {1000}> {
        a = Neg(w) b = Expand(a, n) y = Add(x, b)
    }"""
    ran = run_pass(FoldConstants(max_bytes=100), parse(text))
    assert (ran.result.rewrites, ops(ran.after)) == (1, {"Expand": 1, "Add": 1})
    assert "larger than 100 bytes" in ran.reasons[0]
    assert_identical(ran)
    assert run_pass(FoldConstants(max_bytes=4000), parse(text)).result.rewrites == 2


def test_a_shared_constant_keeps_its_value() -> None:
    ran = run_pass(
        FoldConstants(), parse(f"g (float[2] x) => (float[2] y) {W} {{ a = Neg(w) b = Add(x, a) y = Mul(b, w) }}")
    )
    assert ran.result.rewrites == 1
    assert_identical(ran)


def test_fixed_dimensions_of_a_dynamic_shape() -> None:
    text = """g (float[N, 3, 8] x) => (int64[1] y, int64[2] z, int64[1] n)
        <int64[1] two = {2}, int64[1] one = {1}, int64[1] three = {3}, int64[1] zero = {0}> {
        s = Shape(x) g = Gather(s, two) y = Neg(g)
        t = Slice(s, one, three) z = Neg(t)
        u = Gather(s, zero) n = Neg(u)
    }"""
    ran = run_pass(FoldConstants(), parse(text))
    assert ran.result.rewrites == 2
    assert ops(ran.after) == {"Shape": 1, "Gather": 1, "Neg": 3}
    assert_identical(ran)


def test_shape_with_start_and_end() -> None:
    ran = run_pass(
        FoldConstants(), parse("g (float[N, 3, 8] x) => (int64[2] y) { s = Shape<start = 1>(x) y = Neg(s) }")
    )
    assert ran.result.rewrites == 1
    assert_identical(ran)


def test_half_of_a_dimension_stays_half() -> None:
    # Dropping the Casts, as graphsurgeon's shape folding does, would turn 0.5 into the integer 0.
    text = """g (int64[1] x) => (int64[1] y) <float[1] h = {0.5}> {
        f = Cast<to = 1>(x) m = Mul(f, h) y = Cast<to = 7>(m) }"""
    ran = run_pass(FoldConstants(), parse(text))
    assert ran.result.rewrites == 0
    assert evaluate(ran.after, {"x": np.array([640])})["y"] == 320


def test_in_subgraphs() -> None:
    text = """g (float[2] x, bool c) => (float[2] y) <float[2] w = {1, 2}> {
        y = If (c) <then_branch = t () => (float[2] p) { k = Neg(w) p = Add(x, k) },
                    else_branch = e () => (float[2] r) { q = RandomNormal<shape = [2]>() z = Sub(q, q) r = Add(x, z) }>
    }"""
    ran = run_pass(FoldConstants(), parse(text))
    assert (ran.result.rewrites, ops(ran.after)) == (1, {"If": 1, "Add": 2, "RandomNormal": 1, "Sub": 1})
    assert_identical(ran)


def test_a_default_that_a_caller_may_replace_is_no_constant() -> None:
    ran = run_pass(
        FoldConstants(),
        parse("g (float[2] x, float[2] w) => (float[2] y) <float[2] w = {1, 2}> { a = Neg(w) y = Add(x, a) }"),
    )
    assert ran.result.rewrites == 0


def test_what_onnxruntime_cannot_evaluate_is_named_and_the_rest_folded(capfd: pytest.CaptureFixture[str]) -> None:
    text = """g (float[2] x) => (float[2] y) <float[2] w = {1, 2}, float[3] v = {1, 2, 3}> {
        a = Neg(w) bad = Add(w, v) b = Add(x, a) y = Add(b, bad)
    }"""
    proto = parse(text)
    ran = run_pass(FoldConstants(), proto, check=False)
    assert ran.result.rewrites == 1
    assert ran.result.declined[0].nodes == ("Add → bad",)
    assert "onnxruntime cannot evaluate it" in ran.reasons[0]
    assert capfd.readouterr().err == ""


def test_custom_and_quantizing_operators_are_left() -> None:
    text = f"g (float[2] x) => (float[2] y) {W} {{ a = TRT.Foo(w) y = Add(x, a) }}"
    assert run_pass(FoldConstants(), parse(text, more=', "TRT" : 1')).result.rewrites == 0
    text = (
        "g (float[2] x) => (float[2] y) <int8[2] w = {1, 2}, float s = {0.5}> { a "
        "= DequantizeLinear(w, s) y = Add(x, a) }"
    )
    assert run_pass(FoldConstants(), parse(text)).result.rewrites == 0


def test_empty_tensors() -> None:
    ran = run_pass(
        FoldConstants(),
        parse("g (float[0, 2] x) => (float[0, 2] y) { s = Shape(x) r = Reshape<allowzero = 1>(x, s) y = Relu(r) }"),
    )
    assert ran.result.rewrites == 1
    assert_identical(ran)


def test_on_a_detector(coco_model: Path) -> None:
    ran = run_pass(FoldConstants(), onnx.load(coco_model))
    assert ran.result.rewrites == 0  # the exporter has folded it all
    assert ran.reasons == ["no node depends on constants alone"]


def test_weights_in_external_files_are_left() -> None:
    proto = parse(f"g (float[2] x) => (float[2] y) {W} {{ a = Neg(w) y = Add(x, a) }}")
    make_external(proto.graph.initializer[0])
    assert FoldConstants().run(Model(proto)).rewrites == 0


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["Neg", "Abs", "Add", "Mul"]), st.integers(0, 50), st.integers(0, 50)),
        min_size=1,
        max_size=10,
    )
)
def test_any_graph(steps: list[tuple[str, int, int]]) -> None:
    names, lines = ["x", "w"], []
    for index, (op, one, two) in enumerate(steps):
        inputs = [names[one % len(names)]] + ([names[two % len(names)]] if op in ("Add", "Mul") else [])
        lines.append(f"t{index} = {op}({', '.join(inputs)})")
        names.append(f"t{index}")
    ran = run_pass(
        FoldConstants(), parse(f"g (float[2] x) => (float[2] y) {W} {{ {' '.join(lines)} y = Add(x, {names[-1]}) }}")
    )
    assert sum(ops(ran.before).values()) - sum(ops(ran.after).values()) == ran.result.rewrites
    assert_close(ran)


KEPT = "<int64[1] zero = {0}, int64[1] one = {1}, int64[1] two = {2}, int64[1] rest = {-1}, int64 nought = {0}>"


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        ("s = Shape(x) a = Slice(s, zero, two, zero) c = Concat <axis = 0> (a, rest) y = Reshape(x, c)", [0, 0, -1]),
        ("s = Shape(x) a = Gather(s, zero) c = Concat <axis = 0> (a, rest) y = Reshape(x, c)", [0, -1]),
        (
            "s = Shape(x) g = Gather(s, nought) a = Unsqueeze(g, zero) c = Concat <axis = 0> (a, rest) "
            "y = Reshape(x, c)",
            [0, -1],
        ),
        ("a = Shape <start = 0, end = 1> (x) c = Concat <axis = 0> (a, two, rest) y = Reshape(x, c)", [0, 2, -1]),
        ("s = Shape(x) a = Slice(s, one, two, zero) c = Concat <axis = 0> (rest, a) y = Reshape(x, c)", [-1, 0]),
    ],
)
def test_a_reshape_that_keeps_dimensions_says_so(body: str, shape: list[int]) -> None:
    dims = ", ".join("R" * len(shape))
    outcome = twice(parse(f"g (float[N, M, 6] x) => (float[{dims}] y) {KEPT} {{ {body} }}"), "fold-constants")
    graph = outcome.model.proto().graph
    assert [node.op_type for node in graph.node] == ["Reshape"]
    (given,) = [item for item in graph.initializer if item.name == graph.node[0].input[1]]
    assert onnx.numpy_helper.to_array(given).tolist() == shape
    assert sentences(outcome)[0] == "identical"


@pytest.mark.parametrize(
    "body",
    [
        "s = Shape(x) a = Slice(s, one, two, zero) c = Concat <axis = 0> (a, rest) y = Reshape(x, c)",  # another place
        "s = Shape(z) a = Gather(s, zero) c = Concat <axis = 0> (a, rest) y = Reshape(x, c)",  # of another tensor
        "s = Shape(x) a = Gather(s, zero) c = Concat <axis = 0> (a, rest) y = Reshape <allowzero = 1> (x, c)",
        "s = Shape(x) a = Gather(s, zero) b = Neg(a) c = Concat <axis = 0> (b, two) y = Reshape(x, c)",
    ],
)
def test_a_reshape_that_does_more_stays(body: str) -> None:
    text = f"g (float[N, M, 6] x, float[M, N] z) => (float[R, R] y) {KEPT} {{ {body} }}"
    ran = run_pass(FoldConstants(), parse(text), check=False)
    assert ops(ran.after)["Concat"] == 1
    assert ran.result.rewrites == 0


def test_a_dimension_of_size_0_is_kept_too() -> None:
    body = "s = Shape(x) a = Gather(s, zero) c = Concat <axis = 0> (a, two, three) y = Reshape(x, c)"
    proto = parse(f"g (float[N, 6] x) => (float[N, 2, 3] y) {KEPT[:-1]}, int64[1] three = {{3}}> {{ {body} }}")
    after = twice(proto, "fold-constants").model.proto()
    assert ops(after) == {"Reshape": 1}
    for count in (0, 1, 5):
        given = {"x": np.arange(count * 6, dtype=np.float32).reshape(count, 6)}
        assert [value.shape for value in evaluate(proto, given).values()] == [(count, 2, 3)]
        assert [value.shape for value in evaluate(after, given).values()] == [(count, 2, 3)]


def test_what_was_folded_is_taken_off_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Node by node, a constant that thousands of folded nodes read would be searched for each of them."""
    calls: list[int] = []
    real = edit.detach_all

    def detach_all(nodes: Collection[gs.Node]) -> None:
        calls.append(len(nodes))
        real(nodes)

    monkeypatch.setattr(edit, "detach_all", detach_all)
    monkeypatch.setattr(edit, "detach", lambda node: pytest.fail(f"{node.name} is detached alone"))
    rows = " ".join(f"t{n + 1} = Add(t{n}, step)" for n in range(40))
    text = f"g (float[1] x) => (float[1] y) <float[1] t0 = {{0}}, float[1] step = {{1}}> {{ {rows} y = Mul(x, t40) }}"
    model = Model(parse(text))
    assert FoldConstants().run(model).rewrites == 40
    assert ops(model.proto()) == {"Mul": 1}
    assert 40 in calls
    assert len(calls) <= 3


def test_the_long_name_of_the_standard_domain_is_no_other_domain() -> None:
    """onnx-graphsurgeon, which computes what is folded, takes it for one, and would import that at version 1."""
    proto = parse(f"g (float[2] x) => (float[2] y) {W} {{ a = Neg(w) y = Add(x, a) }}")
    proto.graph.node[1].domain = "ai.onnx"
    model = Model(proto)
    assert FoldConstants().run(model).rewrites == 1
    assert [(item.domain, item.version) for item in model.proto().opset_import] == [("", 17)]
