"""Pictures with detections, for the template."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphkit.report import Drawing, Report

_MOST_CLASSES = 8


def pictures(report: Report) -> list[dict[str, Any]]:
    """Each picture with a drawing a model."""
    roles = ("before", "after") if report.before is not None else ("",)
    return [
        {
            "name": item.name,
            "drawings": [_drawing(found, role) for found, role in zip(item.drawings, roles, strict=True)],
        }
        for item in report.sightings
    ]


def pictures_line(report: Report) -> str:
    """How the pictures were looked at."""
    shown = len(report.sightings)
    left = f" {shown} of {shown + report.left_out} pictures are shown." if report.left_out else ""
    return (
        f"What the model finds, run in onnxruntime without optimisation: scores from {report.confidence:g}, unless the "
        f"model chooses its own detections.{left}"
    )


def _drawing(found: Drawing, role: str) -> dict[str, Any]:
    from markupsafe import Markup

    words = found.problem or _words(found)
    data = base64.b64encode(found.jpeg).decode()
    return {
        "role": role,
        "words": words,
        "source": Markup(f"data:image/jpeg;base64,{data}") if found.jpeg else "",  # noqa: S704  (letters and digits)
        "width": found.width,
        "height": found.height,
        "alt": words,
    }


def _words(found: Drawing) -> str:
    total = sum(count for _, count in found.found)
    if not total:
        return "nothing found"
    shown = ", ".join(f"{count} {name}" for name, count in found.found[:_MOST_CLASSES])
    more = len(found.found) - _MOST_CLASSES
    rest = f" and {more} more classes" if more > 0 else ""
    return f"{total} detection{'s' if total != 1 else ''}: {shown}{rest}"
