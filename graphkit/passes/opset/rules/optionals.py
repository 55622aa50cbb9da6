"""OptionalHasElement and OptionalGetElement: take tensors and sequences, too, since opset 18."""

from __future__ import annotations

from graphkit.passes.opset.difference import derive
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.site import Site


@rule("OptionalHasElement", 18, 15)
def has_element_of_an_optional(site: Site) -> None:
    """What is no optional has its element; what is not given has none."""
    kind = site.type_string(site.input(0)) if site.has(0) else ""
    if kind is None or kind.startswith("optional("):
        derive(site)
        return
    site.rewrite(op="Identity", inputs=[site.const(bool(kind), bool, "has_element")])


@rule("OptionalGetElement", 18, 15)
def element_of_an_optional(site: Site) -> None:
    """What is no optional is its own element."""
    kind = site.type_string(site.input(0))
    if kind is None or kind.startswith("optional("):
        derive(site)
        return
    site.rewrite(op="Identity")
