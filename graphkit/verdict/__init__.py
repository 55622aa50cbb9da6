"""Whether two models are the same, and what is wrong where they are not.

The names below are imported when they are first used: options are checked before anything heavy is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphkit.verdict.report import Finding, MeanPrecision, Verdict

if TYPE_CHECKING:
    from graphkit.verdict.deciding import Settings, compare_sides
    from graphkit.verdict.frames import Frames, Wanted, plan_frames
    from graphkit.verdict.judged import mean_precision
    from graphkit.verdict.picture import check_target, draw_worst
    from graphkit.verdict.rounding import strictly_half
    from graphkit.verdict.sides import Side, open_side

_HOMES = {
    "Frames": "frames",
    "Settings": "deciding",
    "Side": "sides",
    "Wanted": "frames",
    "check_target": "picture",
    "compare_sides": "deciding",
    "draw_worst": "picture",
    "mean_precision": "judged",
    "open_side": "sides",
    "plan_frames": "frames",
    "strictly_half": "rounding",
}

__all__ = [
    "Finding",
    "Frames",
    "MeanPrecision",
    "Settings",
    "Side",
    "Verdict",
    "Wanted",
    "check_target",
    "compare_sides",
    "draw_worst",
    "mean_precision",
    "open_side",
    "plan_frames",
    "strictly_half",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'graphkit.verdict' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"graphkit.verdict.{_HOMES[name]}"), name)
