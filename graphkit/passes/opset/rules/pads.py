"""Pad: pads and value as attributes before opset 11, inputs from then on; axes since 18, mode wrap since 19."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from graphkit.passes.opset.difference import derive
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.held import HELD
from graphkit.passes.opset.rules.indices import check, dimension
from graphkit.passes.opset.site import Site


@rule("Pad", 19, 18)
def wrap_as_gather(site: Site) -> None:
    """wrap[i] = data[(i - begin) mod n]: a Gather along each padded axis, where n is known."""
    if site.attr("mode", "constant") != "wrap":
        derive(site)
        return
    data, pads = site.input(0), site.need_ints(1, "pads")
    axes = site.axes(site.need_ints(3, "axes"), site.need_rank(data)) if site.has(3) else range(len(pads) // 2)
    steps: list[tuple[int, list[int]]] = []
    for axis, begin, end in zip(axes, pads[: len(pads) // 2], pads[len(pads) // 2 :], strict=True):
        if begin == end == 0:
            continue
        size = dimension(site, data, axis)
        if size is None:
            site.block(
                f"mode=wrap is new, and the size of axis {axis} to wrap around is not known", "static shapes tell it"
            )
        if begin < 0 or end < 0 or size == 0:
            site.block("mode=wrap is new, and it takes elements away, or wraps around none")
        steps.append((axis, [(place - begin) % size for place in range(begin + size + end)]))
    gathers(site, data, steps)


def gathers(site: Site, data: str, steps: list[tuple[int, list[int]]]) -> None:
    """Put a Gather for each (axis, indices) in the node's place; the first has its name."""
    drop = [item.name for item in site.node.attribute]
    if not steps:
        site.rewrite(op="Identity", inputs=[data], drop=drop)
    for count, (axis, indices) in enumerate(steps, 1):
        to = site.outputs[0] if count == len(steps) else site.fresh("gathered")
        index = site.const(indices, hint="indices")
        if count == 1:
            site.rewrite(op="Gather", inputs=[data, index], outputs=[to], drop=drop, axis=axis)
        else:
            site.emit("Gather", data, index, to=to, axis=axis)
        data = to


@rule("Pad", 18, 13)
def pads_of_all_axes(site: Site) -> None:
    """Axes that are not named are padded by nothing: pads of all = [*pads, 0][place of each, or of the 0]."""
    check(site)
    if not site.has(3):
        return
    rank = site.need_rank(site.input(0))
    axes = site.axes(site.need_ints(3, "axes"), rank)
    if len(set(axes)) < len(axes):
        site.block("it names an axis twice, which is not defined")
    inputs = site.inputs[:3]
    if axes != list(range(rank)):
        places = [axes.index(axis) if axis in axes else 2 * len(axes) for axis in range(rank)]
        places += [place + len(axes) if place < len(axes) else place for place in places]
        pads = site.value(site.input(1))
        if pads is not None:
            inputs[1] = site.const(np.append(pads.reshape(-1), 0)[places], hint="pads")
        else:
            extended = site.emit("Concat", site.input(1), site.const([0], hint="zero"), axis=0, hint="pads")
            inputs[1] = site.emit("Gather", extended, site.const(places, hint="places"), axis=0, hint="pads")
    site.rewrite(inputs=inputs)


@rule("Pad", 13, 11)
def booleans_as_bytes(site: Site) -> None:
    """11 pads uint8, and no bool."""
    if site.element(site.input(0)) != TensorProto.BOOL:
        derive(site)
        return
    given = [site.cast(site.input(0), TensorProto.UINT8), site.input(1)]
    if site.has(2):
        given.append(site.cast(site.input(2), TensorProto.UINT8))
    padded = site.fresh("padded")
    site.rewrite(inputs=given, outputs=[padded])
    site.cast(padded, TensorProto.BOOL, site.outputs[0])


@rule("Pad", 11, 2)
def attributes(site: Site) -> None:
    """Pads, and the value where it is one that a 32 bit float can hold; integers are padded as floats."""
    element = site.need_element(site.input(0))
    held = HELD.get(element)
    if held is None:
        check(site)
    pads = site.need_ints(1, "pads")
    value = 0.0
    if site.has(2) and site.attr("mode", "constant") == "constant":
        value = float(site.need_value(2, "constant_value").reshape(-1)[0])
        with np.errstate(over="ignore"):
            if not np.array_equal(np.float64(np.float32(value)), value, equal_nan=True):
                site.block(f"its value {value!r} is no 32 bit float, as the attribute there is")
    if held is None:
        site.rewrite(inputs=[site.input(0)], pads=pads, value=value if value != 0 else None)
        return
    padded = site.fresh("padded")
    data = site.cast(site.input(0), held)
    site.rewrite(inputs=[data], outputs=[padded], pads=pads, value=value if value != 0 else None)
    site.cast(padded, element, site.outputs[0])


@rule("Pad", 2, 11)
def inputs(site: Site) -> None:
    """Pads, and the value where it is used and not 0."""
    value = float(site.attr("value", 0.0))
    given = [site.input(0), site.const(site.attr("pads"), hint="pads")]
    if value != 0 and site.attr("mode", "constant") == "constant":
        with np.errstate(over="ignore"):
            given.append(site.like(value, site.need_element(site.input(0)), "value"))
    site.rewrite(inputs=given, drop=["pads", "value"])
