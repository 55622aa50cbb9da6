"""The cells of a file, and running one in this process."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from onnx import ModelProto

from benchmarks import analyses
from benchmarks.corpus import simplifiers
from benchmarks.corpus.options import STEPS, pipeline_text
from benchmarks.corpus.result import Cell
from benchmarks.corpus.traits import count_nodes
from benchmarks.faults.findings import attempt
from graphkit.errors import NotProven
from graphkit.model import Model
from graphkit.pipeline import Pipeline, find_pipeline, parse_pipeline, run_pipeline, shipped_pipelines
from graphkit.verify import NotRunnable


def names() -> list[str]:
    """Every cell of a file, in the order in which they are run."""
    passes = [f"pass {name}" for name in STEPS]
    pipelines = [f"pipeline {name}" for name in sorted(shipped_pipelines())]
    analyses = [f"analysis {name}" for name in ANALYSES]
    return [*analyses, *(f"tool {name}" for name in simplifiers.TOOLS), *passes, *pipelines]


def run_cell(path: Path, name: str) -> Cell:
    """Run one, and say what came of it."""
    started = time.perf_counter()
    group, _, what = name.partition(" ")
    if group == "tool":
        cell = simplifiers.judge(path, what)
    elif group == "analysis":
        cell = _analysed(path, name, ANALYSES[what])
    else:
        cell = _rewritten(path, name, what, own=group == "pipeline")
    return replace(cell, seconds=round(time.perf_counter() - started, 3))


def _rewritten(path: Path, name: str, what: str, *, own: bool) -> Cell:
    made: list[Cell] = []

    def run() -> None:
        model = _loaded(path)
        pipeline = _shipped_one(what) if own else parse_pipeline(pipeline_text(STEPS[what](model.proto())), what)
        try:
            outcome = run_pipeline(pipeline, model)
        except (NotRunnable, NotProven) as error:
            made.append(Cell(name, "unrun", str(error)[:300]))
            return
        records = outcome.report.passes
        outcome.report.to_dict()
        _shown(outcome.report)
        after = outcome.model.proto()
        with tempfile.TemporaryDirectory() as folder:
            outcome.model.save(Path(folder) / "out.onnx")
            if ModelProto.FromString((Path(folder) / "out.onnx").read_bytes()) != after:
                raise AssertionError("what was saved is another model")
        rewrites = sum(record.rewrites for record in records)
        reasons = [item.reason for record in records for item in record.declined]
        proofs = "; ".join(record.proof.sentence for record in records if record.proof is not None)
        kind = "rewritten" if rewrites else "declined" if reasons else "nothing"
        made.append(Cell(name, kind, proofs or "; ".join(reasons)[:300], count_nodes(after)))

    finding = attempt(name, run)
    return made[0] if finding.kind == "ok" else Cell(name, finding.kind, f"{finding.what} {finding.where}".strip())


def _analysed(path: Path, name: str, action: Callable[[Path, Model], None]) -> Cell:
    finding = attempt(name, partial(_on_loaded, path, action))
    return Cell(name, finding.kind, f"{finding.what} {finding.where}".strip())


def _on_loaded(path: Path, action: Callable[[Path, Model], None]) -> None:
    action(path, _loaded(path))


def _round_trip(path: Path, model: Model) -> None:
    copied = model.copy()
    _ = copied.graph
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / path.name
        copied.save(target)
        if ModelProto.FromString(target.read_bytes()) != model.proto():
            raise AssertionError("written back unchanged, it is another model")


def _matching(_: Path, model: Model) -> None:
    if analyses.matching(model, model):
        raise AssertionError("a node differs from itself")


def _diff(_: Path, model: Model) -> None:
    if not analyses.diff(model, model):
        raise AssertionError("a model differs from itself")


def _opsets(_: Path, model: Model) -> None:
    from graphkit.passes.opset import reach, releases
    from graphkit.render.opsets_text import print_opsets

    found = reach(model.proto(), model.values)
    found.to_dict()
    analyses.printed(lambda console: print_opsets(console, model.name, found, releases()))


def _picture(_: Path, model: Model) -> None:
    from graphkit.pictures import picture

    if "<svg" not in picture(model).svg:
        raise AssertionError("no picture came of it")


def _report(_: Path, model: Model) -> None:
    from graphkit.render.html import report_page
    from graphkit.report import assemble

    report_page(assemble(model, analyses.tables()))


def _fit(_: Path, model: Model) -> None:
    from graphkit.fit import Bounds, fit
    from graphkit.runtimes import find_table

    fit(model, find_table("tensorrt"), Bounds(seconds=20)).to_dict()


ANALYSES: dict[str, Callable[[Path, Model], None]] = {
    "round trip": _round_trip,
    "inspect": lambda _, model: analyses.inspect(model),
    "coverage": lambda _, model: analyses.coverage(model),
    "matching": _matching,
    "diff": _diff,
    "opsets": _opsets,
    "picture": _picture,
    "report": _report,
    "fit": _fit,
}
"""Name -> what is asked of a file and the model in it; an error is its only answer."""


@lru_cache(maxsize=1)
def _loaded(path: Path) -> Model:
    return Model.load(path)


@cache
def _shipped_one(name: str) -> Pipeline:
    return parse_pipeline(find_pipeline(name).read_text("utf-8"), name)


def _shown(report: Any) -> None:
    from graphkit.render.run_text import print_run

    analyses.printed(lambda console: print_run(console, report))
