"""Counting what a model costs, in one walk over what is known of its nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import onnx

from graphkit.analysis.statistics import liveness
from graphkit.analysis.statistics.findings import findings
from graphkit.analysis.statistics.macs import macs
from graphkit.analysis.statistics.report import Band, Cost, ExternalFile, Statistics
from graphkit.analysis.statistics.sizing import dynamic_dimensions, prepared
from graphkit.analysis.statistics.summary import summarise
from graphkit.analysis.statistics.weights import Weight, constant_weight, initializers
from graphkit.facts import NodeFacts, TensorFacts, survey
from graphkit.model import Model, standard_domain, tensors
from graphkit.model.external import bits_of, is_external

_MOST_BANDS = 8
_Measured = tuple[NodeFacts, Cost]


def measure(model: Model, sizes: Mapping[str, int] | None = None) -> Statistics:
    """Count what `model` is made of and what it costs; nothing is run, and the model is not changed.

    Multiply-accumulates are those of convolutions, matrix products and recurrent layers (`macs`). Functions are counted
    where they are called, the body of a Loop or Scan once, and both branches of an If.

    Args:
        model: The model.
        sizes: Sizes for open dimensions of the inputs, by name, or "input[axis]" for one without.

    Raises:
        UsageError: A size is given for a dimension that there is not.
        ModelError: A weight cannot be read.
    """
    proto = model.proto()
    dynamic = dynamic_dimensions(model, sizes or {})
    fixed = prepared(model, dynamic)
    weights = initializers(proto)
    facts = survey(fixed, model.values)
    measured, stored = _costs(facts, weights)
    main, needs = liveness.in_order([node for node in facts if not node.place])
    given = {info.name: _input_bytes(info) for info in fixed.graph.input if info.name not in weights}
    return Statistics(
        summary=summarise(model),
        opsets={item.domain or "ai.onnx": item.version for item in proto.opset_import},
        total=sum((cost for _, cost in measured), Cost()),
        operators=_by_operator(measured),
        depths=_bands(measured, main, needs),
        peak=liveness.peak(main, needs, given, {info.name for info in fixed.graph.output}),
        weight_types=_weight_types([*weights.values(), *stored]),
        tensor_types=_tensor_types(facts),
        dynamic=dynamic,
        external=_external(proto),
        findings=findings(model, weights),
    )


def _costs(facts: Sequence[NodeFacts], weights: Mapping[str, Weight]) -> tuple[list[_Measured], list[Weight]]:
    """What each node costs, and the values of Constant nodes. A weight counts for the first node that reads it."""
    left = dict(weights)
    measured, stored = list[_Measured](), list[Weight]()
    for node in facts:
        read = [left.pop(name) for name in node.proto.input if name in left]
        held = constant_weight(node.proto) if standard_domain(node.domain) else None
        if held is not None:
            stored.append(held)
        made = [liveness.tensor_bytes(item) or 0 for item in node.outputs if item is not None and not item.folded]
        count = macs(node)
        cost = Cost(
            nodes=1,
            parameters=sum(weight.elements for weight in read),
            weight_bytes=sum(weight.bytes for weight in read) + (held.bytes if held is not None else 0),
            activation_bytes=sum(made),
            macs=count or 0,
            unknown=int(count is None),
        )
        measured.append((node, cost))
    return measured, stored


def _by_operator(measured: Iterable[_Measured]) -> dict[str, Cost]:
    costs: dict[str, Cost] = {}
    for node, cost in measured:
        name = f"{node.domain}::{node.op}" if node.domain else node.op
        costs[name] = costs.get(name, Cost()) + cost
    order = sorted(costs.items(), key=lambda pair: (-pair[1].macs, -pair[1].parameters, -pair[1].nodes, pair[0]))
    return dict(order)


def _bands(measured: Sequence[_Measured], main: Sequence[NodeFacts], needs: Sequence[set[str]]) -> tuple[Band, ...]:
    """Nodes by depth; those inside subgraphs are as deep as the node that has the subgraph."""
    deep = {id(node): depth for node, depth in zip(main, liveness.depths(main, needs), strict=True)}
    deepest = max(deep.values(), default=0)
    if not deepest:
        return ()
    width = -(-deepest // _MOST_BANDS)
    costs = [Cost() for _ in range(-(-deepest // width))]
    largest: list[tuple[int, TensorFacts | None]] = [(0, None) for _ in costs]
    depth = 1
    for node, cost in measured:
        depth = deep.get(id(node), depth)
        band = (depth - 1) // width
        costs[band] += cost
        for item in node.outputs:
            size = None if item is None or item.folded else liveness.tensor_bytes(item)
            if size is not None and size > largest[band][0]:
                largest[band] = (size, item)
    return tuple(
        Band(index * width + 1, min((index + 1) * width, deepest), cost, None if item is None else item.shape)
        for index, (cost, (_, item)) in enumerate(zip(costs, largest, strict=True))
    )


def _input_bytes(info: onnx.ValueInfoProto) -> int | None:
    bits = bits_of(info.type.tensor_type.elem_type)
    if bits is None or not info.type.tensor_type.HasField("shape"):
        return None
    count = 1
    for dim in info.type.tensor_type.shape.dim:
        if not dim.HasField("dim_value") or dim.dim_value < 0:
            return None
        count *= dim.dim_value
    return -(-count * bits // 8)


def _weight_types(weights: Iterable[Weight]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for weight in weights:
        found[weight.type] += weight.bytes
    return dict(found.most_common())


def _tensor_types(facts: Iterable[NodeFacts]) -> dict[str, int]:
    made = (item for node in facts for item in node.outputs if item is not None and not item.folded)
    return dict(Counter(item.type or "unknown" for item in made).most_common())


def _external(proto: onnx.ModelProto) -> tuple[ExternalFile, ...]:
    files: dict[str, list[int]] = {}
    for tensor in tensors(proto):
        if is_external(tensor):
            location = next((item.value for item in tensor.external_data if item.key == "location"), "")
            elements = 1
            for size in tensor.dims:
                elements *= size
            files.setdefault(location, []).append(-(-elements * (bits_of(tensor.data_type) or 0) // 8))
    return tuple(ExternalFile(name, len(sizes), sum(sizes)) for name, sizes in sorted(files.items()))
