"""How far apart two models may be, and why: their precision, measured where one of them rounds to float16."""

from __future__ import annotations

from dataclasses import dataclass, replace

from graphkit.model import Model
from graphkit.verdict.rounding import rounded_to_half
from graphkit.verdict.sides import Side
from graphkit.verify.comparing import CLOSE_FLOAT16, CLOSE_FLOAT32
from graphkit.verify.detections import FLOAT16, FLOAT32, Tolerance

DEFAULT = CLOSE_FLOAT32
SIGMOID = 4 * 2.0**-23
"""Scores no farther apart than this are the same where two implementations of Sigmoid made them: onnxruntime's and
torch's differ by up to 1.7e-7, whatever the score, so that a class of which every score is 1e-6 is off by a tenth."""
UNMEASURED = 0.05
"""Where it cannot be measured: about twice what float16 was seen to change in a level of YOLOv8n's scores on noise."""
TIMES = 6.0
"""How many times what rounding alone changes is still put down to rounding: another graph rounds elsewhere. On 24
photographs the worst class of YOLOv8n was at 3.4."""
MOST = 0.1
"""What is put down to rounding at most: a model of which it changes more does not survive float16."""


@dataclass(frozen=True, eq=False)
class Precision:
    """The tolerance of a pair.

    Attributes:
        tolerance: Relative L2 that is allowed without a measurement.
        told: Which one it is and why, for a reader.
        slices: Whether single classes are judged: not where float16 was not measured.
        rounded: The float32 model with every weight and every activation rounded to float16; None where there is
            nothing to measure.
        measures: Whether `rounded` stands for the first model (else for the second).
        detections: What counts as the same detection.
        least_confidence: Thresholds are not lowered below this.
        ignored: Differences of scores that are none, absolute.
    """

    tolerance: float
    told: str
    slices: bool
    rounded: Model | None
    measures: bool
    detections: Tolerance
    least_confidence: float
    ignored: float = 0.0


def precision_of(left: Side, right: Side, asked: float | None) -> Precision:
    """The tolerance of a pair; where a Sigmoid of torch or of NumPy meets one of onnxruntime, with what they differ by.

    Args:
        left: The first model.
        right: The second.
        asked: `--tolerance`; decides where it is given.
    """
    found = _by_type(left, right, asked)
    if not left.cut and not right.cut and (left.model is None) == (right.model is None):
        return found
    # From here on that is less than scores of detections may differ by; see `Tolerance.at`.
    least = SIGMOID / (4 * FLOAT32.score)
    return replace(found, ignored=SIGMOID, least_confidence=max(found.least_confidence, least))


def _by_type(left: Side, right: Side, asked: float | None) -> Precision:
    """What the precision of the two allows."""
    if asked is not None:
        own = replace(FLOAT32, relative=max(FLOAT32.relative, asked), score=max(FLOAT32.score, asked))
        half = left.half or right.half
        return Precision(
            asked,
            f"relative L2 {asked:g}, as asked for",
            True,
            None,
            True,
            replace(FLOAT16, relative=max(FLOAT16.relative, asked)) if half else own,
            0.05 if half else 0.0,
        )
    if not left.half and not right.half:
        # Another runtime sums in another order: at a lowered threshold a high score is no better known than this.
        same = replace(FLOAT32, relative=DEFAULT)
        return Precision(DEFAULT, f"float32: relative L2 {DEFAULT:g}", True, None, True, same, 0.0)
    if left.half and right.half:
        told = f"both compute in float16: relative L2 {CLOSE_FLOAT16:.1e}, four times its epsilon"
        return Precision(CLOSE_FLOAT16, told, False, None, True, FLOAT16, 0.05)
    full, half_ = (right, left) if left.half else (left, right)
    if full.model is None:
        told = (
            f"{half_.name} computes in float16 and {full.name} is no ONNX graph in which rounding could be measured: "
            f"relative L2 {UNMEASURED:g}, classes not apart"
        )
        return Precision(UNMEASURED, told, False, None, True, replace(FLOAT16, relative=UNMEASURED), 0.05)
    told = (
        f"{half_.name} computes in float16: {TIMES:g} × what rounding every weight and activation of {full.name} to "
        "float16 changes, measured on the same inputs"
    )
    rounded = rounded_to_half(full.model)
    return Precision(DEFAULT, told, True, rounded, full is left, replace(FLOAT16, relative=UNMEASURED), 0.05)
