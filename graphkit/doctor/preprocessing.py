"""A picture given to a model in every way that people give it, right and wrong: what each would look like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from PIL import Image

from graphkit.detectors import Detector
from graphkit.doctor.ways import LAYOUTS, ORDERS, SCALES, Order, Scale, Way, shaped, typed
from graphkit.heads import NmsContract
from graphkit.images import letterbox
from graphkit.verify import NotRunnable
from graphkit.verify.session import first_line

Frame = NDArray[np.float32]
_SURE = 0.5
_MUCH_MORE = 1.5
_SAME = 0.9
_MOST = 300


@dataclass(frozen=True)
class Outcome:
    """What came of one way.

    Attributes:
        way: What was done, as "values 0..255 instead of 0..1".
        mend: What to do instead.
        detections: Over the confidence; None where the model cannot be run so.
        best: Highest score of any candidate, or of the detections where NMS is inside; None where there is none.
        found: Of the detections of the right way, those of whose class there is one again.
        classes: Name -> how many.
        refused: What onnxruntime says where it cannot be run; "" otherwise.
    """

    way: str
    mend: str
    detections: int | None
    best: float | None
    found: int
    classes: Mapping[str, int]
    refused: str = ""


@dataclass(frozen=True)
class Tried:
    """An outcome, the sum of its detections' scores, and the highest of these."""

    outcome: Outcome
    total: float
    highest: float


Key = tuple[Scale, Order]


@dataclass(frozen=True)
class Preprocessing:
    """How a model wants its pictures.

    Attributes:
        model: The file.
        image: The file.
        size: Height and width of the frame, pixels.
        confidence: A detection's least score.
        right: The way that the model is made for.
        usual: Whether the right way is RGB, 0..1 (0..255 of uint8), letterboxed.
        wrong: Every other way, each one mistake away from the right one.
    """

    model: str
    image: str
    size: tuple[int, int]
    confidence: float
    right: Outcome
    usual: bool
    wrong: tuple[Outcome, ...]

    @property
    def nothing(self) -> bool:
        """Whether no way finds anything."""
        return not self.right.detections

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "nothing": self.nothing}


def try_preprocessing(
    detector: Detector,
    path: Path,
    image: Image.Image,
    confidence: float = 0.25,
    size: int | tuple[int, int] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Preprocessing:
    """Run a model on one picture in every way.

    The right scale of values and order of colours are found first, of all their combinations. The usual one (RGB,
    0..1) is right where it is sure of something (a score of 0.5): values that are too large make networks see hundreds
    of things with a score of 1, so that scores alone say nothing against it. Where it is not, the largest sum of scores
    decides among those that do not fill all rows. The mistakes are then made one at a time.

    Args:
        detector: The model.
        path: The picture's file, for the report.
        image: The picture, RGB, with objects on it that the model knows.
        confidence: As a program would have it.
        size: Height and width where the model leaves them open.
        tell: Called with what is being done.

    Raises:
        UsageError: The model takes no picture, or not of this size.
    """
    height, width = detector.image_size(size)
    whole = detector.picture_input.elem_type == onnx.TensorProto.UINT8
    contract = NmsContract("best-class", confidence, 0.7, _MOST)
    frame = letterbox(image, height, width)[0]
    scales = [scale for scale in SCALES if not (whole and scale.signed)]
    seen: dict[Key, Tried] = {}
    for scale in scales:
        for order in ORDERS:
            way = Way(f"{order.name}, {scale.told(whole)}, letterboxed", "")
            tell(way.text)
            seen[scale, order] = _try(detector, way, detector.feed([_given(frame, scale, order, whole)]), contract)
    usual = next(scale for scale in scales if scale.usual), ORDERS[0]
    right = _right(seen, usual)
    scale, order = right
    wrong = [
        _named(
            seen[other, order].outcome, Way(f"{other.told(whole)} instead of {scale.told(whole)}", scale.mend(whole))
        )
        for other in scales
        if other is not scale
    ]
    wrong += [
        _named(seen[scale, other].outcome, Way(f"{other.name} instead of {order.name}", order.mend))
        for other in ORDERS
        if other is not order
    ]

    def change(other: Frame) -> Frame:
        return _given(other, scale, order, whole)

    for way, feed in _mistakes(detector, image, frame, change):
        tell(way.text)
        wrong.append(_try(detector, way, feed, contract).outcome)
    best = seen[right].outcome
    return Preprocessing(
        model=str(detector.path),
        image=str(path),
        size=(height, width),
        confidence=confidence,
        right=_against(best, best),
        usual=right == usual,
        wrong=tuple(_against(outcome, best) for outcome in wrong),
    )


def _right(seen: Mapping[Key, Tried], usual: Key) -> Key:
    """The combination that the model is made for, as far as one picture tells."""
    full = {key: one for key, one in seen.items() if (one.outcome.detections or 0) < _MOST}
    best = max(full, key=lambda key: full[key].total, default=usual)
    scale = usual[0] if seen[usual].highest >= _SURE or not seen[best].outcome.detections else best[0]
    # Many things look alike in other colours.
    first, other = ((scale, order) for order in ORDERS)
    return other if seen[other].total > _MUCH_MORE * max(seen[first].total, 0) else first


def _mistakes(
    detector: Detector, image: Image.Image, frame: Frame, change: Callable[[Frame], Frame]
) -> Iterator[tuple[Way, Mapping[str, NDArray[Any]]]]:
    for layout in LAYOUTS:
        laid = layout.change(image, frame)
        if laid is not None:
            yield layout.way, detector.feed([change(laid)])
    if detector.path.suffix.lower() == ".onnx":  # torch takes what it is given, or converts it
        yield from typed(detector.picture_input, detector.feed([change(frame)]))
        yield from shaped(detector, image, frame, change)


def _given(frame: Frame, scale: Scale, order: Order, whole: bool) -> Frame:
    """The frame as `Detector.feed` takes it. Of a uint8 it makes bytes, which hold 0..255 only and wrap around."""
    changed = scale.change(order.change(frame))
    return np.mod(np.rint(changed * np.float32(255)), 256) / np.float32(255) if whole else changed


def _try(detector: Detector, way: Way, feed: Mapping[str, NDArray[Any]], contract: NmsContract) -> Tried:
    try:
        outputs = detector.run(feed)
    except NotRunnable as error:
        cause = str(error.__cause__ or error).partition("Please fix")[0]
        return Tried(Outcome(way.text, way.mend, None, None, 0, {}, first_line(" ".join(cause.split()))), -1.0, -1.0)
    found = detector.detections(outputs, contract)[0]
    scores = found.scores if detector.candidates is None else detector.candidates(outputs).scores[0]
    best = float(np.max(scores)) if scores.size else None
    classes = dict(Counter(detector.name_of(label) for label in found.classes.tolist()).most_common())
    certain = np.nan_to_num(found.scores)
    outcome = Outcome(way.text, way.mend, len(certain), best, 0, classes)
    return Tried(outcome, float(certain.sum()), float(certain.max(initial=0)))


def _named(outcome: Outcome, way: Way) -> Outcome:
    return replace(outcome, way=way.text, mend=way.mend)


def _against(outcome: Outcome, right: Outcome) -> Outcome:
    again = sum(min(count, outcome.classes.get(name, 0)) for name, count in right.classes.items())
    return replace(outcome, found=again)


def harmless(outcome: Outcome, right: Outcome) -> bool:
    """Whether a way finds what the right one does, with scores about as high, so that a picture cannot tell them."""
    return (
        outcome.detections == right.detections
        and outcome.found == right.found
        and outcome.best is not None
        and right.best is not None
        and outcome.best >= _SAME * right.best
    )
