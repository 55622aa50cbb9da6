"""Squeeze and Unsqueeze: axes as an attribute before opset 13, an input from then on; from the front before 11."""

from __future__ import annotations

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.indices import check, front
from graphkit.passes.opset.site import Site


@rule("Squeeze", 13, 11)
@rule("Unsqueeze", 13, 11)
def axes_as_attribute(site: Site) -> None:
    """Axes, where given, become an attribute."""
    check(site)
    if not site.has(1):
        return
    axes = site.need_ints(1, "axes")
    if axes:
        site.rewrite(inputs=[site.input(0)], axes=axes)
    elif site.op == "Unsqueeze":
        site.rewrite(op="Identity", inputs=[site.input(0)])
    else:
        # onnx's reference removes no dimension then, onnxruntime all of size one.
        site.block("its axes are given and empty, which runtimes read differently", "leave them out, or name them")


@rule("Squeeze", 11, 13)
@rule("Unsqueeze", 11, 13)
def axes_as_input(site: Site) -> None:
    """Axes, where given, become an input."""
    axes = site.attr("axes")
    if axes is not None:
        site.rewrite(inputs=[site.input(0), site.const(axes, hint="axes")], drop=["axes"])


@rule("Squeeze", 11, 1)
@rule("Unsqueeze", 11, 1)
def axes_from_the_front(site: Site) -> None:
    """Those of Unsqueeze count in the output's rank."""
    check(site)
    axes = [int(axis) for axis in site.attr("axes", [])]
    if any(axis < 0 for axis in axes):
        more = len(axes) if site.op == "Unsqueeze" else 0
        site.rewrite(axes=[front(site, axis, site.input(0), more=more) for axis in axes])
