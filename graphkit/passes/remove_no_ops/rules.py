"""Which operator gives back what it reads, and when.

A rule is told what is known of a node. It returns the index of the input that the node hands on; or why that cannot be
told, as half a sentence, where it nearly does; or None.
"""

from __future__ import annotations

from collections.abc import Callable

from graphkit.facts import NodeFacts
from graphkit.passes.remove_no_ops.arithmetic import (
    add,
    cast,
    cast_like,
    divide,
    dropout,
    multiply,
    of_one,
    power,
    subtract,
    where,
)
from graphkit.passes.remove_no_ops.cutting import concat, pad, slice_, split
from graphkit.passes.remove_no_ops.resizing import resize, upsample
from graphkit.passes.remove_no_ops.shaping import expand, flatten, reshape, squeeze, tile, unsqueeze

Verdict = int | str | None

RULES: dict[str, Callable[[NodeFacts], Verdict]] = {
    "Add": add,
    "Cast": cast,
    "CastLike": cast_like,
    "Concat": concat,
    "Div": divide,
    "Dropout": dropout,
    "Expand": expand,
    "Flatten": flatten,
    "Max": of_one,
    "Mean": of_one,
    "Min": of_one,
    "Mul": multiply,
    "Pad": pad,
    "Pow": power,
    "Reshape": reshape,
    "Resize": resize,
    "Slice": slice_,
    "Split": split,
    "Squeeze": squeeze,
    "Sub": subtract,
    "Sum": of_one,
    "Tile": tile,
    "Unsqueeze": unsqueeze,
    "Upsample": upsample,
    "Where": where,
}
