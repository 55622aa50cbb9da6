"""Names that nothing else in the model has, and constants that are there already."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto

from graphkit.model import holders

_PREFIX = "graphkit/remove-transposes"


class Names:
    """The names of a model.

    A constant that is new is found again only within the graph it is in: call `enter` for each graph.
    """

    def __init__(self, model: ModelProto) -> None:
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        for holder in holders(model):
            for node in holder.node:
                self._taken.update((node.name, *node.input, *node.output))
            if isinstance(holder, GraphProto):
                for items in (holder.input, holder.output, holder.initializer, holder.value_info):
                    self._taken.update(item.name for item in items)
                self._taken.update(item.values.name for item in holder.sparse_initializer)

    def enter(self) -> None:
        """Begin with another graph."""
        self._constants.clear()

    def free(self, hint: str) -> str:
        """A name that is not taken, made of `hint`; it is taken from now on."""
        hint = hint.removeprefix(f"{_PREFIX}/")
        name, count = f"{_PREFIX}/{hint}", self._counts.get(hint, 1)
        while name in self._taken:
            count += 1
            name = f"{_PREFIX}/{hint}_{count}"
        self._counts[hint] = count
        self._taken.add(name)
        return name

    def constant(self, values: NDArray[Any]) -> str | None:
        """The name of an equal constant that was made here before."""
        return self._constants.get(_key(values))

    def keep(self, values: NDArray[Any], hint: str) -> str:
        """A name for a constant, by which it can be found."""
        name = self._constants[_key(values)] = self.free(hint)
        return name


def _key(values: NDArray[Any]) -> tuple[str, tuple[int, ...], bytes]:
    return str(values.dtype), values.shape, hashlib.sha256(np.ascontiguousarray(values).tobytes()).digest()
