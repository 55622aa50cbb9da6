from __future__ import annotations

import onnx
import pytest

from graphkit.facts import schemas
from graphkit.facts.functions import has_body
from graphkit.passes.opset.registry import find, why_impossible
from tests.passes.helpers import parse
from tests.passes.opset.pinning import refused


def test_every_newer_operator_is_ruled_written_out_or_explained() -> None:
    missing = []
    for op in schemas.operators():
        first = schemas.versions(op)[0]
        if first > schemas.OLDEST and not (find(op, first, None) or has_body(op, first) or why_impossible(op)):
            missing.append(op)
    assert not missing


def test_what_has_a_rule_or_a_body_is_not_called_impossible() -> None:
    for op in schemas.operators():
        if why_impossible(op):
            first = schemas.versions(op)[0]
            assert find(op, first, None) is None, op
            assert not has_body(op, first), op


@pytest.mark.parametrize(
    ("graph", "opset", "match"),
    [
        ("g (float[4] x) => (float[a] y) { y = Unique(x) }", 11, "new in opset 11, and no older operator sorts"),
        ('g (string[2] x) => (bool[2] y) { y = RegexFullMatch<pattern = "a">(x) }', 20, "looks into strings"),
        (
            "g (float[2] a) => (int64 y) { s = SequenceConstruct(a, a) y = SequenceLength(s) }",
            11,
            "no sequences of tensors",
        ),
        (
            "g (float[1,2,4,4] x, float[1,4] r, int64[1] b) => (float[1,2,1,1] y) { y = RoiAlign(x, r, b) }",
            10,
            "depends on the size of the region",
        ),
    ],
)
def test_refusals(graph: str, opset: int, match: str) -> None:
    assert "stops at opset" in refused(parse(graph, opset), opset - 1, match)


def test_non_max_suppression_points_to_the_pass_that_embeds_it() -> None:
    proto = parse(
        "g (float[1,5,4] b, float[1,1,5] s) => (int64[n,3] y) { y = NonMaxSuppression(b, s) }",
        onnx.defs.onnx_opset_version(),
    )
    refused(proto, 9, "embed-nms with backend: matrix")
