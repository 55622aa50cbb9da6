"""One simplifier on one file: how many nodes it leaves, and whether onnxruntime still computes the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto

from benchmarks.corpus.inputs import Feed, NoInputs, session, working_feeds
from benchmarks.corpus.result import Cell
from benchmarks.corpus.traits import count_nodes
from benchmarks.transposes_judge import same_rows
from benchmarks.transposes_tools import OTHERS, OURS, Refused, Tool, graphkit
from graphkit.model import Model, holders
from graphkit.numerics import Numerics
from graphkit.pipeline import find_pipeline
from graphkit.verify import compare
from graphkit.verify.comparing import SIGMOID_ERROR, outputs_of_sigmoids

CLEANUP = "cleanup"
PEERS = ("onnxsim", "onnxslim", "onnxoptimizer")
ANY_SIZE = "cleanup, any size"
"""Cleanup where folding may make constants of any size, as it may for the others."""
_CHOOSING = frozenset({"TopK", "NonMaxSuppression"})
_LARGEST = 2_000_000_000
"""onnxsim takes no limit of 2 GiB or more."""


def any_size(model: ModelProto) -> ModelProto:
    """The shipped pipeline, its limits on constants lifted."""
    text = find_pipeline(CLEANUP).read_text("utf-8")
    lifted = re.sub(r"max-bytes: \d+", f"max-bytes: {_LARGEST}", text)
    return graphkit(lifted.replace("- simplify\n", f"- simplify: {{max-bytes: {_LARGEST}}}\n"), model)


TOOLS: dict[str, Tool] = {
    CLEANUP: OURS[CLEANUP],
    ANY_SIZE: any_size,
    **{name: OTHERS[name] for name in PEERS},
}


def judge(path: Path, tool: str) -> Cell:
    """Run a tool and hold what it makes to the file it was given.

    Kinds: "right", "wrong", "unloadable" (onnxruntime cannot load or run what it made, but can what it was given),
    "unjudged" (onnxruntime cannot run the file itself), "refused" and "crash".
    """
    given = _copy(path)
    try:
        reference = _reference(path)
    except Exception as error:  # noqa: BLE001 - then nothing can be judged, and a crash is still a crash
        reference, unjudged = [], f"{'' if isinstance(error, NoInputs) else 'cannot be loaded: '}{_line(error)}"
    else:
        unjudged = ""
    try:
        made = TOOLS[tool](given)
    except Refused as error:
        return Cell(f"tool {tool}", "refused", _line(error))
    except Exception as error:  # noqa: BLE001 - whatever a tool raises is the finding
        return Cell(f"tool {tool}", "crash", f"{type(error).__name__}: {_line(error)}")
    found = Cell(f"tool {tool}", "unjudged", unjudged, count_nodes(made), bytes=_size(made))
    if unjudged:
        return found
    try:
        loaded = session(made)
        after = [loaded.run(None, feed) for feed, _ in reference]
    except Exception as error:  # noqa: BLE001 - so is what onnxruntime says of its model
        return replace(found, kind="unloadable", why=_line(error))
    wrong = difference(_copy(path), made, [outputs for _, outputs in reference], after)
    return replace(found, kind="wrong" if wrong else "right", why=wrong)


def difference(
    model: ModelProto, made: ModelProto, before: Sequence[Sequence[Any]], after: Sequence[Sequence[Any]]
) -> str:
    """How outputs differ from those before, over relative L2 1e-4; "" where they do not.

    Args:
        model: As it came.
        made: What a tool made of it.
        before: The outputs of each run, in the order of `model`.
        after: Those of `made`.
    """
    names = [info.name for info in model.graph.output]
    if names != [info.name for info in made.graph.output]:
        return "the outputs are others"
    chooses = any(node.op_type in _CHOOSING for holder in holders(model) for node in holder.node)
    # onnxruntime's Sigmoid is exact to that only, on either side.
    ignored = dict.fromkeys(outputs_of_sigmoids(model.graph), 2 * SIGMOID_ERROR)
    for number, (ours, theirs) in enumerate(zip(before, after, strict=True)):
        for name, one, two in zip(names, ours, theirs, strict=True):
            why = _apart(name, f"run {number}", one, two, chooses, ignored.get(name, 0.0))
            if why:
                return why
    return ""


def _apart(name: str, run: str, one: Any, two: Any, chooses: bool, ignore: float) -> str:
    if isinstance(one, list) and isinstance(two, list):
        if len(one) != len(two):
            return f"{name}: {len(two)} elements instead of {len(one)}"
        pairs = enumerate(zip(one, two, strict=True))
        parts = (_apart(f"{name}[{index}]", run, a, b, chooses, ignore) for index, (a, b) in pairs)
        return next(filter(None, parts), "")
    if isinstance(one, dict) or one is None or type(one) is not type(two):
        return "" if one == two else f"{name}: {two!r} instead of {one!r}"
    one, two = np.asarray(one), np.asarray(two)
    found = compare(name, "other", run, one, two, ignore=ignore)
    if found.meets(Numerics.CLOSE) or (chooses and found.problem is None and same_rows(one, two)):
        return ""
    return found.sentence


@lru_cache(maxsize=1)
def _reference(path: Path) -> list[tuple[Feed, list[Any]]]:
    return working_feeds(_copy(path))


def _size(model: ModelProto) -> int | None:
    try:
        return int(model.ByteSize())
    except Exception:  # noqa: BLE001 - protobuf says that it is over 2 GiB in several ways
        return None


def _copy(path: Path) -> ModelProto:
    made = ModelProto()
    made.CopyFrom(Model.load(path).proto())
    return made


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
