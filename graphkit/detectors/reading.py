"""Reading detections off the outputs of models that have already chosen them: four outputs, or one table of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.errors import UsageError
from graphkit.heads import Head, NmsContract, RawDetections, raw_detections
from graphkit.heads.head import Task
from graphkit.verify import Detections, detect

Values = Mapping[str, NDArray[Any]]
Reader = Callable[[Values, NmsContract], list[Detections]]
_FIXED = 6
"""Columns of a table before the extras: four of the box, score, class."""


def head_reader(head: Head) -> Reader:
    """Every candidate of a head, through the NumPy reference of NMS; a final head's rows are filtered only."""
    decode, final = raw_detections(head), head.state == "final"
    return candidates_reader(decode, rotated=head.rotated, suppress=not final)


def candidates_reader(decode: Callable[[Values], RawDetections], *, rotated: bool, suppress: bool) -> Reader:
    """The reference of NMS behind a function that gives every candidate."""

    def read(outputs: Values, contract: NmsContract) -> list[Detections]:
        made = replace(contract, rotated=rotated, suppress=suppress and contract.suppress)
        if not suppress:
            made = replace(made, semantics="best-class", candidates=None)
        return detect(decode(outputs), made)

    return read


def four_reader(names: Sequence[str], extras: Mapping[str, str]) -> Reader:
    """num_dets [B, 1], boxes [B, K, 4 or 5], scores [B, K], classes [B, K], and extras [B, K, E] by kind.

    Args:
        names: Of the four, in this order.
        extras: Kind -> output.
    """

    def read(outputs: Values, contract: NmsContract) -> list[Detections]:
        num, boxes, scores, classes = (outputs[name] for name in names)
        found = []
        for image, count in enumerate(num.reshape(-1).tolist()):
            rows = slice(0, max(0, int(count)))
            own = {kind: outputs[name][image, rows].astype(np.float32) for kind, name in extras.items()}
            box = boxes[image, rows]
            if "angle" in own:
                box = np.concatenate([box, own.pop("angle")], axis=-1)
            found.append(_kept(box, scores[image, rows], classes[image, rows], own, contract))
        return found

    return read


def table_reader(name: str, task: Task, extra_width: int | None, path: object) -> Reader:
    """One output [B, K, 6 + E]: x1 y1 x2 y2 score class and the extras; rotated cx cy w h score class, angle last.

    Args:
        name: The output.
        task: Says what the extras are.
        extra_width: E, where it is known.
        path: For a reader.
    """
    kind = {"segment": "masks", "pose": "keypoints"}.get(task)

    def read(outputs: Values, contract: NmsContract) -> list[Detections]:
        table = outputs[name].astype(np.float32)
        width = table.shape[-1] - _FIXED if table.ndim == 3 else -1
        rotated = task == "obb"
        if width < rotated or (extra_width is not None and width != extra_width) or (not kind and width != rotated):
            raise UsageError(
                f'{path}: the output "{name}" has the shape {list(table.shape)}, which does not hold the rows of a '
                f"{task} model; graphkit inspect says what is known of it."
            )
        found = []
        for rows in table:
            boxes = np.concatenate([rows[:, :4], rows[:, -1:]], axis=1) if rotated else rows[:, :4]
            extras = {kind: rows[:, _FIXED:]} if kind else {}
            real = rows[:, 4] > 0  # padding rows are all zero
            found.append(
                _kept(boxes[real], rows[real, 4], rows[real, 5], {k: e[real] for k, e in extras.items()}, contract)
            )
        return found

    return read


def _kept(
    boxes: NDArray[Any],
    scores: NDArray[Any],
    classes: NDArray[Any],
    extras: Mapping[str, NDArray[np.float32]],
    contract: NmsContract,
) -> Detections:
    """The rows over the threshold, best first, as many as are wanted."""
    scores = scores.astype(np.float32)
    threshold = np.float32(contract.confidence)
    passing = np.flatnonzero(scores >= threshold if contract.keep_equal else scores > threshold)
    order = passing[np.argsort(-scores[passing], kind="stable")][: contract.max_detections]
    return Detections(
        boxes[order].astype(np.float32),
        scores[order],
        classes[order].astype(np.int64),
        {kind: extra[order] for kind, extra in extras.items()},
    )
