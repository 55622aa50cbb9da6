"""GroupNormalization: a scale for each group in opset 18, which was withdrawn, and one for each channel since 21."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.dimensions import extent, shape_of
from graphkit.passes.opset.rules.widening import cast
from graphkit.passes.opset.site import Site


@rule("GroupNormalization", 18, 21)
def scales_for_channels(site: Site) -> None:
    """Each group's scale and bias is repeated for each of its channels."""
    x, scale, bias = site.inputs
    groups = int(site.attr("num_groups"))
    element = site.need_element(x)
    channels = extent(site, x, 1)
    each = site.emit("Div", channels, site.const([groups], hint="groups"))
    shape = site.emit("Concat", site.const([groups], hint="groups"), each, axis=0)
    column, flat = site.const([groups, 1], hint="shape"), site.const([-1], hint="shape")
    made = [
        site.emit("Reshape", site.emit("Expand", site.emit("Reshape", name, column), shape), flat)
        for name in (scale, bias)
    ]
    # 18 says nothing of a precision; 1, float, is the default of 21, and would be less than a double has.
    stash = int(TensorProto.DOUBLE) if element == TensorProto.DOUBLE else None
    site.rewrite(inputs=[x, *made], stash_type=stash)


@rule("GroupNormalization", 21, 18)
def written_out(site: Site) -> None:
    """Normalised by InstanceNormalization, with each group an instance's channel; then scaled.

    Y = Reshape(InstanceNormalization(Reshape(X, [N, groups, -1]), 1, 0), [N, C, -1]) · scale + bias
    """
    x, scale, bias = site.inputs
    element = site.need_element(x)
    groups, stash = int(site.attr("num_groups")), int(site.attr("stash_type", TensorProto.FLOAT))
    if stash not in (TensorProto.FLOAT16, TensorProto.FLOAT, TensorProto.DOUBLE):
        site.block(f"its stash_type={stash} is not admitted for InstanceNormalization there")
    grouped = site.emit("Reshape", cast(site, x, stash), site.const([0, groups, -1], hint="shape"))
    ones, zeros = (site.like(np.full(groups, value), stash, hint) for value, hint in ((1, "ones"), (0, "zeros")))
    normal = site.emit("InstanceNormalization", grouped, ones, zeros, epsilon=site.attr("epsilon"))
    channels = site.emit(
        "Concat", site.const([0], hint="shape"), shape_of(site, scale), site.const([-1], hint="shape"), axis=0
    )
    rows = cast(site, site.emit("Reshape", normal, channels), element)
    column = site.const([-1, 1], hint="shape")
    scaled = site.emit("Mul", rows, site.emit("Reshape", scale, column))
    moved = site.emit("Add", scaled, site.emit("Reshape", bias, column))
    site.rewrite(op="Reshape", inputs=[moved, shape_of(site, x)], drop=[item.name for item in site.node.attribute])
