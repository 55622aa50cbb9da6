"""If: its branches may return different shapes since opset 11. Scan: over one sequence since opset 9, not a batch."""

from __future__ import annotations

import onnx
from onnx import GraphProto, ValueInfoProto

from graphkit.facts.scope import shape_of
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.site import Site


@rule("If", 11, 1)
def same_shapes(site: Site) -> None:
    """Both branches' outputs must be "of the same shape" (If-1): where they are known not to be, there is no way."""
    branches: list[GraphProto] = [site.attr("then_branch"), site.attr("else_branch")]
    for ours, theirs in zip(*(branch.output for branch in branches), strict=False):
        a, b = shape_of(ours.type), shape_of(theirs.type)
        if a is None or b is None:
            continue
        pairs = list(zip(a, b, strict=False))
        sizes = [pair for pair in pairs if all(isinstance(size, int) for size in pair)]
        if len(a) != len(b) or any(x != y for x, y in sizes):
            site.block(f'its branches return different shapes ("{ours.name}" and "{theirs.name}")')


@rule("Scan", 8, 9)
def scan_each_of_the_batch(site: Site) -> None:
    """8 runs over each sequence of a batch, 9 over one: so a Scan over the batch, in front, of a Scan over each."""
    if site.has(0):
        site.block("its sequence_lens, of which each sequence of a batch has its own, do not exist from opset 9 on")
    inputs = site.inputs[1:]
    outputs = [name or site.fresh("unread") for name in site.outputs]
    inside = [_one_of(site, name, "one") for name in inputs]
    outside = [_one_of(site, name, "done") for name in site.outputs]
    each = onnx.helper.make_node(
        "Scan",
        [info.name for info in inside],
        [info.name for info in outside],
        body=site.attr("body"),
        num_scan_inputs=int(site.attr("num_scan_inputs")),
    )
    directions = site.attr("directions")
    if directions:
        each.attribute.append(onnx.helper.make_attribute("scan_input_directions", directions))
    body = onnx.helper.make_graph([each], site.fresh("batch"), inside, outside)
    site.rewrite(inputs=inputs, outputs=outputs, drop=["directions"], body=body, num_scan_inputs=len(inputs))


def _one_of(site: Site, name: str, hint: str) -> ValueInfoProto:
    """An element of a batch: of the same type, without the first dimension."""
    shape = site.shape(name)
    rest = None if shape is None else shape[1:]
    return onnx.helper.make_tensor_value_info(site.fresh(hint), site.need_element(name), rest)
