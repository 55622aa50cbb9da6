"""Small graphs: products and Reshapes, blocks of networks as exporters write them, and what must stay."""

from __future__ import annotations

import numpy as np

from benchmarks.transposes_pattern import Pattern

X = "float[1,8,6,4] x"
_CONV = (8, 8, 3, 3)
_PIXELS = ({"H": 6, "W": 4}, {"H": 5, "W": 7})


def _channels_last_conv(number: int, given: str, made: str) -> str:
    """A convolution as a converter from TensorFlow writes it: Transposes around it, the bias after them."""
    n = number
    return f"i{n} = T0312({given}) c{n} = Conv<pads=[1,1,1,1]>(i{n}, w{n}) o{n} = T0231(c{n}) {made} = Add(o{n}, b{n}) "


def _weights(count: int) -> dict[str, tuple[int, ...]]:
    return {f"{kind}{n}": shape for n in range(count) for kind, shape in (("w", _CONV), ("b", (8,)))}


PRODUCTS = (
    Pattern("MatMul, both transposed", "float[7,5] x, float[4,7] z", "a = T10(x) b = T10(z) y = MatMul(a, b)"),
    Pattern(
        "MatMul, both transposed, batched, inverse",
        "float[2,7,5] x, float[2,4,7] z",
        "a = T021(x) b = T021(z) c = MatMul(a, b) y = T021(c)",
    ),
    Pattern("MatMul with a transposed weight", "float[5,7] x", "a = T10(w) y = MatMul(x, a)", constants={"w": (4, 7)}),
    Pattern(
        "MatMul with a weight, inverse",
        "float[2,7,5] x",
        "a = T021(x) b = MatMul(w, a) y = T021(b)",
        constants={"w": (4, 5)},
    ),
    Pattern(
        "Gemm, transposed input", "float[7,5] x", "a = T10(x) y = Gemm(a, w, b)", constants={"w": (7, 3), "b": (3,)}
    ),
    Pattern("Gemm, both transposed", "float[7,5] x, float[3,7] z", "a = T10(x) b = T10(z) y = Gemm<transB=0>(a, b)"),
    Pattern(
        "Gemm, transposed weight", "float[5,7] x", "a = T10(w) y = Gemm(x, a, b)", constants={"w": (3, 7), "b": (3,)}
    ),
    Pattern(
        "1 x 1 convolution as MatMul, between",
        X,
        "a = T0231(x) b = MatMul(a, w) c = Relu(b) d = MatMul(c, v) y = T0312(d)",
        constants={"w": (8, 16), "v": (16, 8)},
    ),
    Pattern(
        "scores of queries and keys",
        "float[2,6,8] q, float[2,5,8] k",
        "t = T021(k) s = MatMul(q, t) y = Softmax<axis=-1>(s)",
    ),
    Pattern(
        "classifier after a channels-last Flatten",
        X,
        "a = T0231(x) f = Flatten(a) y = MatMul(f, w)",
        constants={"w": (192, 3)},
    ),
)

RESHAPES = (
    Pattern(
        "pixels merged and parted",
        X,
        "a = T0231(x) b = Reshape(a, k) c = Relu(b) d = Reshape(c, l) y = T0312(d)",
        constants={"k": [1, 24, 8], "l": [1, 6, 4, 8]},
    ),
    Pattern("pixels merged, inverse", X, "a = T0231(x) b = Reshape(a, k) y = T021(b)", constants={"k": [1, 24, 8]}),
    Pattern(
        "channels parted, inverse", X, "a = T0231(x) b = Reshape(a, k) y = T03412(b)", constants={"k": [1, 6, 4, 2, 4]}
    ),
    Pattern(
        "pixels merged, any size",
        "float[1,8,H,W] x",
        "a = T0231(x) b = Reshape(a, k) c = Relu(b) y = T021(c)",
        constants={"k": [1, -1, 8]},
        sizes=_PIXELS,
    ),
    Pattern(
        "must stay: patches to a sequence",
        "float[1,3,12,12] x",
        "c = Conv<strides=[4,4]>(x, w) r = Reshape(c, k) t = T021(r) y = Add(t, p)",
        constants={"w": (8, 3, 4, 4), "k": [1, 8, 9], "p": (1, 9, 8)},
    ),
    Pattern(
        "sequence and back between convolutions",
        X,
        "r = Reshape(x, k) t = T021(r) m = MatMul(t, w) g = Relu(m) u = T021(g) s = Reshape(u, l) y = Conv(s, v)",
        constants={"k": [1, 8, 24], "w": (8, 8), "l": [1, 8, 6, 4], "v": (8, 8, 1, 1)},
    ),
    Pattern(
        "must stay: channel shuffle",
        X,
        "r = Reshape(x, k) t = T02134(r) y = Reshape(t, l)",
        constants={"k": [1, 2, 4, 6, 4], "l": [1, 8, 6, 4]},
    ),
    Pattern(
        "channel shuffle and back",
        X,
        "r = Reshape(x, k) t = T02134(r) s = Reshape(t, l) z = Relu(s) "
        "u = Reshape(z, m) v = T02134(u) y = Reshape(v, l)",
        constants={"k": [1, 2, 4, 6, 4], "m": [1, 4, 2, 6, 4], "l": [1, 8, 6, 4]},
    ),
    Pattern(
        "must stay: depth to space",
        X,
        "r = Reshape(x, k) t = T014253(r) y = Reshape(t, l)",
        constants={"k": [1, 2, 2, 2, 6, 4], "l": [1, 2, 12, 8]},
    ),
    Pattern(
        "windows and back",
        "float[1,8,6,4] x",
        "r = Reshape(x, k) t = T024135(r) s = Reshape(t, l) g = Sigmoid(s) "
        "u = Reshape(g, m) v = T031425(u) y = Reshape(v, n)",
        constants={"k": [1, 4, 2, 3, 2, 4], "l": [4, 12, 4], "m": [1, 2, 2, 4, 3, 4], "n": [1, 8, 6, 4]},
    ),
    Pattern(
        "shape of a transposed tensor",
        "float[1,8,H,W] x",
        "a = T0231(x) s = Shape(a) h = Gather(s, i) b = Relu(x) k = Concat<axis=0>(e, h) y = Reshape(b, k)",
        constants={"i": [1, 2], "e": [1, 8]},
        sizes=_PIXELS,
    ),
    Pattern(
        "shape of a tensor in both layouts",
        "float[1,8,H,W] x",
        "a = T0231(x) s = Shape(a) r = Relu(a) q = Reshape(r, s) y = T0312(q)",
        sizes=_PIXELS,
    ),
)

BLOCKS = (
    Pattern(
        "channels-last residual blocks",
        "float[1,6,4,8] x",
        _channels_last_conv(0, "x", "p")
        + "q = Relu(p) "
        + _channels_last_conv(1, "q", "r")
        + "s = Add(r, x) t = Relu(s) "
        + _channels_last_conv(2, "t", "u")
        + "v = Relu(u) "
        + _channels_last_conv(3, "v", "k")
        + "m = Add(k, t) y = Relu(m)",
        constants=_weights(4),
    ),
    Pattern(
        "channels-last classifier",
        "float[N,6,4,8] x",
        _channels_last_conv(0, "x", "p") + "q = Relu(p) " + _channels_last_conv(1, "q", "r") + "s = Add(r, q) "
        "m = ReduceMean<axes=[1,2], keepdims=0>(s) l = MatMul(m, w) y = Softmax<axis=-1>(l)",
        constants={**_weights(2), "w": (8, 3)},
        sizes=({"N": 1}, {"N": 3}),
    ),
    Pattern(
        "channels-last pyramid",
        "float[1,8,4,8] x",
        _channels_last_conv(0, "x", "p")
        + "f = Pad(p, z) g = T0312(f) h = MaxPool<kernel_shape=[2,2], strides=[2,2]>(g) "
        "i = T0231(h) " + _channels_last_conv(1, "i", "q") + "j = T0312(q) "
        'k = Resize<mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor">(j, , t) '
        "l = T0231(k) m = Slice(f, e, n, o) r = Concat<axis=3>(l, m) s = T0312(r) u = Conv(s, v) y = T0231(u)",
        constants={
            **_weights(2),
            "z": [0, 0, 0, 0, 0, 2, 2, 0],
            "t": np.array([1, 1, 2, 2], np.float32),
            "e": [0, 0],
            "n": [10, 6],
            "o": [1, 2],
            "v": (4, 16, 1, 1),
        },
    ),
    Pattern(
        "channels-last, opset 11",
        "float[1,6,4,8] x",
        "a = T0312(x) c = Conv<pads=[1,1,1,1]>(a, w) b = T0231(c) "
        "s = Squeeze<axes=[0]>(b) u = Unsqueeze<axes=[0]>(s) d = T0312(u) e = Conv(d, w) y = T0231(e)",
        constants={"w": _CONV},
        opset=11,
    ),
    Pattern(
        "ConvNeXt block",
        X,
        "c = Conv<group=8, pads=[1,1,1,1]>(x, w) t = T0231(c) n = LayerNormalization<axis=-1>(t, g, h) "
        "a = MatMul(n, v) b = Add(a, p) s = Sigmoid(b) d = Mul(b, s) e = MatMul(d, u) f = Mul(e, g) "
        "r = T0312(f) y = Add(x, r)",
        constants={"w": (8, 1, 3, 3), "g": (8,), "h": (8,), "v": (8, 16), "p": (16,), "u": (16, 8)},
    ),
    Pattern(
        "self-attention",
        "float[2,6,8] x",
        "l = MatMul(x, w) q, k, v = Split<axis=-1>(l, c) r = Reshape(q, h) "
        "a = T0213(r) s = Reshape(k, h) b = T0213(s) t = Reshape(v, h) d = T0213(t) e = T0132(b) m = MatMul(a, e) "
        "n = Softmax<axis=-1>(m) o = MatMul(n, d) u = T0213(o) y = Reshape(u, f)",
        constants={"w": (8, 24), "c": [8, 8, 8], "h": [2, 6, 2, 4], "f": [2, 6, 8]},
    ),
    Pattern(
        "self-attention, one Transpose of all three",
        "float[2,6,8] x",
        "l = MatMul(x, w) r = Reshape(l, h) "
        "a = T20314(r) q = Gather<axis=0>(a, z) k = Gather<axis=0>(a, i) v = Gather<axis=0>(a, j) b = T0132(k) "
        "m = MatMul(q, b) n = Softmax<axis=-1>(m) o = MatMul(n, v) u = T0213(o) y = Reshape(u, f)",
        constants={
            "w": (8, 24),
            "h": [2, 6, 3, 2, 4],
            "f": [2, 6, 8],
            "z": np.array(0),
            "i": np.array(1),
            "j": np.array(2),
        },
    ),
    Pattern(
        "attention over pixels",
        X,
        "r = Reshape(x, h) q, k, v = Split<axis=2>(r, c) a = T0132(q) m = MatMul(a, k) "
        "s = Softmax<axis=-1>(m) t = T0132(s) o = MatMul(v, t) y = Reshape(o, f)",
        constants={"h": [1, 2, 4, 24], "c": [1, 1, 2], "f": [1, 4, 6, 4]},
    ),
    Pattern(
        "DFL",
        "float[1,64,21] x",
        "r = Reshape(x, h) t = T0213(r) s = Softmax<axis=1>(t) c = Conv(s, w) y = Reshape(c, f)",
        constants={"h": [1, 4, 16, 21], "w": np.arange(16, dtype=np.float32).reshape(1, 16, 1, 1), "f": [1, 4, 21]},
    ),
    Pattern(
        "DFL, opset 11",
        "float[1,64,21] x",
        "r = Reshape(x, h) t = T0213(r) u = T0321(t) s = Softmax<axis=3>(u) "
        "v = T0321(s) c = Conv(v, w) y = Reshape(c, f)",
        constants={"h": [1, 4, 16, 21], "w": np.arange(16, dtype=np.float32).reshape(1, 16, 1, 1), "f": [1, 4, 21]},
        opset=11,
    ),
    Pattern(
        "anchor heads of two levels",
        f"{X}, float[1,8,3,2] z",
        "p = Conv(x, w) a = T0231(p) b = Reshape(a, k) "
        "q = Conv(z, w) c = T0231(q) d = Reshape(c, k) y = Concat<axis=1>(b, d)",
        constants={"w": (4, 8, 1, 1), "k": [1, -1, 4]},
    ),
    Pattern(
        "heads of two levels, three anchors",
        f"{X}, float[1,8,3,2] z",
        "p = Conv(x, w) a = T0231(p) b = Reshape(a, k) "
        "q = Conv(z, w) c = T0231(q) d = Reshape(c, k) e = Concat<axis=1>(b, d) y = Sigmoid(e)",
        constants={"w": (12, 8, 1, 1), "k": [1, -1, 4]},
    ),
    Pattern(
        "detections transposed at the end",
        "float[1,4,21] x, float[1,3,21] z",
        "s = Sigmoid(z) c = Concat<axis=1>(x, s) y = T021(c)",
    ),
    Pattern(
        "LSTM over columns",
        "float[1,8,1,10] x",
        "s = Squeeze(x, k) t = T201(s) l, h = LSTM<hidden_size=4>(t, w, r) u = Squeeze(l, i) y = T102(u)",
        constants={"k": [2], "i": [1], "w": (1, 16, 8), "r": (1, 16, 4)},
    ),
    Pattern(
        "LSTM, batch first",
        "float[2,10,8] x",
        "t = T102(x) l, h = LSTM<hidden_size=4>(t, w, r) u = Squeeze(l, i) v = T102(u) y = MatMul(v, d)",
        constants={"i": [1], "w": (1, 16, 8), "r": (1, 16, 4), "d": (4, 3)},
    ),
    Pattern(
        "two LSTMs, batch first",
        "float[2,10,8] x",
        "t = T102(x) l, h = LSTM<hidden_size=4>(t, w, r) u = Squeeze(l, i) "
        "v = T102(u) n = Tanh(v) o = T102(n) p, q = LSTM<hidden_size=4>(o, s, r) m = Squeeze(p, i) y = T102(m)",
        constants={"i": [1], "w": (1, 16, 8), "r": (1, 16, 4), "s": (1, 16, 4)},
    ),
    Pattern(
        "picture normalised channels last",
        "uint8[1,6,4,3] x",
        "f = Cast<to=1>(x) s = Sub(f, m) d = Div(s, e) t = T0312(d) y = Conv(t, w)",
        constants={"m": (3,), "e": (3,), "w": (8, 3, 1, 1)},
    ),
    Pattern(
        "pair inside of If",
        f"{X}, bool c",
        "y = If(c) <then_branch = t () => (float[1,8,6,4] p) "
        "{ a = T0231(x) b = Relu(a) p = T0312(b) }, else_branch = e () => (float[1,8,6,4] q) { q = Neg(x) }>",
        sizes=({}, {}),
    ),
    Pattern(
        "Transpose outside of If, inverse inside",
        f"{X}, bool c",
        "a = T0231(x) y = If(c) "
        "<then_branch = t () => (float[1,8,6,4] p) { b = Relu(a) p = T0312(b) }, "
        "else_branch = e () => (float[1,8,6,4] q) { q = T0312(a) }>",
        sizes=({}, {}),
    ),
)

BLOCK_PATTERNS = (*PRODUCTS, *RESHAPES, *BLOCKS)
