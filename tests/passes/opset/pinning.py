"""Pin a small model and compare what it returns before and after."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from graphkit.errors import PassRefused
from graphkit.model import Model
from graphkit.passes.pin_opset import PinOpset
from tests.passes.helpers import Arrays, evaluate, feeds, run_pass


def pin(proto: onnx.ModelProto, target: int, *, check: bool = True) -> onnx.ModelProto:
    """The model at `target`, held to the contract of passes."""
    after = run_pass(PinOpset(opset=target), proto, check=check).after
    assert [item.version for item in after.opset_import if item.domain == ""] == [target]
    return after


def outputs(proto: onnx.ModelProto, inputs: Arrays) -> Arrays:
    """What the model returns: of onnxruntime, where it has kernels for it, else of onnx's reference."""
    try:
        return evaluate(proto, inputs)
    except (
        onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented,
        onnxruntime.capi.onnxruntime_pybind11_state.InvalidGraph,
        onnxruntime.capi.onnxruntime_pybind11_state.Fail,
    ):
        names = [item.name for item in proto.graph.output]
        return dict(zip(names, ReferenceEvaluator(proto).run(None, inputs), strict=True))


def reference(proto: onnx.ModelProto, inputs: Arrays) -> NDArray[Any]:
    """The first output, of onnx's reference."""
    with np.errstate(all="ignore"):
        first, *_ = ReferenceEvaluator(proto).run(None, inputs)
    return np.asarray(first)


def assert_same(
    before: onnx.ModelProto, after: onnx.ModelProto, inputs: Arrays | None = None, *, limit: float = 0.0, seed: int = 0
) -> None:
    """The same outputs: to the bit, or within `limit` (relative L2) where float order changes."""
    given = feeds(before, seed) if inputs is None else inputs
    old, new = outputs(before, given), outputs(after, given)
    assert list(old) == list(new)
    for name, value in old.items():
        other = new[name]
        assert np.asarray(value).dtype == np.asarray(other).dtype, name
        assert np.shape(value) == np.shape(other), name
        if limit == 0.0:
            np.testing.assert_array_equal(value, other, err_msg=name)
            continue
        wide, theirs = np.asarray(value, np.float64), np.asarray(other, np.float64)
        np.testing.assert_array_equal(np.isnan(wide), np.isnan(theirs), err_msg=name)
        difference = np.linalg.norm(np.nan_to_num(wide - theirs))
        assert difference <= limit * max(float(np.linalg.norm(np.nan_to_num(wide))), 1e-12), name


def refused(proto: onnx.ModelProto, target: int, match: str) -> str:
    """The sentence of a refusal; the model is held to be untouched."""
    model = Model(proto)
    with pytest.raises(PassRefused, match=match) as caught:
        PinOpset(opset=target).run(model)
    assert model.proto() is proto
    return str(caught.value)
