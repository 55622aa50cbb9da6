"""Running the part of a model that begins with EfficientNMS_TRT, without TensorRT."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from graphkit.errors import ModelError
from graphkit.model import Model, reads
from graphkit.verify import cut
from graphkit.verify.references.efficientnms import efficient_nms

OPERATOR = "EfficientNMS_TRT"
# TensorRT finds the plugin by its operator type alone; these are the domains exporters write.
DOMAINS = ("", "ai.onnx", "TRT", "trt.plugins")
_DOMAIN = "TRT"


class EfficientNMS_TRT(OpRun):  # noqa: N801 - onnx.reference finds operators by class name
    """The plugin as an operator of onnx.reference."""

    op_domain = _DOMAIN

    def _run(
        self, boxes: NDArray[Any], scores: NDArray[Any], *anchors: NDArray[Any], **options: Any
    ) -> tuple[Any, ...]:
        if anchors:
            raise ModelError(
                f"{OPERATOR} with anchors (its fused decoder) cannot be run here; decode the boxes before it"
            )
        missing = [name for name in _REQUIRED if options.get(name) is None]
        if missing:
            raise ModelError(f"{OPERATOR} lacks the attribute {', '.join(missing)}, without which TensorRT refuses it")
        known = {name: options[name] for name in (*_REQUIRED, "class_agnostic") if options.get(name) is not None}
        return efficient_nms(boxes, scores, **known)


# The plugin's creator validates that these are there; only class_agnostic may be absent.
_REQUIRED = (
    "score_threshold",
    "iou_threshold",
    "max_output_boxes",
    "background_class",
    "score_activation",
    "box_coding",
)


def plugin_nodes(proto: onnx.ModelProto) -> list[int]:
    """Indices of the plugin's nodes in the main graph; a local function of that name is not the plugin."""
    functions = {(function.domain, function.name) for function in proto.functions}
    return [
        index
        for index, node in enumerate(proto.graph.node)
        if node.op_type == OPERATOR and node.domain in DOMAINS and (node.domain, OPERATOR) not in functions
    ]


def has_plugin(proto: onnx.ModelProto) -> bool:
    """Whether the main graph holds the plugin."""
    return bool(plugin_nodes(proto))


def run_behind(
    model: Model, nodes: Collection[int], known: Mapping[str, NDArray[Any]], outputs: Sequence[str]
) -> dict[str, NDArray[Any]]:
    """Run the plugin and what follows it in NumPy.

    Args:
        model: The whole model.
        nodes: Indices of the nodes to run: the plugin and everything that depends on it.
        known: Every value these nodes read from the rest of the graph, and the outputs that are not behind the plugin.
        outputs: The graph's outputs, in order.

    Raises:
        ModelError: The plugin is used in a way the reference does not know.
        Exception: Whatever an operator of onnx.reference raises.
    """
    proto = model.proto()
    behind = {name for index in nodes for name in proto.graph.node[index].output if name}
    read = {name for index in nodes for name in reads(proto.graph.node[index])}
    inputs = {name: value for name, value in known.items() if name in read}
    types = {name: onnx.helper.np_dtype_to_tensor_dtype(np.asarray(value).dtype) for name, value in inputs.items()}
    wanted = [name for name in outputs if name in behind]
    part = cut.assemble(proto, nodes, types, wanted, in_order=True)
    functions = {(function.domain, function.name) for function in proto.functions}
    for node in part.graph.node:
        if node.op_type == OPERATOR and node.domain in DOMAINS and (node.domain, OPERATOR) not in functions:
            node.domain = _DOMAIN
    for tensor in part.graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            tensor.CopyFrom(onnx.numpy_helper.from_array(model.values(tensor), tensor.name))
    if all(item.domain != _DOMAIN for item in part.opset_import):
        part.opset_import.add(domain=_DOMAIN, version=1)
    fixed = {tensor.name: tensor for tensor in proto.graph.initializer}
    values = dict(zip(wanted, _evaluate(part, inputs, wanted), strict=True))
    result = {}
    for name in outputs:
        if name in values:
            result[name] = np.asarray(values[name])
        elif name in known:
            result[name] = np.asarray(known[name])
        else:
            result[name] = model.values(fixed[name])
    return result


def _evaluate(part: onnx.ModelProto, inputs: Mapping[str, NDArray[Any]], wanted: Sequence[str]) -> list[Any]:
    session = ReferenceEvaluator(part, new_ops=[EfficientNMS_TRT])
    with np.errstate(all="ignore"):
        return list(session.run(list(wanted), dict(inputs)))
