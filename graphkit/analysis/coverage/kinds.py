"""Which nodes of a model are alike: what is said of one holds of the others."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from hashlib import blake2b
from typing import Any

from graphkit.facts.node import NodeFacts, TensorFacts

_SMALL = 64
"""Bytes of a value that is kept as it is; of a larger one a hash is."""


def kinds_of(nodes: Sequence[NodeFacts]) -> list[int]:
    """A number for each node; two nodes have the same where nothing that is known tells them apart but names."""
    numbers: dict[Hashable, int] = {}
    makers: dict[int, int] = {}
    return [numbers.setdefault(_signature(node, makers), len(numbers)) for node in nodes]


def _signature(node: NodeFacts, makers: dict[int, int]) -> Hashable:
    return (
        node.op,
        node.domain,
        node.since,
        node.opset,
        tuple(_of_tensor(item, makers) for item in node.inputs),
        tuple(_of_tensor(item, makers) for item in node.outputs),
        # A parameter of a function that is not given is an attribute that the node does not have.
        tuple(sorted((name, _frozen(value)) for name, value in node.attributes.items())),
    )


def _of_tensor(tensor: TensorFacts | None, makers: dict[int, int]) -> Hashable:
    if tensor is None:
        return None
    known = (tensor.type, tensor.shape, tensor.constant, tensor.folded, tensor.settled, _digest(tensor))
    return (*known, _made(tensor, makers))


def _made(tensor: TensorFacts, makers: dict[int, int]) -> int | str:
    """How a tensor is made, as far as converters look back.

    How a value, or a list of sizes, is computed that they may compute too; what makes a tensor of unknown sizes.
    """
    maker = tensor.maker
    if maker is None or tensor.constant:
        return ""
    list_of_sizes = tensor.type == "int64" and tensor.rank is not None and tensor.rank <= 1
    if not (tensor.settled or list_of_sizes):
        return _sliced(maker) if maker.op == "Slice" else "" if tensor.static else maker.op
    if id(maker) not in makers:
        makers[id(maker)] = 0  # of a node that depends on itself
        makers[id(maker)] = hash(_signature(maker, makers))
    return makers[id(maker)]


def _digest(tensor: TensorFacts) -> bytes | None:
    if tensor.value is None:
        return None
    if tensor.value.dtype == object:
        return repr(tensor.value.tolist()).encode()
    data = tensor.value.tobytes()
    return data if len(data) <= _SMALL else blake2b(data, digest_size=16).digest()


def _frozen(value: Any) -> Hashable:
    if hasattr(value, "SerializeToString"):  # a tensor, a graph or a type
        return bytes(value.SerializeToString(deterministic=True))
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return value if isinstance(value, Hashable) else repr(value)


def _sliced(maker: NodeFacts) -> int:
    """What a Slice cuts, and where: OpenVINO looks back at it."""
    source = maker.input(0)
    cut = tuple(None if item is None else (item.shape, _digest(item)) for item in maker.inputs[1:])
    return hash(("Slice", None if source is None else source.shape, cut))
