"""Both models on an annotated data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from graphkit.detectors import open_detector
from graphkit.metrics import evaluate
from graphkit.verdict.report import MeanPrecision

TOLERANCE = 0.002
"""What mAP may differ by: a hundredth of the difference between two sizes of a family."""


def mean_precision(
    left: Path,
    right: Path,
    data: Path,
    *,
    tolerance: float = TOLERANCE,
    size: tuple[int, int] | None = None,
    threads: int = 2,
    device: str = "cpu",
    trust: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> MeanPrecision:
    """The mAP of both, each run one after the other.

    Args:
        left: The first model.
        right: The second.
        data: As `metrics.read_dataset` takes it.
        tolerance: What the two may differ by, 0..1.
        size: Height and width, of models that leave them open.
        threads: As for `open_detector`.
        device: The same.
        trust: The same.
        progress: Called with the model's name, the pictures that are done, and all of them.

    Raises:
        UsageError: As `evaluate` raises it.
        HeadNotFound: Nothing is known of what one of the two returns.
    """
    found = []
    for path in (left, right):
        detector = open_detector(path, threads=threads, device=device, optimise=True, trust=trust)

        def told(done: int, total: int, name: str = path.name) -> None:
            if progress is not None:
                progress(name, done, total)

        fixed = None if size is None or not detector.dynamic_size else size
        found.append(evaluate(detector, data, size=fixed, progress=told))
    one, other = found
    return MeanPrecision(str(data), one.images, one.map50_95, other.map50_95, one.map50, other.map50, tolerance)
