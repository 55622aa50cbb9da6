"""The tools that are compared: each takes a model and gives another one, or raises Refused."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import onnx
import onnxruntime as ort

from benchmarks.transposes_measure import quiet_options
from graphkit.errors import GraphkitError
from graphkit.model import Model
from graphkit.pipeline import Settings, find_pipeline, parse_pipeline, run_pipeline

Tool = Callable[[onnx.ModelProto], onnx.ModelProto]

_ALONE = "version: 1\npasses: [sort, remove-transposes]\n"


class Refused(Exception):
    """The tool says that it does not take this model."""


def graphkit(text: str, model: onnx.ModelProto) -> onnx.ModelProto:
    """A pipeline of graphkit; without its proofs, for the outputs are judged here."""
    try:
        return run_pipeline(parse_pipeline(text, "benchmark"), Model(model), Settings(verify=False)).model.proto()
    except GraphkitError as error:
        raise Refused(str(error)) from error


def cleanup(model: onnx.ModelProto) -> onnx.ModelProto:
    """graphkit's shipped pipeline."""
    return graphkit(find_pipeline("cleanup").read_text("utf-8"), model)


def onnxsim(model: onnx.ModelProto) -> onnx.ModelProto:
    """onnxsim, as it comes."""
    import onnxsim as tool

    made: onnx.ModelProto = tool.simplify(model)[0]
    return made


def onnxslim(model: onnx.ModelProto) -> onnx.ModelProto:
    """onnxslim, as it comes."""
    import onnxslim as tool

    made: onnx.ModelProto = tool.slim(model)
    return made


def onnxoptimizer(model: onnx.ModelProto) -> onnx.ModelProto:
    """Everything that onnxoptimizer eliminates and fuses, until nothing changes."""
    import onnxoptimizer as tool

    made: onnx.ModelProto = tool.optimize(model, tool.get_fuse_and_elimination_passes(), fixed_point=True)
    return made


def onnxruntime(level: str, model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph that onnxruntime would run, as it writes it."""
    levels = ort.GraphOptimizationLevel
    options = quiet_options({"basic": levels.ORT_ENABLE_BASIC, "all": levels.ORT_ENABLE_ALL}[level])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "optimised.onnx"
        options.optimized_model_filepath = str(path)
        ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        made = onnx.ModelProto()
        made.ParseFromString(path.read_bytes())
    return made


OURS: dict[str, Tool] = {"remove-transposes": partial(graphkit, _ALONE), "cleanup": cleanup}
OTHERS: dict[str, Tool] = {
    "onnxsim": onnxsim,
    "onnxslim": onnxslim,
    "onnxoptimizer": onnxoptimizer,
    "ort basic": partial(onnxruntime, "basic"),
    "ort all": partial(onnxruntime, "all"),
}
AFTER = {f"{level} after {own}": (own, OTHERS[level]) for own in OURS for level in ("ort basic", "ort all")}
"""Name -> which of ours comes first, and what then takes its model."""
