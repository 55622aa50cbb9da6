"""One mutated model: made from its number, written to a file, and put through all that graphkit does in one process."""

from __future__ import annotations

import contextlib
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from onnx import ModelProto

from benchmarks import analyses
from benchmarks.faults import files, messages, seeds
from benchmarks.faults.findings import Finding, attempt
from graphkit.model import Model
from graphkit.model.protos import DecodeError, EncodeError
from graphkit.pipeline import Pipeline, Settings, parse_pipeline, run_pipeline

Watch = Callable[[str], Any]
"""Told the step that begins; a context manager around it."""

_PASSES = (
    "sort",
    "fold-constants",
    "remove-identity",
    "split-head",
    "split-head: {layout: nc, coding: corners}",
    "embed-nms: {late: false}",
    "embed-nms: {backend: matrix, max-detections: 20}",
    "replace-nms: matrix",
    "remove-transposes",
    "remove-no-ops",
    "merge-reshapes",
    "pin-opset: 13",
    "pin-opset: 20",
    "make-dynamic: {batch: true, height: true, width: true}",
    "set-input-shape: [1, 3, 32, 32]",
    "to-float16",
    "embed-preprocess: {resize: stretch}",
    "rename-io: {inputs: {x: renamed}, outputs: {y: other}, dims: {N: batch}}",
    "extract: {outputs: [a]}",
    "deduplicate-constants",
    "strip-metadata",
)
_CLEANUP = (
    "sort, fold-constants: {max-bytes: 1048576}, remove-identity, remove-transposes, remove-no-ops, merge-reshapes, "
    "deduplicate-constants"
)
_SHARE = 0.5
"""Of the models that can be loaded, how many meet a step; which, each of them draws. Loading and saving, all meet."""

_SHOWN = 0.2
"""Share of what was found out that is drawn for a terminal too: drawing takes longer than finding it out."""

_PROVEN = 0.05
"""Share of the models on which the pipeline is proven too: running them takes longer than all the rest."""

_EXPORTS = 0.02
"""Share of real exports among the seeds: each takes as long as fifty small ones."""


def make(seed: int, number: int, exports: Sequence[Path], folder: Path) -> tuple[str, Path, random.Random]:
    """Write the model of this number into `folder`.

    Returns:
        What it was made of and how, its file, and the random numbers from there on.
    """
    chance = random.Random(f"{seed}/{number}")
    name, model = seeds.pick(chance, exports, _EXPORTS)
    done = []
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 6))):
        mutation = chance.choice(messages.MUTATIONS)
        with contextlib.suppress(DecodeError, EncodeError):  # nested deeper than protobuf copies: as it was, then
            mutation(model, chance)
            done.append(mutation.__name__)
    data = model.SerializeToString()
    if name == "external":
        files.place_external(model, folder, chance)
        data = model.SerializeToString()
    if chance.random() < 0.08:
        data, done = files.damage(data, chance), [*done, "damage"]
    elif chance.random() < 0.1 or not done:
        data, done = files.spoil_text(model, data, chance), [*done, "spoil_text"]
    path = folder / "model.onnx"
    path.write_bytes(data)
    return f"{name}: {', '.join(done)}", path, chance


def run(seed: int, exports: Sequence[Path], number: int, folder: Path, watch: Watch) -> tuple[str, list[Finding]]:
    """Make the model and try everything; the folder is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    made, path, chance = make(seed, number, exports, folder)
    findings = []
    for step, action in _steps(path, chance):
        before = set(folder.rglob("*"))
        with watch(step):
            findings.append(attempt(step, action))
        left = [str(item.relative_to(folder)) for item in set(folder.rglob("*")) - before]
        if left and findings[-1].kind != "ok":
            findings.append(Finding(step, "litter", ", ".join(left)))
        for item in left:
            (folder / item).unlink(missing_ok=True)
        if step == "load" and findings[-1].kind != "ok":
            break
    return made, findings


def _steps(path: Path, chance: random.Random) -> Iterator[tuple[str, Callable[[], object]]]:
    loaded: list[Model] = []
    yield "load", lambda: loaded.append(Model.load(path))
    model = loaded[0]
    yield "save", lambda: _same_again(model, path.with_name("out.onnx"))
    other = seeds.pick(random.Random(chance.random()), (), 0)[1]
    steps: list[tuple[str, Callable[[analyses.Show], object]]] = [
        ("inspect", partial(analyses.inspect, model)),
        ("coverage", partial(analyses.coverage, model)),
        ("matching", lambda _: _matching(model, Model(other))),
        ("diff", lambda show: _diff(model, Model(other), show)),
        *((f"pass {text.partition(':')[0]}", partial(_pipeline, model, text, path)) for text in _PASSES),
        ("cleanup", partial(_pipeline, model, _CLEANUP, path)),
    ]
    for step, action in steps:
        if chance.random() < _SHARE:
            yield step, partial(action, analyses.printed if chance.random() < _SHOWN else _leave)
    if chance.random() < _PROVEN:
        yield "verified cleanup", partial(_pipeline, model, _CLEANUP, path, analyses.printed, proven=True)


def _matching(model: Model, other: Model) -> None:
    analyses.matching(model, other)
    analyses.matching(model, model)


def _diff(model: Model, other: Model, show: analyses.Show) -> None:
    analyses.diff(model, other, show)
    _ = model.copy().graph  # refused where two tensors have one name: which of them is which, nobody can say
    if not analyses.diff(model, model, _leave):
        raise AssertionError("a model differs from itself")


def _same_again(model: Model, target: Path) -> None:
    """Saved without a change it is the same message, though it need not be the same bytes."""
    copied = model.copy()
    _ = copied.graph
    copied.save(target)
    if ModelProto.FromString(target.read_bytes()) != model.proto():
        raise AssertionError("written back unchanged, it is another model")


def _pipeline(model: Model, passes: str, path: Path, show: analyses.Show, *, proven: bool = False) -> None:
    from graphkit.render.run_text import print_run

    outcome = run_pipeline(_parsed(passes), model, Settings(verify=proven))
    if outcome.model.proto() is not model.proto():  # untouched, it would be written as "save" has written it
        outcome.model.save(path.with_name("out.onnx"))
        Model.load(path.with_name("out.onnx"))
    outcome.report.to_dict()
    show(lambda console: print_run(console, outcome.report))


@cache
def _parsed(passes: str) -> Pipeline:
    # A flow sequence takes a pass with options as it stands in a block: one pair is a mapping.
    return parse_pipeline(f"version: 1\npasses: [{passes}]\n", "pipeline.yaml")


def _leave(_: Callable[[Any], None]) -> None:
    """Draw nothing."""
