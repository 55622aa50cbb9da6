"""Split: sizes as an attribute before opset 13, an input from then on; num_outputs since 18."""

from __future__ import annotations

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.indices import check, dimension
from graphkit.passes.opset.site import Site


@rule("Split", 18, 13)
def without_num_outputs(site: Site) -> None:
    """Becomes sizes, which 13 needs where they are not equal: ceil(n / outputs) each, the last one the rest."""
    if site.attribute("num_outputs") is None:
        return
    count = int(site.attr("num_outputs"))
    if count != len(site.outputs):
        site.block(f"num_outputs={count} and its {len(site.outputs)} outputs disagree: the model is invalid")
    axis = int(site.attr("axis", 0))
    size = dimension(site, site.input(0), axis)
    part = -(-(size or 0) // count)
    rest = (size or 0) - part * (count - 1)
    # Too few elements are an error, but only where the node is reached: it may be in a branch that never is.
    if size is None or rest < 0:
        sizes = _measured_sizes(site, axis, count)
    else:
        sizes = site.const([part] * (count - 1) + [rest], hint="split")
    site.rewrite(inputs=[site.input(0), sizes], drop=["num_outputs"])


def _measured_sizes(site: Site, axis: int, count: int) -> str:
    """The sizes as a tensor: part = (n + count - 1) / count, rest = n - part · (count - 1)."""
    size = site.emit("Gather", site.emit("Shape", site.input(0)), site.const([axis], hint="axis"), hint="size")
    if count == 1:
        return size
    less = site.const([count - 1], hint="count")
    part = site.emit("Div", site.emit("Add", size, less), site.const([count], hint="count"), hint="part")
    rest = site.emit("Sub", size, site.emit("Mul", part, less), hint="rest")
    return site.emit("Concat", *[part] * (count - 1), rest, axis=0, hint="split")


@rule("Split", 13, 18)
def with_num_outputs(site: Site) -> None:
    """Where no sizes are given, 18 wants to be told how many equal parts there are."""
    if not site.has(1):
        site.rewrite(num_outputs=len(site.outputs))


@rule("Split", 13, 11)
def sizes_as_attribute(site: Site) -> None:
    """Sizes, where given, become an attribute; where they are computed at run time, each part is a Slice."""
    check(site)
    if not site.has(1):
        return
    sizes = site.value(site.input(1))
    if sizes is not None and (sizes >= 0).all():
        site.rewrite(inputs=[site.input(0)], split=[int(size) for size in sizes.reshape(-1)])
        return
    axes = site.const([int(site.attr("axis", 0))], hint="axes")
    start = site.const([0], hint="start")
    first = True
    for index, output in enumerate(site.outputs):
        place, behind = site.const([index], hint="place"), site.const([index + 1], hint="place")
        size = site.emit("Slice", site.input(1), place, behind, hint="size")
        end = size if index == 0 else site.emit("Add", start, size, hint="end")
        if output and first:
            site.rewrite(op="Slice", inputs=[site.input(0), start, end, axes], outputs=[output], drop=["axis"])
            first = False
        elif output:
            site.emit("Slice", site.input(0), start, end, axes, to=output)
        start = end


@rule("Split", 11, 13)
def sizes_as_input(site: Site) -> None:
    """Sizes, where given, become an input."""
    sizes = site.attr("split")
    if sizes is not None:
        site.rewrite(inputs=[site.input(0), site.const(sizes, hint="split")], drop=["split"])
