"""The models that `benchmarks.broken_pairs` compares: real exports, and what rewriting and breaking make of them."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from benchmarks.breaking import Change
from graphkit.model import Model
from graphkit.pipeline import Settings, parse_pipeline, run_pipeline

SIZE = 320


@dataclass(frozen=True)
class Workshop:
    """A folder in which models are made once.

    Attributes:
        folder: Where.
        weights: Trained YOLOv8 weights.
    """

    folder: Path
    weights: Path

    def export(self, name: str, **options: Any) -> Path:
        """`name` as ultralytics exports it: "trained", or an architecture, untrained and seeded."""
        told = "_".join(f"{key}-{value}" for key, value in sorted(options.items()))
        target = self.folder / f"{name}{'_' if told else ''}{told}.onnx"
        if target.exists():
            return target
        os.environ["YOLO_AUTOINSTALL"], os.environ["YOLO_OFFLINE"] = "false", "true"
        import torch
        from ultralytics import YOLO

        torch.manual_seed(0)
        home = Path.cwd()
        apart = self.folder / "exporting"
        apart.mkdir(exist_ok=True)
        os.chdir(apart)  # the exporter writes beside the weights, or into the current folder
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                source = shutil.copy(self.weights, apart / "model.pt") if name == "trained" else f"{name}.yaml"
                options = {"imgsz": SIZE, "simplify": False, "opset": 18, "verbose": False, **options}
                made = YOLO(source, verbose=False).export(format="onnx", **options)
                shutil.move(Path(made).resolve(), target)
        finally:
            os.chdir(home)
        return target

    def rewritten(self, source: Path, name: str, passes: str) -> Path:
        """What a pipeline, given as YAML of its passes or by name, makes of a model; not proven here."""
        target = self.folder / f"{source.stem}.{name}.onnx"
        if not target.exists():
            if "\n" not in passes and ":" not in passes and passes in ("cleanup", "yolo-onnxruntime", "yolo-tensorrt"):
                text = (Path(__file__).parents[1] / "passes" / f"{passes}.yaml").read_text()
            else:
                text = f"version: 1\npasses:\n  - {passes}\n"
            run_pipeline(parse_pipeline(text, name), Model.load(source), Settings(verify=False)).model.save(target)
        return target

    def changed(self, source: Path, name: str, change: Change) -> Path:
        """A model with its proto changed."""
        target = self.folder / f"{source.stem}.{name}.onnx"
        if not target.exists():
            proto = onnx.ModelProto()
            proto.CopyFrom(Model.load(source).proto())
            change(proto)
            target.write_bytes(proto.SerializeToString())
        return target

    def by_tool(self, source: Path, name: str, tool: Callable[[onnx.ModelProto], onnx.ModelProto]) -> Path:
        """What another tool makes of a model."""
        target = self.folder / f"{source.stem}.{name}.onnx"
        if not target.exists():
            target.write_bytes(tool(Model.load(source).proto()).SerializeToString())
        return target

    def external(self, source: Path) -> Path:
        """The same with its weights in a file of their own."""
        folder = self.folder / f"{source.stem}.external"
        target = folder / "model.onnx"
        if not target.exists():
            folder.mkdir()
            proto = onnx.ModelProto()
            proto.CopyFrom(Model.load(source).proto())
            onnx.save_model(proto, str(target), save_as_external_data=True, location="weights.bin")
        return target
