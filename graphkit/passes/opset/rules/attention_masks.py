"""Attention: masks for fewer keys than there are, which came with opset 24."""

from __future__ import annotations

from graphkit.passes.opset.difference import derive
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.site import Dimension, Site


@rule("Attention", 24, 23)
def masks_for_all_keys(site: Site) -> None:
    """24 pads a mask with -∞ to the number of keys; at 23 it is broadcast to it, and must have one for each."""
    if site.has(3):
        mask = site.shape(site.input(3))
        keys = _keys(site)
        if mask is None or keys is None or mask[-1] != keys:
            site.block("whether its mask is for all keys is not known")
    derive(site)


def _keys(site: Site) -> Dimension:
    """How many keys there are, past ones included; None where that is not known."""
    shape = site.shape(site.input(1))
    if shape is None or len(shape) not in (3, 4):
        return None
    keys = shape[-2]
    if not site.has(4):
        return keys
    past = site.shape(site.input(4))
    if past is None or not isinstance(past[-2], int) or not isinstance(keys, int):
        return None
    return keys + past[-2]
