"""AveragePool, MaxPool, LpPool: ceil_mode and dilations, which their older definitions lack."""

from __future__ import annotations

from typing import Any

from onnx import TensorProto

from graphkit.passes.opset.difference import derive
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.widening import BFLOAT16, widen
from graphkit.passes.opset.rules.window_sums import added, averages, norms, windows
from graphkit.passes.opset.site import Site


@rule("MaxPool", 22, 12)
@rule("AveragePool", 22, 19)
def windows_before_22(site: Site) -> None:
    """Windows that start behind the input do not count at 22, and may before: then there is one less."""
    if site.attr("ceil_mode", 0) and site.attr("auto_pad", "NOTSET") in ("NOTSET", "VALID"):
        moves = windows(site)
        if not all(window.settled for window in moves):
            added(site, moves)
            if not site.attr("count_include_pad", 0):
                site.rewrite(ceil_mode=0, **_more_padding(site))
                return
            averages(site)
            return
    if site.op == "MaxPool":
        widen(site, BFLOAT16)
    else:
        derive(site)


@rule("MaxPool", 12, 11)
def max_pool_of_floats(site: Site) -> None:
    """Bytes as floats."""
    widen(site, dict.fromkeys((TensorProto.INT8, TensorProto.UINT8), TensorProto.FLOAT))


@rule("AveragePool", 19, 11)
def average_pool_11(site: Site) -> None:
    """Dilations came with 19."""
    if _dilated(site):
        averages(site)
    else:
        _without(site, "dilations")


@rule("AveragePool", 10, 7)
def average_pool_7(site: Site) -> None:
    """ceil_mode came with 10: more padding does the same, unless padding counts."""
    if site.attr("ceil_mode", 0) and site.attr("count_include_pad", 0):
        averages(site)
    else:
        _without(site, "ceil_mode")


@rule("MaxPool", 10, 8)
def max_pool_8(site: Site) -> None:
    """ceil_mode and dilations came with 10."""
    if _dilated(site):
        site.block(f"its attribute dilations={site.attr('dilations')} does not exist there")
    _without(site, "ceil_mode", "dilations")


@rule("LpPool", 18, 11)
def lp_pool_11(site: Site) -> None:
    """ceil_mode and dilations came with 18."""
    if _dilated(site):
        norms(site)
    else:
        _without(site, "ceil_mode", "dilations")


def _dilated(site: Site) -> bool:
    return any(step != 1 for step in site.attr("dilations", [1]))


def _without(site: Site, *names: str) -> None:
    """Leave out ceil_mode, or dilations of 1, which is what their absence means."""
    attrs = _more_padding(site) if "ceil_mode" in names else {}
    if attrs or any(site.attribute(name) is not None for name in names):
        site.rewrite(drop=names, **attrs)


def _more_padding(site: Site) -> dict[str, Any]:
    """Attributes to set for ceil_mode=1 to be left out: more padding behind.

    A maximum and a norm are not changed by what is padded, and an average that counts no padding is neither.
    """
    if not site.attr("ceil_mode", 0) or site.attr("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        return {}
    moves = windows(site)
    more = added(site, moves)
    if not any(more):
        return {}
    ends = [window.end + extra for window, extra in zip(moves, more, strict=True)]
    return {"pads": [*(window.start for window in moves), *ends], "auto_pad": None}
