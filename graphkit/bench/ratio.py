"""From turns to a ratio and how sure it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.99


def ratio_of(
    turns: NDArray[np.float64], model: int, images: tuple[int, int], confidence: float = CONFIDENCE
) -> tuple[float, float, float]:
    """Time an image of a model by that of the first, and its interval.

    A round gives one log-ratio, a load the median of its own. What one load has in common (where the models lie in
    memory, what else the machine was doing) makes its rounds depend on each other, so that they say less than as many
    independent ones. The loads are independent: the interval is over them, the method of batch means.

    Args:
        turns: Seconds [loads, rounds, models].
        model: Which, from 1 on.
        images: Images a run of the first and of this model.
        confidence: 0..1.

    Returns:
        The ratio, and the lower and upper end of the interval.
    """
    logs = np.log(turns[:, :, model] / images[1]) - np.log(turns[:, :, 0] / images[0])
    middle, low, high = (float(np.exp(value)) for value in interval(np.median(logs, axis=1), confidence))
    return middle, low, high


def interval(loads: NDArray[np.float64], confidence: float = CONFIDENCE) -> tuple[float, float, float]:
    """The middle of what independent loads gave, and its interval.

    The Hodges-Lehmann estimate, which is the median of the means of all pairs, and the interval that Wilcoxon's
    signed-rank test does not reject. It assumes that loads scatter to both sides alike, as they do where the order is
    random, and no distribution: a few loads that were interrupted do not widen it. Eight are the fewest that can give
    99 %; of fewer it is their whole range.

    Returns:
        The estimate, and the lower and upper end.
    """
    rows, columns = np.triu_indices(len(loads))
    means = np.sort((loads[rows] + loads[columns]) / 2)
    left_out = max(_left_out(len(loads), confidence) - 1, 0)
    return float(np.median(means)), float(means[left_out]), float(means[len(means) - 1 - left_out])


def _left_out(count: int, confidence: float) -> int:
    """How many values the signed-rank statistic, from 0 up, has in the lower tail."""
    chances = np.zeros(count * (count + 1) // 2 + 1)
    chances[0] = 1.0
    for rank in range(1, count + 1):
        moved = np.zeros_like(chances)
        moved[rank:] = chances[:-rank]
        chances = (chances + moved) / 2
    return int(np.searchsorted(np.cumsum(chances), (1 - confidence) / 2 * (1 + 1e-12), side="right"))
