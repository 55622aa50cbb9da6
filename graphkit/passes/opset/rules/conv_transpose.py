"""ConvTranspose: how an odd padding is halved, which opset 1 says the other way round than 11 does."""

from __future__ import annotations

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.indices import dimension
from graphkit.passes.opset.site import Site


@rule("ConvTranspose", 11, 1)
def pads_that_follow_written_down(site: Site) -> None:
    """Padding that follows from output_shape or auto_pad is said, as 11 has it.

    total = stride · (size - 1) + output_padding + (kernel - 1) · dilation + 1 - output, of which SAME_UPPER has ⌊½⌋ in
    front and the rest behind, and everything else the other way round. SAME is for an output of size · stride.
    """
    auto = site.attr("auto_pad", "NOTSET")
    outputs = site.attr("output_shape")
    same = auto in ("SAME_UPPER", "SAME_LOWER")
    if not same and not outputs:
        return
    x, weight = site.inputs[:2]
    rank = site.need_rank(x)
    count = rank - 2
    kernel = site.attr("kernel_shape") or [dimension(site, weight, axis) for axis in range(2, rank)]
    strides, dilations = site.attr("strides", [1] * count), site.attr("dilations", [1] * count)
    added = site.attr("output_padding", [0] * count)
    starts, ends = [], []
    for i in range(count):
        size = dimension(site, x, i + 2)
        if kernel[i] is None or (outputs and size is None):
            site.block(
                "its padding follows from the shapes of its input and output, which are not known, and is halved "
                "in another way before opset 11",
                "static shapes tell it",
            )
        reach = (kernel[i] - 1) * dilations[i] + 1 + added[i]
        total = strides[i] * ((size or 0) - 1) + reach - outputs[-count:][i] if outputs else reach - strides[i]
        if total < 0:
            site.block("its padding follows from the shape of its output, and would be negative")
        half = total // 2
        starts.append(half if auto == "SAME_UPPER" else total - half)
        ends.append(total - starts[-1])
    site.rewrite(pads=starts + ends, drop=["auto_pad", "output_shape"])
