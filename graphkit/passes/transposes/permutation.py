"""The algebra of Transpose, free of graphs.

Transpose(perm=p) gives out.shape[i] = in.shape[p[i]] (ONNX Transpose-1). Without perm it reverses the axes, whatever
their number. T(p) ∘ T(q), first p and then q, is T(p[q]).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

Perm = tuple[int, ...]
"""A permutation of the axes of a tensor whose rank is known; () moves nothing, for every rank."""

Permutation = Perm | None
"""None reverses the axes of a tensor whose rank is not known."""

IDENTITY: Perm = ()
"""The permutation that moves nothing, for every rank. The only one that does: see `plain`."""


@cache
def _identity(rank: int) -> Perm:
    return tuple(range(rank))


def plain(perm: Sequence[int]) -> Perm:
    """The permutation as it is written here: () where it moves nothing."""
    found = tuple(perm)
    return IDENTITY if found == _identity(len(found)) else found


def is_swap(perm: Perm) -> bool:
    """Whether the last two axes change places, and no others do."""
    rank = len(perm)
    return rank > 1 and perm == (*range(rank - 2), rank - 1, rank - 2)


def full(perm: Perm, rank: int) -> Perm:
    """The permutation with all its axes: (0, 1, 2) for () and rank 3."""
    return perm or _identity(rank)


def is_permutation(perm: Sequence[int]) -> bool:
    """Whether every axis occurs once."""
    return sorted(perm) == list(range(len(perm)))


def reverse(rank: int) -> Perm:
    """What Transpose does without perm."""
    return plain(range(rank - 1, -1, -1))


def inverse(perm: Perm) -> Perm:
    """What undoes it."""
    undone = [0] * len(perm)
    for place, axis in enumerate(perm):
        undone[axis] = place
    return tuple(undone)


def compose(first: Permutation, second: Permutation) -> Permutation:
    """The one permutation that does `first` and then `second`.

    Returns:
        None where a reversal of unknown rank is what is left.

    Raises:
        ValueError: The two are of different ranks.
    """
    if first is None and second is None:
        return IDENTITY
    if second == IDENTITY:
        return first
    if first == IDENTITY:
        return second
    if first is None:
        assert second is not None
        first = reverse(len(second))
    if second is None:
        second = reverse(len(first))
    if len(first) != len(second):
        raise ValueError(f"permutations of {len(first)} and of {len(second)} axes")
    if not first or not second:
        return first or second
    return plain([first[axis] for axis in second])


def lifted(perm: Perm, extra: int, rank: int) -> Perm:
    """The same of a tensor that gets `extra` axes in front, as broadcasting gives it; `rank` is that without them."""
    if not perm or not extra:
        return perm
    return (*range(extra), *(axis + extra for axis in full(perm, rank)))


def moves_only_ones(perm: Perm, shape: Sequence[object]) -> bool:
    """Whether every axis longer than 1 keeps its place among the others, so that a Reshape would do the same."""
    if not perm:
        return True
    if len(perm) != len(shape):
        return False
    kept = [axis for axis in perm if shape[axis] != 1]
    return kept == sorted(kept)
