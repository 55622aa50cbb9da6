"""What was recognised in a model, as plain data for reports."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from graphkit.heads.head import Head, HeadNotFound
from graphkit.heads.recognise import recognise
from graphkit.model import Model

_EXTRAS = {"masks": "mask coefficients", "keypoints": "keypoints", "angle": "angle in radians"}


@dataclass(frozen=True)
class Output:
    """An output of the graph: its name, its shape as declared (None where it is not), and what it holds."""

    name: str
    shape: tuple[int | str, ...] | None
    meaning: str


@dataclass(frozen=True)
class Inspection:
    """What was seen.

    Attributes:
        outputs: Every output of the graph.
        label: In a few words; "" where no head is known.
        head: Facts about the head, by name; None where none is known.
        kind: What there is instead of a head, as `HeadNotFound.kind`; None where there is one.
        reason: Why no head is known; None where one is.
        advice: What to do then; may be empty.
        warnings: What contradicts, though nothing is wrong.
    """

    outputs: tuple[Output, ...]
    label: str
    head: dict[str, Any] | None
    kind: str | None = None
    reason: str | None = None
    advice: str | None = None
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self)


def inspect_model(model: Model) -> Inspection:
    """Recognise the head of a model and say what each output holds. The model is not changed."""
    metadata = model.metadata
    graph = model.copy().graph
    shapes = {output.name: _shape(output.shape) for output in graph.outputs}
    try:
        head = recognise(graph, metadata)
    except HeadNotFound as error:
        outputs = tuple(Output(name, shape, "") for name, shape in shapes.items())
        return Inspection(outputs, "", None, error.kind, error.reason, error.advice)
    meanings = _meanings(head)
    outputs = tuple(Output(name, shape, meanings.get(name, "")) for name, shape in shapes.items())
    return Inspection(outputs, head.label, _facts(head), warnings=head.warnings)


def _shape(shape: Any) -> tuple[int | str, ...] | None:
    return None if shape is None else tuple(d if isinstance(d, int) else str(d or "?") for d in shape)


def _meanings(head: Head) -> dict[str, str]:
    coding = "x1 y1 x2 y2" if head.coding == "corners" else "cx cy w h"
    boxes, scores = f"boxes ({coding}, pixels)", f"scores (0..1, {head.classes} classes)"
    extras = [_EXTRAS[extra.kind] + (f" ({extra.width})" if extra.width > 1 else "") for extra in head.extras]
    if head.output_layout is not None:
        objectness = ["objectness"] if head.objectness is not None else []
        middle = ["best score", "its class"] if head.state == "final" else [*objectness, scores]
        found = {head.outputs[0]: " + ".join([boxes, *middle, *extras])}
    else:
        parts = [boxes, "scores (0..1)", "classes"] if head.state == "final" else [boxes, scores]
        found = dict(zip(head.outputs, [*parts, *extras], strict=True))
    if head.prototypes is not None:
        found[head.prototypes] = "mask prototypes"
    return found


def _facts(head: Head) -> dict[str, Any]:
    return {
        "family": head.family,
        "task": head.task,
        "state": head.state,
        "classes": head.classes,
        "names": list(head.names),
        "coding": head.coding,
        "layout": head.output_layout or head.box_layout,
        "activated": head.activated,
        "bins": head.bins,
        "strides": list(head.strides),
        "anchors": [[list(size) for size in level.anchors] for level in head.levels],
        "candidates": head.anchors,
        "batch": head.batch,
        "outputs": list(head.outputs),
        "boxes": head.boxes.name,
        "scores": head.scores.name,
        "objectness": head.objectness.name if head.objectness is not None else None,
        "logits": head.logits.name if head.logits is not None else None,
        "labels": head.labels.name if head.labels is not None else None,
        "extras": [
            {"kind": extra.kind, "tensor": extra.tensor.name, "width": extra.width, "layout": extra.layout}
            for extra in head.extras
        ],
        "prototypes": head.prototypes,
    }
