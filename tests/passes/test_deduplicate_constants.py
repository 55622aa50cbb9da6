"""deduplicate-constants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkit.model import Model
from graphkit.passes.deduplicate_constants import DeduplicateConstants
from tests.passes.helpers import assert_identical, live, parse, run_pass
from tests.passes.proving import sentences, twice

PASS = DeduplicateConstants()


def read(proto: onnx.ModelProto) -> set[str]:
    """Names of the constants that nodes of the main graph read."""
    made = {node.output[0] for node in proto.graph.node if node.op_type == "Constant"}
    held = {item.name for item in proto.graph.initializer} | made
    return {name for node in proto.graph.node for name in node.input if name in held}


def test_initializers_and_constant_nodes_share_one() -> None:
    ran = run_pass(
        PASS,
        parse(
            """g (float[2] x) => (float[2] y) <float[2] a = {1, 2}, float[2] b = {1, 2}, float[2] other = {1, 3}> {
                c = Constant<value = float[2] {1, 2}>()
                s = Add(x, b) t = Mul(s, c) u = Sub(t, a) y = Add(u, other)
            }"""
        ),
    )
    assert ran.result.rewrites == 2
    assert ran.result.summary == "2 constants shared, 16 bytes saved"
    assert read(ran.after) == {"b", "other"}
    assert len(live(ran.after).graph.initializer) == 2
    assert_identical(ran)


def test_value_attributes_count_as_what_they_hold() -> None:
    ran = run_pass(
        PASS,
        parse(
            """g (float[2] x) => (float[2] y) <float a = {0.5}, int64[2] ab = {3, 4}> {
                b = Constant<value_float = 0.5>() c = Constant<value_ints = [3, 4]>() d = Cast<to = 1>(c)
                e = Cast<to = 1>(ab) s = Mul(x, a) t = Mul(s, b) u = Mul(t, d) y = Mul(u, e)
            }"""
        ),
    )
    assert ran.result.rewrites == 2
    assert_identical(ran)


def test_what_only_looks_equal_stays_apart() -> None:
    graph = """g (float[2] x) => (float[2] y)
        <float[2] zero = {0, 1}, float[2] minus = {-0.0, 1}, float[1,2] flat = {0, 1}, double[2] wide = {0, 1}> {
        a = Add(x, zero) b = Div(a, minus) c = Add(b, flat) d = Cast<to = 11>(c) e = Add(d, wide)
        f = Cast<to = 1>(e) g = Constant<value = int64[1] {2}>() y = Reshape(f, g)
    }"""
    ran = run_pass(PASS, parse(graph))
    assert ran.result.rewrites == 0
    assert ran.reasons == ["no two constants are equal"]


def test_nan_is_compared_by_its_bits() -> None:
    proto = parse("g (float[1] x) => (float[1] y) <float[1] a = {0}, float[1] b = {0}> { s = Add(x, a) y = Add(s, b) }")
    for item in proto.graph.initializer:
        item.CopyFrom(onnx.numpy_helper.from_array(np.array([np.nan], np.float32), item.name))
    assert run_pass(PASS, proto).result.rewrites == 1


def test_overridable_initializers_are_never_merged() -> None:
    graph = (
        "g (float[2] x, float[2] a) => (float[2] y) <float[2] a = {1, 2}, float[2] b = {1, 2}> "
        "{ s = Add(x, a) y = Add(s, b) }"
    )
    ran = run_pass(PASS, parse(graph))
    assert ran.result.rewrites == 0
    assert "a caller may replace" in ran.reasons[0]


def test_a_constant_that_is_an_output_stays_and_serves() -> None:
    ran = run_pass(
        PASS,
        parse(
            "g (float[2] x) => (float[2] y, float[2] a) <float[2] a = {1, 2}, float[2] b = {1, 2}> "
            "{ s = Add(x, b) y = Add(s, a) }"
        ),
        check=False,
    )
    assert [item.name for item in ran.after.graph.output] == ["y", "a"]
    assert_identical(ran)


def test_annotated_tensors_stay() -> None:
    proto = parse(
        "g (float[2] x) => (float[2] y) <float[2] a = {1, 2}, float[2] b = {1, 2}> { s = Add(x, a) y = Add(s, b) }"
    )
    note = proto.graph.quantization_annotation.add(tensor_name="s")
    note.quant_parameter_tensor_names.add(key="SCALE_TENSOR", value="b")
    ran = run_pass(PASS, proto)
    assert ran.result.rewrites == 0
    assert "a quantization annotation names it" in ran.reasons[0]


def test_thresholds_of_nms_stay_their_own() -> None:
    graph = """g (float[1,4,4] x, float[1,2,4] s) => (int64[n,3] y)
        <int64 k = {4}, float t = {0.5}, float u = {0.5}> { y = NonMaxSuppression(x, s, k, t, u) }"""
    ran = run_pass(PASS, parse(graph))
    assert ran.result.rewrites == 0
    assert "which people change" in ran.reasons[0]


BRANCHES = """g (float[2] x, bool c) => (float[2] y) <float[2] outer = {1, 2}> {
    s = Add(x, outer)
    y = If(c) <
        then_branch = one () => (float[2] t) <float[2] inner = {1, 2}, float[2] own = {5, 6}> {
            p = Add(s, inner) t = Mul(p, own) },
        else_branch = two () => (float[2] e) <float[2] own2 = {5, 6}> { e = Mul(s, own2) }
    >
}"""


def test_subgraphs_read_what_is_around_them_and_not_beside() -> None:
    proto = parse(BRANCHES)
    ran = run_pass(PASS, proto)
    assert ran.result.rewrites == 1
    branches = {item.name: item.g for item in ran.after.graph.node[-1].attribute}
    assert list(branches["then_branch"].node[0].input) == ["s", "outer"]
    assert branches["else_branch"].node[0].input[1] == "own2"
    for truth in (True, False):
        from tests.passes.helpers import evaluate

        inputs = {"x": np.array([3, 4], np.float32), "c": np.array(truth)}
        np.testing.assert_array_equal(evaluate(ran.before, inputs)["y"], evaluate(ran.after, inputs)["y"])


def external(folder: Path, places: dict[str, tuple[int, int]]) -> Path:
    """A model whose constants float32 [256] lie in a file at these offsets."""
    names = list(places)
    nodes = "".join(
        f"{'y' if i == len(names) - 1 else f's{i}'} = Add({'x' if not i else f's{i - 1}'}, {n}) "
        for i, n in enumerate(names)
    )
    proto = parse(f"g (float[256] x) => (float[256] y) {{ {nodes} }}")
    values = np.concatenate([np.arange(256), np.arange(256), np.zeros(256)]).astype(np.float32)
    (folder / "weights.bin").write_bytes(values.tobytes())
    for name, (offset, length) in places.items():
        item = proto.graph.initializer.add(name=name, dims=[256], data_type=1)
        item.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", "weights.bin"), ("offset", str(offset)), ("length", str(length))):
            item.external_data.add(key=key, value=value)
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


def test_external_values_are_compared_and_those_of_one_place_unread(tmp_path: Path) -> None:
    path = external(tmp_path, {"a": (0, 1024), "b": (1024, 1024), "c": (2048, 1024), "d": (0, 1024)})
    model = Model.load(path)
    assert PASS.run(model).rewrites == 2
    same = Model.load(external(tmp_path, {"a": (2048, 1024), "b": (2048, 1024)}))
    (tmp_path / "weights.bin").unlink()  # nothing is read: there is one place only
    assert PASS.run(same).rewrites == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["Add", "Mul", "Sub"])), min_size=1, max_size=8))
def test_any_chain_keeps_its_value(steps: list[tuple[int, str]]) -> None:
    body, last = "", "x"
    held = ", ".join(f"float[2] c{i} = {{{value}, {value + 1}}}" for i, (value, _) in enumerate(steps))
    for index, (_, op) in enumerate(steps):
        body += f"t{index} = {op}({last}, c{index}) "
        last = f"t{index}"
    ran = run_pass(PASS, parse(f"g (float[2] x) => (float[2] y) <{held}> {{ {body} y = Identity({last}) }}"))
    assert ran.result.rewrites == len(steps) - len({value for value, _ in steps})
    assert_identical(ran)


def test_proven_in_a_run() -> None:
    outcome = twice(parse(BRANCHES.replace("bool c", "bool[1] c")), "deduplicate-constants")
    assert sentences(outcome)[0] == "identical"
