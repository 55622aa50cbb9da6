"""Gemm: C may be left out since opset 11."""

from __future__ import annotations

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.site import Site


@rule("Gemm", 11, 9)
def with_bias(site: Site) -> None:
    """Without C it is computed "as if C is a scalar 0" (Gemm-11), so that is what C becomes."""
    if not site.has(2):
        zero = site.like([0], site.need_element(site.input(0)), "zero")
        site.rewrite(inputs=[*site.inputs[:2], zero])
