"""Max, Min and Relu of integers, which their older definitions lack."""

from __future__ import annotations

from graphkit.passes.opset.difference import derive
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.held import HELD
from graphkit.passes.opset.rules.widening import INTEGERS, cast
from graphkit.passes.opset.site import Site


@rule("Max", 12, 8)
@rule("Min", 12, 8)
def extreme_of_integers(site: Site) -> None:
    """In floating point where that holds every value; else Max(a, b) = Where(a < b, b, a), one input after another."""
    element = next((found for name in site.inputs if (found := site.element(name)) is not None), None)
    if element not in INTEGERS:
        derive(site)
        return
    wide = HELD.get(element)
    if wide is not None:
        best = site.fresh("wide")
        site.rewrite(inputs=[cast(site, name, wide) for name in site.inputs], outputs=[best])
        cast(site, best, element, site.outputs[0])
        return
    best, *others = site.inputs
    if not others:
        site.rewrite(op="Identity")
    for index, name in enumerate(others):
        pair = (best, name) if site.op == "Max" else (name, best)
        less = site.emit("Less", *pair)
        best = site.emit("Where", less, name, best, to=site.outputs[0] if index == len(others) - 1 else None)


@rule("Relu", 14, 13)
def relu_of_integers(site: Site) -> None:
    """Relu(x) = Max(x, 0)."""
    element = site.element(site.input(0)) or site.element(site.outputs[0])
    if element not in INTEGERS:
        derive(site)
        return
    site.rewrite(op="Max", inputs=[site.input(0), site.like(0, element, "zero")])
