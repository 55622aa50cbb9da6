"""Finding equal constants, and letting one stand for all."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs
from numpy.typing import NDArray
from onnx_graphsurgeon.ir.tensor import LazyValues, SparseValues

from graphkit.edit import Scopes, overridable, replace_uses, standard
from graphkit.model import Model, holders
from graphkit.model.tensors import LazyTensor

_HEAD = 4096
"""Bytes that are hashed first: those that differ there need not be read to their end."""


@dataclass
class Outcome:
    """What was shared.

    Attributes:
        gone: Constants that nothing reads any more.
        saved: Their bytes.
        kept: Reason -> the names of equal constants that stay apart for it.
    """

    gone: int = 0
    saved: int = 0
    kept: dict[str, list[str]] = field(default_factory=dict)

    def keep(self, reason: str, name: str) -> None:
        """Note a constant that stays."""
        self.kept.setdefault(reason, []).append(name)


@dataclass(frozen=True, eq=False)
class _Constant:
    """A constant of one graph.

    Attributes:
        tensor: The initializer, or the output of a Constant node.
        payload: What it holds: an array, or one that is not loaded.
        path: The graph it is in: the indices of the graphs around it and its own, outermost first.
    """

    tensor: gs.Tensor
    payload: Any
    path: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.payload.shape)


def share(model: Model) -> Outcome:
    """Let equal constants be one. Linear in their bytes; each is read at most once, and not all are held at once."""
    proto = model.proto()
    fixed, annotated = overridable(proto), _annotated(proto)
    graph = model.graph
    scopes = Scopes(graph)
    groups: dict[Hashable, list[_Constant]] = {}
    for item in _constants(graph):
        if item.tensor.outputs:  # what nothing reads is swept up anyway
            groups.setdefault((_element(item.payload), item.shape), []).append(item)
    outcome = Outcome()
    for group in groups.values():
        for same in _equal(group):
            _merge(same, scopes, fixed, annotated, outcome)
    return outcome


def _constants(graph: gs.Graph) -> list[_Constant]:
    """Every constant, those of outer graphs first, in each initializers before Constant nodes."""
    waiting: list[tuple[gs.Graph, tuple[int, ...]]] = [(graph, (0,))]
    for scope, path in waiting:
        inner = (value for node in scope.nodes for value in node.attrs.values() if isinstance(value, gs.Graph))
        waiting.extend((value, (*path, len(waiting) + number)) for number, value in enumerate(inner))
    homes = {id(scope.__dict__.get("scope")): path for scope, path in waiting}
    seen = set[int]()
    found: list[tuple[int, bool, _Constant]] = []
    for scope, path in waiting:
        for node in scope.nodes:
            for tensor in node.inputs:
                if not isinstance(tensor, gs.Constant) or id(tensor) in seen:
                    continue
                seen.add(id(tensor))
                held = tensor._values  # noqa: SLF001 - `values` would load them
                # A subgraph may be the only reader of what a graph around it holds.
                home = homes.get(id(tensor.__dict__.get("home")), path)
                if not isinstance(held, SparseValues):
                    found.append((len(home), False, _Constant(tensor, held, home)))
            payload = _of_node(node)
            if payload is not None and len(node.outputs) == 1:
                found.append((len(path), True, _Constant(node.outputs[0], payload, path)))
    return [item for _, _, item in sorted(found, key=lambda entry: entry[:2])]


def _of_node(node: gs.Node) -> Any:
    """What a Constant node holds; None where it is none, or holds what has no plain form."""
    if not standard(node, "Constant") or len(node.attrs) != 1:
        return None
    name, value = next(iter(node.attrs.items()))
    if name == "value" and isinstance(value, gs.Constant):
        held = value._values  # noqa: SLF001 - `values` would load them
        return None if isinstance(held, SparseValues) else held
    kinds = {"value_int": np.int64, "value_ints": np.int64, "value_float": np.float32, "value_floats": np.float32}
    return np.array(value, kinds[name]) if name in kinds and not isinstance(value, gs.Constant) else None


def _element(payload: Any) -> Hashable:
    if isinstance(payload, LazyValues):
        return int(payload.tensor.data_type)
    return int(onnx.helper.np_dtype_to_tensor_dtype(payload.dtype))


def _equal(group: list[_Constant]) -> Iterator[list[_Constant]]:
    """Those of one type and shape that are equal, two and more, in their order."""
    if len(group) < 2:
        return
    by_place: dict[Hashable, list[_Constant]] = {}
    for item in group:
        by_place.setdefault(_place(item.payload) or id(item), []).append(item)
    if len(by_place) == 1:
        yield next(iter(by_place.values()))
        return
    starts: dict[bytes, list[list[_Constant]]] = {}
    for same in by_place.values():
        starts.setdefault(_digest(same[0].payload, _HEAD), []).append(same)
    for alike in starts.values():
        wholes: dict[bytes, list[_Constant]] = {}
        for same in alike:
            whole = b"" if len(alike) == 1 else _digest(same[0].payload, None)
            wholes.setdefault(whole, []).extend(same)
        yield from (same for same in wholes.values() if len(same) > 1)


def _place(payload: Any) -> Hashable | None:
    """Where the values lie in an external file: two that lie in one place are equal unread."""
    if not isinstance(payload, LazyValues) or payload.tensor.data_location != onnx.TensorProto.EXTERNAL:
        return None
    told = {item.key: item.value for item in payload.tensor.external_data}
    return (told.get("location"), told.get("offset", "0"))


def _digest(payload: Any, most: int | None) -> bytes:
    if most is None and isinstance(payload, LazyTensor):
        return _streamed(payload)
    values = payload.load() if isinstance(payload, LazyValues) else payload
    if values.dtype.kind in "OSU":
        return _of_texts(values)
    flat: NDArray[Any] = values.reshape(-1)
    if not flat.flags.c_contiguous:
        flat = np.ascontiguousarray(flat)
    bits = flat.view(np.uint8)
    if most is not None:
        return hashlib.sha256(bits[:most].tobytes()).digest()
    return hashlib.sha256(bits.data).digest()


def _streamed(payload: LazyTensor) -> bytes:
    digest = hashlib.sha256()
    for piece in payload.pieces():
        if piece.dtype.kind in "OSU":
            return _of_texts(payload.load())
        digest.update(np.ascontiguousarray(piece).view(np.uint8).data)
    return digest.digest()


def _of_texts(values: NDArray[Any]) -> bytes:
    return hashlib.sha256(repr(values.tolist()).encode()).digest()


def _merge(
    same: list[_Constant], scopes: Scopes, fixed: frozenset[str], annotated: frozenset[str], outcome: Outcome
) -> None:
    """Let one of the equal constants stand for the others that can see it."""
    stay: list[_Constant] = []
    for item in same:
        tensor = item.tensor
        if (reason := _apart(tensor, fixed)) is not None:
            outcome.keep(reason, tensor.name)
            continue
        other = next((known for known in stay if known.path == item.path[: len(known.path)]), None)
        reason = _named(tensor, scopes, annotated)
        if other is not None and reason is None and not _readable(tensor, other.tensor, scopes):
            reason = f'a graph in between has another tensor called "{other.tensor.name}"'
        if other is None or reason is not None:
            if other is not None and reason is not None:
                outcome.keep(reason, tensor.name)
            stay.append(item)
            continue
        replace_uses(tensor, other.tensor)
        outcome.gone += 1
        outcome.saved += int(item.payload.nbytes)


def _apart(tensor: gs.Tensor, fixed: frozenset[str]) -> str | None:
    """Why a constant may neither go nor stand for others, as half a sentence; None where it may."""
    if tensor.name in fixed:
        return "it is a graph input too, which a caller may replace"
    if any(standard(node, "NonMaxSuppression") for node in tensor.outputs):
        return "NonMaxSuppression reads it as a threshold or a limit, which people change in the finished file"
    return None


def _named(tensor: gs.Tensor, scopes: Scopes, annotated: frozenset[str]) -> str | None:
    """Why a constant must stay under its name; None where it need not."""
    if scopes.is_output(tensor):
        return "it is a graph output"
    return "a quantization annotation names it" if tensor.name in annotated else None


def _readable(tensor: gs.Tensor, other: gs.Tensor, scopes: Scopes) -> bool:
    return scopes.can_read(tensor.outputs, other, other.outputs[0])


def _annotated(proto: onnx.ModelProto) -> frozenset[str]:
    names = set[str]()
    for holder in holders(proto):
        for item in getattr(holder, "quantization_annotation", ()):
            names.add(item.tensor_name)
            names.update(entry.value for entry in item.quant_parameter_tensor_names)
    return frozenset(names)
