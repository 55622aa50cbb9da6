"""A graph without its Transposes: what remains of them is a permutation on each reading of a tensor.

A node reads tensor x through permutation e where the file has Transposes between them. It runs in a layout, its label;
what its producer gives in layout P, and it wants in layout Q, has to be transposed by inverse(P) ∘ e ∘ Q, for which
nothing has to be done where that is the identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from graphkit.passes.transposes.amounts import Monomial, elements
from graphkit.passes.transposes.permutation import (
    IDENTITY,
    Perm,
    Permutation,
    compose,
    full,
    inverse,
    lifted,
    plain,
)
from graphkit.passes.transposes.site import Flow, Label, Moved, Shape

Need = tuple[int, Perm]
"""What has to be done to a tensor: axes of size 1 in front, then a permutation."""

STILL = Moved()


@dataclass(slots=True, eq=False)
class Use:
    """A reading of a tensor.

    Attributes:
        tensor: What is read.
        perm: Through which permutation.
        node: The node that reads; -1 for a graph output, or for a graph around or inside this one.
        slot: As which of its inputs.
    """

    tensor: int
    perm: Permutation
    node: int
    slot: int


@dataclass(slots=True, eq=False)
class Tensor:
    """A tensor that no Transpose makes.

    Attributes:
        name: Its name in the file.
        shape: Numbers and names; None where the rank is not known.
        maker: The node that makes it; -1 for none.
        output: As which of its outputs.
        constant: Whether it costs nothing to have it in any layout.
        long: Which of its axes may be longer than 1; None where the rank is not known.
        size: Its elements; one of a kind where the rank is not known.
        uses: Who reads it.
    """

    name: str
    shape: Shape | None
    maker: int = -1
    output: int = 0
    constant: bool = False
    long: tuple[bool, ...] | None = field(init=False, default=None)
    size: tuple[Monomial, int] = field(init=False, default=((), 0))
    uses: list[Use] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Work out what follows from the shape."""
        self.long = None if self.shape is None else tuple(size != 1 for size in self.shape)
        self.size = ((f"elements of {self.name}",), 1) if self.shape is None else elements(self.shape)

    @property
    def rank(self) -> int | None:
        """Its rank, where that is known."""
        return None if self.shape is None else len(self.shape)


@dataclass(slots=True, eq=False)
class Node:
    """A node that is no Transpose.

    Attributes:
        index: Its place in the file.
        uses: Its readings, by slot; None for an input that is left out.
        outputs: The tensors it makes; None for one that is not wanted.
        flow: In which layouts it can run; None where only in its own.
        label: How it runs.
    """

    index: int
    uses: list[Use | None] = field(default_factory=list)
    outputs: list[int | None] = field(default_factory=list)
    flow: Flow | None = None
    label: Label = IDENTITY
    _known: dict[Label, Moved | None] = field(default_factory=dict)

    def moved(self, label: Label) -> Moved | None:
        """The node in the layout of a label; None where it cannot run so."""
        if not label:
            return STILL
        try:
            return self._known[label]
        except KeyError:
            found = None if self.flow is None else self.flow.moved(label)
            self._known[label] = found = None if found is None else _normal(found)
            return found

    def inside(self, label: Label) -> int:
        """How often all elements of the first output are moved within the node."""
        return 0 if self.flow is None or self.flow.inside is None else self.flow.inside(label)

    def reads(self, label: Label, slot: int) -> Perm:
        """In which layout an input is wanted."""
        if not label:
            return IDENTITY
        found = self.moved(label)
        return IDENTITY if found is None else found.inputs.get(slot, IDENTITY)

    def gives(self, label: Label, output: int) -> Perm:
        """In which layout an output comes."""
        if not label:
            return IDENTITY
        found = self.moved(label)
        return IDENTITY if found is None or output >= len(found.outputs) else found.outputs[output]

    def entering(self, slot: int, perm: Perm) -> Label | None:
        """The label that reads an input in a layout; None where there is none."""
        return None if self.flow is None else self._sound(self.flow.enter(slot, perm, self.label))

    def leaving(self, output: int, perm: Perm) -> Label | None:
        """The label that gives an output in a layout; None where there is none."""
        return None if self.flow is None else self._sound(self.flow.leave(output, perm, self.label))

    def _sound(self, label: Label | None) -> Label | None:
        label = _plain_label(label)
        return label if label is not None and self.moved(label) is not None else None


@dataclass(slots=True)
class Network:
    """A graph without its Transposes.

    Attributes:
        nodes: By their place in the file.
        tensors: All that no Transpose makes.
        pins: Names that have to stay: for each what it stands for, as a `Use` of node -1.
    """

    nodes: dict[int, Node] = field(default_factory=dict)
    tensors: list[Tensor] = field(default_factory=list)
    pins: dict[str, Use] = field(default_factory=dict)

    def layout(self, tensor: Tensor, changed: Mapping[int, Label] = {}) -> Perm:
        """In which layout a tensor is made; `changed` are labels of nodes that are to be thought of."""
        if tensor.maker < 0:
            return IDENTITY
        node = self.nodes[tensor.maker]
        label = changed.get(node.index, node.label)
        return node.gives(label, tensor.output) if label else IDENTITY

    def moving(self, use: Use, layout: Perm, label: Label) -> Order | None:
        """In which order a reading wants the axes that are longer than 1, where that is another than it gets them in.

        Readings that want the same order can share a Transpose. None where nothing has to be moved.
        """
        tensor = self.tensors[use.tensor]
        wanted = self.nodes[use.node].reads(label, use.slot) if label and use.node >= 0 else IDENTITY
        if not layout and not wanted:
            return _order(use.perm, tensor.long) if use.perm else None if use.perm is not None else _UNKNOWN
        if use.perm is None:
            return _UNKNOWN
        return _moving(layout, use.perm, wanted, tensor.long)

    def need(self, use: Use, layout: Perm, label: Label) -> Need | None:
        """What has to be done for a reading, of a tensor in a layout and by a node with a label; None for nothing."""
        tensor = self.tensors[use.tensor]
        wanted = self.nodes[use.node].reads(label, use.slot) if label and use.node >= 0 else IDENTITY
        if use.perm is None:
            return 0, _UNKNOWN
        if not layout and not wanted:
            return (0, use.perm) if use.perm else None
        return _need(layout, use.perm, wanted, tensor.rank)


Order = tuple[int, ...]
"""The axes of a tensor that are longer than 1, in some order."""

_UNKNOWN: Perm = (-1,)
"""Stands for the reversal of an unknown number of axes."""


def unknown(perm: Perm) -> bool:
    """Whether it is the reversal of an unknown number of axes."""
    return perm == _UNKNOWN


@lru_cache(maxsize=1 << 14)
def _order(perm: Perm, long: tuple[bool, ...] | None) -> Order | None:
    """The order that a permutation puts the long axes in; None where that is the one they are in."""
    if long is None:
        return perm or None
    found = tuple(axis for axis in perm if long[axis])
    return found if list(found) != sorted(found) else None


@lru_cache(maxsize=1 << 14)
def _moving(layout: Perm, perm: Perm, wanted: Perm, long: tuple[bool, ...] | None) -> Order | None:
    if long is None:
        need = _need(layout, perm, wanted, None)
        return None if need is None else need[1]
    rank = len(long)
    extra = max(0, len(wanted) - rank)
    total = compose(lifted(perm, extra, rank), wanted)
    assert total is not None
    got = [axis for axis in full(layout, rank) if long[axis]]
    want = [axis - extra for axis in full(total, rank + extra) if axis >= extra and long[axis - extra]]
    return tuple(want) if want != got else None


@lru_cache(maxsize=1 << 14)
def _need(layout: Perm, perm: Perm, wanted: Perm, rank: int | None) -> Need | None:
    if rank is None:
        rank = len(layout or perm or wanted)
    extra = max(0, len(wanted) - rank)
    left = inverse(lifted(layout, extra, rank))
    both = compose(lifted(perm, extra, rank), wanted)
    done = compose(left, both)
    assert done is not None
    return (extra, done) if done else None


@lru_cache(maxsize=1 << 14)
def wanted_for(layout: Perm, perm: Perm, rank: int, wide: int) -> Perm:
    """The layout to want of a tensor of `rank` axes, read as one of `wide`, so that nothing has to be done."""
    extra = wide - rank
    found = compose(inverse(lifted(perm, extra, rank)), lifted(layout, extra, rank))
    assert found is not None
    return found


@lru_cache(maxsize=1 << 14)
def layout_for(perm: Perm, wanted: Perm, rank: int) -> Perm | None:
    """The layout to make a tensor in, so that nothing has to be done; None where that of a wider one is wanted."""
    extra = max(0, len(wanted) - rank)
    found = compose(lifted(perm, extra, rank), wanted)
    assert found is not None
    if not extra or not found:
        return found
    return plain([axis - extra for axis in found[extra:]]) if found[:extra] == tuple(range(extra)) else None


def _plain_label(label: Label | None) -> Label | None:
    if isinstance(label, tuple) and label and all(isinstance(item, int) for item in label):
        return plain(label)
    return label


def _normal(moved: Moved) -> Moved:
    inputs = {slot: found for slot, perm in moved.inputs.items() if (found := plain(perm))}
    outputs = tuple(plain(perm) for perm in moved.outputs)
    return Moved(inputs, outputs, moved.attrs, moved.constants, moved.order, moved.op, moved.gather)
