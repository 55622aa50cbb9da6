"""Attributes: AttributeProto to what gs keeps in node.attrs, and back.

gs knows floats, ints, strings, tensors and graphs. Every other attribute is kept as its AttributeProto, which a pass
can look at, hand on or delete.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs
from onnx import AttributeProto
from onnx_graphsurgeon.util import misc

from graphkit.errors import ModelError
from graphkit.model import tensors
from graphkit.model.types import element_type

GraphReader = Callable[[onnx.GraphProto], Any]
GraphWriter = Callable[[Any, onnx.GraphProto], None]


def read_attributes(
    attributes: Iterable[AttributeProto], make_tensor: Callable[[onnx.TensorProto], Any], read_graph: GraphReader
) -> dict[str, Any]:
    """Attributes as gs keeps them, by name.

    Each graph of a GRAPHS attribute stands under a name of its own, `name[0]`, `name[1]`, so that gs sees what
    they read from outside; the attribute itself is kept as its proto.
    """
    result: dict[str, Any] = {}
    for attribute in attributes:
        name = attribute.name
        if attribute.ref_attr_name:
            result[name] = _reference(attribute)
        elif attribute.type == AttributeProto.TENSOR:
            result[name] = make_tensor(attribute.t)
        elif attribute.type == AttributeProto.GRAPH:
            result[name] = read_graph(attribute.g)
        elif attribute.type in _PLAIN:
            result[name] = _PLAIN[attribute.type](attribute)
        else:
            result[name] = attribute
            if attribute.type == AttributeProto.GRAPHS:
                result |= {member(name, i): read_graph(graph) for i, graph in enumerate(attribute.graphs)}
    return result


def write_attributes(
    attrs: dict[str, Any], originals: Iterable[AttributeProto], write_graph: GraphWriter, kinds: Callable[[str], int]
) -> list[AttributeProto] | None:
    """Attributes as protos, in the order of the originals; None where every one is what it was and holds no graph.

    Args:
        attrs: As gs keeps them.
        originals: What they were read from. An attribute that still has its value is handed on as it is, one that
            was changed keeps its doc_string.
        write_graph: Writes a gs.Graph into a GraphProto.
        kinds: The type that the operator's schema gives to an attribute, 0 if unknown.

    Raises:
        ModelError: A value is of a type that no ONNX attribute has.
    """
    originals = list(originals)
    last = {attribute.name: index for index, attribute in enumerate(originals)}
    result: list[AttributeProto] = []
    changed = False
    written: set[str] = set()
    for index, original in enumerate(originals):
        name = original.name
        if name not in attrs:
            changed = True
            continue
        written.add(name)
        value = attrs[name]
        if last[name] != index:  # a name given twice: gs kept the last
            result.append(original)
        elif original.type == AttributeProto.GRAPHS and value is original:
            members = [attrs.get(member(name, i)) for i in range(len(original.graphs))]
            written |= {member(name, i) for i in range(len(original.graphs))}
            result.append(_with_graphs(original, members, write_graph))
            changed = True
        elif not isinstance(value, gs.Graph) and _unchanged(original, value):
            result.append(original)
        else:
            result.append(_write(name, value, original, write_graph, original.type or kinds(name)))
            changed = True
    for name, value in attrs.items():
        if name not in written:
            result.append(_write(name, value, None, write_graph, kinds(name)))
            changed = True
    return result if changed else None


def member(name: str, index: int) -> str:
    """Where the graph at `index` of a GRAPHS attribute stands in node.attrs."""
    return f"{name}[{index}]"


def _strings(attribute: AttributeProto) -> list[Any]:
    values = list(attribute.strings)
    try:
        return [value.decode() for value in values]
    except UnicodeDecodeError:
        return list(values)


def _string(attribute: AttributeProto) -> Any:
    try:
        return attribute.s.decode()
    except UnicodeDecodeError:
        return attribute.s


_PLAIN: dict[int, Callable[[AttributeProto], Any]] = {
    AttributeProto.FLOAT: lambda attribute: attribute.f,
    AttributeProto.INT: lambda attribute: attribute.i,
    AttributeProto.STRING: _string,
    AttributeProto.FLOATS: lambda attribute: list(attribute.floats),
    AttributeProto.INTS: lambda attribute: list(attribute.ints),
    AttributeProto.STRINGS: _strings,
}


def _reference(attribute: AttributeProto) -> Any:
    try:
        return gs.Node.AttributeRef(attribute.ref_attr_name, misc.convert_from_onnx_attr_type(attribute.type))
    except (KeyError, TypeError):
        return attribute


def _unchanged(original: AttributeProto, value: Any) -> bool:
    if value is original:
        return True
    if isinstance(value, AttributeProto):
        return bool(value == original)
    if original.ref_attr_name:
        return isinstance(value, gs.Node.AttributeRef) and value == _reference(original)
    if original.type == AttributeProto.TENSOR:
        return (
            isinstance(value, gs.Constant) and value.name == original.t.name and tensors.same_values(value, original.t)
        )
    if original.type not in _PLAIN or isinstance(value, (gs.Tensor, gs.Node.AttributeRef)):
        return False
    read = _PLAIN[original.type](original)
    value = _plain(value)
    if original.type in (AttributeProto.FLOAT, AttributeProto.FLOATS):
        return _bits(read) == _bits(value)
    return type(read) is type(value) and bool(read == value)


def _plain(value: Any) -> Any:
    """The value without numpy: arrays, tuples and ranges as lists, numpy numbers and booleans as Python's."""
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, (tuple, range)):
        value = list(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, (bool, Integral)) else value


def _bits(value: Any) -> bytes | None:
    """Floats to the bit: 0.0 is not -0.0, and NaN equals itself."""
    values = value if isinstance(value, list) else [value]
    try:
        return bytes([isinstance(value, list)]) + struct.pack(f"<{len(values)}d", *values)
    except struct.error:
        return None


def _write(
    name: str, value: Any, original: AttributeProto | None, write_graph: GraphWriter, kind: int
) -> AttributeProto:
    result = AttributeProto(name=name)
    if isinstance(value, AttributeProto):
        result.CopyFrom(value)
        result.name = name
        return result
    if original is not None and original.HasField("doc_string"):
        result.doc_string = original.doc_string
    if isinstance(value, gs.Graph):
        result.type = AttributeProto.GRAPH
        result.g.SetInParent()
        write_graph(value, result.g)
    elif isinstance(value, gs.Node.AttributeRef):
        result.type = misc.convert_to_onnx_attr_type(value.type)
        result.ref_attr_name = value.name
    elif isinstance(value, gs.Constant):
        template = original.t if original is not None and original.type == AttributeProto.TENSOR else None
        proto = tensors.write_tensor(value, template)
        if isinstance(proto, onnx.SparseTensorProto):
            result.type = AttributeProto.SPARSE_TENSOR
            result.sparse_tensor.CopyFrom(proto)
        else:
            result.type = AttributeProto.TENSOR
            result.t.CopyFrom(proto)
    else:
        _write_plain(result, value, kind)
    return result


def _write_plain(result: AttributeProto, value: Any, kind: int) -> None:
    """Numbers and strings. `kind` settles what the value leaves open: an empty list, and whether 1 is 1.0."""
    if isinstance(value, (type, np.dtype)):
        value = element_type(value)
    value = _plain(value)
    items = value if isinstance(value, list) else [value]
    if isinstance(value, list) and not items:
        result.type = next((known for known in _LISTS if known == kind), AttributeProto.INTS)
        return
    plural = isinstance(value, list)
    try:
        if all(isinstance(item, (str, bytes)) for item in items):
            encoded = [item.encode() if isinstance(item, str) else item for item in items]
            _fill(result, AttributeProto.STRINGS if plural else AttributeProto.STRING, encoded)
        elif all(isinstance(item, int) for item in items) and kind not in (
            AttributeProto.FLOAT,
            AttributeProto.FLOATS,
        ):
            _fill(result, AttributeProto.INTS if plural else AttributeProto.INT, items)
        elif all(isinstance(item, Real) for item in items):
            _fill(result, AttributeProto.FLOATS if plural else AttributeProto.FLOAT, [float(item) for item in items])
        else:
            raise TypeError
    except (TypeError, ValueError, OverflowError) as error:
        raise ModelError(
            f'attribute "{result.name}" cannot be written: ONNX has no attribute for {value!r:.80}; '
            "use numbers, strings, a gs.Constant or a gs.Graph"
        ) from error


_LISTS = (AttributeProto.FLOATS, AttributeProto.INTS, AttributeProto.STRINGS)
_FIELDS = {
    AttributeProto.STRING: "s",
    AttributeProto.INT: "i",
    AttributeProto.FLOAT: "f",
    AttributeProto.STRINGS: "strings",
    AttributeProto.INTS: "ints",
    AttributeProto.FLOATS: "floats",
}


def _fill(result: AttributeProto, kind: Any, items: list[Any]) -> None:
    result.type = kind
    if kind in _LISTS:
        getattr(result, _FIELDS[kind]).extend(items)
    else:
        setattr(result, _FIELDS[kind], items[0])


def _with_graphs(original: AttributeProto, members: list[Any], write_graph: GraphWriter) -> AttributeProto:
    result = AttributeProto()
    result.CopyFrom(original)
    result.ClearField("graphs")
    for graph in members:
        if isinstance(graph, gs.Graph):
            write_graph(graph, result.graphs.add())
    return result
