"""The algebra of Transpose, free of graphs.

Transpose(perm=p) gives out.shape[i] = in.shape[p[i]] (ONNX Transpose-1). Without perm it reverses the axes, whatever
their number.
"""

from __future__ import annotations

from collections.abc import Sequence

Permutation = tuple[int, ...] | None
"""None reverses the axes of a tensor whose rank is not known."""

IDENTITY: tuple[int, ...] = ()
"""The permutation that moves nothing, for every rank."""


def is_permutation(perm: Sequence[int]) -> bool:
    """Whether every axis occurs once."""
    return sorted(perm) == list(range(len(perm)))


def is_identity(perm: Permutation) -> bool:
    """Whether it moves nothing."""
    return perm is not None and perm == tuple(range(len(perm)))


def reverse(rank: int) -> tuple[int, ...]:
    """What Transpose does without perm."""
    return tuple(range(rank - 1, -1, -1))


def compose(first: Permutation, second: Permutation) -> tuple[int, ...] | None:
    """The one permutation that does `first` and then `second`: T(first) ∘ T(second) = T(first[second]).

    Returns:
        None where the two do not fit each other: their ranks differ.
    """
    if first is None and second is None:
        return IDENTITY
    if first is None:
        assert second is not None
        first = reverse(len(second))
    if second is None:
        second = reverse(len(first))
    if len(first) != len(second):
        return None
    return tuple(first[axis] for axis in second)


def moves_only_ones(perm: tuple[int, ...], shape: Sequence[object]) -> bool:
    """Whether every axis longer than 1 keeps its place among the others, so that a Reshape would do the same."""
    if len(perm) != len(shape):
        return False
    kept = [axis for axis in perm if shape[axis] != 1]
    return kept == sorted(kept)
