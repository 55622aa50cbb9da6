"""Operators that no older operator can stand in for, and why."""

from __future__ import annotations

from graphkit.passes.opset.registry import impossible, rule
from graphkit.passes.opset.site import Site

impossible(
    "older opsets have no sequences of tensors",
    "ConcatFromSequence",
    "SequenceAt",
    "SequenceConstruct",
    "SequenceEmpty",
    "SequenceErase",
    "SequenceInsert",
    "SequenceLength",
    "SplitToSequence",
)
impossible("older opsets have no values that may be missing", "Optional", "OptionalGetElement", "OptionalHasElement")
impossible("no older operator looks into strings", "RegexFullMatch", "StringConcat", "StringNormalizer", "StringSplit")
impossible("no older operator decodes images", "ImageDecoder")
impossible("no older operator sorts or tells equal values apart, in a number that depends on the data", "Unique")
impossible(
    "how many points it samples in a bin depends on the size of the region, which no older operator can follow",
    "RoiAlign",
)
impossible("no older operator samples at offsets that are computed", "DeformConv")


@rule("NonMaxSuppression", 10, None)
def without_non_max_suppression(site: Site) -> None:
    """Which boxes survive depends on which survived before, in a number that depends on the data."""
    site.block(
        "the operator is new in opset 10, and no older one selects boxes",
        "embed-nms with backend: matrix embeds it in operators that there are",
    )
