"""GridSample: other names for its modes, and more than two spatial dimensions, since opset 20."""

from __future__ import annotations

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.site import Site

_OLDER = {"linear": "bilinear", "cubic": "bicubic", "nearest": "nearest"}
_NEWER = {older: newer for newer, older in _OLDER.items()}


@rule("GridSample", 20, 16)
def modes_of_two_dimensions(site: Site) -> None:
    """The modes' older names, where there are two spatial dimensions."""
    rank = site.rank(site.input(0)) or site.rank(site.input(1)) or site.need_rank(site.input(0))
    if rank != 4:
        site.block(f"its input has {rank} dimensions, and must have 4 there")
    mode = site.attr("mode", "linear")
    if mode not in _OLDER:
        site.block(f'its mode "{mode}" does not exist')
    site.rewrite(mode=_OLDER[mode])


@rule("GridSample", 16, 20)
def modes_of_any_dimensions(site: Site) -> None:
    """The modes' newer names."""
    mode = site.attr("mode", "bilinear")
    if mode not in _NEWER:
        site.block(f'its mode "{mode}" does not exist')
    site.rewrite(mode=_NEWER[mode])
