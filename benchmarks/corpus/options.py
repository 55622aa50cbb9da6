"""Each pass as a pipeline of one, with options that mean something for the model at hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from onnx import ModelProto, ValueInfoProto

from benchmarks.corpus.inputs import working_feeds

Step = str | dict[str, object]


def _fixed(model: ModelProto) -> Step:
    """Shapes at which onnxruntime runs it; 1 everywhere else where there are none."""
    try:
        found = {name: list(value.shape) for name, value in working_feeds(model)[0][0].items()}
    except Exception:  # noqa: BLE001 - it cannot be loaded, or runs nowhere: the pass has its say all the same
        found = {info.name: [max(dim.dim_value, 1) for dim in info.type.tensor_type.shape.dim] for info in asked(model)}
    return {"set-input-shape": found if len(found) != 1 else next(iter(found.values()))}


def _renamed(model: ModelProto) -> Step:
    names = {info.name: f"input_{place}" for place, info in enumerate(asked(model))}
    return {"rename-io": {"inputs": names, "outputs": {model.graph.output[0].name: "first_output"}}}


def _half(model: ModelProto) -> Step:
    """The first half of the graph: up to the first output of the node in the middle."""
    outputs = [name for node in model.graph.node for name in node.output if name]
    return {"extract": {"outputs": [outputs[len(outputs) // 2]]}}


STEPS: dict[str, Callable[[ModelProto], Sequence[Step]]] = {
    "sort": lambda _: ["sort"],
    "simplify": lambda _: ["simplify"],
    "simplify subgraphs": lambda _: [{"simplify": {"subgraphs": True}}],
    "fold-constants": lambda _: [{"fold-constants": {"max-bytes": 1048576}}],
    "remove-identity": lambda _: ["remove-identity"],
    "split-head": lambda _: ["split-head"],
    "split-head nc corners": lambda _: [{"split-head": {"layout": "nc", "coding": "corners"}}],
    "embed-nms": lambda _: [{"embed-nms": {"late": False}}],
    "embed-nms matrix": lambda _: [{"embed-nms": {"backend": "matrix", "max-detections": 20}}],
    "replace-nms": lambda _: [{"replace-nms": "matrix"}],
    "remove-transposes": lambda _: ["remove-transposes"],
    "remove-no-ops": lambda _: ["remove-no-ops"],
    "merge-reshapes": lambda _: ["merge-reshapes"],
    "pin-opset 13": lambda _: [{"pin-opset": 13}],
    "pin-opset 17": lambda _: [{"pin-opset": 17}],
    "pin-opset 21": lambda _: [{"pin-opset": 21}],
    "make-dynamic": lambda _: [{"make-dynamic": {"batch": True, "height": True, "width": True}}],
    "set-input-shape": lambda model: [_fixed(model)],
    "to-float16": lambda _: ["to-float16"],
    "embed-preprocess": lambda _: [{"embed-preprocess": {"resize": "stretch"}}],
    "rename-io": lambda model: [_renamed(model)],
    "extract": lambda model: [_half(model)],
    "deduplicate-constants": lambda _: ["deduplicate-constants"],
    "strip-metadata": lambda _: ["strip-metadata"],
}
"""Name of the cell -> the steps of its pipeline."""


def asked(model: ModelProto) -> list[ValueInfoProto]:
    """Inputs that have no value of their own."""
    known = {item.name for item in model.graph.initializer}
    return [info for info in model.graph.input if info.name not in known]


def pipeline_text(steps: Sequence[Step]) -> str:
    """YAML; what JSON can say, YAML reads."""
    return "version: 1\npasses:\n" + "".join(f"  - {json.dumps(step)}\n" for step in steps)
