"""The small passes, one after the other, on what ultralytics exports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from graphkit.passes.fold_constants import FoldConstants
from graphkit.passes.remove_identity import RemoveIdentity
from graphkit.passes.remove_transposes import RemoveTransposes
from graphkit.passes.simplify import Simplify
from graphkit.passes.sort import Sort
from tests.passes.helpers import evaluate, feeds, run_pass

SIZES = {"height": 64, "width": 64}


@pytest.mark.parametrize(
    ("options", "limit"),
    [({"dynamic": True, "simplify": False}, 1e-4), ({"half": True, "simplify": False}, 1e-2)],
    ids=["dynamic", "half"],
)
def test_one_after_the_other(export: Callable[..., Path], options: dict[str, Any], limit: float) -> None:
    original = onnx.load(export("yolov8n", **options))
    inputs = feeds(original, sizes=SIZES)
    model, counts = original, {}
    for item in (Sort(), FoldConstants(), RemoveIdentity(), RemoveTransposes(), Simplify()):
        ran = run_pass(item, model, check=item.name != "sort")
        model, counts[item.name] = ran.after, ran.result.rewrites
    assert counts["fold-constants"] > 10
    assert (counts["sort"] > 0) == ("half" in options)
    onnx.checker.check_model(model, full_check=True)
    before, after = evaluate(original, inputs), evaluate(model, inputs)
    for name, value in before.items():
        # float16 has 11 bits: a convolution fused with what follows rounds once less.
        distance = np.linalg.norm(value.astype(np.float64) - after[name])
        assert distance <= limit * np.linalg.norm(value.astype(np.float64)), name
