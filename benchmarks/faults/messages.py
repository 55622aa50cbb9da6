"""Mutations of a message: what is still a protobuf, and may be anything else."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import onnx
from google.protobuf.descriptor import FieldDescriptor  # type: ignore[import-untyped]
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, TypeProto, helper

from graphkit.model.protos import DecodeError

Mutation = Callable[[ModelProto, random.Random], None]

_NUMBERS = (-1, 0, 1, 2, 7, 255, 65536, 2**31 - 1, -(2**31))
_LARGE = (2**31, 2**40, 2**62, 2**63 - 1, -(2**63))
_TEXTS = ("", " ", "x", "\x1b[2J\x1b]0;x\x07", "a\u202egnp", "../../etc/passwd", "/dev/zero", "\0", "a\nb\r", "é" * 300)
_OPERATORS = sorted({schema.name for schema in onnx.defs.get_all_schemas() if schema.domain == ""})
_LARGEST_TREE = 4000


def walk(message: Any) -> Iterator[Any]:
    """A message and all in it, breadth first, up to a number that keeps large models quick."""
    waiting = [message]
    for seen, item in enumerate(waiting):
        yield item
        if seen > _LARGEST_TREE:
            return
        for field, value in item.ListFields():
            if field.type == field.TYPE_MESSAGE:
                waiting += list(value) if _repeated(field) else [value]


def _repeated(field: Any) -> bool:
    return bool(field.is_repeated)


def _some(model: ModelProto, chance: random.Random, kind: type[Any] | None = None) -> Any:
    """A message that has a field set; of that type, where there is one."""
    found = [item for item in walk(model) if (kind is None or isinstance(item, kind)) and item.ListFields()]
    return chance.choice(found) if found else None


def _field(model: ModelProto, chance: random.Random, wanted: Callable[[Any, Any], bool]) -> tuple[Any, Any]:
    """A message and one of its fields for which `wanted(field, value)` holds; None twice where there is none."""
    found = [(item, field) for item in walk(model) for field, value in item.ListFields() if wanted(field, value)]
    return chance.choice(found) if found else (None, None)


def _several(field: Any, values: Any) -> bool:
    """Whether a field holds elements that are not all the same."""
    return _repeated(field) and any(item != values[0] for item in values)


def drop(model: ModelProto, chance: random.Random) -> None:
    """A field goes, or one element of it."""
    message, field = _field(model, chance, lambda *_: True)
    values = getattr(message, field.name)
    if _repeated(field) and chance.random() < 0.7:
        del values[chance.randrange(len(values))]
    elif message is not model or field.name != "graph":
        message.ClearField(field.name)


def duplicate(model: ModelProto, chance: random.Random) -> None:
    """An element of a repeated field stands there twice, or is put into another message's."""
    message, field = _field(model, chance, lambda field, _: _repeated(field))
    if field is not None:
        values = getattr(message, field.name)
        copied = chance.choice(list(values))
        for _ in range(chance.choice((1, 1, 3))):
            values.append(copied)


def swap(model: ModelProto, chance: random.Random) -> None:
    """Two elements change places."""
    message, field = _field(model, chance, _several)
    if field is None:
        return
    values = list(getattr(message, field.name))
    chance.shuffle(values)
    message.ClearField(field.name)
    getattr(message, field.name).extend(values)


def transplant(model: ModelProto, chance: random.Random) -> None:
    """A message becomes another of its type."""
    one = _some(model, chance)
    others = [item for item in walk(model) if type(item) is type(one) and item is not one]
    if others and one is not model:
        copied = type(one).FromString(chance.choice(others).SerializeToString())
        if copied.ByteSize() < 100_000:
            one.CopyFrom(copied)


def number(model: ModelProto, chance: random.Random) -> None:
    """A whole number becomes another, also a negative or a huge one."""
    whole = (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64)
    message, field = _field(model, chance, lambda field, _: field.cpp_type in whole)
    if field is None:
        return
    wide = field.cpp_type == field.CPPTYPE_INT64
    value = chance.choice(_NUMBERS + _LARGE if wide else _NUMBERS)
    if _repeated(field):
        values = getattr(message, field.name)
        values[chance.randrange(len(values))] = value
    else:
        setattr(message, field.name, value)


def text(model: ModelProto, chance: random.Random) -> None:
    """A text becomes empty, another of the model's, very long, or one that means something elsewhere."""
    message, field = _field(model, chance, lambda field, _: field.type == field.TYPE_STRING)
    if field is None:
        return
    known = [item.name for item in walk(model) if getattr(item, "name", "")]
    # One in some hundreds is of 100 MB, which is as long as a text in a file can well be.
    length = chance.choice((10_000, 1_000_000)) if chance.random() < 0.95 else 100_000_000
    value = chance.choice([*_TEXTS, *known[:20], "x" * length if chance.random() < 0.1 else "y"])
    if _repeated(field):
        values = getattr(message, field.name)
        values[chance.randrange(len(values))] = value
    else:
        setattr(message, field.name, value)


def retype(model: ModelProto, chance: random.Random) -> None:
    """A tensor, an attribute or a declared value says that it is of another type."""
    message = _some(model, chance, chance.choice((TensorProto, AttributeProto, TypeProto)))
    if isinstance(message, TensorProto):
        message.data_type = chance.choice([*TensorProto.DataType.values(), 99, -1])
    elif isinstance(message, AttributeProto):
        if chance.random() < 0.5:
            message.type = chance.choice(AttributeProto.AttributeType.values())
        else:
            made = chance.choice((1.5, 3, "text", [1, -1], [0.5], ["a"], TensorProto(), GraphProto()))
            message.CopyFrom(helper.make_attribute(message.name or "x", made))
    elif isinstance(message, TypeProto):
        element = chance.choice([*TensorProto.DataType.values(), 77])
        message.CopyFrom(
            chance.choice(
                (
                    TypeProto(tensor_type=TypeProto.Tensor(elem_type=element)),
                    TypeProto(sequence_type=TypeProto.Sequence(elem_type=TypeProto())),
                    TypeProto(optional_type=TypeProto.Optional()),
                    TypeProto(map_type=TypeProto.Map(key_type=element)),
                    TypeProto(sparse_tensor_type=TypeProto.SparseTensor(elem_type=element)),
                    TypeProto(),
                )
            )
        )


def dimension(model: ModelProto, chance: random.Random) -> None:
    """A dimension of a declaration or of a tensor is negative, huge, a name, one more or one fewer."""
    tensors = [item for item in walk(model) if isinstance(item, TensorProto)]
    shapes = [item for item in walk(model) if isinstance(item, onnx.TensorShapeProto)]
    size = chance.choice((*_NUMBERS, *_LARGE))
    if tensors and (not shapes or chance.random() < 0.5):
        tensor = chance.choice(tensors)
        if tensor.dims and chance.random() < 0.7:
            tensor.dims[chance.randrange(len(tensor.dims))] = size
        else:
            tensor.dims.append(size)
    elif shapes:
        shape = chance.choice(shapes)
        if shape.dim and chance.random() < 0.7:
            item = chance.choice(list(shape.dim))
            if chance.random() < 0.3:
                item.dim_param = chance.choice(_TEXTS)
            else:
                item.dim_value = size
        else:
            shape.dim.add(dim_value=size)


def contents(model: ModelProto, chance: random.Random) -> None:
    """A tensor holds too much, too little, or its values in the field of another type."""
    tensor = _some(model, chance, TensorProto)
    if tensor is None:
        return
    what = chance.randrange(5)
    if what == 0:
        tensor.raw_data = tensor.raw_data[: chance.randrange(len(tensor.raw_data) + 1)]
    elif what == 1:
        tensor.raw_data = tensor.raw_data + bytes(chance.choice((1, 3, 4096)))
    elif what == 2:
        tensor.ClearField("raw_data")
        getattr(tensor, chance.choice(("float_data", "int64_data", "double_data", "int32_data"))).extend([1, 2, 3])
    elif what == 3:
        tensor.string_data.extend([b"\xff", b"a"])
    else:
        tensor.ClearField("raw_data")


def wire(model: ModelProto, chance: random.Random) -> None:
    """An input or an output of a node is another tensor: later, its own, one that is not there, none, one too many."""
    nodes = [item for item in walk(model) if isinstance(item, NodeProto)]
    if not nodes:
        return
    node = chance.choice(nodes)
    names = [name for other in nodes for name in (*other.output, *other.input)]
    name = chance.choice([*names, *node.output, "nowhere", ""])
    ends = node.input if chance.random() < 0.7 else node.output
    if ends and chance.random() < 0.8:
        ends[chance.randrange(len(ends))] = name
    else:
        ends.append(name)


def operator(model: ModelProto, chance: random.Random) -> None:
    """A node is of another operator or domain, or the model of another opset or IR version."""
    what = chance.randrange(5)
    node = _some(model, chance, NodeProto)
    if what == 0 or node is None:
        model.ir_version = chance.choice((0, 1, 2, 3, 4, 7, 8, 10, 13, 99, -1))
    elif what == 1 and model.opset_import:
        chance.choice(list(model.opset_import)).version = chance.choice((0, 1, 6, 7, 9, 11, 13, 18, 21, 25, 99, -5))
    elif what == 2:
        node.domain = chance.choice(("ai.onnx", "ai.onnx.ml", "com.microsoft", "nobody.knows", "\x1b[1m"))
    else:
        node.op_type = chance.choice(_OPERATORS)


def nest(model: ModelProto, chance: random.Random) -> None:
    """The nodes move down into the branches of Ifs, one inside the other."""
    depth = chance.choice((1, 3, 10, 25, 32, 40))
    inner = GraphProto(name="inner")
    inner.node.extend(model.graph.node)
    inner.output.extend(model.graph.output)
    names = [item.name for item in model.graph.output]
    for level in range(depth):
        node = NodeProto(op_type="If", name=f"if{level}", input=["deep"], output=names)
        try:
            node.attribute.append(helper.make_attribute("then_branch", inner))
        except DecodeError:  # as deep as protobuf copies
            break
        node.attribute.append(helper.make_attribute("else_branch", GraphProto(name="empty")))
        inner = GraphProto(name=f"level{level}", node=[node], output=model.graph.output)
    model.graph.ClearField("node")
    model.graph.node.extend(inner.node)
    model.graph.initializer.append(helper.make_tensor("deep", TensorProto.BOOL, [], [True]))


MUTATIONS: tuple[Mutation, ...] = (
    drop,
    duplicate,
    swap,
    transplant,
    number,
    text,
    retype,
    dimension,
    contents,
    wire,
    wire,
    operator,
    nest,
)
