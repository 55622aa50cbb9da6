"""What came of comparing two models, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from graphkit.displayed import Displayed

Holds = Literal["boxes", "scores", "masks", "keypoints", "angle", "prototypes", "output"]


@dataclass(frozen=True)
class PartComparison:
    """One thing both models return, compared number by number on one input.

    Attributes:
        holds: What it is; "output" where that is not known.
        name: For a reader: "boxes", or an output's name.
        feed: The input: "bus.jpg", "random".
        elements: How many numbers.
        relative_l2: Of the whole.
        max_error: Largest absolute error, in the unit of the thing (pixels, 0..1).
        max_relative_error: See `measures.Distance`.
        cosine: The same.
        tolerance: What `relative_l2` may be.
        worst: The slice that is farthest from its own tolerance: "class 5 (bus)", "stride 16", "x1"; "" where that is
            the whole.
        worst_l2: Relative L2 of that slice.
        worst_tolerance: What it may be.
        problem: Why the two could not be subtracted, or hold NaN or infinity in different places; None otherwise.
        ok: Whether the whole and every slice are within their tolerances.
    """

    holds: Holds
    name: str
    feed: str
    elements: int
    relative_l2: float
    max_error: float
    max_relative_error: float
    cosine: float
    tolerance: float
    worst: str
    worst_l2: float
    worst_tolerance: float
    problem: str | None
    ok: bool


@dataclass(frozen=True)
class PlainComparison:
    """An output that both models have under one name and in one shape, taken as so many numbers: what simple tools do.

    Attributes:
        output: Its name.
        feed: The input.
        relative_l2: Of the whole output: pixels hide scores in it.
        close_1e5: Whether |a - b| <= 1e-5 + 1e-5 |b| everywhere (the defaults of Polygraphy's comparison).
        ok: Whether `relative_l2` is at most 1e-4.
    """

    output: str
    feed: str
    relative_l2: float
    close_1e5: bool
    ok: bool


@dataclass(frozen=True)
class Box:
    """A detection: class index, score 0..1, and x1 y1 x2 y2 (or cx cy w h angle) in pixels of the network's input."""

    label: int
    name: str
    score: float
    box: tuple[float, ...]


@dataclass(frozen=True)
class WorstPair:
    """Two detections that belong together and differ, or one that has no partner.

    Attributes:
        image: For a reader: "bus.jpg", "bus.jpg + 2 more, batch 3, image 1".
        left: Of the first model; None where it has none.
        right: Of the second.
        iou: Overlap; None without a partner.
        what: "class", "score", "box", "missing" or "extra".
    """

    image: str
    left: Box | None
    right: Box | None
    iou: float | None
    what: Literal["class", "score", "box", "missing", "extra"]


@dataclass(frozen=True)
class DetectionComparison:
    """The detections of both, summed over all images.

    Attributes:
        images: How many.
        left: Detections of the first model.
        right: Of the second.
        pairs: Matched by IoU, whatever their class, by optimal assignment.
        agreeing: Pairs that are the same detection to the tolerance.
        other_class: Pairs of two classes.
        missing: Of the first model, without a partner; borderline ones left out.
        extra: Of the second model, the same.
        borderline: Without a partner, within a hair of a threshold, a tie or the last row.
        min_iou: Smallest IoU of a pair; 1 where there is none.
        max_score_error: Largest difference of scores of a pair.
        classes: How many classes the agreeing ones are of.
        confidence: Lowest threshold that was used.
        how: What the thresholds are and why, for a reader.
        problem: The first disagreement, as a sentence; None where there is none.
        worst: The worst, at most ten.
    """

    images: int
    left: int
    right: int
    pairs: int
    agreeing: int
    other_class: int
    missing: int
    extra: int
    borderline: int
    min_iou: float
    max_score_error: float
    classes: int
    confidence: float
    how: str
    problem: str | None
    worst: tuple[WorstPair, ...] = ()


@dataclass(frozen=True)
class MeanPrecision:
    """COCO's mean average precision of both, 0..1.

    Attributes:
        data: The data set's file.
        images: How many.
        left50_95: mAP over IoU 0.50 to 0.95, first model.
        right50_95: Second model.
        left50: mAP at IoU 0.50, first model.
        right50: Second model.
        tolerance: What the two may differ by.
    """

    data: str
    images: int
    left50_95: float
    right50_95: float
    left50: float
    right50: float
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether neither differs by more."""
        apart = max(abs(self.left50_95 - self.right50_95), abs(self.left50 - self.right50))
        return apart <= self.tolerance


@dataclass(frozen=True)
class Finding:
    """What is wrong, as far as the numbers show it.

    Attributes:
        where: boxes, scores, detections, an extra, inputs or outputs.
        kind: A word for programs: "scale", "permutation", "shift", "offset", "clipped" and so on; "differs" where only
            the place is known.
        text: A sentence without a full stop.
        strides: The levels it concerns; () for all, or unknown.
        classes: The classes; () for all, or unknown.
        evidence: The residual that is left when it is undone, or what was counted; "" where the text says it.
    """

    where: str
    kind: str
    text: str
    strides: tuple[int, ...] = ()
    classes: tuple[int, ...] = ()
    evidence: str = ""


@dataclass(frozen=True)
class Sides:
    """The two models, in a few words each.

    Attributes:
        left: File name of the first.
        right: Of the second.
        left_is: "YOLOv8-style detect (DFL), 80 classes", or why no head is known.
        right_is: The same.
        precision: Which precision the tolerances are for, and why.
    """

    left: str
    right: str
    left_is: str
    right_is: str
    precision: str


@dataclass(frozen=True)
class Verdict(Displayed):
    """Whether two models are the same.

    Attributes:
        sides: What was compared.
        feeds: The inputs, for a reader.
        parts: Every comparison by numbers.
        plain: The same as simple tools do it, for comparison; decides nothing.
        detections: By detections; None where there were none to be read.
        precision: By mAP; None where that was not asked for.
        findings: What is wrong; empty where they are equal.
        notes: What was left out, assumed, or is worth knowing.
        uncompared: Outputs of either that nothing of the other could be compared with.
        seconds: Wall time.
    """

    sides: Sides
    feeds: tuple[str, ...]
    parts: tuple[PartComparison, ...]
    plain: tuple[PlainComparison, ...]
    detections: DetectionComparison | None
    precision: MeanPrecision | None
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    uncompared: tuple[str, ...]
    seconds: float
    failed: tuple[str, ...] = field(default=())
    """Inputs that only one of the two runs on, as sentences."""

    @property
    def compared(self) -> int:
        """How many numbers and detections were compared. Zero is no comparison."""
        pairs = self.detections.pairs if self.detections is not None else 0
        return sum(part.elements for part in self.parts) + pairs

    @property
    def equal(self) -> bool:
        """Whether all that was compared is within its tolerance, nothing was left over, and something was compared."""
        return (
            self.compared > 0
            and not self.uncompared
            and not self.failed
            and all(part.ok for part in self.parts)
            and (self.detections is None or self.detections.problem is None)
            and (self.precision is None or self.precision.ok)
        )

    @property
    def plain_equal(self) -> bool | None:
        """What a plain relative L2 over whole outputs says; None where there is no output to take it of."""
        return all(item.ok for item in self.plain) if self.plain else None

    def worst(self) -> list[PartComparison]:
        """Of each thing that was compared the worst comparison, in the order in which they were first met."""
        found: dict[str, PartComparison] = {}
        for part in self.parts:
            if part.name not in found or _badness(part) > _badness(found[part.name]):
                found[part.name] = part
        return list(found.values())

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"equal": self.equal, "compared": self.compared, "plain_equal": self.plain_equal, **asdict(self)}


def _badness(part: PartComparison) -> tuple[bool, bool, float]:
    return (not part.ok, part.problem is not None, part.worst_l2 / max(part.worst_tolerance, 1e-30))
