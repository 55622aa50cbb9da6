"""The table of everything graphkit should take: family × task × export × backend × semantics."""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from graphkit.errors import GraphkitError, PassRefused, PipelineError
from graphkit.model import Model

IMGSZ = 96

MODELS: dict[tuple[str, str], str] = {
    ("v5u", "detect"): "yolov5n",
    ("v8", "detect"): "yolov8n",
    ("v8", "segment"): "yolov8n-seg",
    ("v8", "pose"): "yolov8n-pose",
    ("v8", "obb"): "yolov8n-obb",
    ("v9", "detect"): "yolov9t",
    ("v9", "segment"): "yolov9c-seg",
    ("v10", "detect"): "yolov10n",
    ("11", "detect"): "yolo11n",
    ("11", "segment"): "yolo11n-seg",
    ("11", "pose"): "yolo11n-pose",
    ("11", "obb"): "yolo11n-obb",
    ("12", "detect"): "yolo12n",
    ("12", "segment"): "yolo12n-seg",
    ("12", "pose"): "yolo12n-pose",
    ("12", "obb"): "yolo12n-obb",
    ("26", "detect"): "yolo26n",
    ("26", "segment"): "yolo26n-seg",
    ("26", "pose"): "yolo26n-pose",
    ("26", "obb"): "yolo26n-obb",
}
"""Family and task -> ultralytics' YAML file; what is not here, ultralytics has not."""

FORMS: dict[str, dict[str, Any]] = {
    "static": {},
    "dynamic": {"dynamic": True},
    "opset 12": {"opset": 12},
    "half": {"half": True},
}
BACKENDS = ("onnx", "efficientnms", "matrix")
SEMANTICS = ("multi-label", "best-class", "class-agnostic")
HEADS = ("one-to-many", "one-to-one")
"""v10 and 26 have both; which one is exported is an option (nms=False gives one-to-one)."""


@dataclass(frozen=True)
class Cell:
    """One combination."""

    family: str
    task: str
    head: str
    form: str
    backend: str
    semantics: str

    def __str__(self) -> str:
        head = " one-to-one" if self.head == "one-to-one" else ""
        return f"{self.family} {self.task}{head}, {self.form}, {self.backend}, {self.semantics}"

    @property
    def export(self) -> tuple[str, dict[str, Any]]:
        """Name of the YAML file, and the options of the export."""
        options: dict[str, Any] = {"imgsz": IMGSZ, **FORMS[self.form]}
        if self.head == "one-to-one":
            options["nms"] = False
        return MODELS[self.family, self.task], options


@dataclass(frozen=True)
class Result:
    """What came of a cell.

    Attributes:
        status: "proven", "refused" (with a plain sentence), or "failed": a proof that does not hold, or a crash.
        text: What was proven, or why not.
        trace: The traceback of a failure.
    """

    cell: Cell
    status: Literal["proven", "refused", "failed"]
    text: str
    trace: str = ""


def cells() -> Iterator[Cell]:
    """Every cell of the table; those of one model follow each other."""
    for family, task in MODELS:
        for head in HEADS if family in ("v10", "26") else HEADS[:1]:
            for form in FORMS:
                for backend in BACKENDS:
                    for semantics in SEMANTICS:
                        yield Cell(family, task, head, form, backend, semantics)


def run_cell(cell: Cell, path: Path, split: bool = False, candidates: int | None = None) -> Result:
    """Run embed-nms, after split-head or not, on an export through the pipeline, with every proof.

    At 96 x 96 there are 189 anchors, fewer than may enter by default, so nothing is decoded late: with `candidates`
    below that it is.
    """
    from graphkit.pipeline import parse_pipeline, run_pipeline

    steps = "  - split-head\n" if split else ""
    limit = "" if candidates is None else f", candidates: {candidates}"
    text = (
        f"version: 1\npasses:\n  - sort\n{steps}  - embed-nms: "
        f"{{backend: {cell.backend}, semantics: {cell.semantics}{limit}}}\n"
    )
    try:
        outcome = run_pipeline(parse_pipeline(text, "table.yaml"), _loaded(path))
    except PassRefused as error:
        return Result(cell, "refused", _reason(error))
    except PipelineError as error:
        return Result(cell, "refused", _reason(error))
    except GraphkitError as error:
        return Result(cell, "failed", str(error), traceback.format_exc())
    except Exception as error:  # noqa: BLE001 - a crash is a line of the table, not the end of it
        return Result(cell, "failed", f"{type(error).__name__}: {error}", traceback.format_exc())
    proofs = [record.proof for record in outcome.report.passes if record.name == "embed-nms"]
    if len(proofs) != 1 or proofs[0] is None or not proofs[0].passed:
        return Result(cell, "failed", "the pipeline ended without a proof of embed-nms")
    return Result(cell, "proven", proofs[0].sentence)


def exported(cell: Cell, folder: Path) -> Path:
    """The export of a cell, made once."""
    return exported_as(*cell.export, folder)


def exported_as(name: str, options: dict[str, Any], folder: Path) -> Path:
    """An export of ultralytics' `name`.yaml with these options, made once."""
    from tests.families.trained import export_lively

    told = "_".join(f"{key}-{value}" for key, value in sorted(options.items()))
    path = folder / f"{name}_{told}.onnx"
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            made = Path(scratch) / "made.onnx"
            export_lively(made, name, **options)
            made.rename(path)
    return path


def summary(results: Iterable[Result]) -> dict[str, int]:
    """How many cells ended how."""
    counts = {"proven": 0, "refused": 0, "failed": 0}
    for result in results:
        counts[result.status] += 1
    return counts


@lru_cache(maxsize=1)
def _loaded(path: Path) -> Model:
    return Model.load(path)


def _reason(error: Exception) -> str:
    """The sentence without the file's name."""
    return " ".join(str(error).split()).removesuffix(" Nothing was written.")
