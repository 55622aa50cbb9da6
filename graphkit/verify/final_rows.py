"""Rows of a head that chooses its own detections, compared as detections: in half precision their order is chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.heads import HeadNotFound, NmsContract, recognise
from graphkit.model import Model
from graphkit.verify.detections import FLOAT16, Agreement, agree
from graphkit.verify.feeds import Feed
from graphkit.verify.references.detections import Detections

_WIDTH = 6
"""x1 y1 x2 y2 score class; extras come behind."""


def final_output(model: Model) -> str | None:
    """The output [B, K, 6 + E] of a model whose head chooses its own detections; None where it has none."""
    try:
        head = recognise(Model(model.proto(), model.source).graph, model.metadata)
    except HeadNotFound:
        return None
    return head.outputs[0] if head.state == "final" and head.output_layout is not None else None


def judge_rows(
    name: str,
    before: Sequence[Mapping[str, NDArray[Any]]],
    after: Sequence[Mapping[str, NDArray[Any]]],
    feeds: Sequence[Feed],
) -> Agreement:
    """Match the rows of both models, image by image, whatever order they come in.

    onnxruntime computes some float16 operators in float32, and rounds where it happens to cast: which, differs from one
    version of an operator to the next. Scores that are equal but for that then change places.

    Args:
        name: The output, [B, K, 6 + E].
        before: Outputs of the model before, one for each feed.
        after: Outputs of the rewritten model.
        feeds: The inputs.
    """
    total = Agreement()
    for old, got, feed in zip(before, after, feeds, strict=True):
        images = zip(np.asarray(old[name], np.float32), np.asarray(got[name], np.float32), strict=True)
        for number, (expected, found) in enumerate(images):
            contract = NmsContract("multi-label", -np.inf, 1.0, len(expected), suppress=False)
            where = f'image {number} of "{feed.name}"'
            total += agree(_detections(expected), _detections(found), contract, where, FLOAT16)
    return total


def _detections(rows: NDArray[np.float32]) -> Detections:
    extras = {"extras": rows[:, _WIDTH:]} if rows.shape[1] > _WIDTH else {}
    return Detections(rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int64), extras)
