"""What a head's sizes have to be, and their names where they are known at run time only."""

from __future__ import annotations

import onnx_graphsurgeon as gs

from graphkit.heads.head import Dimension, HeadNotFound

_LONGEST_SYMBOL = 40


def check_channels(tensor: gs.Tensor, four: int | None, classes: int | None, total: int | None, rest: int = 0) -> None:
    """Hold box, class and further channels against each other.

    Raises:
        HeadNotFound: They are unknown, impossible, or not what the output is declared with.
    """
    if classes is None or four is None:
        raise HeadNotFound(
            "unknown",
            f'the number of classes behind "{tensor.name}" follows neither from its shape nor from the graph',
            "Run the simplify pass before, or export the model with fixed shapes.",
        )
    if four != 4 or classes < 1 or (total is not None and total != four + classes + rest):
        further = f" and {rest} further ones" if rest else ""
        raise HeadNotFound(
            "unknown",
            f'"{tensor.name}" joins {four} box channels and {classes} class channels{further}'
            + (f", but is declared with {total} channels" if total is not None else ""),
            "Boxes need 4 channels, scores at least one.",
        )


def size(value: object, symbol: str) -> Dimension:
    """A dimension as declared: a number, its symbol, or `symbol` where it has none."""
    if isinstance(value, int) and value >= 0:
        return value
    # onnxslim writes whole formulas for sizes that depend on the image's.
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_SYMBOL else symbol


def disagreement(names: tuple[str, ...], classes: int) -> tuple[str, ...]:
    """A warning where the metadata names another number of classes than the head has."""
    if not names or len(names) == classes:
        return ()
    return (f"the metadata names {len(names)} classes, the head has {classes}",)
