"""Late decode: gather the candidates first, and decode only them.

A gather behind a computation that treats every anchor by itself may as well stand in front of it. `Late.push` walks
from a decoded tensor back through such operators and makes copies of them that work on gathered columns, down to
where the levels are joined; the originals are then without readers and are tidied away. An operator it does not know
ends the walk: what that operator returns is gathered, which is right too, only less is saved.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs

from graphkit.heads.dims import Dim, Dims
from graphkit.heads.head import Dimension
from graphkit.heads.trace import constant, producer
from graphkit.passes.embed_nms.late_rules import BINARY, RULES, UNARY, CannotGatherError, Gathered, axis_of
from graphkit.passes.emit import Emitter

_DEEPEST = 200


@dataclass
class Late:
    """Where the copies go, and which anchors are wanted.

    Attributes:
        emit: Appends nodes.
        batch: B.
        count: Candidates N.
        index: int64 [N] where the batch is 1, else [B, N].
        half: Whether float16 is about: what is gathered becomes float32, and casts between floats are left out.
        crossed: Operators that now work on candidates only.
        stopped: Operators that could not be crossed and still see every anchor.
    """

    emit: Emitter
    batch: Dimension
    count: Dimension
    index: gs.Tensor
    half: bool
    dims: Dims = field(default_factory=Dims)
    crossed: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    _done: dict[tuple[int, int], Gathered] = field(default_factory=dict)
    _free: dict[tuple[Any, ...], gs.Tensor] = field(default_factory=dict)
    _splits: dict[tuple[int, int], list[Gathered]] = field(default_factory=dict)

    def push(self, tensor: gs.Tensor, axis: int, rank: int, depth: int = 0) -> Gathered:
        """The candidates of `tensor`, whose anchors are on `axis` of `rank` and whose batch is on axis 0.

        Raises:
            CannotGatherError: Its shape is not known well enough.
        """
        key = (id(tensor), axis)
        if key not in self._done:
            copied = self._copy(tensor, axis, rank, depth) if depth < _DEEPEST else None
            self._done[key] = copied if copied is not None else self._gather(tensor, axis, rank)
        return self._done[key]

    def _copy(self, tensor: gs.Tensor, axis: int, rank: int, depth: int) -> Gathered | None:
        """What makes `tensor`, repeated on gathered inputs; None where that would not be the same."""
        node = producer(tensor)
        if node is None or not node.inputs:
            return None
        if node.op == "Concat" and axis_of(node, rank) == axis:
            return None  # the levels meet here: the place to gather
        rule = RULES.get("unary" if node.op in UNARY else "binary" if node.op in BINARY else node.op)
        made: Gathered | None = rule(self, node, tensor, axis, rank, depth + 1) if rule is not None else None
        if made is None:
            self.stopped.add(f"{node.op}")
        else:
            self.crossed.add(f"{node.op}")
        return made

    def clone(self, node: gs.Node, inputs: list[gs.Tensor], shape: list[Dim], axis: int, **changed: Any) -> Gathered:
        """The same operator on other inputs."""
        attrs = {**dict(node.attrs), **changed}
        made = self.emit.nodes(
            node.op, inputs, [(np.float32, self.named(shape, axis))], hint=f"late_{node.op.lower()}", **attrs
        )
        return Gathered(made[0], shape)

    def named(self, shape: list[Dim], axis: int) -> list[Dimension] | None:
        """A declared shape, where every size is known."""
        full: list[Dimension | None] = list(shape)
        full[0], full[axis] = self.batch, self.count
        return None if any(size is None for size in full) else [size for size in full if size is not None]

    def widened(self, tensor: gs.Tensor) -> gs.Tensor:
        """A constant or another tensor beside the gathered ones, in float32."""
        if not self.half:
            return tensor
        value = constant(tensor)
        if value is not None:
            return self.emit.constant(value.astype(np.float32), "wide") if value.dtype.kind == "f" else tensor
        return self.emit.cast(tensor, onnx.TensorProto.FLOAT)

    def _gather(self, tensor: gs.Tensor, axis: int, rank: int) -> Gathered:
        shape = list(self.dims.shape(tensor) or [None] * rank)
        if len(shape) != rank:
            raise CannotGatherError(f'the rank of "{tensor.name}" is not known')
        shape[0] = shape[axis] = None
        if self.batch == 1:
            index, op = self.index, "Gather"
        else:
            others = [1 if i in (0, axis) else size for i, size in enumerate(shape)]
            if any(size is None for size in others):
                raise CannotGatherError(f'the channels of "{tensor.name}" are not known')
            index, op = self._spread(axis, [size for size in others if size is not None]), "GatherElements"
        dtype = tensor.dtype if tensor.dtype is not None else np.float32
        gathered: gs.Tensor = self.emit.node(
            op, tensor, index, dtype=dtype, shape=self.named(shape, axis), hint="candidates", axis=axis
        )
        if self.half:
            gathered = self.emit.cast(gathered, onnx.TensorProto.FLOAT)
        return Gathered(gathered, shape)

    def _spread(self, axis: int, others: list[int]) -> gs.Tensor:
        """The index [B, N] repeated over the other axes."""
        key = ("spread", axis, *others)
        if key not in self._free:
            rank = len(others)
            places = [i for i in range(1, rank) if i != axis]
            index = self.emit.with_axes("Unsqueeze", self.index, places, 13, self._index_shape(rank, axis))
            if any(size != 1 for size in others):
                target = self.emit.constant(np.array(others, np.int64), "channels")
                shape = self.named(list(others), axis)
                index = self.emit.node("Expand", index, target, dtype=np.int64, shape=shape, hint="spread")
            self._free[key] = index
        return self._free[key]

    def _index_shape(self, rank: int, axis: int) -> list[Dimension]:
        shape: list[Dimension] = [1] * rank
        shape[0], shape[axis] = self.batch, self.count
        return shape

    def beside(self, tensor: gs.Tensor, axis: int, rank: int, depth: int) -> Gathered:
        """One side of an elementwise operator whose result has its anchors on `axis` of `rank`.

        Anchor points and strides are the same for every image and often lack the batch axis.
        """
        shape = self.dims.shape(tensor)
        if shape is None or len(shape) > rank:
            raise CannotGatherError(f'the rank of "{tensor.name}" is not known')
        lacking = rank - len(shape)
        mine = axis - lacking
        if mine < 0 or shape[mine] == 1:
            return Gathered(self.widened(tensor), [*[1] * lacking, *shape])
        if not lacking and (self.batch == 1 or shape[0] != 1) and constant(tensor) is None:
            return self.push(tensor, axis, rank, depth)
        return self._unbatched(tensor, mine, shape, rank)

    def _unbatched(self, tensor: gs.Tensor, axis: int, shape: list[Dim], rank: int) -> Gathered:
        """Columns of a tensor without a batch axis, or with one of size 1: [.., A, ..] to [B, .., N, ..]."""
        known: list[Dim] = [*[1] * (rank - len(shape)), *shape]
        known[0] = known[axis + rank - len(shape)] = None
        value = constant(tensor)
        key = (rank, axis, value.shape, value.tobytes()) if value is not None else (rank, axis, id(tensor))
        if key not in self._free:
            self._free[key] = self._gather_unbatched(tensor, axis, shape, rank)
        return Gathered(self._free[key], known)

    def _gather_unbatched(self, tensor: gs.Tensor, axis: int, shape: list[Dim], rank: int) -> gs.Tensor:
        emit, source = self.emit, self.widened(tensor)
        if self.batch == 1:
            return emit.node("Gather", source, self.index, dtype=np.float32, hint="points", axis=axis)
        if len(shape) == rank:
            if shape[0] != 1:
                raise CannotGatherError(f'"{tensor.name}" has a batch of its own')
            value = constant(source)
            if value is not None:
                source = emit.constant(value.reshape(value.shape[1:]), "points")
            else:
                source = _unshaped(emit.with_axes("Squeeze", source, [0], 13, []))
            axis, shape = axis - 1, shape[1:]
        # [.., A, ..] → [.., B, N, ..] → [B, .., N, ..]
        found = emit.node("Gather", source, self.index, dtype=np.float32, hint="points", axis=axis)
        if axis:
            order = [axis, *range(axis), *range(axis + 1, len(shape) + 1)]
            found = emit.node("Transpose", found, dtype=np.float32, perm=order)
        missing = rank - len(shape) - 1
        if missing:
            found = _unshaped(emit.with_axes("Unsqueeze", found, list(range(1, 1 + missing)), 13, []))
        return found


def _unshaped(tensor: gs.Variable) -> gs.Variable:
    """Its shape is left to shape inference."""
    tensor.shape = None
    return tensor
