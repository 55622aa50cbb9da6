"""remove-no-ops."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkit.model import Model
from graphkit.passes.remove_no_ops import RemoveNoOps
from tests.passes.helpers import assert_identical, ops, parse, run_pass
from tests.passes.proving import sentences, twice
from tests.passes.residue_graphs import NO_OPS, case, hold

PASS = RemoveNoOps()
SEEDS = st.integers(0, 2**32 - 1)


def removed(
    body: str, given: str = "float[N,3,4] x", held: str = "", made: str = "", opset: int = 17, ir: int = 8
) -> int:
    """How many nodes go from between two Neg, with equal results; of `body` each reads p and makes q."""
    made = made or "float[a,b,c] y"
    graph = f"g ({given}) => ({made}) <{held}> {{ p = Neg(x) {body} y = Neg(q) }}"
    ran = run_pass(PASS, parse(graph, opset, ir))
    assert_identical(ran)
    return ran.result.rewrites


def reasons(body: str, given: str = "float[N,3,4] x", held: str = "", opset: int = 17) -> list[str]:
    """Why nothing goes."""
    ran = run_pass(
        PASS, parse(f"g ({given}) => (float[a,b,c] y) <{held}> {{ p = Neg(x) {body} y = Neg(q) }}", opset), check=False
    )
    assert ran.result.rewrites == 0
    return ran.reasons


@pytest.mark.parametrize(
    ("body", "held"),
    [
        ("q = Cast<to = 1>(p)", ""),
        ("q = CastLike(p, x)", ""),
        ("q = Slice(p, s, e)", "int64[2] s = {0, 0}, int64[2] e = {2147483647, 9223372036854775807}"),
        ("q = Slice(p, s, e, a)", "int32[1] s = {0}, int32[1] e = {4}, int32[1] a = {-1}"),
        ("q = Slice(p, s, e, a, t)", "int64[1] s = {-4}, int64[1] e = {99}, int64[1] a = {2}, int64[1] t = {1}"),
        ("q = Pad(p, s)", "int64[6] s = {0, 0, 0, 0, 0, 0}"),
        ('q = Pad<mode = "reflect">(p, s)', "int64[6] s = {0, 0, 0, 0, 0, 0}"),
        ("q = Concat<axis = 1>(p)", ""),
        ("q = Split<axis = 1>(p)", ""),
        ("q = Expand(p, s)", "int64[2] s = {3, 4}"),
        ("q = Expand(p, s)", "int64[3] s = {1, 1, 1}"),
        ("h = Shape(p) q = Expand(p, h)", ""),
        ("q = Tile(p, s)", "int64[3] s = {1, 1, 1}"),
        ("q = Reshape(p, s)", "int64[3] s = {-1, 3, 4}"),
        ("q = Reshape(p, s)", "int64[3] s = {0, -1, 4}"),
        ("h = Shape(p) q = Reshape(p, h)", ""),
        ("q = Dropout(p)", ""),
        ("q, m = Dropout(p, r, t)", "float r = {0.5}, bool t = {0}"),
        ("q = Sum(p)", ""),
        ("q = Max(p)", ""),
        ("q = Min(p)", ""),
        ("q = Mean(p)", ""),
        ("q = Mul(p, c)", "float[1, 1] c = {1}"),
        ("q = Mul(c, p)", "float c = {1}"),
        ("q = Div(p, c)", "float[4] c = {1, 1, 1, 1}"),
        ("q = Add(p, c)", "float c = {-0.0}"),
        ("q = Sub(p, c)", "float c = {0}"),
        ("q = Pow(p, c)", "float c = {1}"),
        ("q = Pow(p, c)", "int64 c = {1}"),
    ],
)
def test_each_goes(body: str, held: str) -> None:
    assert removed(body, held=held) == 1


@pytest.mark.parametrize(
    ("body", "held", "given"),
    [
        ("q = Reshape(p, s)", "int64[3] s = {0, 0, -1}", "float[N,M,K] x"),
        ("q = Reshape(p, s)", "int64[3] s = {1, 3, 4}", "float[1,3,4] x"),
        (
            "q = Slice(p, s, e, a, t)",
            "int64[1] s={-1}, int64[1] e={-99}, int64[1] a={1}, int64[1] t={-1}",
            "float[2,1,2] x",
        ),
        ("q = Squeeze(p)", "", "float[2,3,4] x"),
        ("q = Concat<axis = 1>(e, p, e)", "float[1, 0, 4] e = {}", "float[1,3,4] x"),
        ("q = Expand(p, s)", "int64[3] s = {1, 0, 4}", "float[1,0,4] x"),
        ("q = Reshape<allowzero = 1>(p, s)", "int64[3] s = {2, 0, 4}", "float[2,0,4] x"),
    ],
)
def test_each_goes_at_these_sizes(body: str, held: str, given: str) -> None:
    assert removed(body, given, held) == 1


@pytest.mark.parametrize(
    ("body", "held", "reason"),
    [
        ("q = Add(p, c)", "float c = {0}", "adding +0 makes +0 of -0"),
        ("q = Sub(p, c)", "float c = {-0.0}", "subtracting -0 makes +0 of -0"),
        ("q = Mul(p, c)", "float[1, 1, 1, 1] c = {1}", "its constant gives it more elements"),
        ("q = Mul(p, c)", "float[2, 1, 1] c = {1, 1}", "its constant gives it more elements"),
        ("q = Mul(p, c)", "float c = {1.0000001}", "each of the 1 nodes looked at changes"),
        ("q = Div(c, p)", "float c = {1}", "each of the 1 nodes"),
        ("q = Reshape(p, s)", "int64[3] s = {2, 3, 4}", "it says that dimension 0, which is not known, is 2"),
        ("q = Reshape(p, s)", "int64[3] s = {0, 4, 3}", "each of the 1 nodes"),
        ("q = Expand(p, s)", "int64[3] s = {2, 3, 4}", "it says that a dimension which is not known is 2 or 1"),
        (
            "q = Slice(p, s, e)",
            "int64[1] s = {0}, int64[1] e = {8}",
            "whether dimension 0 is larger than 8 is not known",
        ),
        ("q = Slice(p, s, e)", "int64[1] s = {1}, int64[1] e = {2147483647}", "each of the 1 nodes"),
        (
            "q = Slice(p, s, e, a, t)",
            "int64[1] s={0}, int64[1] e={99}, int64[1] a={1}, int64[1] t={2}",
            "each of the 1",
        ),
        ("q = Pad(p, s)", "int64[6] s = {0, 0, 0, 0, 0, 1}", "each of the 1 nodes"),
        ("q, m = Dropout(p, r, t)", "float r = {0.0}, bool t = {1}", "its training_mode is true"),
        ("q = Tile(p, s)", "int64[3] s = {1, 2, 1}", "each of the 1 nodes"),
        ("a = Cast<to = 6>(p) q = Cast<to = 1>(a)", "", "each of the 2 nodes"),
        ("a = Cast<to = 10>(p) q = Cast<to = 1>(a)", "", "each of the 2 nodes"),
        ("q = Where(c, p, o)", "bool c = {1}, float o = {7}", "onnxruntime's Where makes +0 of -0"),
    ],
)
def test_each_stays(body: str, held: str, reason: str) -> None:
    assert reasons(body, held=held)[0].startswith(reason)


def test_what_onnxruntime_makes_of_minus_zero() -> None:
    # Why Where stays: the definition chooses -0, onnxruntime returns +0. With a newer one that does not, it can go.
    proto = parse("g (float[1] x) => (float[1] y) <bool c = {1}, float o = {7}> { y = Where(c, x, o) }")
    from tests.passes.helpers import evaluate

    assert not np.signbit(evaluate(proto, {"x": np.array([-0.0], np.float32)})["y"])[0]


WHOLE = "g (int32[2] x) => (int32[2] y) <int32 z = {0}, int32 o = {1}, bool t = {1}, bool f = {0}> "


def test_whole_numbers_have_one_zero() -> None:
    body = "{ a = Abs(x) b = Add(z, a) c = Sub(b, z) d = Mul(c, o) e = Where(t, d, z) h = Where(f, z, e) y = Abs(h) }"
    ran = run_pass(PASS, parse(WHOLE + body))
    assert ran.result.rewrites == 5
    assert ops(ran.after) == {"Abs": 2}
    assert_identical(ran)


@pytest.mark.parametrize(
    ("start", "way", "gone", "left"),
    [
        (1, (11, 1), 2, 0),  # float → double → float
        (6, (7, 6), 2, 0),  # int32 → int64 → int32
        (6, (11, 6), 2, 0),  # int32 → double → int32: 53 bits hold 32
        (6, (1, 6), 0, 2),  # int32 → float → int32: 24 bits do not
        (2, (10, 2), 2, 0),  # uint8 → float16 → uint8
        (3, (2, 3), 0, 2),  # int8 → uint8 → int8: what becomes of -1 is not said
        (9, (1, 9), 2, 0),  # bool → float → bool
        (6, (7, 1), 1, 1),  # int32 → int64 → float: one Cast
        (3, (5, 6, 7, 11), 3, 1),  # int8 → int16 → int32 → int64 → double: one Cast
        (1, (11, 6), 0, 2),  # float → double → int32: undefined beyond the range
        (1, (11, 1, 11, 1), 4, 0),
        (1, (11, 11, 7), 1, 2),
    ],
)
def test_casts_in_a_row(start: int, way: tuple[int, ...], gone: int, left: int) -> None:
    name = onnx.helper.make_tensor_type_proto(start, [8])
    steps = "".join(f"c{index + 1} = Cast<to = {kind}>(c{index}) " for index, kind in enumerate(way))
    proto = parse(
        f"g (float[8] x, float[8] z) => (float[8] y) {{ c0 = Identity(x) {steps} y = Identity(c{len(way)}) }}"
    )
    proto.graph.input[0].type.CopyFrom(name)
    proto.graph.output[0].type.tensor_type.elem_type = way[-1]
    ran = run_pass(PASS, proto)
    assert (ran.result.rewrites, ops(ran.after).get("Cast", 0)) == (gone, left)
    assert_identical(ran)


def test_a_cast_that_others_read_stays_where_it_does_not_come_back() -> None:
    body = "{ a = Cast<to = 7>(x) b = Cast<to = 1>(a) h = Neg(a) y = Neg(b) }"
    ran = run_pass(PASS, parse("g (int32[3] x) => (float[3] y, int64[3] h) " + body))
    assert ran.result.rewrites == 0


@pytest.mark.parametrize("opset", [7, 9, 10, 13])
def test_attributes_of_older_opsets(opset: int) -> None:
    cut = "s = Slice<starts = [0], ends = [2147483647]>(r)" if opset < 10 else "s = Slice(r, zero, end)"
    padded = "t = Pad<pads = [0, 0, 0, 0, 0, 0, 0, 0]>(s)" if opset < 11 else "t = Pad(s, none)"
    larger = "u = Upsample<scales = [1.0, 1.0, 1.0, 1.0]>(t)" if opset < 9 else "u = Upsample(t, ones)"
    larger = larger if opset < 10 else "u = Resize(t, ones)" if opset == 10 else "u = Resize(t, , ones)"
    graph = f"""g (float[1,1,2,2] x) => (float[1,1,2,2] y)
        <float[4] ones = {{1, 1, 1, 1}}, int64[1] zero = {{0}}, int64[1] end = {{2147483647}},
         int64[8] none = {{0, 0, 0, 0, 0, 0, 0, 0}}> {{ r = Neg(x) {cut} {padded} {larger} y = Neg(u) }}"""
    ran = run_pass(PASS, parse(graph, opset))
    assert ran.result.rewrites == 3
    assert_identical(ran)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ('mode = "nearest"', None),
        ('mode = "linear"', None),
        ('mode = "linear", coordinate_transformation_mode = "align_corners"', None),
        ('mode = "nearest", nearest_mode = "ceil", coordinate_transformation_mode = "asymmetric"', None),
        ('mode = "cubic"', "it resizes by 1, which cubic rounds"),
        ('mode = "linear", antialias = 1', "it resizes by 1, but with antialias"),
        (
            'mode = "nearest", coordinate_transformation_mode = "tf_crop_and_resize"',
            "it resizes by 1, which tf_crop_and_resize does not leave as it is",
        ),
    ],
)
def test_resize_by_one(how: str, reason: str | None) -> None:
    graph = (
        "g (float[1,1,5,7] x) => (float[1,1,5,7] y) <float[4] s = {1, 1, 1, 1}, float[8] r = {0, 0, 0, 0, 1, 1, 1, 1}> "
        f"{{ p = Neg(x) q = Resize<{how}>(p, r, s) y = Neg(q) }}"
    )
    ran = run_pass(PASS, parse(graph, 18))
    assert ran.result.rewrites == (reason is None)
    assert reason is None or ran.reasons == [reason]
    if reason is None:
        assert_identical(ran)


def test_resize_to_the_sizes_it_has() -> None:
    graph = """g (float[1,1,5,7] x) => (float[1,1,5,7] y) <int64[2] s = {5, 7}, int64[2] t = {7, 5}> {
        p = Neg(x) a = Resize<axes = [-2, 3]>(p, , , s) b = Resize<axes = [3, 2]>(a, , , t) y = Neg(b) }"""
    ran = run_pass(PASS, parse(graph, 18))
    assert ran.result.rewrites == 2
    assert_identical(ran)


def test_names_of_graph_inputs_and_outputs_stay() -> None:
    ran = run_pass(
        PASS,
        parse("g (float[2] x) => (float[2] a, float[2] b, float[2] y) { a = Sum(x) r = Neg(x) b = Sum(r) y = Sum(b) }"),
    )
    assert ran.result.rewrites == 1  # Neg writes b
    assert ops(ran.after) == {"Neg": 1, "Sum": 2}
    assert ran.reasons == [
        'it hands "x", which no node makes, to the graph output "a"',
        '"b" and "y" are both graph outputs',
    ]
    assert_identical(ran)


def test_fan_out_and_a_mask_that_is_read() -> None:
    ran = run_pass(
        PASS,
        parse(
            """g (float[2] x) => (float[2] y, bool[2] m) {
                r = Neg(x) a = Sum(r) b = Neg(a) c = Abs(a) d, m = Dropout(c) e = Add(b, d) y = Add(e, r) }"""
        ),
    )
    assert ran.result.rewrites == 1
    assert ran.reasons == ["its second output is read"]
    assert_identical(ran)


BRANCHES = """g (float[2] x, bool c) => (float[2] y) <float one = {1}> {
    s = Neg(x) t = Mul(s, one)
    y = If(c) <
        then_branch = one_ () => (float[2] u) { p = Mul(t, one) q = Abs(p) u = Sum(q) },
        else_branch = two_ () => (float[2] u) { u = Mul(t, one) }
    >
}"""


def test_subgraphs_are_entered() -> None:
    ran = run_pass(PASS, parse(BRANCHES))
    assert ran.result.rewrites == 3
    assert ops(ran.after) == {"Neg": 1, "If": 1, "Abs": 1, "Mul": 1}
    assert ran.reasons == ['it hands "s", which this graph does not make, to the graph output "u"']
    for seed in (0, 1, 2):
        assert_identical(ran, seed)


def test_a_name_that_means_two_tensors_is_left_alone() -> None:
    # onnx's checker refuses it; onnxruntime takes the inner one. After the removal the branch would read the inner "s".
    proto = parse(
        """g (float[2] x, bool c) => (float[2] y) {
            s = Neg(x) t = Sum(s)
            y = If(c) < then_branch = one () => (float[2] u) { s = Abs(t) u = Add(s, t) },
                        else_branch = two () => (float[2] v) { v = Neg(t) } >
        }"""
    )
    ran = run_pass(PASS, proto, check=False)
    assert ran.result.rewrites == 0
    assert ran.reasons == ['several tensors are called "s"']


def test_declared_shapes_inside_are_not_relied_on() -> None:
    # The exporter's sizes are still there, the batch has been made dynamic since.
    proto = parse(
        """g (float[N,4] x, int64[2] s) => (float[a,b] y) {
            p = Reshape(x, s) q = Reshape(p, s) y = Neg(q) }"""
    )
    for name in ("p", "q"):
        proto.graph.value_info.append(onnx.helper.make_tensor_value_info(name, 1, [2, 4]))
    assert run_pass(PASS, proto).result.rewrites == 0


def test_values_that_a_caller_may_replace_are_no_constants() -> None:
    graph = "g (float[2] x, float o) => (float[2] y) <float o = {1}> { p = Neg(x) q = Mul(p, o) y = Neg(q) }"
    assert run_pass(PASS, parse(graph)).result.rewrites == 0
    # Before IR version 4 every initializer had to be an input, and none could be replaced.
    assert run_pass(PASS, parse(graph, 8, 3)).result.rewrites == 1


@pytest.mark.parametrize("body", ["q = Reshape(p, s)", "a = Cast<to = 1>(p) q = Cast<to = 10>(a)", "q = Sum(p)"])
def test_float16_stays_rounded_where_it_is(body: str) -> None:
    # onnxruntime returns other numbers for Exp → Log without anything in float16 between them.
    graph = f"g (float16[64] x) => (float16[64] y) <int64[1] s = {{64}}> {{ p = Exp(x) {body} y = Log(q) }}"
    ran = run_pass(PASS, parse(graph))
    assert ran.result.rewrites == 0
    assert ran.reasons == ["it is float16: onnxruntime would round elsewhere without it"]


def test_annotated_tensors_stay() -> None:
    proto = parse("g (float[2] x) => (float[2] y) { p = Neg(x) q = Sum(p) y = Neg(q) }")
    proto.graph.quantization_annotation.add(tensor_name="q")
    assert run_pass(PASS, proto).reasons == ['a quantization annotation names "q"']


def test_cycles_unsorted_nodes_and_missing_pieces_do_no_harm() -> None:
    cyclic = parse(
        "g (float[2] x) => (float[2] y) { a = Sum(b) b = Sum(a) c = Cast<to = 1>(d) d = Cast<to = 11>(c) y = Neg(x) }"
    )
    PASS.run(Model(cyclic))
    unsorted = parse("g (float[2] x) => (float[2] y) { y = Neg(b) b = Sum(a) a = Mul(p, o) p = Neg(x) } ")
    unsorted.graph.initializer.append(onnx.numpy_helper.from_array(np.array(1, np.float32), "o"))
    model = Model(unsorted)
    assert PASS.run(model).rewrites == 2
    assert PASS.run(model).rewrites == 0
    for op in (
        "Reshape",
        "Slice",
        "Pad",
        "Resize",
        "Cast",
        "Where",
        "Mul",
        "Expand",
        "Concat",
        "Split",
        "Flatten",
        "Pow",
    ):
        for inputs in ([], ["x"], ["", "x"], ["nowhere", "x", "x", "x", "x"], ["x"] * 9):
            broken = parse("g (float[2] x) => (float[2] y) { y = Neg(x) }")
            node = broken.graph.node.add(op_type=op, input=inputs, output=["z"])
            node.attribute.append(onnx.helper.make_attribute("axis", "text"))
            node.attribute.append(onnx.helper.make_attribute("to", 99))
            node.attribute.append(onnx.helper.make_attribute("axes", [77, -99]))
            PASS.run(Model(broken))


def test_older_opsets_and_other_domains_are_left_alone() -> None:
    ran = run_pass(
        PASS, parse("g (float[2] x) => (float[2] y) { p = Neg(x) q = Dropout(p) y = Neg(q) }", 6), check=False
    )
    assert ran.reasons == ["opset 6 has other definitions; pin-opset can take the model to 7 or newer"]
    other = parse("g (float[2] x) => (float[2] y) { p = Neg(x) q = other.Sum(p) y = Neg(q) }", more=', "other" : 1')
    assert run_pass(PASS, other, check=False).reasons == ["there is no operator that could give back what it reads"]


@settings(max_examples=250, deadline=None)
@given(SEEDS)
def test_random_models_compute_the_same(seed: int) -> None:
    hold(PASS, case(seed, NO_OPS))


def test_random_models_have_something_to_remove() -> None:
    assert sum(hold(PASS, case(seed, NO_OPS)) for seed in range(60)) > 60


@pytest.mark.slow
@settings(max_examples=8000, deadline=None)
@given(SEEDS, st.integers(2, 40))
def test_many_random_models_compute_the_same(seed: int, most: int) -> None:
    hold(PASS, case(seed, NO_OPS, most))


@pytest.mark.slow
def test_a_hundred_thousand_nodes() -> None:
    proto = parse("g (float[N,3,4] x) => (float[a,b,c] y) <float one = {1}> { y = Neg(x) }")
    del proto.graph.node[:]
    for index in range(100_000):
        op, more = (("Mul", ["one"]), ("Neg", []))[index % 2]
        proto.graph.node.add(op_type=op, input=[f"t{index}" if index else "x", *more], output=[f"t{index + 1}"])
    proto.graph.node[-1].output[0] = "y"
    model = Model(proto)
    assert PASS.run(model).rewrites == 50_000


def test_proven_in_a_run() -> None:
    assert sentences(twice(parse(BRANCHES.replace("bool c", "bool[1] c")), "remove-no-ops"))[0] == "identical"
