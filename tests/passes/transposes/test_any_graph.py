"""remove-transposes on random graphs: the same outputs, never more moved, and nothing left to do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings

from graphkit.model import Model
from graphkit.numerics import Numerics
from graphkit.passes.remove_transposes import RemoveTransposes
from graphkit.passes.transposes import optimise
from graphkit.passes.transposes.amounts import at_most
from tests.passes.helpers import evaluate
from tests.passes.transposes.graphs import Step, build, graphs


def _holds(steps: Sequence[Step], shape: int, extra: set[int], named: int) -> None:
    proto, feeds = build(steps, shape, extra, named)
    outcome = optimise(Model(proto))
    if outcome.proto is None:
        return
    assert outcome.after[0] <= outcome.before[0]
    assert at_most(outcome.after[1], outcome.before[1])
    onnx.checker.check_model(outcome.proto)
    before, after = evaluate(proto, feeds), evaluate(outcome.proto, feeds)
    assert list(before) == list(after)
    for name, value in before.items():
        assert (value.shape, value.dtype) == (after[name].shape, after[name].dtype)
        if outcome.exact:
            np.testing.assert_array_equal(value, after[name], err_msg=name)
        elif np.isfinite(value).all():
            difference = np.linalg.norm((value - after[name]).astype(np.float64))
            assert difference <= 1e-4 * np.linalg.norm(value.astype(np.float64)) + 1e-5, name
    again = optimise(Model(outcome.proto))
    assert again.proto is None


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs)
def test_any_graph(graph: tuple[list[Step], int, set[int], int]) -> None:
    _holds(*graph)


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs)
def test_very_many_graphs(graph: tuple[list[Step], int, set[int], int]) -> None:
    _holds(*graph)


def test_the_standard_is_exact_where_values_are_only_moved() -> None:
    proto, _ = build([(0, 1, 1, 1), (1, 1, 0, 0)], 1, set(), 0)
    result = RemoveTransposes().run(Model(proto))
    assert result.numerics in (None, Numerics.EXACT)
