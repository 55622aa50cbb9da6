"""What the proof has to know of a model that computes in float16."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from graphkit.errors import GraphkitError
from graphkit.heads import (
    Arrays,
    HalfPrecision,
    Head,
    HeadNotFound,
    MappedInputs,
    NmsContract,
    raw_detections,
    recognise,
)
from graphkit.model import reads
from graphkit.passes.embed_nms.embed import KEY
from graphkit.passes.to_float16.choosing import Choice
from graphkit.passes.to_float16.knowledge import Known
from graphkit.passes.to_float16.rewriting import Rewritten

if TYPE_CHECKING:
    from graphkit.model import Model

_IOU, _ROWS = 0.7, 300
"""What `yolo predict` chooses detections by; which is of no account, as long as it is the same for both models."""


def half_relation(model: Model, known: Known, choice: Choice, made: Rewritten) -> HalfPrecision:
    """Where the part in float32 begins, and what the outputs say of detections."""
    behind = tuple(info.name for info in known.proto.graph.output if known.makers.get(info.name, -1) in choice.tail)
    network = {name for index in choice.half for name in known.node(index).output}
    wanted = _read_by_decode(known, choice, behind)
    seam = {name: made.float32[name] for name in sorted(wanted & network & made.float32.keys())}
    try:
        head: Head | None = recognise(model.copy().graph, model.metadata)
    except (HeadNotFound, GraphkitError):
        head = None
    if head is None:
        return HalfPrecision(seam, behind, None, _embedded(model.metadata))
    contract = NmsContract("best-class", 0.25, _IOU, _ROWS, rotated=head.rotated, suppress=head.state != "final")
    return HalfPrecision(seam, behind, raw_detections(head), contract)


def _read_by_decode(known: Known, choice: Choice, behind: tuple[str, ...]) -> set[str]:
    """What the nodes behind the last layers read that these outputs depend on."""
    found, waiting = set[str](), list(behind)
    while waiting:
        index = known.makers.get(waiting.pop())
        if index is not None and index in choice.tail:
            new = reads(known.node(index)) - found
            found |= new
            waiting.extend(new)
    return found


def _embedded(metadata: Mapping[str, str]) -> NmsContract | None:
    """What embed-nms chose detections by, where the metadata says that it did."""
    try:
        told = json.loads(metadata.get(KEY, "null"))
        return NmsContract(told["semantics"], told["confidence"], told["iou"], told["max-detections"])
    except (ValueError, TypeError, KeyError):
        return None


def inputs_relation(types: Mapping[str, np.dtype[np.generic]]) -> MappedInputs:
    """Inputs of another type, cast back for the model before."""
    return MappedInputs(_cast_back(dict(types)))


def _cast_back(
    types: dict[str, np.dtype[np.generic]],
) -> Callable[[Arrays], list[dict[str, NDArray[np.generic]]]]:
    def before(new: Arrays) -> list[dict[str, NDArray[np.generic]]]:
        return [
            {
                name: np.asarray(value).astype(types[name]) if name in types else np.asarray(value)
                for name, value in new.items()
            }
        ]

    return before
