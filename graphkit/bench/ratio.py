"""From turns to a ratio and how sure it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.99


def ratio_of(
    turns: NDArray[np.float64], model: int, images: tuple[int, int], confidence: float = CONFIDENCE
) -> tuple[float, float, float]:
    """Time an image of a model by that of the first, and its interval.

    Two rounds that follow each other, the second in reverse order, give one log-ratio; a load gives the median of its
    own. What one load has in common (where the models lie in memory, what else the machine was doing) makes its
    rounds depend on each other, so that they say less than as many independent ones. The loads are independent, and
    the interval is Student's over them: the method of batch means.

    Args:
        turns: Seconds [loads, rounds, models]; an even number of rounds.
        model: Which, from 1 on.
        images: Images a run of the first and of this model.
        confidence: 0..1.

    Returns:
        The ratio, and the lower and upper end of the interval.
    """
    logs = np.log(turns[:, :, model] / images[1]) - np.log(turns[:, :, 0] / images[0])
    pairs = logs.reshape(len(logs), -1, 2).mean(axis=2)
    loads = np.median(pairs, axis=1)
    middle, reach = interval(loads, confidence)
    return float(np.exp(middle)), float(np.exp(middle - reach)), float(np.exp(middle + reach))


def interval(loads: NDArray[np.float64], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The mean of what independent loads gave, and how far its interval reaches to either side (Student's t)."""
    from scipy.stats import t

    error = float(loads.std(ddof=1)) / len(loads) ** 0.5
    return float(loads.mean()), float(t.ppf((1 + confidence) / 2, len(loads) - 1)) * error
