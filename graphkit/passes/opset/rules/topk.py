"""TopK: k as an attribute before opset 10, an input from then on; the smallest, and integers, since 11."""

from __future__ import annotations

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.held import HELD
from graphkit.passes.opset.rules.indices import check, front
from graphkit.passes.opset.site import Site


@rule("TopK", 11, 10)
def the_largest(site: Site) -> None:
    """The smallest of x are the largest of -x, ties in the same order. Sorted is one of the orders that are not."""
    element = site.need_element(site.input(0))
    held = HELD.get(element)
    if held is None:
        check(site)
    smallest = not site.attr("largest", 1)
    drop = ["largest", "sorted"]
    # -1 is what 10 has by default, so that it can be said there.
    axis = int(site.attr("axis", -1))
    axis = axis if axis == -1 else front(site, axis, site.input(0))
    if not smallest and held is None:
        site.rewrite(drop=drop, axis=axis)
        return
    data = site.cast(site.input(0), held) if held is not None else site.input(0)
    if smallest:
        data = site.emit("Neg", data)
    values = site.fresh("values") if site.wants(0) else ""
    site.rewrite(inputs=[data, site.input(1)], outputs=[values, *site.outputs[1:]], drop=drop, axis=axis)
    if not values:
        return
    if smallest:
        values = site.emit("Neg", values, to=None if held is not None else site.outputs[0])
    if held is not None:
        site.cast(values, element, site.outputs[0])


@rule("TopK", 10, 1)
def k_as_attribute(site: Site) -> None:
    """The number becomes an attribute."""
    check(site)
    site.rewrite(inputs=[site.input(0)], k=site.need_ints(1, "k")[0])


@rule("TopK", 1, 10)
def k_as_input(site: Site) -> None:
    """The number becomes an input."""
    site.rewrite(inputs=[site.input(0), site.const([int(site.attr("k"))], hint="k")], drop=["k"])
