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
    return [numbers.setdefault(_signature(node), len(numbers)) for node in nodes]


def _signature(node: NodeFacts) -> Hashable:
    return (
        node.op,
        node.domain,
        node.since,
        node.opset,
        tuple(map(_of_tensor, node.inputs)),
        tuple(map(_of_tensor, node.outputs)),
        # A parameter of a function that is not given is an attribute that the node does not have.
        tuple(sorted((name, _frozen(value)) for name, value in node.attributes.items())),
    )


def _of_tensor(tensor: TensorFacts | None) -> Hashable:
    if tensor is None:
        return None
    return tensor.type, tensor.shape, tensor.constant, tensor.folded, _digest(tensor)


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
