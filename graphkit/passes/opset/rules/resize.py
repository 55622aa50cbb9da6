"""Resize and its forerunner Upsample.

9   Upsample(x, scales)                       scales of at least 1
10  Resize(x, scales)                         asymmetric; nearest takes the floor where it makes larger
11  Resize(x, roi, scales, sizes)             modes; what is not wanted is an empty tensor
13  Resize(x, roi, scales, sizes)             what is not wanted is left out; without tf_half_pixel_for_nn
18  axes, antialias, keep_aspect_ratio_policy
19  half_pixel_symmetric
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from onnx import TensorProto

from graphkit.passes.opset.difference import derive
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules import sampling
from graphkit.passes.opset.rules.indices import check, dimension
from graphkit.passes.opset.rules.pads import gathers
from graphkit.passes.opset.site import Site

_STATIC = "static shapes and fold-constants tell them, where they do not depend on the input"


@dataclass(frozen=True)
class _Axis:
    """What is known of one axis: its size before and after, and the scale that positions are computed with."""

    size: int
    out: int
    scale: Fraction


def _mode(site: Site) -> str:
    return str(site.attr("mode", "nearest"))


def _coordinates(site: Site) -> str:
    return str(site.attr("coordinate_transformation_mode", "half_pixel"))


def _rounding(site: Site) -> str:
    return str(site.attr("nearest_mode", "round_prefer_floor"))


def _scales(site: Site, index: int) -> list[Fraction] | None:
    """The scales, where they are constants and not empty."""
    value = site.value(site.input(index))
    if value is None or value.size == 0:
        return None
    return [Fraction(float(scale)) for scale in value.reshape(-1)]


def _at_least_one(site: Site, index: int) -> bool:
    """Whether the scales only make larger: as constants, or because a Max with 1 makes them."""
    scales = _scales(site, index)
    if scales is not None:
        return all(scale >= 1 for scale in scales)
    made = site.scope.maker(site.input(index))
    if made is None or made[0].op_type != "Max":
        return False
    values = [site.value(name) for name in made[0].input]
    return any(value is not None and value.size > 0 and bool(np.all(value >= 1)) for value in values)


@rule("Upsample", 7, 9)
def scales_as_input(site: Site) -> None:
    """Scales become an input."""
    scales = site.const(site.attr("scales"), np.float32, "scales")
    site.rewrite(inputs=[site.input(0), scales], drop=["scales"])


@rule("Upsample", 9, 10)
def upsample_as_resize(site: Site) -> None:
    """Scales of an Upsample are at least 1, of a Resize not. Where they are not known, a Max with 1 says so."""
    scales = site.input(1)
    if site.value(scales) is None:
        scales = site.emit("Max", scales, site.const([1.0], np.float32, "one"), hint="scales")
    site.rewrite(op="Resize", inputs=[site.input(0), scales])


@rule("Upsample", 10, 9)
def upsample(site: Site) -> None:
    """10 says that it is deprecated, and nothing else."""
    check(site)


@rule("Resize", 10, None)
def resize_as_upsample(site: Site) -> None:
    """Scales of at least 1."""
    if _at_least_one(site, 1):
        site.rewrite(op="Upsample")
        return
    known = _known_axes(site, _scales(site, 1), None)
    if _mode(site) == "nearest" and known is not None and all(axis.scale <= 1 for axis in known):
        _gather(site, known, "asymmetric", "ceil")
        return
    site.block("its scales are below 1, or not known, and Upsample, which 9 has in its place, takes 1 or more", _STATIC)


@rule("Resize", 10, 11)
def modes_of_ten(site: Site) -> None:
    """Nearest takes the floor along an axis that becomes larger, and the ceiling along one that becomes smaller.

    The spec of 10 does not say so, but the node tests that came with it and onnxruntime do.
    """
    rounding = None
    if _mode(site) == "nearest":
        scales = _scales(site, 1)
        if _at_least_one(site, 1):
            rounding = "floor"
        elif scales is not None and all(scale <= 1 for scale in scales):
            rounding = "ceil"
        else:
            site.block(
                "its scales are not known, or make one axis larger and one smaller, which rounds both ways", _STATIC
            )
    empty = site.const([], np.float32, "roi")
    inputs = [site.input(0), empty, site.input(1)]
    site.rewrite(inputs=inputs, coordinate_transformation_mode="asymmetric", nearest_mode=rounding)


@rule("Resize", 11, 10)
def modes_as_ten_has_them(site: Site) -> None:
    """To scales alone, where the modes come to the same; nearest along axes of known size is a Gather otherwise."""
    check(site)
    mode, coordinates = _mode(site), _coordinates(site)
    if mode == "cubic" or coordinates == "tf_crop_and_resize" or site.attr("exclude_outside", 0):
        what = (
            "exclude_outside" if site.attr("exclude_outside", 0) else coordinates if mode != "cubic" else "mode=cubic"
        )
        site.block(f"{what} does not exist there")
    scales = _scales(site, 2)
    sizes = site.value(site.input(3)) if site.has(3) else None
    if site.has(3) and sizes is not None and sizes.size == 0:
        sizes = None
    elif site.has(3) and sizes is None:
        site.block("its sizes are computed at run time, and there are only scales there", _STATIC)
    drop = [item.name for item in site.node.attribute if item.name != "mode"]
    known = _known_axes(site, scales, None if sizes is None else [int(size) for size in sizes.reshape(-1)])
    if sizes is not None:
        if known is None:
            site.block("the input's shape, which its sizes make scales of, is not known", _STATIC)
        exact = mode == "nearest"
        found = [sampling.single_scale(axis.size, axis.out, exact=exact) for axis in known]
        fitting = [scale for scale in found if scale is not None]
        if len(fitting) == len(found) and _same_in_ten(
            mode, coordinates, _rounding(site), list(map(Fraction, fitting))
        ):
            site.rewrite(inputs=[site.input(0), site.const(fitting, np.float32, "scales")], drop=drop)
            return
    elif _same_in_ten(mode, coordinates, _rounding(site), scales) or (
        scales is None and mode == "nearest" and _floors(site) and _at_least_one(site, 2)
    ):
        site.rewrite(inputs=[site.input(0), site.input(2)], drop=drop)
        return
    if mode == "nearest" and known is not None:
        _gather(site, known, coordinates, _rounding(site))
        return
    rounding = f", nearest_mode={_rounding(site)}" if mode == "nearest" else ""
    site.block(
        f"mode={mode} with coordinate_transformation_mode={coordinates}{rounding} is not what it does there "
        f"for scales {_shown(scales)}",
        _STATIC if mode == "nearest" else "",
    )


def _shown(scales: list[Fraction] | None) -> str:
    return "that are not known" if scales is None else str([float(f"{float(scale):g}") for scale in scales])


def _floors(site: Site) -> bool:
    return _coordinates(site) == "asymmetric" and _rounding(site) == "floor"


def _same_in_ten(mode: str, coordinates: str, rounding: str, scales: list[Fraction] | None) -> bool:
    """Whether 10 does the same with these scales: asymmetric, the floor for nearest, nothing for a scale of 1."""
    if mode == "linear":
        if coordinates == "asymmetric":
            return True
        return scales is not None and coordinates != "tf_half_pixel_for_nn" and all(scale == 1 for scale in scales)
    if scales is None:
        return False
    floors = coordinates == "asymmetric" and rounding == "floor"
    return all(
        (floors and scale >= 1) or (scale.denominator == 1 and sampling.whole_blocks(coordinates, rounding, int(scale)))
        for scale in scales
    )


def _known_axes(site: Site, scales: list[Fraction] | None, sizes: list[int] | None) -> list[_Axis] | None:
    """Every axis, where the input's shape and what is to become of it are known, and rounding leaves no doubt."""
    shape = site.shape(site.input(0))
    if shape is None:
        return None
    axes = []
    for place, size in enumerate(shape):
        if not isinstance(size, int) or size <= 0:
            return None
        if sizes is not None and len(sizes) == len(shape):
            axes.append(_Axis(size, sizes[place], Fraction(sizes[place], size)))
        elif scales is not None and len(scales) == len(shape):
            out = sampling.length(size, scales[place])
            if out is None:
                return None
            axes.append(_Axis(size, out, scales[place]))
        else:
            return None
    return axes


def _gather(site: Site, axes: list[_Axis], coordinates: str, rounding: str) -> None:
    """Nearest neighbours, axis by axis."""
    steps = []
    for place, axis in enumerate(axes):
        indices = sampling.nearest(coordinates, rounding, axis.size, axis.out, axis.scale)
        if indices is None:
            site.block(f"which element nearest takes along axis {place} is a matter of rounding, with that scale")
        if indices != list(range(axis.size)):
            steps.append((place, indices))
    gathers(site, site.input(0), steps)


@rule("Resize", 11, 13)
def without_empty_inputs(site: Site) -> None:
    """Empty inputs are left out, and so is a region that nothing looks at.

    tf_half_pixel_for_nn is gone: it lies half a pixel behind half_pixel, so that its floor is the other one's rounding
    half up, and its rounding half down the other one's ceiling.
    """
    inputs = site.inputs
    for index in (1, 2, 3):
        value = site.value(site.input(index)) if site.has(index) else None
        if value is not None and value.size == 0:
            inputs[index] = ""
    coordinates = _coordinates(site)
    if coordinates != "tf_crop_and_resize" and site.has(1):
        inputs[1] = ""
    if coordinates != "tf_half_pixel_for_nn":
        site.rewrite(inputs=inputs)
        return
    rounding = {"floor": "round_prefer_ceil", "round_prefer_floor": "ceil"}.get(_rounding(site))
    if _mode(site) != "nearest" or rounding is None:
        site.block(f"tf_half_pixel_for_nn does not exist there, and nothing is the same with mode={_mode(site)}")
    site.rewrite(inputs=inputs, coordinate_transformation_mode="half_pixel", nearest_mode=rounding)


@rule("Resize", 13, 11)
def with_empty_inputs(site: Site) -> None:
    """The region and the scales must be there, if only as empty tensors."""
    check(site)
    empty = site.const([], np.float32, "none")
    site.rewrite(inputs=[site.input(0), site.input(1) or empty, site.input(2) or empty, site.input(3)])


@rule("Resize", 19, 18)
def symmetric(site: Site) -> None:
    """half_pixel_symmetric corrects for what is cut off an output of fractional size. Nothing is where it is whole."""
    if _coordinates(site) != "half_pixel_symmetric":
        derive(site)
        return
    check(site)
    whole = site.has(3) and site.attr("keep_aspect_ratio_policy", "stretch") == "stretch"
    scales = _scales(site, 2)
    if scales is not None:
        shape = site.shape(site.input(0)) or ()
        axes = site.attr("axes", list(range(len(scales))))
        sizes = [dimension(site, site.input(0), int(axis)) if shape else None for axis in axes]
        whole = all(
            (scale if size is None else size * scale).denominator == 1
            for scale, size in zip(scales, sizes, strict=True)
        )
    if not whole:
        site.block("half_pixel_symmetric is new, and the sizes of its output are rounded, or not known")
    site.rewrite(coordinate_transformation_mode="half_pixel")


@rule("Resize", 18, 13)
def all_axes(site: Site) -> None:
    """Without axes, antialias and keep_aspect_ratio_policy."""
    check(site)
    _hold_antialias(site)
    drop = ["axes", "antialias", "keep_aspect_ratio_policy"]
    given = site.attr("axes")
    policy = str(site.attr("keep_aspect_ratio_policy", "stretch"))
    if policy != "stretch" and site.has(3):
        _keep_aspect(site, policy, drop)
        return
    inputs = site.inputs
    if _coordinates(site) != "tf_crop_and_resize" and site.has(1):
        inputs[1] = ""
    if given is not None:
        rank = site.need_rank(site.input(0))
        axes = site.axes(given, rank)
        if axes != list(range(rank)):
            inputs = [
                inputs[0],
                *(_of_all_axes(site, index, name, axes, rank) for index, name in enumerate(inputs[1:], 1)),
            ]
    if inputs != site.inputs or any(site.attribute(name) is not None for name in drop):
        site.rewrite(inputs=inputs, drop=drop)


def _of_all_axes(site: Site, index: int, name: str, axes: list[int], rank: int) -> str:
    """Input 1, 2 or 3 with what leaves an axis alone for those that are not named: a region of [0, 1], 1, its size."""
    if not name:
        return ""
    count = len(axes)
    places = [axes.index(axis) if axis in axes else count for axis in range(rank)]
    if index == 1:
        places = [place if place < count else 2 * count for place in places]
        places += [place + count if place < count else place + 1 for place in places]
        rest = site.like([0, 1], site.need_element(name), "whole")
    elif index == 2:
        rest = site.const([1], np.float32, "one")
    else:
        places = [place if place < count else count + axis for axis, place in enumerate(places)]
        rest = ""
    value, more = site.value(name), site.value(rest)
    if index == 3:
        shape = site.shape(site.input(0)) or ()
        sizes = [size if isinstance(size, int) else -1 for size in shape]
        if value is not None and all(size >= 0 for axis, size in enumerate(sizes) if axis not in axes):
            more = np.array(sizes, np.int64)
        else:
            rest = site.emit("Shape", site.input(0))
    if value is not None and more is not None:
        return site.const(np.append(value.reshape(-1), more)[places], value.dtype, "resize")
    extended = site.emit("Concat", name, rest, axis=0, hint="all")
    return site.emit("Gather", extended, site.const(places, hint="places"), axis=0, hint="resize")


def _hold_antialias(site: Site) -> None:
    """Antialiasing changes nothing where nothing becomes smaller, nor where the nearest element is taken.

    Raises:
        Blocked: It does, or runtimes round or treat the border in another way then.
    """
    if not site.attr("antialias", 0) or _mode(site) == "nearest":
        return
    plain = _mode(site) == "linear" and site.element(site.input(0)) in (TensorProto.FLOAT, TensorProto.DOUBLE)
    sizes = site.value(site.input(3)) if site.has(3) else None
    larger = site.has(2) and _at_least_one(site, 2)
    if sizes is not None and site.attr("keep_aspect_ratio_policy", "stretch") == "stretch":
        axes = site.attr("axes", list(range(sizes.size)))
        before = [dimension(site, site.input(0), int(axis)) for axis in axes]
        larger = all(old is not None and old <= int(new) for old, new in zip(before, sizes.reshape(-1), strict=True))
    if not plain or not larger:
        site.block("antialias=1 does not exist there, and it may make something smaller")


def _keep_aspect(site: Site, policy: str, drop: list[str]) -> None:
    """One scale for all axes, as the spec says: the least or the largest of size / input, and sizes rounded half up."""
    shape, sizes = site.shape(site.input(0)), site.value(site.input(3))
    if shape is None or sizes is None or any(not isinstance(size, int) or size <= 0 for size in shape):
        site.block(f"keep_aspect_ratio_policy={policy} does not exist there, and the sizes are not known", _STATIC)
    whole = [int(size or 0) for size in shape]
    axes = site.axes(site.attr("axes", list(range(len(whole)))), len(whole))
    ratios = [Fraction(int(wanted), whole[axis]) for axis, wanted in zip(axes, sizes.reshape(-1), strict=True)]
    scale = min(ratios) if policy == "not_larger" else max(ratios)
    known = [_Axis(size, size, Fraction(1)) for size in whole]
    for axis in axes:
        known[axis] = _Axis(whole[axis], int(scale * whole[axis] + Fraction(1, 2)), scale)
    if all(axis.out == axis.scale * axis.size for axis in known) and _coordinates(site) != "tf_crop_and_resize":
        out = site.const([axis.out for axis in known], hint="sizes")
        site.rewrite(inputs=[site.input(0), "", "", out], drop=drop)
    elif _mode(site) == "nearest":
        _gather(site, known, _coordinates(site), _rounding(site))
    else:
        site.block(f"keep_aspect_ratio_policy={policy} does not exist there, and rounds the sizes of these axes")
