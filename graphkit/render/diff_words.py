"""Differences of two models in words, for every way of showing them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphkit.render.quantities import shape_words

if TYPE_CHECKING:
    from graphkit.analysis.differences import Change, End, GraphDiff, NodeChange, Place, Setting, TensorChange, Wire

KINDS = {
    "ir-version": "IR version",
    "model-version": "model version",
    "input": "reads",
    "source": "returned from",
}
"""What is said in place of a kind's own name."""

_LISTED = 8
"""Elements of a constant that are all shown."""


@dataclass(frozen=True)
class TensorGroup:
    """Tensors that changed alike.

    Attributes:
        left: Type or shape in A.
        right: In B.
        names: What A calls them, with B's name where it is another.
    """

    left: str
    right: str
    names: tuple[str, ...]


def verdict(diff: GraphDiff) -> str:
    """The whole in one sentence."""
    if diff.equal:
        nodes = several(diff.matched, "node")
        return f"No difference: {nodes} matched by structure; names, order and where constants are kept do not count."
    changed = diff.matched - diff.same
    kept = f"{diff.same:,} the same, {changed:,} changed" if changed else "all the same"
    parts = [f"{several(diff.matched, 'node')} in both, {kept}"]
    parts += [f"{diff.removed:,} only in A"] if diff.removed else []
    parts += [f"{diff.added:,} only in B"] if diff.added else []
    return "; ".join(parts) + "."


def several(number: int, noun: str) -> str:
    """A number with its noun: "1 node", "1,200 nodes"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def setting_name(item: Setting) -> str:
    """What a setting is: "opset ai.onnx", "metadata names"."""
    return f"{KINDS.get(item.kind, item.kind)} {item.name}".strip()


def end_words(end: End) -> str:
    """An input or output: "images float [1,3,640,640]"."""
    return " ".join([end.name, type_words(end.type), "" if end.shape is None else shape_words(end.shape)]).rstrip()


def type_words(kind: str | None) -> str:
    """A type without what is the same of nearly all: "float" for "tensor(float)"."""
    if kind is None:
        return "unknown"
    inner = kind.removeprefix("tensor(")
    return inner[:-1] if inner != kind else kind


def change_name(change: Change) -> str:
    """What differs: "attribute axis", "constant W", "reads B"."""
    return f"{KINDS.get(change.kind, change.kind)} {change.name}".strip()


def change_values(change: Change) -> tuple[str, str]:
    """What A has and what B has; "none" for nothing."""
    if change.kind == "type":
        return type_words(change.left or None), type_words(change.right or None)
    return change.left or "none", change.right or "none"


def change_distance(change: Change) -> str:
    """How far a constant is from what it was; "" where that cannot be said, or where its few values are written out."""
    if change.changed is None or change.relative_l2 is None or change.max_error is None or change.size is None:
        return ""
    if change.changed and change.size <= _LISTED:
        return ""
    if not change.changed:
        return "the same values"
    elements = f"{change.changed:,} of {several(change.size, 'element')}"
    return f"{elements}, relative L2 {change.relative_l2:.2g}, largest difference {change.max_error:.3g}"


def change_words(change: Change) -> str:
    """One difference on one line, without its name."""
    left, right = change_values(change)
    far = change_distance(change)
    told = left if left == right else f"{left} → {right}"
    return f"{told}: {far}" if far else told


def node_words(item: NodeChange) -> str:
    """A node that changed: operator and name, what B calls it, and where it is."""
    name = item.left.label if item.left.label == item.right.label else f"{item.left.label}, in B {item.right.label}"
    return f"{name} in {item.within}" if item.within else name


def operators(ops: Iterable[str]) -> str:
    """The operators of nodes with how many there are: "Shape, Gather, 3 Mul"."""
    counts = Counter(ops)
    return ", ".join(op if number == 1 else f"{number} {op}" for op, number in counts.items())


def wires(items: Sequence[Wire], most: int | None) -> str:
    """Tensors beside a place, by A's names, or B's in brackets where A does not have them."""
    names = list(dict.fromkeys(item.left or f"(B: {item.right})" for item in items))
    shown = names if most is None or len(names) <= most else names[:most]
    more = f" and {len(names) - len(shown)} more" if len(shown) < len(names) else ""
    return ", ".join(shown) + more


def where(place: Place, most: int | None) -> str:
    """Where the two are built differently: "behind a, in front of what reads b"."""
    reads, gives = wires(place.reads, most), wires(place.gives, most)
    if reads == gives:
        told = f"between {reads} and what reads {'it' if len(place.reads) == 1 else 'them'}" if reads else "apart"
    else:
        told = ", ".join([f"behind {reads}"] * bool(reads) + [f"in front of what reads {gives}"] * bool(gives))
    return f"in {place.within}: {told}" if place.within else told


def retyped(tensors: Iterable[TensorChange]) -> list[TensorGroup]:
    """Tensors in another type, those alike together, the most first."""
    found = [(type_words(item.left_type), type_words(item.right_type), item) for item in tensors if item.retyped]
    return _grouped(found)


def reshaped(tensors: Iterable[TensorChange]) -> list[TensorGroup]:
    """Tensors in another shape, in the same way."""
    found = [(shape_words(item.left_shape), shape_words(item.right_shape), item) for item in tensors if item.reshaped]
    return _grouped(found)


def definitions(diff: GraphDiff) -> str:
    """Operators that the two opsets define differently."""
    parts = [f"{item.op} {item.left} → {item.right} ({several(item.nodes, 'node')})" for item in diff.definitions]
    return ", ".join(parts)


def _grouped(found: list[tuple[str, str, TensorChange]]) -> list[TensorGroup]:
    groups: dict[tuple[str, str], list[str]] = {}
    for left, right, item in found:
        name = item.left if item.left == item.right else f"{item.left} (B: {item.right})"
        groups.setdefault((left, right), []).append(f"{name} in {item.within}" if item.within else name)
    made = [TensorGroup(left, right, tuple(names)) for (left, right), names in groups.items()]
    return sorted(made, key=lambda group: -len(group.names))
