"""Other thresholds in a copy of a model, so that its real outputs hold detections to compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from graphkit.heads import DetectionOutputs, NmsContract, RawDetections
from graphkit.model import Model
from graphkit.verify.feeds import Feed
from graphkit.verify.plugin import plugin_nodes


def free_thresholds(model: Model, relation: DetectionOutputs) -> dict[str, NDArray[Any]]:
    """The thresholds that whoever runs the model may set: those that are graph inputs, with their values."""
    graph = model.proto().graph
    inputs = {info.name: info.type.tensor_type for info in graph.input}
    defaults = {tensor.name: tensor for tensor in graph.initializer}
    found: dict[str, NDArray[Any]] = {}
    for name, value in relation.thresholds.items():
        if name not in inputs:
            continue
        if name in defaults:
            found[name] = np.full(tuple(defaults[name].dims), value, _dtype(defaults[name].data_type))
        else:
            shape = tuple(dim.dim_value or 1 for dim in inputs[name].shape.dim)
            found[name] = np.full(shape, value, _dtype(inputs[name].elem_type))
    return found


def with_thresholds(feeds: Iterable[Feed], model: Model, relation: DetectionOutputs) -> list[Feed]:
    """The same feeds with a value for thresholds that are inputs without a default."""
    defaults = {tensor.name for tensor in model.proto().graph.initializer}
    needed = {name: value for name, value in free_thresholds(model, relation).items() if name not in defaults}
    return [Feed(feed.name, {**needed, **feed.inputs}) for feed in feeds]


def roles(relation: DetectionOutputs) -> dict[str, str]:
    """Which threshold each name is: "confidence" or "iou"; by its value where the two differ, else by the order."""
    contract = relation.contract
    known = {"confidence": np.float32(contract.confidence), "iou": np.float32(contract.iou)}
    found: dict[str, str] = {}
    for position, (name, value) in enumerate(relation.thresholds.items()):
        fits = [role for role, own in known.items() if np.isclose(np.float32(value), own, rtol=1e-6, atol=1e-9)]
        if len(fits) == 1:
            found[name] = fits[0]
        elif fits:
            found[name] = "iou" if position else "confidence"
    return found


def lowered(model: Model, relation: DetectionOutputs, confidence: float, iou: float) -> Model | None:
    """A copy of the model with these thresholds; None where nothing in it can be told to be the confidence.

    Initializers that `relation.thresholds` names are replaced, and the attributes of EfficientNMS_TRT.
    """
    wanted = {"confidence": confidence, "iou": iou}
    values = {name: wanted[role] for name, role in roles(relation).items()}
    proto = model.proto()
    plugins = plugin_nodes(proto)
    held = {tensor.name for tensor in proto.graph.initializer} | {info.name for info in proto.graph.input}
    if not plugins and not any(role == "confidence" and name in held for name, role in roles(relation).items()):
        return None
    changed = onnx.ModelProto()
    changed.CopyFrom(proto)
    for tensor in changed.graph.initializer:
        if tensor.name in values:
            array = np.full(tuple(tensor.dims), values[tensor.name], _dtype(tensor.data_type))
            tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    attributes = {"score_threshold": confidence, "iou_threshold": iou}
    for index in plugins:
        for attribute in changed.graph.node[index].attribute:
            if attribute.name in attributes:
                attribute.f = attributes[attribute.name]
    return Model(changed, model.source)


def lower_contract(contract: NmsContract, confidence: float, iou: float) -> NmsContract:
    """The contract that a lowered copy keeps. Thresholds are float32 in the graph, so they are here."""
    return replace(contract, confidence=float(np.float32(confidence)), iou=float(np.float32(iou)))


def passing_threshold(raw: RawDetections, contract: NmsContract, wanted: int) -> float | None:
    """A confidence that about `wanted` (box, class) pairs of the fullest image pass; None where no score is positive.

    It lies halfway between two neighbouring scores, the widest gap near the wanted rank, so that rounding decides
    about as few pairs as it can.
    """
    best: float | None = None
    for scores in raw.scores:
        values = (scores if contract.semantics == "multi-label" else scores.max(axis=-1, initial=0)).reshape(-1)
        values = values[np.isfinite(values) & (values > 0)].astype(np.float64)
        if not len(values):
            continue
        values = np.sort(values)[::-1]
        first = min(len(values), max(1, wanted // 2))
        window = np.append(values, 0.0)[first - 1 : wanted + 1]
        gap = int(np.argmax(window[:-1] - window[1:])) if len(window) > 1 else 0
        chosen = float(window[gap] + window[min(gap + 1, len(window) - 1)]) / 2
        best = chosen if best is None else max(best, chosen)
    return best


def threshold_feed(values: Mapping[str, NDArray[Any]], relation: DetectionOutputs, contract: NmsContract) -> Any:
    """Values of the free thresholds for another contract."""
    own = roles(relation)
    wanted = {"confidence": contract.confidence, "iou": contract.iou}
    return {name: np.full_like(value, wanted[own[name]]) for name, value in values.items() if name in own}


def _dtype(elem_type: int) -> np.dtype[Any]:
    return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(elem_type))
