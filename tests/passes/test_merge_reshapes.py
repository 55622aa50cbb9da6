"""merge-reshapes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkit.model import Model
from graphkit.passes.merge_reshapes import MergeReshapes
from tests.passes.helpers import Arrays, assert_identical, evaluate, ops, parse, run_pass
from tests.passes.proving import sentences, twice
from tests.passes.residue_graphs import RESHAPES, case, hold

PASS = MergeReshapes()
SEEDS = st.integers(0, 2**32 - 1)


def ones(size: int) -> list[str]:
    """Dimensions of an output of which only the rank is declared."""
    return [f"d{axis}" for axis in range(size)]


def chain(given: str, body: str, held: str = "", rank: int = 2, opset: int = 17, ir: int = 8) -> onnx.ModelProto:
    """A chain that reads p and makes q, between two Neg."""
    made = ",".join(ones(rank))
    return parse(f"g ({given}) => (float[{made}] y) <{held}> {{ p = Neg(x) {body} y = Neg(q) }}", opset, ir)


def left(proto: onnx.ModelProto) -> list[tuple[str, list[int]]]:
    """What is left between the two Neg: each operator with its shape, axes or axis."""
    values = {item.name: onnx.numpy_helper.to_array(item).tolist() for item in proto.graph.initializer}
    found = []
    for node in proto.graph.node:
        if node.op_type in ("Reshape", "Flatten", "Squeeze", "Unsqueeze"):
            told = [item for item in node.attribute if item.name in ("axis", "axes")]
            numbers = values.get(node.input[1], []) if len(node.input) > 1 else []
            for item in told:
                numbers = list(item.ints) if item.ints else [item.i]
            found.append((node.op_type, numbers))
    return found


@pytest.mark.parametrize(
    ("given", "body", "held", "rank", "expected"),
    [
        # Nothing is left.
        ("float[N,M] x", "a = Unsqueeze(p, s) q = Squeeze(a, s)", "int64[2] s = {1, 3}", 2, []),
        ("float[N,1,M] x", "a = Squeeze(p, s) q = Unsqueeze(a, s)", "int64[1] s = {1}", 3, []),
        ("float[N,8] x", "a = Reshape(p, s) q = Reshape(a, t)", "int64[2] s = {-1, 4}, int64[2] t = {-1, 8}", 2, []),
        ("float[2,3,4] x", "a = Flatten(p) q = Reshape(a, s)", "int64[3] s = {2, 3, 4}", 3, []),
        (
            "float[N,1,M] x",
            "a = Squeeze(p, s) b = Unsqueeze(a, s) c = Squeeze(b, s) q = Unsqueeze(c, s)",
            "int64[1] s = {1}",
            3,
            [],
        ),
        # One is left, and it needs no shape.
        (
            "float[N,M] x",
            "a = Unsqueeze(p, s) q = Unsqueeze(a, t)",
            "int64[1] s = {0}, int64[1] t = {3}",
            4,
            [("Unsqueeze", [0, 3])],
        ),
        (
            "float[N,1,M,1] x",
            "a = Squeeze(p, s) q = Squeeze(a, t)",
            "int64[1] s = {1}, int64[1] t = {-1}",
            2,
            [("Squeeze", [1, 3])],
        ),
        (
            "float[N,M,K] x",
            "a = Squeeze(p, s) q = Squeeze(a, t)",
            "int64[1] s = {1}, int64[1] t = {1}",
            1,
            [("Squeeze", [1, 2])],
        ),
        (
            "float[N,M] x",
            "a = Unsqueeze(p, s) q = Squeeze(a, t)",
            "int64[2] s = {0, 3}, int64[1] t = {0}",
            3,
            [("Unsqueeze", [2])],
        ),
        ("float[N,M,K] x", "a = Unsqueeze(p, s) q = Flatten<axis = 2>(a)", "int64[1] s = {1}", 2, [("Flatten", [1])]),
        # A Reshape that reads what was there before, as it stands.
        (
            "float[N,M] x",
            "a = Unsqueeze(p, s) q = Reshape(a, t)",
            "int64[1] s = {0}, int64[2] t = {-1, 3}",
            2,
            [("Reshape", [-1, 3])],
        ),
        (
            "float[N,6] x",
            "a = Reshape(p, s) q = Reshape(a, t)",
            "int64[3] s = {0, 2, 3}, int64[3] t = {0, 3, 2}",
            3,
            [("Reshape", [0, 3, 2])],
        ),
        # A new shape: what stays in its place is copied, one more is found.
        ("float[N,64,1,1] x", "a = Flatten(p) q = Unsqueeze(a, s)", "int64[1] s = {1}", 3, [("Reshape", [0, 1, 64])]),
        (
            "float[N,1,64] x",
            "a = Squeeze(p, s) q = Unsqueeze(a, t)",
            "int64[1] s = {1}, int64[1] t = {0}",
            3,
            [("Reshape", [1, -1, 64])],
        ),
        ("float[2,3,4] x", "a = Flatten(p) q = Unsqueeze(a, s)", "int64[1] s = {0}", 3, [("Reshape", [1, 2, 12])]),
        (
            "float[N,4] x",
            "a = Reshape(p, s) q = Reshape(a, t)",
            "int64[2] s = {2, 6}, int64[1] t = {-1}",
            1,
            [("Reshape", [12])],
        ),
    ],
)
def test_chains(given: str, body: str, held: str, rank: int, expected: list[tuple[str, list[int]]]) -> None:
    proto = chain(given, body, held, rank)
    ran = run_pass(PASS, proto)
    assert left(ran.after) == expected
    assert ran.result.rewrites == len(left(proto)) - len(expected)
    sizes = {"K": 1, "M": 1} if "K" in given and "Squeeze(p" in body else {"N": 3, "M": 5, "K": 2}
    if "{-1, 3}" in held:
        sizes["M"] = 3
    assert_identical(ran, sizes=sizes)


@pytest.mark.parametrize(
    ("given", "body", "held", "rank"),
    [
        # Two dynamic dimensions move.
        ("float[N,1,M] x", "a = Squeeze(p, s) q = Unsqueeze(a, t)", "int64[1] s = {1}, int64[1] t = {0}", 3),
        # A -1 would fail where M is 0, and Squeeze and Unsqueeze do not.
        ("float[N,1,M,4] x", "a = Squeeze(p, s) q = Unsqueeze(a, t)", "int64[1] s = {1}, int64[1] t = {0}", 4),
        # A 0 of the second copies what only the first put there.
        ("float[N,M] x", "a = Unsqueeze(p, s) q = Reshape(a, t)", "int64[1] s = {0}, int64[3] t = {3, 0, -1}", 3),
        # A shape that is computed may hold a 0.
        ("float[N,6] x, int64[2] t", "a = Reshape(p, s) q = Reshape(a, t)", "int64[3] s = {2, 3, -1}", 2),
    ],
)
def test_chains_that_no_one_operator_can_do(given: str, body: str, held: str, rank: int) -> None:
    ran = run_pass(PASS, chain(given, body, held, rank))
    assert ran.result.rewrites == 0
    assert ran.reasons == ["no one node does the same for all inputs"]


def test_a_shape_that_is_computed_is_kept_where_nothing_can_be_copied() -> None:
    body = "a = Unsqueeze(p, s) q = Reshape<allowzero = 1>(a, t)"
    ran = run_pass(PASS, chain("float[N,6] x, int64[2] t", body, "int64[1] s = {0}"))
    assert ran.result.rewrites == 1
    feeds: Arrays = {"x": np.arange(12, dtype=np.float32).reshape(2, 6), "t": np.array([3, 4])}
    assert evaluate(ran.before, feeds)["y"].tolist() == evaluate(ran.after, feeds)["y"].tolist()


@pytest.mark.parametrize("batch", [0, 1, 3])
def test_a_minus_one_is_used_where_it_was_used_before(batch: int) -> None:
    # [N,C,H,W] → [N,C,HW] by -1 fails for N = 0 already, so nothing is lost.
    held = "int64[3] s = {0, 0, -1}, int64[1] t = {1}, int64[1] u = {0}"
    body = "a = Reshape(p, s) b = Unsqueeze(a, t) q = Unsqueeze(b, u)"
    ran = run_pass(PASS, chain("float[N,3,H,W] x", body, held, 5))
    assert ran.result.rewrites == 1
    feeds: Arrays = {"x": np.ones((batch, 3, 2, 2), np.float32)}
    if batch:
        assert evaluate(ran.after, feeds)["y"].shape == (1, batch, 1, 3, 4)
    else:
        with pytest.raises(Exception, match="cannot be reshaped"):
            evaluate(ran.before, feeds)


@pytest.mark.parametrize(
    ("opset", "held", "expected"),
    [
        (17, "int64[2] s = {0, 5}, int64[1] t = {0}", [("Reshape", [1, 5, 0])]),
        (13, "int64[2] s = {0, 5}, int64[1] t = {0}", None),
    ],
)
def test_dimensions_of_size_0(opset: int, held: str, expected: list[tuple[str, list[int]]] | None) -> None:
    """[0,3] → [0,5] → [1,0,5] → [1,5,0]: only allowzero says a 0 that is not copied."""
    held += ", int64[3] u = {1, 5, 0}"
    body = "a = Reshape(p, s) b = Flatten<axis = 0>(a) q = Reshape<allowzero = 1>(b, u)"
    if opset < 14:
        held, body = (
            "int64[1] s = {0}, int64[1] t = {2}",
            "a = Unsqueeze(p, s) b = Flatten<axis = 0>(a) q = Unsqueeze(b, t)",
        )
    ran = run_pass(PASS, chain("float[0,3] x", body, held, 3, opset))
    assert_identical(ran)
    if expected is not None:
        assert left(ran.after) == expected
    else:  # [0,3] → [1,0,3] → [1,0] → [1,0,1]
        assert left(ran.after) == [("Flatten", [0]), ("Unsqueeze", [2])]


@pytest.mark.parametrize("opset", [7, 11, 12])
def test_axes_are_attributes_in_older_opsets(opset: int) -> None:
    body = "a = Unsqueeze<axes = [0]>(p) b = Unsqueeze<axes = [3]>(a) q = Squeeze<axes = [0]>(b)"
    ran = run_pass(PASS, chain("float[N,M] x", body, "", 3, opset))
    assert left(ran.after) == [("Unsqueeze", [2])]
    assert not ran.after.graph.initializer
    assert_identical(ran)


def test_ir_version_3_gets_no_new_constants() -> None:
    # There every initializer is a graph input, and those stay.
    proto = parse(
        """g (float[N,1,64] x, int64[3] s) => (float[a,b,c] y) <int64[3] s = {-1, 1, 64}> {
            p = Neg(x) a = Flatten(p) b = Unsqueeze<axes = [0]>(a) y = Neg(b) }""",
        8,
        3,
    )
    ran = run_pass(PASS, proto)
    assert ran.result.rewrites == 0
    again = parse(
        """g (float[N,1,64] x, int64[3] s) => (float[a,b,c] y) <int64[3] s = {-1, 1, 64}> {
            p = Neg(x) a = Flatten(p) b = Unsqueeze<axes = [0]>(a) c = Reshape(b, s) y = Neg(c) }""",
        8,
        3,
    )
    assert run_pass(PASS, again).result.rewrites == 3


def test_outputs_in_the_middle_and_other_readers_stay() -> None:
    graph = """g (float[2,3] x) => (float[6] m, float[3,2] y, float[1,6] z)
        <int64[1] f = {-1}, int64[2] s = {3, 2}, int64[1] o = {0}> {
        m = Reshape(x, f) y = Reshape(m, s) a = Reshape(x, f) b = Neg(a)
        c = Unsqueeze(a, o) d = Unsqueeze(b, o) z = Add(c, d) }"""
    ran = run_pass(PASS, parse(graph))
    assert ran.result.rewrites == 0
    assert ran.reasons == ["each that follows another is needed: what lies between is read or returned"]


def test_fan_out_goes_where_all_can_do_without() -> None:
    graph = """g (float[2,3] x) => (float[3,2] y, float[1,6] z, float[2,3] w)
        <int64[1] f = {-1}, int64[2] s = {3, 2}, int64[1] o = {0}, int64[2] t = {2, 3}> {
        p = Neg(x) a = Reshape(p, f) y = Reshape(a, s) z = Unsqueeze(a, o) b = Reshape(a, t) w = Neg(b) }"""
    ran = run_pass(PASS, parse(graph))
    assert ran.result.rewrites == 2
    assert ran.result.summary == "4 → 2 reshapes"
    assert ops(ran.after) == {"Neg": 2, "Reshape": 2}
    assert_identical(ran)


def test_names_of_graph_inputs_and_outputs_stay() -> None:
    graph = "g (float[2,3] x) => (float[2,3] y) <int64[1] s = {0}> { a = Unsqueeze(x, s) y = Squeeze(a, s) }"
    ran = run_pass(PASS, parse(graph))
    assert ops(ran.after) == {"Reshape": 1}
    assert ran.reasons == ['it hands "x", which no node makes, to the graph output "y"']
    assert_identical(ran)
    graph = "g (float[2,3] x) => (float[2,3] y) <int64[1] s = {0}> { p = Neg(x) a = Unsqueeze(p, s) y = Squeeze(a, s) }"
    ran = run_pass(PASS, parse(graph))
    assert ops(ran.after) == {"Neg": 1}
    assert_identical(ran)


def test_shared_constants_stay_as_they_are() -> None:
    graph = """g (float[2,3] x) => (float[6] y, int64[1] n) <int64[1] s = {-1}> {
        a = Flatten(x) y = Reshape(a, s) n = Neg(s) }"""
    ran = run_pass(PASS, parse(graph))
    assert ran.result.rewrites == 1
    assert [onnx.numpy_helper.to_array(item).tolist() for item in ran.after.graph.initializer] == [[-1]]
    assert_identical(ran)


BRANCHES = """g (float[2,3] x, bool c) => (float[a,b] y) <int64[1] o = {0}, int64[1] f = {-1}> {
    s = Unsqueeze(x, o)
    y = If(c) <
        then_branch = one () => (float[d,e] u) { p = Squeeze(s, o) q = Unsqueeze(p, o) r = Squeeze(q, o) u = Neg(r) },
        else_branch = two () => (float[d,e] u) { p = Reshape(s, f) u = Unsqueeze(p, o) }
    >
}"""


def test_subgraphs_are_entered_and_chains_end_at_their_borders() -> None:
    ran = run_pass(PASS, parse(BRANCHES))
    assert ran.result.rewrites == 3
    assert ops(ran.after) == {"Unsqueeze": 1, "If": 1, "Squeeze": 1, "Neg": 1, "Reshape": 1}
    for seed in range(3):
        assert_identical(ran, seed)


def test_declared_shapes_inside_are_not_relied_on() -> None:
    proto = chain("float[N,8] x, int64[2] s", "a = Reshape(p, s) q = Reshape(a, t)", "int64[3] t = {0, 2, -1}", 3)
    proto.graph.value_info.append(onnx.helper.make_tensor_value_info("a", 1, ["N", 8]))
    assert run_pass(PASS, proto).result.rewrites == 0


def test_the_number_that_a_chain_tells_stays() -> None:
    # [N,4] → [2,4] → [8]: a plain -1 would no longer say 8.
    held = "int64[2] s = {2, 4}, int64[1] t = {-1}"
    ran = run_pass(PASS, chain("float[N,4] x", "a = Reshape(p, s) q = Reshape(a, t)", held, 1))
    assert left(ran.after) == [("Reshape", [8])]


def test_an_unsqueeze_is_undone_whatever_the_rank() -> None:
    proto = chain(
        "float[2,3] x, int64[n] k",
        "a = Reshape(p, k) b = Unsqueeze(a, s) c = Squeeze(b, s) q = Neg(c)",
        "int64[1] s = {0}",
    )
    ran = run_pass(PASS, proto)
    assert ran.result.rewrites == 2
    assert ops(ran.after) == {"Neg": 3, "Reshape": 1}


def test_float16_stays_rounded_where_it_is() -> None:
    # onnxruntime takes one node in float16 between two in float32 to float32, and leaves two of them.
    body = "p = Exp(x) a = Unsqueeze(p, s) q = Squeeze(a, s) y = Log(q)"
    ran = run_pass(PASS, parse(f"g (float16[64] x) => (float16[64] y) <int64[1] s = {{0}}> {{ {body} }}"))
    assert ran.result.rewrites == 0
    assert ran.reasons == ["it is float16: onnxruntime would round elsewhere without it"]


def test_annotated_tensors_stay() -> None:
    proto = chain("float[2,3] x", "a = Unsqueeze(p, s) q = Squeeze(a, s)", "int64[1] s = {0}")
    proto.graph.quantization_annotation.add(tensor_name="a")
    assert run_pass(PASS, proto).result.rewrites == 0


def test_cycles_unsorted_nodes_and_missing_pieces_do_no_harm() -> None:
    cyclic = parse(
        """g (float[2] x) => (float[2] y) <int64[1] s = {0}> {
            a = Unsqueeze(b, s) b = Squeeze(a, s) c = Flatten(d) d = Flatten(c) y = Neg(x) }"""
    )
    PASS.run(Model(cyclic))
    unsorted = parse(
        """g (float[N,M] x) => (float[a,b] y) <int64[1] s = {0}> {
            y = Neg(q) q = Squeeze(c, s) c = Unsqueeze(b, s) b = Squeeze(a, s) a = Unsqueeze(p, s) p = Neg(x) }"""
    )
    model = Model(unsorted)
    assert PASS.run(model).rewrites == 4
    assert PASS.run(model).rewrites == 0
    for op in ("Reshape", "Flatten", "Squeeze", "Unsqueeze"):
        for inputs in ([], ["z"], ["", "z"], ["z", "nowhere"], ["z", "t"], ["z", "u"], ["z"] * 5):
            broken = parse(
                "g (float[2,3] x) => (float[6] z) <int64[2] t = {77, -99}, float[1] u = {0.5}> { z = Flatten(x) }"
            )
            node = broken.graph.node.add(op_type=op, input=inputs, output=["w"])
            node.attribute.append(onnx.helper.make_attribute("axis", "text"))
            node.attribute.append(onnx.helper.make_attribute("allowzero", "text"))
            PASS.run(Model(broken))


def test_older_opsets_and_other_domains_are_left_alone() -> None:
    body = "a = Unsqueeze<axes = [0]>(p) q = Squeeze<axes = [0]>(a)"
    ran = run_pass(PASS, chain("float[2,3] x", body, "", 2, 6), check=False)
    assert ran.reasons == ["opset 6 has other definitions; pin-opset can take the model to 7 or newer"]
    graph = "g (float[2,3] x) => (float[2,3] y) { a = other.Flatten(x) y = Flatten(a) }"
    ran = run_pass(PASS, parse(graph, more=', "other" : 1'), check=False)
    assert ran.reasons == ["no Reshape, Flatten, Squeeze or Unsqueeze follows another"]


@settings(max_examples=250, deadline=None)
@given(SEEDS)
def test_random_models_compute_the_same(seed: int) -> None:
    hold(PASS, case(seed, RESHAPES))


def test_random_models_have_something_to_merge() -> None:
    assert sum(hold(PASS, case(seed, RESHAPES)) for seed in range(60)) > 100


@pytest.mark.slow
@settings(max_examples=8000, deadline=None)
@given(SEEDS, st.integers(2, 40))
def test_many_random_models_compute_the_same(seed: int, most: int) -> None:
    hold(PASS, case(seed, RESHAPES, most))


@pytest.mark.slow
def test_a_hundred_thousand_nodes() -> None:
    proto = parse("g (float[N,3,4] x) => (float[a,b] y) <int64[1] s = {0}, int64[2] t = {0, -1}> { y = Flatten(x) }")
    del proto.graph.node[:]
    for index in range(100_000):
        op, more = (("Unsqueeze", ["s"]), ("Neg", []), ("Flatten", []), ("Reshape", ["t"]))[index % 4]
        proto.graph.node.add(op_type=op, input=[f"t{index}" if index else "x", *more], output=[f"t{index + 1}"])
    proto.graph.node[-1].output[0] = "y"
    model = Model(proto)
    assert PASS.run(model).rewrites >= 25_000


def test_proven_in_a_run() -> None:
    assert sentences(twice(parse(BRANCHES.replace("bool c", "bool[1] c")), "merge-reshapes"))[0] == "identical"
