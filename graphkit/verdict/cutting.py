"""A head that split-head cut in front of its decode, read by the recipe that the other model's head gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.heads.levels import raw_head
from graphkit.heads.recipe import Names, recover
from graphkit.heads.relation import Arrays
from graphkit.verdict.sides import Side

Recover = Callable[[Arrays], dict[str, NDArray[np.generic]]]


def recovered(cut: Side, whole: Side) -> tuple[Recover, tuple[str, ...]] | None:
    """From the outputs of the cut model to those of the whole one, and which of them are read.

    Args:
        cut: The model whose metadata says that split-head cut it.
        whole: A model whose head is recognised down to its last convolutions.

    Returns:
        None where the metadata does not fit the head.
    """
    try:
        told = json.loads(cut.cut)
    except (ValueError, RecursionError):
        return None
    head = whole.head
    raw = raw_head(head) if head is not None and head.state != "final" else None
    if head is None or raw is None or not isinstance(told, dict):
        return None
    activated = told.get("cut") == "rknn"
    scores = _names(told, "scores" if activated and "scores" in told else "logits")
    extras = told.get("extras", {})
    names = Names(
        boxes=_names(told, "boxes"),
        scores=scores,
        extras=tuple(_names(extras, extra.kind) for extra in raw.extras),
        sums=_names(told, "score_sums"),
        activated=activated,
    )
    used = (*names.boxes, *names.scores, *(name for row in names.extras for name in row), *names.sums)
    fits = told.get("classes") == head.classes and list(told.get("strides", ())) == list(raw.strides)
    if not fits or len(names.boxes) != len(raw.boxes) or any(name not in cut.outputs for name in used):
        return None
    return recover(head, raw, names), used


def _names(told: Any, key: str) -> tuple[str, ...]:
    found = told.get(key, ()) if isinstance(told, dict) else ()
    return tuple(str(name) for name in found) if isinstance(found, list | tuple) else ()
