"""What support tables predict, beside what happens: in every runtime that is installed here.

    python -m benchmarks.coverage --journal runs --exports exports --packages packages
    python -m benchmarks.coverage --journal runs --runtime openvino --set nodes --limit 20
    python -m benchmarks.coverage --journal runs --judge-only

Three sets: "nodes", onnx's node tests of the third that no shipped table was made with; "families", ultralytics'
exports before and after the pipelines; "packages", the ONNX files in packages of PyPI. Of the last two the models are
tried whole, and their nodes one by one. The support table is that of the installed version. Everything that is run is
noted in the journal's folder, so that another run only judges again.

Right is what loads and computes what it must: the expected outputs of the node tests, for all else what onnxruntime
returns with optimisation off. Of predictions, "unknown" counts as not predicted. The exit status is 1 where an aim is
missed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from benchmarks.coverage_judge import Cell, Judge, operators
from benchmarks.coverage_models import Subject, family_models, held_out_cases, spread
from benchmarks.coverage_nodes import NodeStore
from benchmarks.coverage_packages import package_models
from benchmarks.coverage_report import report
from graphkit.errors import GraphkitError, UsageError
from graphkit.model import Model
from graphkit.runtimes import Table, find_table
from graphkit.runtimes.probing import Case, Outcome, Settings, measure
from graphkit.runtimes.probing.journal import Journal
from graphkit.runtimes.probing.outcome import Kind
from graphkit.runtimes.runners import Runner, find
from graphkit.runtimes.runners.constants import with_constants
from graphkit.trial import try_model
from graphkit.verify import NotRunnable, make_feeds, run_model

RUNTIMES = ("onnxruntime-cpu", "openvino", "opencv", "ncnn", "mnn", "tvm")
SETS = ("nodes", "families", "packages")
_ENDINGS: dict[str, Kind] = {
    "right": "right",
    "wrong": "wrong",
    "not loaded": "refused",
    "not run": "refused",
    "crashed": "crashed",
    "timeout": "timeout",
    "not comparable": "unmeasured",
}
FAINT = 1e-4
"""Outputs that are nowhere further apart are the same, however small they are themselves."""
ERRORS = Console(stderr=True, soft_wrap=True)


class Material:
    """What a set is made of.

    Attributes:
        name: The set's.
        nodes: Cases of one node.
        expanded: Cases of several.
        subjects: Models.
    """

    def __init__(self, name: str, nodes: list[Case], expanded: list[Case], subjects: list[Subject]) -> None:
        self.name = name
        self.nodes = nodes
        self.expanded = expanded
        self.subjects = subjects


class Bench:
    """Runs and judges one runtime.

    Args:
        runner: The runtime.
        table: Its support table.
        journal: Where runs are noted.
        seconds: What a model may take.
        run: Whether what is not in the journal is run.
    """

    def __init__(self, runner: Runner, table: Table, journal: Path, seconds: float, run: bool) -> None:
        self._runner = runner
        self._judge = Judge(table)
        self._journal = journal
        self._seconds = seconds
        self._run = run

    def cells(self, material: Material) -> list[Cell]:
        """Every prediction of a set beside what happened."""
        return [
            *self._cases(material.name, material.nodes, whole=False),
            *self._cases(material.name, material.expanded, whole=True),
            *self._models(material),
        ]

    def _cases(self, group: str, cases: Sequence[Case], *, whole: bool) -> list[Cell]:
        path = self._path(group, "cases")
        settings = Settings(timeout=self._seconds / 4, budget=None if self._run else 0.0, resume=True)
        with Progress(console=ERRORS, transient=True, disable=not ERRORS.is_terminal) as progress:
            task = progress.add_task(f"{self._runner.name}, {group}", total=len(cases))
            found = measure(self._runner, cases, path, settings, lambda *_: progress.advance(task))
        cells = []
        for case in cases:
            outcome = found.outcomes.get(case.key)
            if outcome is not None:
                fixed = with_constants(case.model, {name: case.inputs[name] for name in case.constant})
                cells.append(self._cell(group, case.key, Model(fixed), outcome, whole=whole))
        return cells

    def _models(self, material: Material) -> list[Cell]:
        about = {"runtime": self._runner.name, "version": self._runner.required()}
        cells = []
        with Journal(self._path(material.name, "models"), about, resume=True) as journal:
            for subject in material.subjects:
                outcome = journal.outcomes.get(subject.name)
                if outcome is None and not self._run:
                    continue
                model = Model.load(subject.path)
                if outcome is None:
                    outcome = self._try(model, subject)
                    journal.note(subject.name, outcome)
                cells.append(self._cell(material.name, subject.name, model, outcome, whole=True))
        return cells

    def _try(self, model: Model, subject: Subject) -> Outcome:
        started = time.perf_counter()
        try:
            refused = without_inputs(model)
            trial = None if refused else try_model(model, subject.path, self._runner, (), self._seconds)
        except GraphkitError as error:  # no inputs can be made for it
            return Outcome("unmeasured", str(error))
        if trial is None:
            return Outcome("unmeasured", f"it does not run on what is made up for it: {refused}")
        taken = f"{time.perf_counter() - started:.0f} s"
        ERRORS.print(f"{self._runner.name}: {subject.name}: {trial.ending}, {taken}", markup=False)
        apart = [item for item in trial.outputs if not item.same and (item.max_error is None or item.max_error > FAINT)]
        if trial.ending == "wrong" and not apart:
            return Outcome("right")
        said = "; ".join(f"{item.output}: {item.how}" for item in apart)
        return Outcome(_ENDINGS[trial.ending], f"{trial.reason}: {said}" if said else trial.reason)

    def _cell(self, group: str, name: str, model: Model, outcome: Outcome, *, whole: bool) -> Cell:
        judged, documents = self._judge.predict(model)
        ops = tuple(op for op, _ in operators(model.proto()))
        return Cell(self._runner.name, group, name, ops, whole, outcome, judged, documents)

    def _path(self, group: str, what: str) -> Path:
        return self._journal / f"{self._runner.name}@{self._runner.required()}-{group}-{what}.jsonl"


def without_inputs(model: Model) -> str:
    """Why a model does not run on made-up inputs, which says nothing of any runtime; "" where it does.

    What onnxruntime does not even load may run elsewhere.
    """
    try:
        run_model(model, make_feeds(model)[:1])
    except NotRunnable as error:
        return str(error) if error.feed is not None else ""
    return ""


def collect(
    name: str,
    folder: Path,
    exports: Path,
    packages: Path,
    *,
    opsets: bool,
    limit: int | None,
    models: int | None,
    cut: bool,
) -> Material:
    """What a set is made of.

    Args:
        name: The set's.
        folder: Where what is made of it is kept.
        exports: Where exports are kept.
        packages: Where the packages' models are kept.
        opsets: Whether node tests are moved to other opsets too.
        limit: At most so many nodes.
        models: At most so many models.
        cut: Whether models that were not cut into nodes yet are.
    """
    if name == "nodes":
        single, several = held_out_cases(opsets=opsets)
        return Material(name, _some(single, limit), _some(several, models), [])
    if name == "families":
        found: Iterable[Subject] = family_models(exports, folder / "families", _say)
    else:
        found = package_models(packages)
    every = list(found)
    subjects = spread(every, lambda item: item.name, models)
    store = NodeStore(folder / f"{name}-nodes")
    if cut:
        for subject in every if limit is None else subjects:
            store.add(subject)
    return Material(name, _some(store.cases(), limit), [], subjects)


def _some(cases: list[Case], limit: int | None) -> list[Case]:
    return spread(cases, lambda case: case.key, limit)


def _say(text: str) -> None:
    ERRORS.print(text, style="dim", markup=False)


def table_of(runner: Runner, tables: Path | None) -> Table:
    """The table of the installed version, of a folder where it is there, else the one that is shipped."""
    name = f"{runner.name}@{runner.required()}"
    own = None if tables is None else tables / f"{name}.tsv"
    if own is not None and own.exists():
        return find_table(str(own))
    try:
        return find_table(name)
    except UsageError as error:
        _say(f"{error} The newest is taken.")
        return find_table(runner.name)


def main(
    journal: Annotated[Path, typer.Option(help="Folder where runs, and the models made for them, are kept.")],
    exports: Annotated[Path | None, typer.Option(help="Folder of exports; in the journal's by default.")] = None,
    packages: Annotated[Path | None, typer.Option(help="Folder of packages; in the journal's by default.")] = None,
    runtime: Annotated[list[str] | None, typer.Option(help="Only these runtimes.")] = None,
    group: Annotated[list[str] | None, typer.Option("--set", help=f"Only these of {', '.join(SETS)}.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many nodes, and models, of each set.")] = None,
    models: Annotated[int | None, typer.Option(help="At most so many models of each set, instead.")] = None,
    opsets: Annotated[bool, typer.Option(help="Node tests at other opsets too.")] = False,
    tables: Annotated[Path | None, typer.Option(help="Folder of tables to take before those that are shipped.")] = None,
    seconds: Annotated[float, typer.Option(help="What a model may take; a node may take a quarter.")] = 240.0,
    judge_only: Annotated[bool, typer.Option(help="Run nothing: judge what is in the journal.")] = False,
    show: Annotated[int, typer.Option(help="Groups of wrong predictions to print for each runtime.")] = 25,
) -> None:
    """Print the tables."""
    wanted = group or SETS
    for name in wanted:
        if name not in SETS:
            raise typer.BadParameter(f'there is no set "{name}"; there are {", ".join(SETS)}.')
    there = [found for name in runtime or RUNTIMES if _installed(found := find(name))]
    folders = [folder or journal / name for folder, name in ((exports, "exports"), (packages, "packages"))]
    for folder in (journal, *folders):
        folder.mkdir(parents=True, exist_ok=True)
    cells: list[Cell] = []
    for name in wanted:
        some = limit if models is None else models
        material = collect(name, journal, *folders, opsets=opsets, limit=limit, models=some, cut=not judge_only)
        _say(f"{name}: {len(material.nodes)} nodes, {len(material.expanded) + len(material.subjects)} models")
        for runner in there:
            bench = Bench(runner, table_of(runner, tables), journal, seconds, not judge_only)
            cells += bench.cells(material)
    raise typer.Exit(0 if report(cells, show) else 1)


def _installed(runner: Runner) -> bool:
    version, why = runner.version()
    if version is None:
        _say(f"{runner.name} is left out: {why}")
    return version is not None


if __name__ == "__main__":
    typer.run(main)
