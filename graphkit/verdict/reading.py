"""Who reads what: the outputs of both, as candidates or as final detections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from graphkit.heads import NmsContract, RawDetections
from graphkit.verdict.cutting import Recover, recovered
from graphkit.verdict.sides import Side, same_form
from graphkit.verify import Detections, detect

Values = dict[str, NDArray[Any]]
Reader = Callable[[Mapping[str, NDArray[Any]]], RawDetections]
_MOST_ROWS = 300
_CONFIDENCE, _IOU = 0.25, 0.7
"""The defaults of `yolo predict`, where both models leave them open."""


@dataclass(frozen=True, eq=False)
class Reading:
    """How the outputs of both are read.

    Attributes:
        left: From the first one's outputs to its candidates; None where it has none.
        right: The same of the second.
        covered: Outputs of each that are read so, or as final detections.
        note: What was assumed; "" where nothing was.
    """

    left: Reader | None
    right: Reader | None
    covered: tuple[tuple[str, ...], tuple[str, ...]]
    note: str = ""

    def candidates(self, one: Values, other: Values) -> tuple[RawDetections, RawDetections] | None:
        """Every candidate of both; None where one of them has none."""
        if self.left is None or self.right is None:
            return None
        return self.left(one), self.right(other)


def read_alike(left: Side, right: Side, one: Values, other: Values) -> Reading:
    """How two models are read whose outputs are these.

    Outputs of the same names and shapes are read by one reader, whatever the graphs behind them look like: whoever used
    the one model would read the other so. Else each is read as its own graph says.
    """
    if same_form(one, other):
        known = [side for side in (left, right) if side.candidates is not None]
        if known:
            first = known[0]
            unknown = next(
                (side for side in (left, right) if side.candidates is None and side.detections is None), None
            )
            note = (
                f"{unknown.name} is read as {first.name} is, whose outputs have the same names and shapes"
                if unknown is not None
                else ""
            )
            return Reading(first.candidates, first.candidates, (first.covered, first.covered), note)
    readers: list[Reader | None] = [left.candidates, right.candidates]
    covered = [left.covered, right.covered]
    for index, (cut, whole) in enumerate(((left, right), (right, left))):
        back = recovered(cut, whole) if cut.cut and whole.candidates is not None else None
        if back is not None and whole.candidates is not None:
            readers[index] = _through(back[0], whole.candidates)
            covered[index] = back[1]
    known_both = [
        reader is not None or side.detections is not None for reader, side in zip(readers, (left, right), strict=True)
    ]
    if not all(known_both):
        return Reading(None, None, ((), ()))
    return Reading(readers[0], readers[1], (covered[0], covered[1]))


def _through(again: Recover, reader: Reader) -> Reader:
    return lambda values: reader({**values, **again(values)})


def open_contract(confidence: float | None, iou: float | None, rotated: bool, half: bool) -> NmsContract:
    """What is done with the candidates of two models that leave it open.

    Args:
        confidence: As asked for.
        iou: As asked for.
        rotated: Whether boxes are rotated.
        half: Whether one of the two rounds to float16: which of two classes of nearly one score is a box's best is then
            chance, so that every class counts.
    """
    return NmsContract(
        "multi-label" if half else "best-class",
        _CONFIDENCE if confidence is None else confidence,
        _IOU if iou is None else iou,
        _MOST_ROWS,
        rotated=rotated,
    )


def final_detections(
    left: Side,
    right: Side,
    reading: Reading,
    one: Values,
    other: Values,
    confidence: float | None,
    iou: float | None,
) -> tuple[list[Detections], list[Detections], NmsContract, str] | None:
    """Final detections of both, where at least one of the two chooses them itself; None where they cannot be read.

    Args:
        left: The first model.
        right: The second.
        reading: How those that leave the choice open are read.
        one: Outputs of the first.
        other: Outputs of the second.
        confidence: As asked for.
        iou: As asked for; of a model that leaves it open.

    Returns:
        The detections of each image of both, what they were made by, and how, for a reader.
    """
    insides = [side.inside for side in (left, right) if side.inside is not None]
    ready = [
        side.detections is not None or reader is not None
        for side, reader in ((left, reading.left), (right, reading.right))
    ]
    if not all(ready) or not insides:
        return None
    # What leaves something open does what the other does; of two that choose themselves nothing is taken away.
    stricter = max(insides, key=lambda inside: inside.contract.confidence)
    contract = stricter.contract
    if left.detections is None or right.detections is None:
        contract = replace(
            contract,
            confidence=max(confidence or 0.0, contract.confidence),
            iou=contract.iou if iou is None else iou,
        )
        how = f"the candidates of the one suppressed as the other does it: {stricter.source}"
    elif len({inside.contract.suppress for inside in insides}) > 1:
        how = f"filtered alike: {stricter.source}"
    else:
        contract = replace(insides[0].contract, confidence=confidence or 0.0)
        how = "as both models return them"
    rows = max(inside.contract.max_detections for inside in insides)
    found = []
    for side, reader, values in ((left, reading.left, one), (right, reading.right, other)):
        if side.detections is not None:
            found.append(side.detections(values, replace(contract, max_detections=rows)))
        else:
            assert reader is not None
            found.append(detect(reader(values), contract))
    return found[0], found[1], contract, how
