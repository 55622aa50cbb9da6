"""Proofs: run models, compare what they return, and check that graphs are valid."""

from graphkit.verify.check import CheckResult, check, check_model
from graphkit.verify.compare import Comparison, compare
from graphkit.verify.detections import Agreement, agree
from graphkit.verify.feeds import Feed, letterbox, make_feeds
from graphkit.verify.prove import Proof, prove
from graphkit.verify.references import Detections, detect, efficient_nms, non_max_suppression
from graphkit.verify.run import NotRunnable, run_model, run_part, run_what_works

__all__ = [
    "Agreement",
    "CheckResult",
    "Comparison",
    "Detections",
    "Feed",
    "NotRunnable",
    "Proof",
    "agree",
    "check",
    "check_model",
    "compare",
    "detect",
    "efficient_nms",
    "letterbox",
    "make_feeds",
    "non_max_suppression",
    "prove",
    "run_model",
    "run_part",
    "run_what_works",
]
