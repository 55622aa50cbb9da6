"""Sizes as products of numbers and of sizes that are not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Size(NamedTuple):
    """A dimension: a number times the names of what is not known, each of which may be 0 or 1 at run time.

    Attributes:
        number: 0 makes the names vanish.
        names: Sorted; one that occurs twice is squared.
    """

    number: int
    names: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether it is a number."""
        return not self.names


Sizes = tuple[Size, ...]
ONE = Size(1)


def sizes_of(shape: Sequence[int | str | None], owner: str) -> Sizes:
    """The sizes of a shape; what has no name is called after the tensor and the axis."""
    return tuple(
        Size(size) if isinstance(size, int) else Size(1, (f"{size}" if size else f"\0{owner}\0{axis}",))
        for axis, size in enumerate(shape)
    )


def product(sizes: Iterable[Size]) -> Size:
    """All of them multiplied; 1 for none."""
    number, names = 1, list[str]()
    for size in sizes:
        number *= size.number
        names += size.names
    return Size(number, tuple(sorted(names))) if number else Size(0)


def quotient(whole: Size, part: Size) -> Size | None:
    """What times `part` is `whole`, if `part` is not 0; None where that cannot be told."""
    if not part.number or whole.number % part.number:
        return None
    left, gone = Counter(whole.names), Counter(part.names)
    if not whole.number:
        return Size(0)
    if gone - left:
        return None
    return Size(whole.number // part.number, tuple(sorted((left - gone).elements())))
