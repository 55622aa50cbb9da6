"""Nodes must be what the definitions of their operators say, and types those that ONNX has.

So many inputs and outputs, attributes of these types, with a value: onnx.checker and runtimes refuse a model where they
are not. What rewrites nodes relies on it, and would otherwise have to ask each time whether an axis is a number and
whether a Relu reads anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import onnx
from onnx import AttributeProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TypeProto, ValueInfoProto

from graphkit.errors import ModelError
from graphkit.model import protos

_NEXT = "the file is damaged, or what wrote it is: export or copy it again"

_VALUES = {
    AttributeProto.TENSOR: "t",
    AttributeProto.GRAPH: "g",
    AttributeProto.SPARSE_TENSOR: "sparse_tensor",
    AttributeProto.TYPE_PROTO: "tp",
}
"""Where an attribute has its value if that is a message; numbers and texts have a default, messages have none."""

_ELEMENTS = frozenset(TensorProto.DataType.values())


@dataclass(frozen=True)
class _Definition:
    """What is looked at of a definition.

    Attributes:
        inputs: Least and most inputs.
        outputs: Least and most outputs.
        required: Places of inputs that may not be left out.
        attributes: Types by name.
        needed: Attributes that must be given.
    """

    inputs: tuple[int, int]
    outputs: tuple[int, int]
    required: tuple[int, ...]
    attributes: Mapping[str, int]
    needed: frozenset[str]


def check_types(proto: ModelProto) -> None:
    """Look at the element type of every declared tensor and of every stored one.

    Raises:
        ModelError: ONNX has no such type.
    """
    for holder in protos.holders(proto):
        infos: list[ValueInfoProto] = list(holder.value_info)
        if isinstance(holder, onnx.GraphProto):
            infos += [*holder.input, *holder.output]
        for info in infos:
            for element in _elements(info.type):
                _check_type(info.name, element)
    for tensor in protos.tensors(proto):
        _check_type(tensor.name, tensor.data_type)


def _elements(declared: TypeProto) -> Iterator[int]:
    """Every element type in a type: those of tensors, and of what sequences, optionals and maps hold."""
    kind = declared.WhichOneof("value")
    while kind in ("sequence_type", "optional_type", "map_type"):
        if kind == "map_type":
            yield declared.map_type.key_type
            declared = declared.map_type.value_type
        else:
            declared = (declared.sequence_type if kind == "sequence_type" else declared.optional_type).elem_type
        kind = declared.WhichOneof("value")
    if kind == "sparse_tensor_type":
        yield declared.sparse_tensor_type.elem_type
    elif kind == "tensor_type":
        yield declared.tensor_type.elem_type


def _check_type(name: str, element: int) -> None:
    if element not in _ELEMENTS:
        raise ModelError(
            f'tensor "{name}" is of element type {element}, which the installed onnx {onnx.__version__} does not know; '
            "upgrade onnx, or export the model again"
        )


def check_nodes(proto: ModelProto) -> None:
    """Look at every node whose operator onnx knows, in subgraphs and functions too.

    Raises:
        ModelError: A node is not as its operator's definition says.
    """
    own = {(_domain(function.domain), function.name) for function in proto.functions}
    opsets = _opsets(proto.opset_import)
    _check_all(proto.graph.node, opsets, own)
    for function in proto.functions:
        names = [*function.attribute, *(item.name for item in function.attribute_proto)]
        twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
        if twice is not None:
            raise ModelError(f'the function "{function.name}" has two attributes called "{twice}"; {_NEXT}')
        _check_all(function.node, opsets | _opsets(function.opset_import), own, referring=True)
    for training in proto.training_info:
        _check_all((*training.initialization.node, *training.algorithm.node), opsets, own)


def _check_all(
    nodes: Iterable[NodeProto], opsets: Mapping[str, int], own: set[tuple[str, str]], *, referring: bool = False
) -> None:
    """Look at nodes and those of their subgraphs.

    Args:
        nodes: Of a graph or a function.
        opsets: Versions by domain.
        own: Domain and name of the model's functions, which go before definitions of the same name.
        referring: Whether attributes may refer to those of a function.
    """
    waiting = [nodes]
    while waiting:
        for node in waiting.pop():
            domain = _domain(node.domain)
            wanted = _definition(node.op_type, opsets.get(domain, 0), domain)
            wrong = _valueless(node, referring)
            if wanted is not None and (domain, node.op_type) not in own:
                wrong = wrong or _wrong(node, wanted)
            if wrong:
                name = node.name or next((name for name in node.output if name), "")
                raise ModelError(f'the {node.op_type} node "{name}" {wrong}; {_NEXT}')
            for attribute in node.attribute:
                waiting += (graph.node for graph in protos.subgraphs(attribute))


def _valueless(node: NodeProto, referring: bool) -> str:
    """Which attribute has no value, whatever the operator, as the end of a sentence; "" where all have one."""
    for attribute in node.attribute:
        value = _VALUES.get(attribute.type)
        if attribute.ref_attr_name:
            if not referring:
                return f'has an attribute "{attribute.name}" that refers to one of a function, and stands in none'
        elif value is not None and not attribute.HasField(value):
            return f'has an attribute "{attribute.name}" without a value'
    return ""


def _wrong(node: NodeProto, wanted: _Definition) -> str:
    """What is not as the definition says, as the end of a sentence; "" where all is."""
    for what, count, (least, most) in (
        ("inputs", len(node.input), wanted.inputs),
        ("outputs", len(node.output), wanted.outputs),
    ):
        if not least <= count <= most:
            return f"has {count} {what}, where its definition has {_range(least, most)}"
    for place in wanted.required:
        if not node.input[place]:
            return f"has no input {place}, which its definition requires"
    given = set()
    for attribute in node.attribute:
        given.add(attribute.name)
        kind = wanted.attributes.get(attribute.name)
        if kind is not None and attribute.type != kind and not attribute.ref_attr_name:
            types = f"of type {_name(attribute.type)}, where its definition has {_name(kind)}"
            return f'has an attribute "{attribute.name}" {types}'
    missing = min(wanted.needed - given, default=None)
    return "" if missing is None else f'lacks the attribute "{missing}", which its definition requires'


def _range(least: int, most: int) -> str:
    if least == most:
        return str(least)
    return f"at least {least}" if most >= _ANY else f"{least} to {most}"


_ANY = 2**31 - 1
"""What onnx gives as the most inputs of an operator that takes any number."""


def _name(kind: int) -> str:
    return AttributeProto.AttributeType.Name(kind) if kind in AttributeProto.AttributeType.values() else str(kind)


@cache
def _definition(operator: str, version: int, domain: str) -> _Definition | None:
    """None where onnx does not know the operator."""
    try:
        schema = onnx.defs.get_schema(operator, version, domain)
    except onnx.defs.SchemaError:
        return None
    single = onnx.defs.OpSchema.FormalParameterOption.Single
    return _Definition(
        (schema.min_input, schema.max_input),
        (schema.min_output, schema.max_output),
        tuple(place for place, formal in enumerate(schema.inputs) if formal.option == single),
        {name: int(item.type) for name, item in schema.attributes.items()},  # type: ignore[call-overload]  # an enum of numbers
        frozenset(name for name, item in schema.attributes.items() if item.required),
    )


def _domain(domain: str) -> str:
    return "" if protos.standard_domain(domain) else domain


def _opsets(imports: Iterable[OperatorSetIdProto]) -> dict[str, int]:
    return {_domain(item.domain): item.version for item in imports}
