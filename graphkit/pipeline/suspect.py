"""A pass whose proof failed, with all that is needed to look for the node in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from graphkit.model import Model

Pair = tuple[str, "Mapping[str, NDArray[Any]]", "Mapping[str, NDArray[Any]]"]
"""A name for a reader, what the model before is fed, and what belongs to it of the model after."""


@dataclass(frozen=True, eq=False)
class Suspect:
    """What a failed proof was about.

    Attributes:
        step: The pass.
        before: The model that it was given.
        after: The one that it left.
        tolerance: Relative L2 that its standard allows; 0 for bit by bit.
        inputs: What both were run on; () where an input of the one is no single input of the other.
    """

    step: str
    before: Model
    after: Model
    tolerance: float
    inputs: tuple[Pair, ...]
