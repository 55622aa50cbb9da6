"""Run passes as a pipeline does: tidied up after, checked and proven."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from graphkit.model import Model
from graphkit.pipeline import parse_pipeline
from graphkit.pipeline.run import Outcome, Settings, run_pipeline


def proven(model: onnx.ModelProto | Path, *passes: str) -> Outcome:
    """Run passes, spelt as in YAML; a proof that fails raises."""
    text = "version: 1\npasses:\n" + "".join(f"  - {item}\n" for item in passes)
    loaded = Model.load(model) if isinstance(model, Path) else Model(model)
    return run_pipeline(parse_pipeline(text, "test.yaml"), loaded, Settings())


def sentences(outcome: Outcome) -> list[str]:
    """What each proof says; "" where there is none."""
    return [record.proof.sentence if record.proof else "" for record in outcome.report.passes]


def twice(model: onnx.ModelProto | Path, step: str) -> Outcome:
    """Run a pass, and once more: the second run must report nothing."""
    outcome = proven(model, step, step)
    first, second = outcome.report.passes
    assert first.rewrites > 0
    assert second.rewrites == 0
    assert second.declined
    return outcome


def weights(proto: onnx.ModelProto, seed: int = 0, scale: float = 0.2) -> onnx.ModelProto:
    """Fill initializers called w… with random values: layers with whole numbers are taken for arithmetic."""
    random = np.random.default_rng(seed)
    for item in proto.graph.initializer:
        if item.name.startswith("w"):
            values: NDArray[np.float64] = random.normal(size=tuple(item.dims)) * scale
            item.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float32), item.name))
    return proto
