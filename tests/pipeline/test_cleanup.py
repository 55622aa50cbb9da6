"""The order of the passes in passes/cleanup.yaml: what one leaves for another."""

from __future__ import annotations

import pytest

from graphkit.model import Model
from graphkit.pipeline import Settings, parse_pipeline, run_pipeline, shipped_pipelines
from tests.passes.helpers import ops, parse

NOTHING_BETWEEN = """g (float[1, 8, H, W] x) => (float[1, 8, H, W] y) {
    a = Transpose<perm = [0, 2, 3, 1]>(x) s = Shape(a) r = Relu(a) q = Reshape(r, s)
    y = Transpose<perm = [0, 3, 1, 2]>(q) }"""
MOVES_ONES = """g (float[N, 8, 1, M] x) => (float[N, 8, 1, K] y) <int64[1] two = {2}, int64[1] one = {1}, int64[1] three = {3}> {
    n = Neg(x) s = Squeeze(n, two) a = Transpose<perm = [0, 2, 1]>(s) u = Unsqueeze(a, one)
    b = Transpose<perm = [0, 3, 1, 2]>(u) c = Relu(x) y = Concat<axis = 3>(b, c) }"""  # noqa: E501


@pytest.mark.parametrize(
    ("graph", "left"),
    [
        pytest.param(NOTHING_BETWEEN, {"Relu": 1}, id="a Reshape to the same shape held two Transposes"),
        pytest.param(MOVES_ONES, {"Neg": 1, "Relu": 1, "Concat": 1}, id="nothing is left of moving an axis of size 1"),
    ],
)
def test_what_is_left(graph: str, left: dict[str, int]) -> None:
    path = shipped_pipelines()["cleanup"]
    outcome = run_pipeline(parse_pipeline(path.read_text(), str(path)), Model(parse(graph)), Settings())
    assert ops(outcome.model.proto()) == left
