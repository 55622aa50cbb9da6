"""What the `when` column says of attributes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from graphkit.runtimes.conditions import holds, spelled
from tests.runtimes.nodes import c, node

ZERO = onnx.numpy_helper.from_array(np.zeros(1, np.float32))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (ZERO, "given"),
        (onnx.GraphProto(), "given"),
        ([], ""),
        ([1, -1], "1,-1"),
        (0.5, "0.5"),
        ("a;b|c", "a,b/c"),
    ],
)
def test_values_are_spelled(value: object, text: str) -> None:
    assert spelled(value) == text


def test_a_tensor_and_none_are_told_apart() -> None:
    filled, bare = node("ConstantOfShape", c([2]), value=ZERO), node("ConstantOfShape", c([2]))
    assert [holds("attr.value=given", item) for item in (filled, bare)] == [True, False]
    assert [holds("attr.value=-", item) for item in (filled, bare)] == [False, True]
