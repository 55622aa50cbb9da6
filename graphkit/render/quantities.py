"""Numbers, sizes and shapes as a person says them."""

from __future__ import annotations

from collections.abc import Sequence

_BEYOND = 10**18
"""Sizes that a broken or hostile model declares are not written out, and may be more than a float holds."""


def size(count: int) -> str:
    """Bytes, in decimal units: 1 MB is 10^6 bytes."""
    return _scaled(count, ("B", "kB", "MB", "GB", "TB"))


def count(number: int) -> str:
    """How many: "963", "3.15 M", "4.37 G"."""
    return _scaled(number, ("", "k", "M", "G", "T"), digits=2).rstrip()


def _scaled(number: int, units: Sequence[str], digits: int = 1) -> str:
    if number >= _BEYOND:
        return f"over 10^{len(str(number)) - 1} {units[0]}"
    value = float(number)
    for unit in units:
        # 999,999 is 1.0 M and not 1000.0 k: what counts is how it will be written.
        if round(value, digits) < 1000 or unit == units[-1]:
            break
        value /= 1000
    return f"{number} {unit}" if unit == units[0] else f"{value:.{digits}f} {unit}"


def shape_words(shape: Sequence[int | str | None] | None) -> str:
    """A shape as "[1,3,height,?]"."""
    if shape is None:
        return "shape unknown"
    return "[" + ",".join("?" if item is None else str(item) for item in shape) + "]"
