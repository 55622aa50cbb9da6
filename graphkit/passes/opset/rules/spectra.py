"""DFT, STFT and MelWeightMatrix, by tables of sines and cosines that are known beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.dimensions import counting, extent, typed, unsqueeze
from graphkit.passes.opset.rules.indices import dimension
from graphkit.passes.opset.site import Site

_MOST = 1 << 22
"""Elements of the largest table."""

_HALVES = (TensorProto.FLOAT16, TensorProto.BFLOAT16)
_STATIC = "static shapes, or simplify, tell it"


@rule("DFT", 17, None)
def dft(site: Site) -> None:
    """A product with e^(∓2πi·kn/N), real and imaginary parts next to each other in the last two dimensions merged."""
    x = site.input(0)
    element, rank = site.need_element(x), site.need_rank(x)
    axis = site.axes([site.attr("axis", 1)], rank)[0]
    if axis == rank - 1:
        site.block("its axis is that of real and imaginary part: the model is invalid")
    size, parts = dimension(site, x, axis), dimension(site, x, rank - 1)
    inverse, onesided = bool(site.attr("inverse", 0)), bool(site.attr("onesided", 0))
    length = _scalar(site, 1, "dft_length")
    if size is None or parts is None:
        site.block(f'how long the signal "{x}" is is not known', _STATIC)
    if length is None:
        length = 2 * (size - 1) if inverse and onesided else size
    given = min(size, length // 2 + 1 if inverse and onesided else length)
    table = _table(site, given, parts, length, inverse, onesided)
    wide = TensorProto.FLOAT if element in _HALVES else TensorProto.DOUBLE  # float sums lose what cancels
    x = typed(site, x, wide)
    if given < size:
        x = site.emit("Slice", x, site.const([0]), site.const([given]), site.const([axis]))
    perm = [*(a for a in range(rank) if a != axis and a != rank - 1), axis, rank - 1]
    moved = perm != list(range(rank))
    if moved:
        x = site.emit("Transpose", x, perm=perm)
    made = _transformed(site, x, rank, table, wide)
    if moved:
        made = site.emit("Transpose", made, perm=[int(a) for a in np.argsort(perm)])
    site.cast(made, element, site.outputs[0])


@rule("STFT", 17, None)
def stft(site: Site) -> None:
    """The DFT of frames, each times the window."""
    x = site.input(0)
    element, parts = site.need_element(x), dimension(site, x, 2)
    if site.need_rank(x) != 3 or parts is None:
        site.block(f'whether the signal "{x}" is real or complex is not known', _STATIC)
    step, length = _scalar(site, 1, "frame_step"), _scalar(site, 3, "frame_length")
    if length is None:
        length = dimension(site, site.input(2), 0) if site.has(2) else dimension(site, x, 1)
    if step is None or length is None:
        site.block("how long its frames are is not known", _STATIC)
    table = _table(site, length, parts, length, False, bool(site.attr("onesided", 1)))
    wide = TensorProto.FLOAT if element in _HALVES else TensorProto.DOUBLE  # float sums lose what cancels
    places = _frames(site, x, step, length)
    frames = site.emit("Gather", typed(site, x, wide), places, axis=1, hint="frames")
    if site.has(2):
        window = unsqueeze(site, typed(site, site.input(2), wide), [1])
        frames = site.emit("Mul", frames, window, hint="frames")
    site.cast(_transformed(site, frames, 4, table, wide), element, site.outputs[0])


@rule("MelWeightMatrix", 17, None)
def mel_weight_matrix(site: Site) -> None:
    """The same in every run, where its inputs are."""
    from onnx.reference import ReferenceEvaluator

    values = [site.value(name) for name in site.inputs]
    known: dict[str, NDArray[Any]] = {
        name: value for name, value in zip(site.inputs, values, strict=True) if value is not None
    }
    if len(known) < len(set(site.inputs)):
        site.block("the operator is new in opset 17, and its inputs are computed at run time", "fold-constants")
    opset = onnx.helper.make_opsetid("", site.old)
    function = onnx.helper.make_function("mel", "mel", list(known), list(site.outputs), [site.node], [opset])
    results: Any = ReferenceEvaluator(function).run(None, known, {})
    matrix = np.asarray(results[0])
    site.emit("Identity", site.const(matrix, matrix.dtype, hint="weights"), to=site.outputs[0])


def _scalar(site: Site, index: int, what: str) -> int | None:
    if not site.has(index):
        return None
    value = site.value(site.input(index))
    if value is None:
        site.block(f"its {what} ({site.input(index)}) is computed at run time", "fold-constants may make it a constant")
    return int(value.reshape(-1)[0])


def _frames(site: Site, x: str, step: int, length: int) -> str:
    """The places of each frame's values in the signal, [frames, length]."""
    size = dimension(site, x, 1)
    inner = np.arange(length)
    if size is not None:
        count = (size - length) // step + 1
        return site.const(np.arange(count)[:, None] * step + inner, hint="places")
    rest = site.emit("Sub", extent(site, x, 1), site.const(length), hint="rest")
    count_name = site.emit("Add", site.emit("Div", rest, site.const(step)), site.const(1), hint="count")
    start = site.emit("Mul", unsqueeze(site, counting(site, count_name), [1]), site.const(step), hint="start")
    return site.emit("Add", start, site.const(inner, hint="places"), hint="places")


def _transformed(site: Site, x: str, rank: int, table: NDArray[np.float64], element: int) -> str:
    """[…, values, parts] times [values · parts, values · parts] as […, values, parts] again."""
    rows, columns = table.shape[0] * table.shape[1], table.shape[2] * table.shape[3]
    head = [0] * (rank - 2)
    flat = site.emit("Reshape", x, site.const([*head, rows]), hint="flat")
    made = site.emit("MatMul", flat, site.like(table.reshape(rows, columns), element, "table"))
    return site.emit("Reshape", made, site.const([*head, *table.shape[2:]]), hint="spectrum")


def _table(site: Site, given: int, parts: int, length: int, inverse: bool, onesided: bool) -> NDArray[Any]:
    """[value, its parts, bin, its parts]:  e^(iα) = cos α + i·sin α, times i is -sin α + i·cos α.

    Of one half of a spectrum that is inverted, each bin but the first, and the middle one of an even number, stands
    for two, that have the same real part; the result is real.
    """
    half = length // 2 + 1
    bins = length if inverse or not onesided else half
    if given * parts * bins * 2 > _MOST:
        site.block(f"the operator is new in opset {site.old}, and a table for {length} values would be too large")
    if parts == 1 and inverse and onesided:
        site.block("one half of a spectrum is complex, and its input is real: the model is invalid")
    steps = np.outer(np.arange(given), np.arange(bins)) % length
    angle = (2 if inverse else -2) * np.pi * steps / length
    cosine, sine = np.cos(angle), np.sin(angle)
    table = np.stack([np.stack([cosine, sine], -1), np.stack([-sine, cosine], -1)][:parts], 1)
    if inverse and onesided:
        weights = np.full(given, 2.0)
        weights[0] = 1
        if length % 2 == 0 and given == half:
            weights[-1] = 1
        table = table[..., :1] * weights[:, None, None, None]
    return table / length if inverse else table
