"""What Transposes there are in a model, and what they move when it runs: read from onnxruntime's profile of a run."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from benchmarks.transposes_pattern import Feed
from graphkit.model import holders

Values = list[NDArray[Any]]

_FLAGS = {"FusedMatMul": (("transA", "transBatchA"), ("transB", "transBatchB"))}
"""Operators of onnxruntime alone that transpose what they read: for each input the attributes that say so."""
_CHANNELS_LAST = frozenset({"ReorderInput", "ReorderOutput"})
"""Those that change the layout for its own convolutions anyway; where channels_last is 1 they transpose as well."""


@dataclass(frozen=True)
class Figures:
    """Transposes of one model.

    Attributes:
        left: Transpose nodes, at any depth.
        swallowed: Inputs that operators of onnxruntime alone transpose while they read them.
        elements: Moved in all runs together, by both. One that changes nothing but where axes of size 1 stand moves
            none.
        outputs: Of each run, in the model's order.
    """

    left: int
    swallowed: int
    elements: int
    outputs: list[Values]


def quiet_options(level: Any = ort.GraphOptimizationLevel.ORT_DISABLE_ALL) -> ort.SessionOptions:
    """One thread, nothing logged, and only so much optimisation."""
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return options


def figures(model: onnx.ModelProto, feeds: Sequence[Feed]) -> Figures:
    """Run a model with optimisation off, and see what every Transpose in it is given.

    Raises:
        Exception: What onnxruntime says where it cannot load or run it.
    """
    named = onnx.ModelProto()
    named.CopyFrom(model)
    nodes: dict[str, onnx.NodeProto] = {}
    for index, node in enumerate(node for holder in holders(named) for node in holder.node):
        node.name = f"node{index}"
        nodes[node.name] = node
    with tempfile.TemporaryDirectory() as folder:
        options = quiet_options()
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "run")
        session = ort.InferenceSession(named.SerializeToString(), options, providers=["CPUExecutionProvider"])
        outputs = [session.run(None, feed) for feed in feeds]
        events = json.loads(Path(session.end_profiling()).read_text("utf-8"))
    moved = 0
    for event in events:
        node = nodes.get(event.get("name", "").removesuffix("_kernel_time"))
        if node is not None:
            read, made = (_shapes(event, f"{side}_type_shape") for side in ("input", "output"))
            moved += _moved(node, read, made)
    swallowed = sum(len(_swallowing(node)) for node in nodes.values())
    return Figures(count(model), swallowed, moved, outputs)


def count(model: onnx.ModelProto) -> int:
    """Transposes in a model, at any depth."""
    return sum(node.op_type == "Transpose" for holder in holders(model) for node in holder.node)


def permuted(shape: Sequence[int], order: Sequence[int] | None) -> bool:
    """Whether a Transpose of this shape moves anything in memory: axes of size 1 may stand anywhere.

    Args:
        shape: Of its input.
        order: Its perm; None for the reverse.
    """
    axes = order if order is not None else range(len(shape))[::-1]
    kept = [axis for axis in axes if shape[axis] != 1]
    return math.prod(shape) > 0 and kept != sorted(kept)


def _shapes(event: dict[str, Any], side: str) -> list[list[int]]:
    return [next(iter(given.values())) for given in event["args"].get(side, [])]


def _moved(node: onnx.NodeProto, read: Sequence[Sequence[int]], made: Sequence[Sequence[int]]) -> int:
    """How many elements a node moves by transposing, given the shapes of what it reads and makes."""
    if node.op_type == "Transpose":
        order = next((list(item.ints) for item in node.attribute if item.name == "perm"), None)
        return math.prod(read[0]) if permuted(read[0], order) else 0
    if node.op_type in _CHANNELS_LAST and _swallowing(node):
        # On the side of its own convolutions, the channels are filled up to whole blocks.
        return min(math.prod(read[0]), math.prod(made[0]))
    return sum(math.prod(read[place]) for place in _swallowing(node) if sum(size != 1 for size in read[place]) > 1)


def _swallowing(node: onnx.NodeProto) -> list[int]:
    """Inputs of one of onnxruntime's own operators that it transposes."""
    set_ = {item.name for item in node.attribute if item.i}
    if node.op_type in _CHANNELS_LAST:
        return [0] if "channels_last" in set_ else []
    return [place for place, names in enumerate(_FLAGS.get(node.op_type, ())) if set_ & set(names)]
