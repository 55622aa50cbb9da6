"""Whether two tensors are computed alike: the same operators with the same attributes from the same leaves."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.edit import constant_value
from graphkit.facts import schemas
from graphkit.heads.trace import STANDARD_DOMAINS

_MOST = 400
"""Nodes looked at: the part behind the candidates has some 50, and what has more is something else."""


class Unlike(Exception):
    """A tensor depends on something that is no leaf."""


class Digests:
    """A digest of each tensor; equal ones are computed alike. Names of nodes and tensors do not matter.

    Identity, Constant nodes instead of initializers, attributes at their defaults and a ConstantOfShape that was
    folded make no difference.
    """

    def __init__(self, leaves: dict[int, str], opset: int, given: frozenset[str] = frozenset()) -> None:
        self._known = {key: name.encode() for key, name in leaves.items()}
        self._opset = opset
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

    def _attributes(self, node: gs.Node) -> dict[str, str]:
        found: dict[str, Any] = {}
        since = schemas.since(node.op, self._opset)
        if since is not None:
            for name, item in schemas.schema(node.op, since).attributes.items():
                if item.default_value.name:
                    found[name] = _plain(item.default_value)
        found |= dict(node.attrs)
        return {name: _said(value) for name, value in found.items()}


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
