"""What is wrong in front of everything: the second model computes on the same picture, seen otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.verdict.measures import relative_l2
from graphkit.verdict.report import Finding

Frames = NDArray[np.float32]
Run = Callable[[Frames], NDArray[Any] | None]


def explain_inputs(values: Frames, right: NDArray[Any], run: Run, enough: float) -> Finding | None:
    """Whether the first model returns what the second does when the picture is changed.

    Args:
        values: float32 [B, 3, H, W], 0..1.
        right: What the second model says of them: scores, or an output.
        run: What the first model says of other pictures of that shape; None where it cannot be run.
        enough: Relative L2 that is the same.
    """
    plain = run(values)
    if plain is None or plain.shape != right.shape:
        return None
    before = relative_l2(plain, right)
    for kind, text, changed in _changes(values):
        found = run(changed)
        if found is None or found.shape != right.shape:
            continue
        rest = relative_l2(found, right)
        if rest <= max(enough, 1e-3) and rest <= 0.1 * before:
            return Finding("inputs", kind, text, evidence=f"A, given that, agrees to a relative L2 of {rest:.1e}")
    return None


def _changes(values: Frames) -> Iterator[tuple[str, str, Frames]]:
    yield (
        "channels",
        "B takes red for blue: BGR and RGB are swapped",
        np.ascontiguousarray(values[:, ::-1]),
    )
    yield "normalisation", "B divides its input by 255 once more", values / np.float32(255)
    yield (
        "normalisation",
        "B does not divide its input by 255, which A does",
        values * np.float32(255),
    )
    yield "normalisation", "B moves its input to -1..1", values * 2 - 1
    mean = np.array([0.485, 0.456, 0.406], np.float32).reshape(1, 3, 1, 1)
    spread = np.array([0.229, 0.224, 0.225], np.float32).reshape(1, 3, 1, 1)
    yield (
        "normalisation",
        "B takes ImageNet's mean off its input and divides by its deviation",
        (values - mean) / spread,
    )
    yield "mirror", "B sees its input mirrored left to right", np.ascontiguousarray(values[..., ::-1])
    yield "mirror", "B sees its input upside down", np.ascontiguousarray(values[:, :, ::-1])
    if values.shape[2] == values.shape[3]:
        yield (
            "transposed",
            "B sees height and width swapped",
            np.ascontiguousarray(values.transpose(0, 1, 3, 2)),
        )
