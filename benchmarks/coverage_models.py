"""What predictions are measured on: models and cases of one node."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from graphkit.cli.probe import single_node_at
from graphkit.errors import GraphkitError
from graphkit.model import Model
from graphkit.pipeline import Settings, find_pipeline, parse_pipeline, run_pipeline
from graphkit.runtimes.probing import Case, held_out, node_tests, variants
from tests.families.cells import HEADS, IMGSZ, MODELS, exported_as

FORMS = {"static": {}, "dynamic": {"dynamic": True}}
PIPELINES = ("cleanup", "yolo-onnxruntime", "matrix")
OPSET = 18

Item = TypeVar("Item")


@dataclass(frozen=True)
class Subject:
    """A model to be tried.

    Attributes:
        name: For a reader.
        path: Its file.
    """

    name: str
    path: Path


def spread(items: Sequence[Item], name: Callable[[Item], str], most: int | None) -> list[Item]:
    """At most so many of them, the same ones in every run, whichever others there are."""
    if most is None or len(items) <= most:
        return list(items)
    chosen = sorted(items, key=lambda item: hashlib.sha256(name(item).encode()).digest())[:most]
    return [item for item in items if item in chosen]


def held_out_cases(*, opsets: bool) -> tuple[list[Case], list[Case]]:
    """onnx's node tests that no shipped table was made with: those of one node, and those of several.

    Args:
        opsets: Whether those of one node are moved to other definitions of their operator too.
    """
    tests = [case for case in node_tests() if held_out(case.test) and not _draws(case)]
    single = [case for case in tests if len(case.model.graph.node) == 1]
    made = [made for case in single for made in variants(case, single_node_at if opsets else _nowhere)]
    # At one opset, an operator's inputs are given, or constant but for the first.
    kept = [case for case in made if opsets or case.level == 0 or _rest(case)]
    return kept, [case for case in tests if len(case.model.graph.node) > 1]


def _nowhere(_model: object, _opset: int) -> None:
    return None


def _rest(case: Case) -> bool:
    return next(iter(case.inputs)) not in case.constant and len(case.constant) == len(case.inputs) - 1


def _draws(case: Case) -> bool:
    """Whether the outputs are random, so that no expected ones can be met."""
    drawing = ("Bernoulli", "Multinomial", "RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike")
    return any(
        node.op_type in drawing or (node.op_type == "Dropout" and len(node.input) > 2) for node in case.model.graph.node
    )


def family_models(exports: Path, made: Path, say: Callable[[str], None]) -> Iterator[Subject]:
    """Every family's export, and what the pipelines make of it.

    Args:
        exports: Where exports are kept; those that are missing are made, which needs ultralytics.
        made: Where the pipelines' models are kept.
        say: Told of what could not be made.
    """
    made.mkdir(parents=True, exist_ok=True)
    for family, task in MODELS:
        for head in HEADS if family in ("v10", "26") else HEADS[:1]:
            for form, options in FORMS.items():
                if head == "one-to-one":
                    options = {**options, "nms": False}
                name = f"{MODELS[family, task]}{' one-to-one' if head == 'one-to-one' else ''} {form}"
                try:
                    path = exported_as(MODELS[family, task], {"imgsz": IMGSZ, "opset": OPSET, **options}, exports)
                except ImportError:
                    say(f"{name} is left out: it is not in {exports}, and ultralytics, which exports it, is not there")
                    continue
                yield Subject(name, path)
                for pipeline in PIPELINES:
                    target = made / f"{path.stem}.{pipeline}.onnx"
                    if target.exists() or _rewritten(path, pipeline, target, say):
                        yield Subject(f"{name}, {pipeline}", target)


def _rewritten(path: Path, pipeline: str, target: Path, say: Callable[[str], None]) -> bool:
    """Run a pipeline, without proofs, which other benchmarks ask for."""
    told = target.with_suffix(".refused")
    if told.exists():
        return False
    base = find_pipeline("yolo-onnxruntime" if pipeline == "matrix" else pipeline)
    text = base.read_text("utf-8")
    if pipeline == "matrix":
        text = text.replace("backend: onnx", "backend: matrix")
    try:
        outcome = run_pipeline(parse_pipeline(text, base.name), Model.load(path), Settings(verify=False))
    except GraphkitError as error:
        say(f"{path.stem}: {pipeline}: {error}")
        told.write_text(str(error), "utf-8")
        return False
    outcome.model.save(target)
    return True
