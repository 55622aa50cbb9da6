"""Running a model by onnx's reference implementation: slow, and for operators that onnxruntime has no kernel for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.model import Model
from graphkit.verify.feeds import Feed


def run_by_reference(model: Model, feeds: Sequence[Feed]) -> list[list[Any]]:
    """The outputs of a model on every feed, in the order of the graph's outputs.

    Raises:
        Exception: Whatever the reference raises: it lacks operators too, and says so in several ways.
    """
    from onnx.external_data_helper import load_external_data_for_model
    from onnx.reference import ReferenceEvaluator

    proto = model.proto()
    if model.has_external_data and model.folder is not None:
        copied = type(proto)()
        copied.CopyFrom(proto)
        load_external_data_for_model(copied, str(model.folder))
        proto = copied
    evaluator: Any = ReferenceEvaluator(proto)
    known = {info.name for info in proto.graph.input}
    results = []
    for feed in feeds:
        given: dict[str, NDArray[Any]] = {name: value for name, value in feed.inputs.items() if name in known}
        with np.errstate(all="ignore"), redirect_stdout(StringIO()):
            results.append(list(evaluator.run(None, given)))
    return results
