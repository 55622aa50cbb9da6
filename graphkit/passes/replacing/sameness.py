"""Whether two tensors are computed alike: the same operators with the same attributes from the same leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.edit import constant_value
from graphkit.facts import schemas
from graphkit.heads.head import Dimension
from graphkit.heads.trace import STANDARD_DOMAINS

Sizes = list[Dimension | None]
Shape = Callable[[gs.Tensor], Sizes | None]
_SHAPING = ("Transpose", "Reshape", "Squeeze", "Unsqueeze")
_MOST = 400
"""Nodes looked at: the part behind the candidates has some 50, and what has more is something else."""


class Unlike(Exception):
    """A tensor depends on something that is no leaf."""


class Digests:
    """A digest of each tensor; equal ones are computed alike. Names of nodes and tensors do not matter.

    Identity, Constant nodes instead of initializers, attributes at their defaults and a ConstantOfShape that was
    folded make no difference, nor does by which operators axes of size 1 get to their places.
    """

    def __init__(self, leaves: dict[int, str], opset: int, shape: Shape, given: frozenset[str] = frozenset()) -> None:
        self._known = {key: name.encode() for key, name in leaves.items()}
        self._opset = opset
        self._shape = shape
        self._given = given  # initializers that a caller may replace, so no constants
        self._nodes: set[int] = set()
        self._keep: list[gs.Tensor] = []

    def of(self, tensor: gs.Tensor) -> bytes:
        """The digest of a tensor.

        Raises:
            Unlike: It depends on something that is no leaf and no constant.
        """
        key = id(tensor)
        if key not in self._known:
            self._keep.append(tensor)
            self._known[key] = self._digest(tensor)
        return self._known[key]

    def _digest(self, tensor: gs.Tensor) -> bytes:
        if tensor.is_empty():
            return b"nothing"
        value = constant_value(tensor)
        if tensor.name in self._given:
            raise Unlike
        if value is not None:
            return _of_array(value)
        if len(tensor.inputs) != 1:
            raise Unlike
        node = tensor.inputs[0]
        self._nodes.add(id(node))
        if len(self._nodes) > _MOST:
            raise Unlike
        if node.domain in STANDARD_DOMAINS and node.op == "Identity":
            return self.of(node.inputs[0])
        if (moved := self._only_ones_moved(node)) is not None:
            source, places = moved
            return hashlib.sha256(b"ones moved" + places.encode() + self.of(source)).digest()
        if node.domain in STANDARD_DOMAINS and node.op == "ConstantOfShape":
            sizes = constant_value(node.inputs[0])
            filled = node.attrs.get("value")
            fill = filled.values.reshape(-1)[0] if isinstance(filled, gs.Constant) else np.float32(0)
            if sizes is not None and 0 <= int(np.prod(sizes)) < 1 << 22:
                return _of_array(np.full([int(size) for size in sizes], fill))
        parts = [
            (node.domain or "").encode(),
            node.op.encode(),
            str(next(i for i, out in enumerate(node.outputs) if out is tensor)).encode(),
        ]
        parts += [f"{name}={value}".encode() for name, value in sorted(self._attributes(node).items())]
        parts += [self.of(item) for item in node.inputs]
        return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).digest()

    def _only_ones_moved(self, node: gs.Node) -> tuple[gs.Tensor, str] | None:
        """Where a node, and those before it, only add, drop and move axes of size 1: what of, and their places."""
        source, after = node.outputs[0], self._shape(node.outputs[0])
        while after is not None and len(source.inputs) == 1:
            maker = source.inputs[0]
            if maker.domain not in STANDARD_DOMAINS or maker.op not in _SHAPING:
                break
            before = self._shape(maker.inputs[0])
            if before is None or not _same_but_ones(maker, before, self._shape(source)):
                break
            source = maker.inputs[0]
        if after is None or source is node.outputs[0]:
            return None
        return source, "".join("1" if size == 1 else "n" for size in after)

    def _attributes(self, node: gs.Node) -> dict[str, str]:
        found: dict[str, Any] = {}
        since = schemas.since(node.op, self._opset)
        if since is not None:
            for name, item in schemas.schema(node.op, since).attributes.items():
                if item.default_value.name:
                    found[name] = _plain(item.default_value)
        found |= dict(node.attrs)
        return {name: _said(value) for name, value in found.items()}


def _same_but_ones(node: gs.Node, before: Sizes, after: Sizes | None) -> bool:
    """Whether the axes that may be longer than 1 stay in their order."""
    if after is None:
        return False
    long = [size for size in before if size != 1], [size for size in after if size != 1]
    if node.op == "Transpose":
        perm = node.attrs.get("perm") or range(len(before))[::-1]
        kept = [axis for axis in perm if before[axis] != 1]
        return kept == sorted(kept)
    if node.op == "Reshape":
        named = [size for size in long[0] if not isinstance(size, int)]
        return len(long[0]) == len(long[1]) and len(named) <= 1 and _numbers(long[0]) == _numbers(long[1])
    return len(long[0]) == len(long[1])


def _numbers(sizes: Sizes) -> list[int | None]:
    return [size if isinstance(size, int) else None for size in sizes]


def _plain(attribute: Any) -> Any:
    from onnx.helper import get_attribute_value

    value = get_attribute_value(attribute)
    return value.decode() if isinstance(value, bytes) else value


def _said(value: Any) -> str:
    if isinstance(value, gs.Constant):
        return _of_array(value.values).hex()
    if isinstance(value, list | tuple):
        return repr([_said(item) for item in value])
    return (
        repr(value)
        if isinstance(value, str)
        else f"{float(value)!r}"
        if isinstance(value, int | float)
        else repr(value)
    )


def _of_array(value: Any) -> bytes:
    array = np.ascontiguousarray(value)
    return hashlib.sha256(f"{array.dtype}{np.shape(value)}".encode() + array.tobytes()).digest()
