"""DepthToSpace and SpaceToDepth: mode CRD since opset 11 and 28.

DCR counts a channel of the deep side as (row, column, channel), CRD as (channel, row, column). The one is the other
with the deep side's channels in another order, so CRD is DCR and a Gather.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.site import Site


@rule("DepthToSpace", 11, 1)
def depth_to_space_by_dcr(site: Site) -> None:
    """The channels reordered first."""
    order = _order(site, divide=True)
    if order is not None:
        x = site.emit("Gather", site.input(0), site.const(order.reshape(-1), hint="channels"), axis=1)
        site.rewrite(inputs=[x], drop=["mode"])


@rule("SpaceToDepth", 28, 13)
def space_to_depth_by_dcr(site: Site) -> None:
    """The channels reordered afterwards."""
    order = _order(site, divide=False)
    if order is not None:
        made = site.fresh("depth")
        site.rewrite(outputs=[made], drop=["mode"])
        inverse = np.argsort(order.reshape(-1))
        site.emit("Gather", made, site.const(inverse, hint="channels"), to=site.outputs[0], axis=1)


def _order(site: Site, divide: bool) -> NDArray[np.int64] | None:
    """For each deep channel as DCR counts them, its number as CRD does; None where the mode is DCR."""
    mode = site.attr("mode", "DCR")
    if mode == "DCR":
        if site.attribute("mode") is not None:
            site.rewrite(drop=["mode"])
        return None
    block = int(site.attr("blocksize")) ** 2
    shape = site.shape(site.input(0))
    channels = shape[1] if shape is not None and len(shape) == 4 else None
    if mode != "CRD" or not isinstance(channels, int):
        site.block(f"its mode={mode} does not exist there, and how many channels it reorders is not known")
    deep = channels if divide else channels * block
    return np.arange(deep).reshape(deep // block, block).T
