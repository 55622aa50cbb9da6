"""Split: sizes as an attribute before opset 13, an input from then on; num_outputs since 18."""

from __future__ import annotations

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.site import Site


@rule("Split", 18, 13)
def without_num_outputs(site: Site) -> None:
    """`num_outputs` becomes sizes, which 13 needs where they are not equal: ceil(n / outputs) each, the last the rest."""
    if site.attribute("num_outputs") is None:
        return
    count = int(site.attr("num_outputs"))
    axis = int(site.attr("axis", 0))
    shape = site.shape(site.input(0))
    size = shape[axis] if shape is not None and -len(shape) <= axis < len(shape) else None
    if not isinstance(size, int):
        site.block(
            f"its sizes follow from num_outputs={count} and the size of axis {axis}, which is not known",
            "static shapes tell it",
        )
    part = -(-size // count)
    sizes = [part] * (count - 1) + [size - part * (count - 1)]
    if sizes[-1] < 0:
        site.block(f"axis {axis} of size {size} cannot be split into {count} outputs: the model is invalid")
    site.rewrite(inputs=[site.input(0), site.const(sizes, hint="split")], drop=["num_outputs"])


@rule("Split", 13, 18)
def with_num_outputs(site: Site) -> None:
    """Where no sizes are given, 18 wants to be told how many equal parts there are."""
    if not site.has(1):
        site.rewrite(num_outputs=len(site.outputs))


@rule("Split", 13, 11)
def sizes_as_attribute(site: Site) -> None:
    """Sizes, where given, become an attribute."""
    if site.has(1):
        site.rewrite(inputs=[site.input(0)], split=site.need_ints(1, "sizes"))


@rule("Split", 11, 13)
def sizes_as_input(site: Site) -> None:
    """Sizes, where given, become an input."""
    sizes = site.attr("split")
    if sizes is not None:
        site.rewrite(inputs=[site.input(0), site.const(sizes, hint="split")], drop=["split"])
