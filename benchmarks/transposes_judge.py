"""One tool on one model: what it leaves, and whether the outputs are still the same."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from benchmarks.transposes_measure import Figures, figures
from benchmarks.transposes_pattern import Feed
from benchmarks.transposes_tools import AFTER, OTHERS, OURS, Refused, Tool
from graphkit.model import Model, holders
from graphkit.numerics import Numerics
from graphkit.verify import compare
from graphkit.verify.comparing import CLOSE_FLOAT32

BEFORE = "before"
_CHOOSING = frozenset({"TopK", "NonMaxSuppression"})


@dataclass(frozen=True)
class Row:
    """One model.

    Attributes:
        group: "a" small graphs, "b" ultralytics' families, "c" what else there is.
        name: For a reader.
        path: Its file; beside it are its inputs and what the tools make of it.
    """

    group: str
    name: str
    path: Path

    @staticmethod
    def written(group: str, name: str, model: onnx.ModelProto, feeds: list[Feed], folder: Path) -> Row:
        """Write a model and its inputs."""
        path = folder / f"{group}-{re.sub(r'[^a-z0-9]+', '-', name.lower())}.onnx"
        path.write_bytes(model.SerializeToString())
        arrays = {f"{number}/{key}": value for number, feed in enumerate(feeds) for key, value in feed.items()}
        np.savez(path.with_suffix(".npz"), **arrays)  # type: ignore[arg-type]
        return Row(group, name, path)

    def model(self) -> onnx.ModelProto:
        """The model, as it came."""
        return _copy(self.path)

    def feeds(self) -> list[Feed]:
        """Its inputs, of each run."""
        found: dict[str, Feed] = {}
        with np.load(self.path.with_suffix(".npz")) as arrays:
            for key in arrays.files:
                number, _, name = key.partition("/")
                found.setdefault(number, {})[name] = arrays[key]
        return list(found.values()) or [{}]

    def made(self, tool: str) -> Path:
        """Where a tool's model is."""
        return self.path.with_suffix(f".{tool.replace(' ', '-')}.onnx")


@dataclass(frozen=True)
class Difference:
    """How outputs differ from those before.

    Attributes:
        why: What is wrong; "" where nothing is.
        distance: The largest relative L2 of an output.
        reordered: See Cell.
    """

    why: str = ""
    distance: float = 0.0
    reordered: bool = False


@dataclass(frozen=True)
class Cell:
    """What one tool made of one model.

    Attributes:
        group: The row's.
        row: The row's name.
        tool: Its name; "before" for the model as it came.
        kind: "ok", "wrong", "refused" or "crash".
        why: What is wrong; "" where it is ok.
        left: See Figures.
        swallowed: See Figures.
        elements: See Figures.
        distance: The largest relative L2 of an output, as it stands.
        seconds: Of the tool alone.
        reordered: Whether an output is the same but for the order of its rows.
    """

    group: str
    row: str
    tool: str
    kind: str
    why: str = ""
    left: int = 0
    swallowed: int = 0
    elements: int = 0
    distance: float = 0.0
    seconds: float = 0.0
    reordered: bool = False

    @property
    def ok(self) -> bool:
        """Whether it gave a model that computes the same."""
        return self.kind == "ok"

    @property
    def transposes(self) -> int:
        """Those in the graph and those in onnxruntime's own operators."""
        return self.left + self.swallowed


def judge(row: Row, tool: str) -> Cell:
    """Run a tool and judge what comes out."""
    try:
        reference = _reference(row)
    except Exception as error:  # noqa: BLE001 - then there is nothing to hold a tool to
        return Cell(row.group, row.name, tool, "crash", f"the model itself does not run: {_line(error)}")
    silent = _silent(row.model(), reference)
    if silent:
        return Cell(row.group, row.name, tool, "crash", f"output {silent} is 0 everywhere, so nothing can be compared")
    if tool == BEFORE:
        return _cell(row, tool, reference)
    if tool in AFTER:
        first, run = AFTER[tool]
        if not row.made(first).exists():
            return Cell(row.group, row.name, tool, "refused", f"{first} made nothing")
        given = _copy(row.made(first))
    else:
        run, given = {**OURS, **OTHERS}[tool], row.model()
    _once(run)
    start = time.perf_counter()
    try:
        made = run(given)
    except Refused as error:
        return Cell(row.group, row.name, tool, "refused", _line(error))
    except Exception as error:  # noqa: BLE001 - whatever a tool raises is the finding
        return Cell(row.group, row.name, tool, "crash", f"{type(error).__name__}: {_line(error)}")
    seconds = time.perf_counter() - start
    try:
        found = figures(made, row.feeds())
    except Exception as error:  # noqa: BLE001 - so is what onnxruntime says of its model
        return Cell(row.group, row.name, tool, "wrong", f"does not run: {_line(error)}", seconds=seconds)
    if tool in OURS:
        row.made(tool).write_bytes(made.SerializeToString())
    difference = _difference(row.model(), made, reference, found)
    return _cell(row, tool, found, difference, seconds)


def _cell(row: Row, tool: str, found: Figures, difference: Difference | None = None, seconds: float = 0.0) -> Cell:
    apart = difference or Difference()
    kind = "wrong" if apart.why else "ok"
    told = (found.left, found.swallowed, found.elements, apart.distance, seconds, apart.reordered)
    return Cell(row.group, row.name, tool, kind, apart.why, *told)


def _silent(model: onnx.ModelProto, found: Figures) -> str:
    """An output that says nothing, whatever a tool does to the model; "" where there is none."""
    for place, info in enumerate(model.graph.output):
        if not any(np.any(outputs[place]) for outputs in found.outputs):
            return f'"{info.name}"'
    return ""


@lru_cache(maxsize=1)
def _reference(row: Row) -> Figures:
    return figures(row.model(), row.feeds())


@cache
def _once(run: Tool) -> None:
    """Run a tool on next to nothing, so that what it imports is not timed with the first model."""
    from onnx import parser

    run(parser.parse_model('<ir_version: 8, opset_import: ["" : 17]> g (float[2] x) => (float[2] y) { y = Relu(x) }'))


def _difference(model: onnx.ModelProto, made: onnx.ModelProto, before: Figures, after: Figures) -> Difference:
    names = [info.name for info in model.graph.output]
    if names != [info.name for info in made.graph.output]:
        return Difference("the outputs are others", float("inf"))
    chooses = any(node.op_type in _CHOOSING for holder in holders(model) for node in holder.node)
    distance, reordered = 0.0, False
    for number, (ours, theirs) in enumerate(zip(before.outputs, after.outputs, strict=True)):
        for name, one, two in zip(names, ours, theirs, strict=True):
            found = compare(name, "other", f"run {number}", one, two)
            distance = max(distance, found.relative_l2 if found.problem is None else float("inf"))
            if not found.meets(Numerics.CLOSE):
                if not (chooses and found.problem is None and same_rows(one, two)):
                    return Difference(found.sentence, distance)
                reordered = True
    return Difference("", distance, reordered)


def same_rows(one: NDArray[Any], two: NDArray[Any]) -> bool:
    """Whether [images, rows, columns] are the same but for the order of an image's rows.

    A sum in another order changes scores by a rounding, and with it which of two nearly equal ones is chosen first.

    Args:
        one: The rows before.
        two: The rows after, of the same shape.
    """
    if one.ndim != 3 or one.shape != two.shape:
        return False
    limit = CLOSE_FLOAT32 * np.abs(one).max((0, 1))
    for ours, theirs in zip(one, two, strict=True):
        near = (np.abs(ours[:, None] - theirs[None]) <= limit).all(2)
        if not (near.any(0).all() and near.any(1).all()):
            return False
    return True


def _copy(path: Path) -> onnx.ModelProto:
    made = onnx.ModelProto()
    made.CopyFrom(Model.load(path).proto())
    return made


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
