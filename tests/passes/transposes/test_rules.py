# ruff: noqa: E501 - graphs in one line each
"""One case for each operator, and for each way in which it must not let a Transpose pass."""

from __future__ import annotations

import pytest
from onnx import helper

from graphkit.model import Model
from graphkit.passes.remove_transposes import RemoveTransposes
from graphkit.passes.transposes.rules.registry import RULES
from tests.passes.helpers import assert_close, assert_identical, ops, parse, run_pass

A = "perm = [0, 2, 3, 1]"  # channels last
B = "perm = [0, 3, 1, 2]"  # its inverse

# What stands between a Transpose to channels last and one back; the shape is [2, 4, 5, 3] there. Which operators these
# are is read from the text.
BETWEEN = {
    "add a vector": ("b = Add(a, c)", "float[3] c = {1, 2, 3}"),
    "add everything": ("b = Add(c, a)", f"float[1, 4, 5, 3] c = {{{', '.join(map(str, range(60)))}}}"),
    "subtract a number": ("b = Sub(c, a)", "float c = {2}"),
    "two of one": ("s = Neg(a) b = Mul(a, s)", ""),
    "maximum of three": ("s = Neg(a) t = Abs(a) b = Max(a, s, t)", ""),
    "power": ("p = Abs(a) b = Pow(p, c)", "float c = {2}"),
    "where": ("k = Less(a, c) b = Where(k, a, c)", "float[3] c = {1, 0, -1}"),
    "parametric relu": ("b = PRelu(a, c)", "float[3] c = {1, 0.5, -1}"),
    "clip": ("b = Clip(a, c, d)", "float c = {-1}, float d = {1}"),
    "cast": ("i = Cast<to = 6>(a) b = Cast<to = 1>(i)", ""),
    "sigmoid": ("s = Sigmoid(a) b = Mul(s, a)", ""),
    "concat": (
        "s = Relu(a) t = Concat<axis = -1>(a, s) b = Slice(t, z, n, ax)",
        "int64[1] z = {0}, int64[1] n = {3}, int64[1] ax = {3}",
    ),
    "split": ("p, q = Split<axis = 3>(a, c) b = Concat<axis = 3>(q, p)", "int64[2] c = {1, 2}"),
    "slice": (
        "b = Slice(a, s, e, ax, st)",
        "int64[2] s = {0, 1}, int64[2] e = {9, 3}, int64[2] ax = {-2, 1}, int64[2] st = {2, 1}",
    ),
    "pad": ("b = Pad(a, c)", "int64[8] c = {0, 1, 0, 0, 0, 0, 2, 0}"),
    "tile": ("b = Tile(a, c)", "int64[4] c = {1, 2, 1, 3}"),
    "expand": ("m = ReduceMax<keepdims = 1>(a, ax) b = Expand(m, c)", "int64[1] ax = {3}, int64[4] c = {2, 4, 5, 7}"),
    "reduce and keep": ("m = ReduceMean<keepdims = 1>(a, ax) b = Sub(a, m)", "int64[2] ax = {1, 2}"),
    "softmax": ("b = Softmax<axis = -1>(a)", ""),
    "hardmax": ("b = Hardmax<axis = 3>(a)", ""),
    "log softmax": ("b = LogSoftmax<axis = 1>(a)", ""),
    "two along the last axis": ("s = LogSoftmax<axis = -1>(a) b = Hardmax<axis = 3>(s)", ""),
    "norm": ("b = LpNormalization<axis = 3>(a)", ""),
    "cumulative sum": ("b = CumSum(a, c)", "int64 c = {3}"),
    "layer normalisation": ("s = Identity(a) b = Add(s, a)", ""),
    "quantise": ("q = QuantizeLinear(a, s, z) b = DequantizeLinear(q, s, z)", "float s = {0.5}, int8 z = {1}"),
    "quantise along an axis": (
        "q = QuantizeLinear<axis = 3>(a, s, z) b = DequantizeLinear<axis = 3>(q, s, z)",
        "float[3] s = {0.5, 1, 2}, int8[3] z = {1, 0, -1}",
    ),
    "top k": ("b, i = TopK<axis = -1>(a, k)", "int64[1] k = {2}"),
    "gather": ("b = Gather<axis = 3>(a, c)", "int64[2] c = {2, 0}"),
    "gather elements": (
        "i = Cast<to = 7>(k) b = GatherElements<axis = 3>(a, i)",
        "float[2, 4, 5, 1] k = {" + ", ".join(["2", "0"] * 20) + "}",
    ),
    "resize": ('b = Resize<mode = "nearest">(a, , c)', "float[4] c = {1, 2, 2, 1}"),
    "resize with an empty region": (
        'b = Resize<mode = "nearest">(a, k, c)',
        "float[0] k = {}, float[4] c = {1, 2, 2, 1}",
    ),
    "linear resize": ('b = Resize<mode = "linear">(a, , c)', "float[4] c = {1, 2, 2, 1}"),
    "squeeze": ("u = Unsqueeze(a, ax) s = Relu(u) b = Squeeze(s, ax)", "int64[1] ax = {2}"),
    "reshape": (
        "u = Reshape(a, c) s = Relu(u) b = Reshape(s, d)",
        "int64[5] c = {0, 2, 2, 5, 3}, int64[4] d = {2, 4, 5, -1}",
    ),
    "matmul": ("b = MatMul(a, c)", "float[3, 2] c = {1, 2, 3, 4, 5, 6}"),
}
STAYING = {"matmul"}


@pytest.mark.parametrize("name", sorted(BETWEEN))
def test_both_go(name: str) -> None:
    body, constants = BETWEEN[name]
    text = f"""g (float[2, 3, 4, 5] x) => (float[?, ?, ?, ?] y) {f"<{constants}>" if constants else ""} {{
        a = Transpose<{A}>(x) {body} r = Transpose<{B}>(b) y = Relu(r)
    }}""".replace("float[?, ?, ?, ?]", "float[p, q, r, s]")
    ran = run_pass(RemoveTransposes(), parse(text, 18), check=False)
    left = ops(ran.after).get("Transpose", 0)
    assert left == (2 if name in STAYING else 0), ran.result.summary
    (assert_identical if ran.result.numerics == "exact" else assert_close)(ran)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        # Without kept dimensions the output has fewer axes.
        (
            "g (float[2,3,4,5] x) => (float[2,3] y) <int64[2] ax = {1, 2}> { a = Transpose<perm = [0,2,3,1]>(x) y = ReduceMax<keepdims = 0>(a, ax) }",
            0,
        ),
        (
            "g (float[2,3,4,5] x) => (int64[2,4,5] y) { a = Transpose<perm = [0,2,3,1]>(x) y = ArgMax<axis = 3, keepdims = 0>(a) }",
            0,
        ),
        ("g (float[2,3,4] x) => (int64[3] y) { a = Transpose(x) y = Shape(a) }", 0),
        ("g (float[2,3,4] x) => (int64[2] y) { a = Transpose(x) y = Shape<start = 1>(a) }", 0),
        ("g (float[2,3,4] x) => (int64 y) { a = Transpose(x) y = Size(a) }", 0),
        # Products read their operands transposed.
        ("g (float[3,2] x, float[3,4] w) => (float[2,4] y) { a = Transpose(x) y = MatMul(a, w) }", 0),
        (
            "g (float[3,2] x, float[4,3] w) => (float[4,2] y) { a = Transpose(x) b = Transpose(w) c = MatMul(a, b) y = Transpose(c) }",
            0,
        ),
        (
            "g (float[5,3,2] x, float[5,4,3] w) => (float[5,4,2] y) { a = Transpose<perm=[0,2,1]>(x) b = Transpose<perm=[0,2,1]>(w) c = MatMul(a, b) y = Transpose<perm=[0,2,1]>(c) }",
            0,
        ),
        (
            "g (float[3,2] x) => (float[2,4] y) <float[3,4] w = {1,2,3,4,5,6,7,8,9,10,11,12}, float[4] b = {1,2,3,4}> { a = Transpose(x) y = Gemm(a, w, b) }",
            0,
        ),
        (
            "g (float[3,2] x) => (float[4,2] y) <float[3,4] w = {1,2,3,4,5,6,7,8,9,10,11,12}, float[4] b = {1,2,3,4}> { a = Transpose(x) c = Gemm(a, w, b) y = Transpose(c) }",
            0,
        ),
        ('g (float[3,2] x) => (float[3] y) { a = Transpose(x) y = Einsum<equation = "ij -> j">(a) }', 0),
        # Axes that are merged move as one, and cannot be taken apart.
        (
            "g (float[2,3,4,5] x) => (float[2,20,3] y) <int64[3] s = {0, 20, 3}> { a = Transpose<perm = [0,2,3,1]>(x) y = Reshape(a, s) }",
            1,
        ),
        (
            "g (float[2,3,4,5] x) => (float[2,3,20] y) <int64[3] s = {0, 20, 3}> { a = Transpose<perm = [0,2,3,1]>(x) b = Reshape(a, s) y = Transpose<perm = [0,2,1]>(b) }",
            0,
        ),
        (
            "g (float[2,3,4,5] x) => (float[2,3,20] y) <int64[3] s = {0, 15, 4}, int64[3] t = {0, 3, 20}> { a = Transpose<perm = [0,3,1,2]>(x) b = Reshape(a, s) y = Reshape(b, t) }",
            1,
        ),
        (
            "g (float[N,3,4,5] x) => (float[N,3,20] y) <int64[3] s = {0, -1, 3}> { a = Transpose<perm = [0,2,3,1]>(x) b = Reshape(a, s) y = Transpose<perm = [0,2,1]>(b) }",
            0,
        ),
        ("g (float[2,3,4,5] x) => (float[8,15] y) { a = Transpose<perm = [0,2,3,1]>(x) y = Flatten<axis = 2>(a) }", 1),
        # Channels stay where a convolution looks for them; the axes behind them may change places.
        (
            "g (float[1,2,4,5] x) => (float[1,1,5,4] y) <float[1,2,1,1] w = {1, 2}> { a = Transpose<perm = [0,1,3,2]>(x) b = Conv(a, w) y = Relu(b) }",
            1,
        ),
        (
            "g (float[1,2,4,5] x) => (float[1,1,4,5] y) <float[1,2,1,1] w = {1, 2}> { a = Transpose<perm = [0,1,3,2]>(x) b = Conv(a, w) y = Transpose<perm = [0,1,3,2]>(b) }",
            0,
        ),
        (
            "g (float[1,2,4,5] x) => (float[1,2,3,5] y) { a = Transpose<perm = [0,1,3,2]>(x) b = MaxPool<kernel_shape = [1,2]>(a) y = Transpose<perm = [0,1,3,2]>(b) }",
            0,
        ),
        (
            "g (float[1,2,4,5] x) => (float[1,4,5,2] y) { a = Transpose<perm = [0,2,3,1]>(x) b = MaxPool<kernel_shape = [1,1]>(a) y = Relu(b) }",
            1,
        ),
        # onnxruntime's MatMul reads a swap of the last two axes for nothing, and its Softmax off the last axis moves.
        (
            "g (float[2,1,6] q, float[2,1,6] k, float[2,3,6] v) => (float[2,3,6] y) { a = Transpose<perm = [0,2,1]>(q) m = MatMul(a, k) s = Softmax<axis = -1>(m) t = Transpose<perm = [0,2,1]>(s) y = MatMul(v, t) }",
            1,
        ),
        # Less is moved behind what makes it less.
        (
            "g (float[2,3,4,5] x) => (float[2,4,5,1] y) <int64[1] ax = {3}> { a = Transpose<perm = [0,2,3,1]>(x) b = Exp(a) c = ReduceSum(b, ax) y = Sqrt(c) }",
            0,
        ),
    ],
)
def test_other_cases(text: str, left: int) -> None:
    ran = run_pass(RemoveTransposes(), parse(text, 18), check=False)
    assert ops(ran.after).get("Transpose", 0) == left, ran.result.summary
    (assert_identical if ran.result.numerics in ("exact", None) else assert_close)(ran, sizes={"N": 2})


@pytest.mark.parametrize(
    "body",
    [
        "b = NonZero(a) i = Cast<to = 1>(b) y = Relu(i)",  # the order of what it finds is that of the elements
        "b = Softmax<axis = 1>(a) y = DepthToSpace<blocksize = 1>(b)",
        "b = com.example.Unknown(a) y = Relu(b)",
        "b = LSTM<hidden_size = 1>(a, w, r) y = Relu(b)",
    ],
)
def test_what_needs_its_layout_keeps_it(body: str) -> None:
    constants = "<float[1,4,2] w = {1,2,3,4,5,6,7,8}, float[1,4,1] r = {1,2,3,4}>" if "LSTM" in body else ""
    shape, perm = ("3, 2, 4", [2, 0, 1]) if "LSTM" in body else ("1, 2, 3, 4", [0, 2, 3, 1])
    text = f"g (float[{shape}] x) => (float y) {constants} {{ a = Transpose<perm = {perm}>(x) {body} }}"
    more = ', "com.example" : 1' if "example" in body else ""
    proto = parse(text, 18, more=more)
    proto.graph.output[0].type.tensor_type.ClearField("shape")
    ran = run_pass(RemoveTransposes(), proto, check=False)
    assert (ran.result.rewrites, ops(ran.after)["Transpose"]) == (0, 1)


@pytest.mark.parametrize(("opset", "left"), [(9, 1), (11, 0)])
def test_a_gemm_without_its_third_operand_is_of_opset_11(opset: int, left: int) -> None:
    text = "g (float[3,2] x, float[3,4] w) => (float[2,4] y) { a = Transpose(x) y = MatMul(a, w) }"
    ran = run_pass(RemoveTransposes(), parse(text, opset))
    assert ops(ran.after).get("Transpose", 0) == left


def test_a_function_of_the_model_under_the_name_of_an_operator_is_something_else() -> None:
    text = f"g (float[1,2,3,4] x) => (float[1,2,3,4] y) {{ a = Transpose<{A}>(x) b = Relu(a) y = Transpose<{B}>(b) }}"
    proto = parse(text, 18)
    body = [helper.make_node("Softmax", ["p"], ["q"], axis=1)]
    function = helper.make_function("", "Relu", ["p"], ["q"], body, [helper.make_opsetid("", 18)])
    proto.functions.append(function)
    model = Model(proto)
    assert RemoveTransposes().run(model).rewrites == 0


def test_every_rule_is_for_an_operator_of_onnx() -> None:
    from graphkit.facts.schemas import known

    assert [op for op in sorted(RULES) if not known(op)] == []
