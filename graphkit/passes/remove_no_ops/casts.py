"""Casts in a row that lose nothing on their way."""

from __future__ import annotations

from graphkit.passes.residue import ROUNDED

_WHOLE = {"int8": 7, "int16": 15, "int32": 31, "int64": 63}
_COUNTS = {"bool": 1, "uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64}
_FLOATS = {"bfloat16": (8, 128), "float16": (11, 16), "float": (24, 128), "double": (53, 1024)}
"""Bits of the significand and the largest exponent (IEEE 754; bfloat16: the upper half of float)."""


def holds(wide: str | None, narrow: str | None) -> bool:
    """Whether each value of a type is one of another, so that a Cast there and back changes nothing."""
    if wide is None or narrow is None:
        return False
    if wide in _FLOATS:
        bits, exponent = _FLOATS[wide]
        if narrow in _FLOATS:
            theirs = _FLOATS[narrow]
            return theirs[0] <= bits and theirs[1] <= exponent
        return 0 < (_WHOLE.get(narrow) or _COUNTS.get(narrow) or 0) <= bits
    if wide in _WHOLE:
        return 0 < (_WHOLE.get(narrow) or _COUNTS.get(narrow) or 0) <= _WHOLE[wide]
    return wide in _COUNTS and 0 < _COUNTS.get(narrow, 0) <= _COUNTS[wide]


def direct(start: str | None, end: str | None) -> bool:
    """Whether a Cast gives the same through a type that holds the first as without it.

    What becomes of a float beyond the range of whole numbers is undefined, and text is written by the type; of float16,
    onnxruntime rounds or not by what stands beside.
    """
    known = (*_WHOLE, *_COUNTS, *_FLOATS)
    if start not in known or end not in known or ROUNDED & {start, end}:
        return False
    return start not in _FLOATS or end in _FLOATS or end == "bool"
