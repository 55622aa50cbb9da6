"""Outputs that no decode reads: whose counterpart each is, and how far the two are apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from graphkit.verdict.parts import compare_values
from graphkit.verdict.precision import Precision
from graphkit.verdict.report import Holds, PartComparison
from graphkit.verdict.sides import Side

Values = dict[str, NDArray[Any]]


@dataclass
class Others:
    """What came of them.

    Attributes:
        parts: Comparisons.
        lone: Outputs of the first model without a counterpart, for a reader.
        notes: What was assumed, and outputs that only the second model has.
    """

    parts: list[PartComparison] = field(default_factory=list)
    lone: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def compare_others(
    left: Side,
    right: Side,
    one: Values,
    other: Values,
    covered: tuple[tuple[str, ...], tuple[str, ...]],
    feed: str,
    rounded: Values | None,
    precision: Precision,
) -> Others:
    """Compare outputs of one name, prototypes whatever they are called, and those that are the only ones of a shape.

    Args:
        left: The first model.
        right: The second.
        one: Its outputs.
        other: The second one's.
        covered: Outputs of each that are compared as candidates or detections.
        feed: The input, for a reader.
        rounded: Outputs of the model that stands for rounding to float16.
        precision: What is allowed.
    """
    found = Others()
    rest = [name for name in one if name not in covered[0]]
    there = [name for name in other if name not in covered[1]]
    pairs = [(name, name) for name in rest if name in there]
    if left.prototypes in rest and right.prototypes in there and left.prototypes != right.prototypes:
        assert left.prototypes is not None
        assert right.prototypes is not None
        pairs.append((left.prototypes, right.prototypes))
    lone = [name for name in rest if all(name != own for own, _ in pairs)]
    extra = [name for name in there if all(name != theirs for _, theirs in pairs)]
    for name in list(lone):
        alike = [theirs for theirs in extra if _alike(one[name], other[theirs])]
        if len(alike) == 1 and sum(_alike(one[own], one[name]) for own in lone) == 1:
            pairs.append((name, alike[0]))
            lone.remove(name)
            extra.remove(alike[0])
            found.notes.append(
                f'"{alike[0]}" of {right.name} is taken for "{name}" of {left.name}: it is the only one of its shape'
            )
    found.lone += [f'"{name}" of {left.name} {list(one[name].shape)}' for name in lone]
    found.notes += [f'{left.name} has nothing to compare "{name}" of {right.name} with' for name in extra]
    for own, theirs in pairs:
        simulated = None if rounded is None else rounded.get(own if precision.measures else theirs)
        holds: Holds = "prototypes" if own == left.prototypes or theirs == right.prototypes else "output"
        name = f'"{own}"' if own == theirs else f'"{own}" and "{theirs}"'
        found.parts.append(compare_values(holds, name, feed, one[own], other[theirs], precision, simulated))
    return found


def _alike(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype
