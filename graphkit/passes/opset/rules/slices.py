"""Slice: bounds as attributes before opset 10, inputs from then on, with steps; axes from the front before 11."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.indices import check, dimension, front, measured, never_negative, wrapped
from graphkit.passes.opset.site import Site


@rule("Slice", 11, 10)
def axes_from_the_front(site: Site) -> None:
    """Axes that count from the back came with opset 11: axis + rank."""
    check(site)
    if not site.has(3) or never_negative(site, site.input(3)):
        return
    axes = site.value(site.input(3))
    inputs = site.inputs
    if axes is not None and site.rank(site.input(0)) is not None:
        positive = [front(site, int(axis), site.input(0)) for axis in axes.reshape(-1)]
        inputs[3] = site.const(positive, axes.dtype, "axes")
    else:
        element = site.need_element(site.input(3))
        rank = measured(site, site.emit("Shape", site.input(0)), 0, element)
        inputs[3] = wrapped(site, site.input(3), rank, element)
    site.rewrite(inputs=inputs)


# onnxruntime takes these as "to the end" backwards too, against the spec of Slice.
_ENDS = (np.iinfo(np.int32).max, np.iinfo(np.int64).max)


@dataclass(frozen=True)
class _Range:
    """One axis of a slice; bounds that are computed at run time are None."""

    place: int
    axis: int
    start: int | None
    end: int | None
    step: int


@rule("Slice", 10, 1)
def bounds_as_attributes(site: Site) -> None:
    """Where a step is not 1, or a bound is not known, elements are gathered: data[range(n)[start:end:step]]."""
    check(site)
    ranges = _ranges(site)
    plain = [item for item in ranges if item.step == 1 and item.start is not None and item.end is not None]
    gathered = [item for item in ranges if item not in plain]
    if gathered and len({item.axis for item in ranges}) < len(ranges):
        site.block("it names an axis twice, which is not defined")
    data = site.input(0)
    if not gathered and not plain:
        site.rewrite(op="Identity", inputs=[data])
        return
    for count, item in enumerate(gathered, 1):
        last = count == len(gathered) and not plain
        size = dimension(site, site.input(0), item.axis)
        if item.step < 0 and item.end in _ENDS:
            site.block("its end is the largest integer with a negative step, which runtimes read differently")
        if size is not None and item.start is not None and item.end is not None:
            places = site.const(indices(size, item.start, item.end, item.step), hint="indices")
        else:
            places = _places(site, item)
        to = site.outputs[0] if last else site.fresh("gathered")
        if last and count == 1:
            site.rewrite(op="Gather", inputs=[data, places], axis=item.axis)
        else:
            site.emit("Gather", data, places, to=to, axis=item.axis)
        data = to
    if plain:
        starts, ends = [item.start for item in plain], [item.end for item in plain]
        site.rewrite(inputs=[data], axes=[item.axis for item in plain], starts=starts, ends=ends)


def _ranges(site: Site) -> list[_Range]:
    starts, ends = site.value(site.input(1)), site.value(site.input(2))
    axes = site.need_ints(3, "axes") if site.has(3) else None
    count = next((len(item) for item in (axes, starts, ends) if item is not None), None)
    if count is None:
        shape = site.shape(site.input(1))
        count = shape[0] if shape and isinstance(shape[0], int) else None
    if count is None:
        site.block("how many starts and ends it has is not known", "simplify or a declared value_info tells shapes")
    axes = [front(site, axis, site.input(0)) for axis in (range(count) if axes is None else axes)]
    steps = site.need_ints(4, "steps") if site.has(4) else [1] * count
    bounds = [[None] * count if item is None else [int(value) for value in item.reshape(-1)] for item in (starts, ends)]
    return [_Range(place, *item) for place, item in enumerate(zip(axes, *bounds, steps, strict=True))]


def _places(site: Site, item: _Range) -> str:
    """The places of a slice that is known at run time only, for a positive step.

    With both bounds clamped to [0, n], as `indices` does: start + step · [0, 1 … (end - start + step - 1) / step - 1],
    where the count is none below 0. ConstantOfShape and NonZero make the numbers in the brackets.
    """
    if item.step < 0:
        site.block(
            f"its step of {item.step} does not exist there, and the size of axis {item.axis} or a bound is not known",
            "static shapes tell it",
        )
    size = site.emit("Gather", site.emit("Shape", site.input(0)), site.const([item.axis], hint="axis"), hint="size")
    start = _clamped(site, _bound(site, 1, item.place, item.start), size)
    end = _clamped(site, _bound(site, 2, item.place, item.end), size)
    length = _not_below_zero(site, site.emit("Sub", end, start))
    step = site.const([item.step], hint="step")
    if item.step > 1:
        length = site.emit(
            "Div", site.emit("Add", length, site.const([item.step - 1], hint="step")), step, hint="length"
        )
    one = TensorProto(data_type=TensorProto.INT64, dims=[1], int64_data=[1])
    counted = site.emit("NonZero", site.emit("ConstantOfShape", length, value=one, hint="ones"))
    counted = site.emit("Squeeze", counted, axes=[0], hint="range")
    if item.step > 1:
        counted = site.emit("Mul", counted, step)
    return site.emit("Add", counted, start, hint="indices")


def _bound(site: Site, index: int, place: int, known: int | None) -> str:
    """One start or end, as a tensor of one element."""
    if known is not None:
        return site.const([known], hint="bound")
    chosen = site.emit("Gather", site.input(index), site.const([place], hint="place"), hint="bound")
    return chosen if site.need_element(chosen) == TensorProto.INT64 else site.cast(chosen, TensorProto.INT64)


def _clamped(site: Site, bound: str, size: str) -> str:
    """min(max(bound < 0 ? bound + n : bound, 0), n), where Min and Max take no integers yet."""
    bound = _not_below_zero(site, wrapped(site, bound, size, TensorProto.INT64))
    return site.emit("Where", site.emit("Less", size, bound, hint="beyond"), size, bound, hint="clamped")


def _not_below_zero(site: Site, name: str) -> str:
    zero = site.const([0], hint="zero")
    return site.emit("Where", site.emit("Less", name, zero, hint="negative"), zero, name, hint="positive")


def indices(size: int, start: int, end: int, step: int) -> list[int]:
    """The places that a slice with a step takes, clamped as the spec of Slice says.

    Counted from the back if negative; forwards, both bounds go to [0, n]; backwards, the start to [0, n - 1] and the
    end to [-1, n - 1]. Python's own slices would read an end of -1 as the last element, so it is not asked.
    """
    start, end = start + size if start < 0 else start, end + size if end < 0 else end
    if step > 0:
        start, end = min(max(start, 0), size), min(max(end, 0), size)
    else:
        start, end = min(max(start, 0), size - 1), min(max(end, -1), size - 1)
    return list(range(start, end, step)) if size else []


@rule("Slice", 1, 10)
def bounds_as_inputs(site: Site) -> None:
    """The three attributes become inputs."""
    names = ("starts", "ends", "axes")
    values = [site.attr(name) for name in names]
    given = [
        site.const(value, hint=name) if value is not None else "" for name, value in zip(names, values, strict=True)
    ]
    site.rewrite(inputs=[site.input(0), *given], drop=names)
