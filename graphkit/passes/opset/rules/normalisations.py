"""LayerNormalization, from means."""

from __future__ import annotations

from onnx import TensorProto

from graphkit.passes.opset.expansion import expand
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.site import Site


@rule("LayerNormalization", 17, None)
def layer_normalization(site: Site) -> None:
    """(x - mean) / √(variance + epsilon) in `stash_type`, then times scale plus bias in the type of x.

    The variance is the mean of (x - mean)². In onnx.defs it is that of x² less that of x, squared, which for a large
    mean is the small difference of two large numbers.
    """
    x = site.input(0)
    axis, rank = int(site.attr("axis", -1)), site.rank(x)
    if axis >= 0 and rank is None:
        expand(site)
        return
    axes = list(range(axis, 0)) if axis < 0 or rank is None else list(range(axis, rank))
    element = site.need_element(x)
    # Doubles stay what they are, as in runtimes.
    wide = element if element == TensorProto.DOUBLE else int(site.attr("stash_type", TensorProto.FLOAT))
    if wide != element:
        x = site.cast(x, wide)
    mean = site.emit("ReduceMean", x, axes=axes, to=_stashed(site, 1, wide), hint="mean")
    centred = site.emit("Sub", x, mean, hint="centred")
    variance = site.emit("ReduceMean", site.emit("Mul", centred, centred), axes=axes, hint="variance")
    epsilon = site.like(float(site.attr("epsilon", 1e-5)), wide, "epsilon")
    deviation = site.emit("Sqrt", site.emit("Add", variance, epsilon), hint="deviation")
    normal = site.emit("Div", centred, deviation, hint="normal")
    if wide != element:
        normal = site.cast(normal, element)
    _scaled(site, normal)
    inverse = _stashed(site, 2, wide)
    if inverse is not None:
        site.emit("Reciprocal", deviation, to=inverse)


def _stashed(site: Site, place: int, wide: int) -> str | None:
    """The name of an output that is of the type of the first part; None where nothing wants it."""
    if not site.wants(place):
        return None
    name = site.outputs[place]
    if site.element(name) not in (None, wide):
        site.block("its mean is asked for in a smaller type than it is computed in")
    return name


def _scaled(site: Site, normal: str) -> None:
    if not site.has(2):
        site.emit("Mul", normal, site.input(1), to=site.outputs[0])
        return
    site.emit("Add", site.emit("Mul", normal, site.input(1), hint="scaled"), site.input(2), to=site.outputs[0])
