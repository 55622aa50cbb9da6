from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from graphkit.facts import schemas
from graphkit.facts.functions import has_body
from tests.passes.helpers import Arrays, ops, parse
from tests.passes.opset.pinning import assert_same, outputs, pin, refused


def test_of_a_body_only_what_is_wanted_and_not_constant_is_kept() -> None:
    proto = parse("g (float[2,4] x, float[4] s, float[4] b) => (float[2,4] y) { y = LayerNormalization(x, s, b) }", 17)
    after = pin(proto, 17)
    assert "Constant" not in ops(after)
    assert "Shape" not in ops(after)
    used = {name for node in after.graph.node for name in node.input}
    assert {item.name for item in after.graph.initializer} <= used


def test_rms_normalization_of_half_is_computed_in_its_stash_type() -> None:
    proto = parse("g (float16[2,8] x, float16[8] s) => (float16[2,8] y) { y = RMSNormalization(x, s) }", 23)
    after = pin(proto, 9)
    assert ops(after)["Cast"] == 2
    x = (np.random.default_rng(0).normal(size=(2, 8)) * 100).astype(np.float16)
    wide = x.astype(np.float32)
    wanted = (wide / np.sqrt((wide * wide).mean(1, keepdims=True) + 1e-5)).astype(np.float16)
    found = outputs(after, {"x": x, "s": np.ones(8, np.float16)})["y"]
    np.testing.assert_allclose(found, wanted, rtol=1e-3)


def test_group_normalization_with_unknown_sizes() -> None:
    proto = parse(
        """g (float[n,4,h,w] x, float[4] s, float[4] b) => (float[n,4,h,w] y) {
            y = GroupNormalization<num_groups = 2>(x, s, b)
        }""",
        21,
    )
    random = np.random.default_rng(0)
    given: Arrays = {
        "x": random.normal(size=(2, 4, 3, 5)).astype(np.float32),
        "s": random.normal(size=4).astype(np.float32),
        "b": random.normal(size=4).astype(np.float32),
    }
    for target in (20, 17, 9):
        assert_same(proto, pin(proto, target), given, limit=1e-5)


@pytest.mark.parametrize("causal", [0, 1])
@pytest.mark.parametrize("known", [True, False])
def test_attention(causal: int, known: bool) -> None:
    shape = "2,3,4,8" if known else "b,3,s,8"
    proto = parse(
        f"""g (float[{shape}] q, float[{shape}] k, float[{shape}] v) => (float[{shape}] y) {{
            y = Attention<is_causal = {causal}>(q, k, v)
        }}""",
        23,
    )
    random = np.random.default_rng(0)
    given: Arrays = {name: random.normal(size=(2, 3, 4, 8)).astype(np.float32) for name in "qkv"}
    for target in (22, 12, 9):
        assert_same(proto, pin(proto, target), given, limit=1e-5)


def test_rotary_embedding() -> None:
    proto = parse(
        """g (float[2,3,4,8] x, float[50,4] c, float[50,4] s, int64[2,4] p) => (float[2,3,4,8] y) {
            y = RotaryEmbedding(x, c, s, p)
        }""",
        23,
    )
    random = np.random.default_rng(0)
    given: Arrays = {
        "x": random.normal(size=(2, 3, 4, 8)).astype(np.float32),
        "c": random.normal(size=(50, 4)).astype(np.float32),
        "s": random.normal(size=(50, 4)).astype(np.float32),
        "p": np.arange(8).reshape(2, 4),
    }
    assert_same(proto, pin(proto, 9), given, limit=1e-5)


def test_what_a_definition_cannot_say_its_body_may() -> None:
    # Attention of 24 has no windows; written out they are a mask.
    proto = parse(
        """g (float[1,2,5,8] q, float[1,2,5,8] k, float[1,2,5,8] v) => (float[1,2,5,8] y) {
            y = Attention<left_window_size = 1, is_causal = 1>(q, k, v)
        }""",
        25,
    )
    after = pin(proto, 24)
    assert "Attention" not in ops(after)
    plain = onnx.ModelProto()
    plain.CopyFrom(proto)
    del plain.graph.node[0].attribute[:]
    assert ops(pin(plain, 24)) == {"Attention": 1}


def test_sizes_that_a_body_is_made_of_must_be_known() -> None:
    proto = parse(
        """g (float[1,c,6] x, float[c,1,3] w) => (float[1,c,6] y, float[1,c,2] s) {
            y, s = CausalConvWithState(x, w)
        }""",
        27,
    )
    refused(proto, 26, "depends on types and sizes that are not known")


def test_a_type_that_is_not_known_does_not_crash_onnx() -> None:
    proto = parse("g (x, float[4] s) => (float[2,4] y) { y = RMSNormalization(x, s) }", 23)
    refused(proto, 22, 'the type of "x" is not known')


def test_parameters_of_a_function() -> None:
    text = """<ir_version: 8, opset_import: ["" : 20, "own" : 1]>
        g (float[4] x) => (float[4] y) { y = own.f<a = "tanh">(x) }
        <domain: "own", opset_import: ["" : 20]>
        f<a>(x) => (y) { y = Gelu<approximate: string = @a>(x) }"""
    proto = onnx.parser.parse_model(text)
    refused(proto, 19, 'its attribute approximate is the parameter "a" of a function')


def test_in_a_function_constants_are_nodes() -> None:
    text = """<ir_version: 8, opset_import: ["" : 23, "own" : 1]>
        g (float[2,4] x, float[4] s) => (float[2,4] y) { y = own.f(x, s) }
        <domain: "own", opset_import: ["" : 23]>
        f(x, s) => (y) { y = RMSNormalization(x, s) }"""
    proto = onnx.parser.parse_model(text)
    assert_same(proto, pin(proto, 13), limit=1e-5)


def test_every_body_is_of_operators_that_exist() -> None:
    for op in schemas.operators():
        for version in schemas.versions(op):
            schema: Any = schemas.schema(op, version)
            if version <= 9 or not has_body(op, version) or not schema.has_function:
                continue
            for opset in schema.function_opset_versions:
                body = onnx.FunctionProto.FromString(schema.get_function_with_opset_version(opset))
                for node in body.node:
                    assert schemas.since(node.op_type, opset), (op, version, node.op_type)


@pytest.mark.parametrize("op", ["HannWindow", "HammingWindow", "BlackmanWindow"])
@pytest.mark.parametrize("periodic", [0, 1])
def test_windows(op: str, periodic: int) -> None:
    proto = parse(f"g (int64 n) => (float[m] y) {{ y = {op}<periodic = {periodic}>(n) }}", 17)
    for target in (16, 9):
        assert_same(proto, pin(proto, target), {"n": np.array(11)}, limit=1e-5)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_losses(reduction: str) -> None:
    shape = "n" if reduction == "none" else ""
    proto = parse(
        f"""g (float[n,5] x, int64[n] t, float[5] w) => (float{"[n]" if shape else ""} y) {{
            y = SoftmaxCrossEntropyLoss<reduction = "{reduction}", ignore_index = 2>(x, t, w)
        }}""",
        13,
    )
    given: Arrays = {
        "x": np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32),
        "t": np.array([0, 2, 4, 1]),
        "w": np.array([1, 2, 3, 4, 5], np.float32),
    }
    for target in (12, 11, 9):
        assert_same(proto, pin(proto, target), given, limit=1e-5)
