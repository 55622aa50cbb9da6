"""Proofs: run models, compare what they return, and check that graphs are valid.

The names below are imported when they are first used: a run without verification needs the check alone, and neither
onnxruntime nor pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphkit.images import letterbox
    from graphkit.verify.around import Around, run_around
    from graphkit.verify.checking import CheckResult, check, check_model
    from graphkit.verify.comparing import Comparison, compare
    from graphkit.verify.detections import Agreement, agree
    from graphkit.verify.feeds import Feed, Sizes, make_feeds, picture_feeds, random_feed
    from graphkit.verify.half import prove_half
    from graphkit.verify.inputs import Input, model_inputs
    from graphkit.verify.libraries import use_libraries
    from graphkit.verify.lowering import with_thresholds
    from graphkit.verify.proving import Proof, prove
    from graphkit.verify.refeeding import Known, refeed
    from graphkit.verify.references import Detections, detect, efficient_nms, non_max_suppression
    from graphkit.verify.run import exposing, opened, run_model, run_part, run_what_works
    from graphkit.verify.searching import run_somewhere
    from graphkit.verify.session import NotRunnable, Setting, UnknownOperator, open_session

_HOMES = {
    "Agreement": "detections",
    "Around": "around",
    "CheckResult": "checking",
    "Comparison": "comparing",
    "Detections": "references",
    "Feed": "feeds",
    "Input": "inputs",
    "Known": "refeeding",
    "NotRunnable": "session",
    "Proof": "proving",
    "Setting": "session",
    "Sizes": "feeds",
    "UnknownOperator": "session",
    "agree": "detections",
    "check": "checking",
    "check_model": "checking",
    "compare": "comparing",
    "detect": "references",
    "efficient_nms": "references",
    "exposing": "run",
    "letterbox": "feeds",
    "make_feeds": "feeds",
    "model_inputs": "inputs",
    "non_max_suppression": "references",
    "open_session": "session",
    "opened": "run",
    "picture_feeds": "feeds",
    "prove": "proving",
    "prove_half": "half",
    "random_feed": "feeds",
    "refeed": "refeeding",
    "run_around": "around",
    "run_model": "run",
    "run_part": "run",
    "run_somewhere": "searching",
    "run_what_works": "run",
    "use_libraries": "libraries",
    "with_thresholds": "lowering",
}

__all__ = [
    "Agreement",
    "Around",
    "CheckResult",
    "Comparison",
    "Detections",
    "Feed",
    "Input",
    "Known",
    "NotRunnable",
    "Proof",
    "Setting",
    "Sizes",
    "UnknownOperator",
    "agree",
    "check",
    "check_model",
    "compare",
    "detect",
    "efficient_nms",
    "exposing",
    "letterbox",
    "make_feeds",
    "model_inputs",
    "non_max_suppression",
    "open_session",
    "opened",
    "picture_feeds",
    "prove",
    "prove_half",
    "random_feed",
    "refeed",
    "run_around",
    "run_model",
    "run_part",
    "run_somewhere",
    "run_what_works",
    "use_libraries",
    "with_thresholds",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'graphkit.verify' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"graphkit.verify.{_HOMES[name]}"), name)
