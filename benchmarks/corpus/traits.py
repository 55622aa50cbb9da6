"""What is remarkable about a file, read from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TypeProto, shape_inference

from graphkit.model import holders

_RECURRENT = ("LSTM", "GRU", "RNN")
_CONTROL = ("If", "Loop", "Scan")


@dataclass(frozen=True)
class Traits:
    """What a table says of a file.

    Attributes:
        producer: `producer_name`; "" where it says none.
        ir: IR version.
        opset: Of the default domain; None without.
        nodes: At any depth.
        features: "LSTM", "Scan, outer scope", "QDQ", "initializers that are inputs", "wrong declared shapes" …
    """

    producer: str
    ir: int
    opset: int | None
    nodes: int
    features: tuple[str, ...]


def traits(model: ModelProto) -> Traits:
    """Read them from a model."""
    opset = next((item.version for item in model.opset_import if item.domain in ("", "ai.onnx")), None)
    return Traits(model.producer_name, model.ir_version, opset, count_nodes(model), tuple(_features(model)))


def count_nodes(model: ModelProto) -> int:
    """Nodes at any depth, without Constants: some tools write a constant as a node and some as an initializer."""
    return sum(node.op_type != "Constant" for holder in holders(model) for node in holder.node)


def _features(model: ModelProto) -> Iterator[str]:
    ops = {node.op_type for holder in holders(model) for node in holder.node}
    yield from (op for op in _RECURRENT if op in ops)
    outer = {node.op_type for node in _controls(model.graph) if _reads_outside(node)}
    yield from (f"{op}, outer scope" if op in outer else op for op in _CONTROL if op in ops)
    if {"QuantizeLinear", "DequantizeLinear"} & ops:
        yield "QDQ"
    if any("Integer" in op or op.startswith(("QLinear", "QGemm")) for op in ops):
        yield "integer operators"
    if any(op.startswith(("Sequence", "Optional", "SplitToSequence", "ConcatFromSequence")) for op in ops):
        yield "sequences"
    if model.functions:
        yield "functions"
    known = {item.name for item in model.graph.initializer}
    if not known and model.graph.node:
        yield "no initializers"
    if any(item.name in known for item in model.graph.input):
        yield "initializers that are inputs"
    domains = {node.domain for holder in holders(model) for node in holder.node} - {"", "ai.onnx"}
    yield from sorted(domains - {function.domain for function in model.functions})
    if _declares_wrongly(model):
        yield "wrong declared shapes"


def _controls(graph: GraphProto) -> Iterator[NodeProto]:
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                yield node
                yield from _controls(attribute.g)


def _reads_outside(node: NodeProto) -> bool:
    return any(
        name not in _own(attribute.g)
        for attribute in node.attribute
        if attribute.type == AttributeProto.GRAPH
        for name in _reads(attribute.g)
    )


def _reads(graph: GraphProto) -> Iterator[str]:
    """What a graph reads: its nodes, its outputs, and its own subgraphs where they read from outside of themselves."""
    yield from (item.name for item in graph.output)
    for node in graph.node:
        yield from filter(None, node.input)
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                own = _own(attribute.g)
                yield from (name for name in _reads(attribute.g) if name not in own)


def _own(graph: GraphProto) -> set[str]:
    made = {name for node in graph.node for name in node.output}
    return made | {item.name for item in (*graph.input, *graph.initializer)}


def _declares_wrongly(model: ModelProto) -> bool:
    """Whether a shape that is declared inside, or of an output, contradicts what follows from the inputs."""
    bare = ModelProto()
    bare.CopyFrom(model)
    del bare.graph.value_info[:]
    for info in bare.graph.output:
        info.type.tensor_type.ClearField("shape")
    try:
        inferred = shape_inference.infer_shapes(bare, data_prop=True)
    except (shape_inference.InferenceError, ValueError):
        return False
    known = {info.name: info.type for info in (*inferred.graph.value_info, *inferred.graph.output)}
    declared = (*model.graph.value_info, *model.graph.output)
    return any(_contradict(info.type, known[info.name]) for info in declared if info.name in known)


def _contradict(declared: TypeProto, inferred: TypeProto) -> bool:
    if not (declared.tensor_type.HasField("shape") and inferred.tensor_type.HasField("shape")):
        return False
    one, two = _sizes(declared), _sizes(inferred)
    return len(one) != len(two) or any(None not in (a, b) and a != b for a, b in zip(one, two, strict=True))


def _sizes(kind: TypeProto) -> list[int | None]:
    sizes = (dim.dim_value for dim in kind.tensor_type.shape.dim)
    return [size if size > 0 else None for size in sizes]  # 0 and -1 are written for "unknown" too
