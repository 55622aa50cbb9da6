"""RoiAlign: coordinate_transformation_mode since opset 16; before, what is called output_half_pixel there."""

from __future__ import annotations

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.site import Site


@rule("RoiAlign", 16, 10)
def without_half_pixel(site: Site) -> None:
    """Only output_half_pixel means what 10 does: it shifts nothing, and makes every region at least one pixel wide."""
    mode = site.attr("coordinate_transformation_mode", "half_pixel")
    if mode != "output_half_pixel":
        site.block(f"its coordinate_transformation_mode={mode} does not exist there, where output_half_pixel is meant")
    site.rewrite(drop=["coordinate_transformation_mode"])


@rule("RoiAlign", 10, 16)
def with_output_half_pixel(site: Site) -> None:
    """The default of 16 is another one."""
    site.rewrite(coordinate_transformation_mode="output_half_pixel")
