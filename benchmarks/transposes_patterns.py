"""Small graphs: pairs and single Transposes, and one operator between two of them."""

from __future__ import annotations

import numpy as np

from benchmarks.transposes_pattern import Pattern

X = "float[1,8,6,4] x"
_SCALE = np.linspace(0.01, 0.05, 8, dtype=np.float32)
_ZERO = np.zeros(8, np.int8)
_MANY = ({"N": 2, "H": 6, "W": 4}, {"N": 3, "H": 5, "W": 7})
_PIXELS = ({"H": 6, "W": 4}, {"H": 5, "W": 7})

KNOWN = (
    Pattern("inverse pair", X, "r = Relu(x) a = T0231(r) b = T0312(a) y = Relu(b)"),
    Pattern("pair, its middle an output", X, "r = Relu(x) a = T0231(r) b = T0312(a) y = Relu(b)", "y, a"),
    Pattern("pair straight into an output", X, "r = Relu(x) a = T0231(r) y = T0312(a)"),
    Pattern(
        "fan-out to two inverses", X, "a = T0231(x) b = T0312(a) c = T0312(a) d = Relu(b) e = Neg(c) y = Add(d, e)"
    ),
    Pattern("Relu between", X, "a = T0231(x) b = Relu(a) y = T0312(b)"),
    Pattern("Add between", X, "a = T0231(x) b = Add(a, w) y = T0312(b)", constants={"w": (8,)}),
    Pattern(
        "Split, two inverses",
        X,
        "a = T0231(x) b, c = Split<axis=3>(a, s) d = T0312(b) e = T0312(c) y = Sub(d, e)",
        constants={"s": [4, 4]},
    ),
    Pattern("only a size-1 axis moves", "float[1,1,6,4] x", "r = Relu(x) a = T0231(r) y = Neg(a)"),
)
"""What is said of simplifiers: each leaves some of these. Relu and Add are two rows."""

PLAIN = (
    Pattern("identity permutation", X, "a = T0123(x) y = Relu(a)"),
    Pattern("two that merge", X, "a = T0231(x) b = T0231(a) y = Relu(b)"),
    Pattern("three that merge to nothing", X, "a = T0231(x) b = T0231(a) c = T0231(b) y = Relu(c)"),
    Pattern("the same twice", X, "a = T0231(x) b = T0231(x) c = Relu(a) d = Neg(b) y = Mul(c, d)"),
    Pattern("1 x 1 pixels", "float[2,8,1,1] x", "r = Relu(x) a = T0231(r) y = Neg(a)"),
    Pattern(
        "1 x 1 pixels, any batch", "float[N,8,1,1] x", "r = Relu(x) a = T0231(r) y = Neg(a)", sizes=({"N": 2}, {"N": 3})
    ),
    Pattern("batch of one first and last", "float[1,8,6] x", "a = T120(x) y = Relu(a)"),
    Pattern("of a constant", "float[8,6] x", "a = T10(w) y = Add(x, a)", constants={"w": (6, 8)}),
    Pattern(
        "of what follows from constants", "float[8,6] x", "e = Exp(w) a = T10(e) y = Mul(x, a)", constants={"w": (6, 8)}
    ),
    Pattern("must stay: the only one", X, "a = T0231(x) y = Relu(a)"),
    Pattern("fan-out to both layouts", X, "a = T0231(x) b = Relu(a) c = T0312(b)", "b, c"),
    Pattern(
        "dead end of a fan-out", X, "a = T0231(x) b = Relu(a) c = T0312(b) d = Sigmoid(a) e = T0312(d) y = Add(c, e)"
    ),
    Pattern("output in the middle of a chain", X, "a = T0231(x) b = Relu(a) c = Neg(b) y = T0312(c)", "y, b"),
    Pattern(
        "three readers, one inverse",
        X,
        "a = T0231(x) b = Relu(a) y = T0312(b) z = ReduceSum<keepdims=0>(a, k) s = Neg(a)",
        "y, z, s",
        constants={"k": [3]},
    ),
)

ELEMENTWISE = (
    Pattern("Add, constant of rank 4", X, "a = T0231(x) b = Add(a, w) y = T0312(b)", constants={"w": (1, 6, 4, 8)}),
    Pattern("Add, constant of rank 2", X, "a = T0231(x) b = Add(w, a) y = T0312(b)", constants={"w": (4, 8)}),
    Pattern("Add, both transposed", f"{X}, float[1,8,6,4] z", "a = T0231(x) b = T0231(z) y = Add(a, b)"),
    Pattern(
        "Add, both transposed, inverse",
        f"{X}, float[1,8,6,4] z",
        "a = T0231(x) b = T0231(z) c = Add(a, b) y = T0312(c)",
    ),
    Pattern("Add, one transposed, inverse", f"{X}, float[1,6,4,8] z", "a = T0231(x) b = Add(a, z) y = T0312(b)"),
    Pattern(
        "Mul, the other one a value a channel", f"{X}, float[1,1,1,8] z", "a = T0231(x) b = Mul(a, z) y = T0312(b)"
    ),
    Pattern("must stay: one transposed", f"{X}, float[1,6,4,8] z", "a = T0231(x) b = Add(a, z) y = Relu(b)"),
    Pattern(
        "Max of three transposed",
        f"{X}, float[1,8,6,4] z, float[1,8,6,4] v",
        "a = T0231(x) b = T0231(z) c = T0231(v) d = Max(a, b, c) y = T0312(d)",
    ),
    Pattern(
        "SiLU and Clip",
        X,
        "a = T0231(x) s = Sigmoid(a) b = Mul(a, s) c = Clip(b, lo, hi) y = T0312(c)",
        constants={"lo": np.array(-1, np.float32), "hi": np.array(1, np.float32)},
    ),
    Pattern("PRelu", X, "a = T0231(x) b = PRelu(a, w) y = T0312(b)", constants={"w": (8,)}),
    Pattern("Cast there and back", X, "a = T0231(x) b = Cast<to=10>(a) c = T0312(b) y = Cast<to=1>(c)"),
    Pattern(
        "Where, all transposed",
        f"bool[1,8,6,4] c, {X}, float[1,8,6,4] z",
        "d = T0231(c) a = T0231(x) b = T0231(z) e = Where(d, a, b) y = T0312(e)",
    ),
    Pattern(
        "Where, a constant",
        f"bool[1,8,6,4] c, {X}",
        "d = T0231(c) a = T0231(x) e = Where(d, a, w) y = T0312(e)",
        constants={"w": (8,)},
    ),
    Pattern(
        "two branches that meet",
        f"{X}, float[1,8,6,4] z",
        "a = T0231(x) b = T0231(z) c = Relu(a) d = Sigmoid(b) e = Mul(c, d) y = T0312(e)",
    ),
    Pattern(
        "dynamic, elementwise",
        "float[N,8,H,W] x",
        "a = T0231(x) b = Add(a, w) c = Relu(b) y = T0312(c)",
        constants={"w": (8,)},
        sizes=_MANY,
    ),
    Pattern(
        "QDQ for each tensor",
        X,
        "a = T0231(x) q = QuantizeLinear(a, s, z) d = DequantizeLinear(q, s, z) y = T0312(d)",
        constants={"s": np.array(0.05, np.float32), "z": np.array(3, np.int8)},
    ),
    Pattern(
        "QDQ for each channel",
        X,
        "a = T0231(x) q = QuantizeLinear<axis=3>(a, s, z) d = DequantizeLinear<axis=3>(q, s, z) y = T0312(d)",
        constants={"s": _SCALE, "z": _ZERO},
    ),
    Pattern(
        "QDQ for each channel, opset 21",
        X,
        "a = T0231(x) q = QuantizeLinear<axis=-1>(a, s, z) d = DequantizeLinear<axis=-1>(q, s, z) y = T0312(d)",
        constants={"s": _SCALE, "z": _ZERO},
        opset=21,
    ),
)

MOVING = (
    Pattern(
        "Concat of transposed, inverse",
        f"{X}, float[1,4,6,4] z, float[1,2,6,4] v",
        "a = T0231(x) b = T0231(z) c = T0231(v) d = Concat<axis=-1>(a, b, c) y = T0312(d)",
    ),
    Pattern(
        "Concat of transposed",
        f"{X}, float[1,4,6,4] z",
        "a = T0231(x) b = T0231(z) d = Concat<axis=3>(a, b) y = Relu(d)",
    ),
    Pattern(
        "Concat with a constant", X, "a = T0231(x) d = Concat<axis=3>(a, w) y = T0312(d)", constants={"w": (1, 6, 4, 2)}
    ),
    Pattern(
        "Split, branches, Concat",
        X,
        "a = T0231(x) b, c = Split<axis=3>(a, s) d = Relu(b) e = Sigmoid(c) f = Concat<axis=3>(d, e, b) y = T0312(f)",
        constants={"s": [4, 4]},
    ),
    Pattern(
        "Split, opset 11",
        X,
        "a = T0231(x) b, c = Split<axis=3, split=[2,6]>(a) d = T0312(b) e = T0312(c) f = Relu(d)",
        "f, e",
        opset=11,
    ),
    Pattern(
        "Split, opset 18",
        X,
        "a = T0231(x) b, c = Split<axis=-1, num_outputs=2>(a) d = T0312(b) e = T0312(c) y = Add(d, e)",
        opset=18,
    ),
    Pattern(
        "Slice",
        X,
        "a = T0231(x) b = Slice(a, f, t, k, s) y = T0312(b)",
        constants={"f": [1, 0], "t": [5, 7], "k": [1, 3], "s": [2, 3]},
    ),
    Pattern(
        "Slice, channels backwards",
        X,
        "a = T0231(x) b = Slice(a, f, t, k, s) y = T0312(b)",
        constants={"f": [-1], "t": [-9], "k": [-1], "s": [-1]},
    ),
    Pattern("Pad", X, "a = T0231(x) b = Pad(a, p) y = T0312(b)", constants={"p": [0, 1, 2, 0, 0, 3, 4, 0]}),
    Pattern(
        "Pad, opset 18, some axes",
        X,
        "a = T0231(x) b = Pad(a, p, , k) y = T0312(b)",
        constants={"p": [1, 2, 3, 4], "k": [1, 2]},
        opset=18,
    ),
    Pattern("Squeeze", "float[2,8,1,4] x", "a = T0231(x) b = Squeeze(a, k) y = T021(b)", constants={"k": [1]}),
    Pattern("Unsqueeze", "float[2,8,6] x", "a = T021(x) b = Unsqueeze(a, k) y = T0312(b)", constants={"k": [2]}),
    Pattern("Squeeze, opset 11", "float[2,8,1,4] x", "a = T0231(x) b = Squeeze<axes=[1]>(a) y = T021(b)", opset=11),
    Pattern("Tile", X, "a = T0231(x) b = Tile(a, k) y = T0312(b)", constants={"k": [1, 2, 1, 3]}),
    Pattern("Expand", "float[1,8,6,1] x", "a = T0231(x) b = Expand(a, k) y = T0312(b)", constants={"k": [2, 6, 4, 8]}),
    Pattern(
        "Gather on the channels", X, "a = T0231(x) b = Gather<axis=3>(a, k) y = T0312(b)", constants={"k": [7, 0, 3]}
    ),
    Pattern(
        "Gather of one channel",
        X,
        "a = T0231(x) b = Gather<axis=3>(a, k) y = Relu(b)",
        constants={"k": np.array(2, np.int64)},
    ),
    Pattern(
        "Resize",
        X,
        'a = T0231(x) b = Resize<mode="nearest", coordinate_transformation_mode="asymmetric", '
        'nearest_mode="floor">(a, , s) y = T0312(b)',
        constants={"s": np.array([1, 2, 2, 1], np.float32)},
    ),
    Pattern(
        "Resize, opset 11",
        X,
        'a = T0231(x) b = Resize<mode="nearest">(a, r, s) y = T0312(b)',
        constants={"r": np.zeros(0, np.float32), "s": np.array([1, 2, 2, 1], np.float32)},
        opset=11,
    ),
    Pattern("CumSum", X, "a = T0231(x) b = CumSum(a, k) y = T0312(b)", constants={"k": np.array(3, np.int64)}),
    Pattern(
        "TopK on the channels",
        X,
        "a = T0231(x) v, i = TopK<axis=3>(a, k) y = T0312(v) z = T0312(i)",
        "y, z",
        constants={"k": [3]},
    ),
    Pattern(
        "dynamic Slice and Concat",
        "float[1,8,H,W] x",
        "a = T0231(x) b = Slice(a, f, t, k) c = Slice(a, g, u, k) d = Concat<axis=3>(c, b) y = T0312(d)",
        constants={"f": [0], "t": [3], "g": [3], "u": [8], "k": [3]},
        sizes=_PIXELS,
    ),
)

REDUCING = (
    Pattern("ReduceMean, dimensions kept", X, "a = T0231(x) b = ReduceMean<axes=[1,2], keepdims=1>(a) y = T0312(b)"),
    Pattern("ReduceMean, dimensions gone", X, "a = T0231(x) b = ReduceMean<axes=[1,2], keepdims=0>(a) y = Relu(b)"),
    Pattern(
        "ReduceMean, opset 18",
        X,
        "a = T0231(x) b = ReduceMean<keepdims=0>(a, k) y = Relu(b)",
        constants={"k": [1, 2]},
        opset=18,
    ),
    Pattern(
        "ReduceSum of the channels",
        X,
        "a = T0231(x) b = ReduceSum<keepdims=1>(a, k) y = T0312(b)",
        constants={"k": [-1]},
    ),
    Pattern("ReduceMax of everything", X, "a = T0231(x) y = ReduceMax<keepdims=0>(a)"),
    Pattern(
        "squeeze and excitation",
        X,
        "a = T0231(x) m = ReduceMean<axes=[1,2]>(a) g = MatMul(m, w) h = Relu(g) "
        "i = MatMul(h, v) j = Sigmoid(i) k = Mul(a, j) y = T0312(k)",
        constants={"w": (8, 2), "v": (2, 8)},
    ),
    Pattern("ArgMax of the channels", X, "a = T0231(x) y = ArgMax<axis=3, keepdims=0>(a)"),
    Pattern("ArgMax, dimensions kept", X, "a = T0231(x) b = ArgMax<axis=3, keepdims=1>(a) y = T0312(b)"),
    Pattern("Softmax of the channels", X, "a = T0231(x) b = Softmax<axis=-1>(a) y = T0312(b)"),
    Pattern("Softmax, opset 11", X, "a = T0231(x) b = Softmax<axis=3>(a) y = T0312(b)", opset=11),
    Pattern("LogSoftmax and Hardmax", X, "a = T0231(x) b = LogSoftmax<axis=-1>(a) c = Hardmax<axis=3>(b) y = T0312(c)"),
    Pattern(
        "GlobalAveragePool, then flat",
        X,
        "g = GlobalAveragePool(x) a = T0231(g) f = Flatten(a) y = MatMul(f, w)",
        constants={"w": (8, 3)},
    ),
    Pattern(
        "BatchNormalization, pixels swapped",
        X,
        "a = T0132(x) b = BatchNormalization(a, w, w, w, w) y = T0132(b)",
        constants={"w": (8,)},
    ),
    Pattern(
        "InstanceNormalization, pixels swapped",
        X,
        "a = T0132(x) b = InstanceNormalization(a, w, w) y = T0132(b)",
        constants={"w": (8,)},
    ),
    Pattern(
        "LayerNormalization, other axes swapped",
        X,
        "a = T0213(x) b = LayerNormalization<axis=-1>(a, w) y = T0213(b)",
        constants={"w": (4,)},
    ),
    Pattern(
        "must stay: LayerNormalization of channels",
        X,
        "a = T0231(x) b = LayerNormalization<axis=-1>(a, w, w) y = T0312(b)",
        constants={"w": (8,)},
    ),
)

SMALL_PATTERNS = (*KNOWN, *PLAIN, *ELEMENTWISE, *MOVING, *REDUCING)
