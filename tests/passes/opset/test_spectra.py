from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, outputs, pin, refused


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("inverse", [0, 1])
@pytest.mark.parametrize("length", [0, 6, 12])
@pytest.mark.parametrize("axis", [1, 2, -2])
def test_dft(parts: int, inverse: int, length: int, axis: int) -> None:
    size = [2, 8, 9]
    tail = f"<int64 l = {{{length}}}>" if length else ""
    proto = parse(
        f"""g (float[2,8,9,{parts}] x) => (float[a,b,c,2] y) {tail} {{
            y = DFT<axis = {axis}, inverse = {inverse}>(x{", l" if length else ""})
        }}""",
        17,
    )
    x = np.random.default_rng(0).normal(size=(*size, parts)).astype(np.float32)
    after = pin(proto, 16)
    assert ops(after)["MatMul"] == 1
    signal = x[..., 0] + (1j * x[..., 1] if parts == 2 else 0)
    place = axis if axis > 0 else 2
    wanted = (np.fft.ifft if inverse else np.fft.fft)(signal, length or None, place)
    for target in (16, 9):
        found = outputs(pin(proto, target), {"x": x})["y"]
        np.testing.assert_allclose(found[..., 0] + 1j * found[..., 1], wanted, atol=1e-5)


@pytest.mark.parametrize("size", [7, 8])
def test_one_side(size: int) -> None:
    proto = parse(f"g (float[n,{size},1] x) => (float[n,b,2] y) {{ y = DFT<onesided = 1>(x) }}", 17)
    x = np.random.default_rng(0).normal(size=(2, size, 1)).astype(np.float32)
    found = outputs(pin(proto, 9), {"x": x})["y"]
    np.testing.assert_allclose(found[..., 0] + 1j * found[..., 1], np.fft.rfft(x[..., 0]), atol=1e-5)


@pytest.mark.parametrize("length", [7, 8, 12])
def test_one_side_back(length: int) -> None:
    proto = parse(
        f"""g (float[2,5,2] x) => (float[2,{length},1] y) <int64 l = {{{length}}}> {{
            y = DFT<onesided = 1, inverse = 1>(x, l)
        }}""",
        17,
    )
    x = np.random.default_rng(0).normal(size=(2, 5, 2)).astype(np.float32)
    found = outputs(pin(proto, 9, check=False), {"x": x})["y"]
    np.testing.assert_allclose(found[..., 0], np.fft.irfft(x[..., 0] + 1j * x[..., 1], length), atol=1e-5)


def test_dft_of_unknown_length_is_refused() -> None:
    refused(parse("g (float[1,n,1] x) => (float[1,m,2] y) { y = DFT(x) }", 17), 16, "how long the signal")
    proto = parse("g (float[1,4,1] x, int64 l) => (float[1,m,2] y) { y = DFT(x, l) }", 17)
    refused(proto, 16, "its dft_length")


@pytest.mark.parametrize("window", [True, False])
@pytest.mark.parametrize("onesided", [0, 1])
@pytest.mark.parametrize("known", [True, False])
def test_stft(window: bool, onesided: int, known: bool) -> None:
    size = "20" if known else "n"
    inputs = "x, step, w" if window else "x, step, , length"
    proto = parse(
        f"""g (float[2,{size},1] x{", float[8] w" if window else ""}) => (float[2,a,b,2] y)
            <int64 step = {{3}}, int64 length = {{8}}> {{ y = STFT<onesided = {onesided}>({inputs}) }}""",
        17,
    )
    random = np.random.default_rng(0)
    given = {"x": random.normal(size=(2, 20, 1)).astype(np.float32)}
    if window:
        given["w"] = np.hanning(8).astype(np.float32)
    after = pin(proto, 9)
    assert "STFT" not in ops(after)
    assert_same(proto, after, given, limit=1e-5)


def test_mel_weights_are_a_constant() -> None:
    proto = parse(
        """g () => (float[9,4] y) <int64 bins = {4}, int64 length = {16}, int64 rate = {8192}, float low = {0.0},
            float high = {4096.0}> { y = MelWeightMatrix(bins, length, rate, low, high) }""",
        17,
    )
    after = pin(proto, 9)
    assert ops(after) == {"Identity": 1}
    assert_same(proto, after, {}, limit=1e-6)
    open_ = parse(
        """g (int64 bins) => (float[9,b] y) <int64 length = {16}, int64 rate = {8192}, float low = {0.0},
            float high = {4096.0}> { y = MelWeightMatrix(bins, length, rate, low, high) }""",
        17,
    )
    refused(open_, 16, "computed at run time")
