"""How many elements, also where dimensions are known by name only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

_STAND_IN = 97
"""What a dimension without a number counts as, where a number is needed to search with. Nothing is decided by it."""

_MOST_PARTS = 3

Monomial = tuple[str, ...]
"""The names of dimensions, sorted; () is a number."""

Amount = Mapping[Monomial, int]
"""A sum: how often each product of dimensions."""


@lru_cache(maxsize=1 << 12)
def elements(shape: tuple[int | str, ...]) -> tuple[Monomial, int]:
    """The elements of a tensor: a product of named dimensions, and the number it is multiplied by."""
    count = 1
    names = []
    for size in shape:
        if isinstance(size, int):
            count *= size
        else:
            names.append(size)
    return (tuple(sorted(names)) if count else ()), count


def total(parts: Iterable[tuple[Monomial, int]]) -> Amount:
    """The sum."""
    found: Counter[Monomial] = Counter()
    for names, count in parts:
        if count:
            found[names] += count
    return found


def about(names: Monomial, count: int) -> int:
    """A number to search with."""
    return count * int(_STAND_IN ** len(names))


def at_most(one: Amount, other: Amount) -> bool:
    """Whether one amount is at most the other, whatever the sizes of the named dimensions (1 and more).

    Where a name n is 1 + t, and the difference has no negative coefficient as a polynomial in the t, it is never
    negative. Sufficient; that there is a difference which this misses makes a rewrite that is not done.
    """
    difference = Counter(dict(other))
    difference.subtract(one)
    left = {names: count for names, count in difference.items() if count}
    if all(count > 0 for count in left.values()):
        return True
    if all(count < 0 for count in left.values()):
        return False
    shifted: Counter[Monomial] = Counter()
    for names, count in left.items():
        for part, often in _shifted(names):
            shifted[part] += often * count
    return all(count >= 0 for count in shifted.values())


@cache
def _shifted(names: Monomial) -> tuple[tuple[Monomial, int], ...]:
    """The product of (1 + t) over the names, as a polynomial in the t."""
    found: Counter[Monomial] = Counter({(): 1})
    for name in names:
        grown = Counter(found)
        for part, often in found.items():
            grown[tuple(sorted((*part, name)))] += often
        found = grown
    return tuple(found.items())


def spelt(amount: Amount) -> str | None:
    """An amount for a reader: "2.1 M", "24 × batch + 8"; None where it takes names that only inference has made up."""
    parts = []
    for names, count in sorted(amount.items(), key=lambda item: (-len(item[0]), -item[1])):
        if any(not name.isidentifier() or name.startswith("unk__") for name in names):
            return None
        if count:
            parts.append(" × ".join((_number(count), *names)))
    return (" + ".join(parts) or "0") if len(parts) <= _MOST_PARTS else None


def _number(count: int) -> str:
    for unit, scale in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= 10 * scale or (count >= scale and count % scale == 0):
            return f"{count / scale:.1f}".rstrip("0").rstrip(".") + f" {unit}"
    return str(count)
