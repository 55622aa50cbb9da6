"""Exports whose outputs are spread as those of a trained model are.

An untrained detector returns the same score and the same box everywhere: its activations fade with depth, and every
class starts from one tiny prior. Nothing can be chosen among equals, so nothing about choosing can be proven on it.
Here the normalisation layers learn their statistics from a few random pictures, and the last convolution of each
branch of the head gets random weights: then every anchor says something else.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any


def export_lively(target: Path, name: str, **options: Any) -> None:
    """Write `name` (yolov8n, yolo11n-seg …), seeded, to `target`; options are ultralytics' export arguments."""
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ["YOLO_OFFLINE"] = "true"
    import torch
    from ultralytics import YOLO
    from ultralytics.utils import LOGGER

    LOGGER.setLevel("ERROR")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = YOLO(f"{name}.yaml", verbose=False)
    _enliven(model.model, options["imgsz"])
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        home = Path.cwd()
        os.chdir(folder)  # the exporter writes beside the name of the model, into the current folder
        try:
            made = Path(model.export(format="onnx", verbose=False, simplify=False, **options))
            shutil.move(made.resolve(), target)
        finally:
            os.chdir(home)


def _enliven(network: Any, size: int) -> None:
    import torch

    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 0.5
    network.train()
    with torch.no_grad():
        for _ in range(4):
            network(torch.rand(4, 3, size, size))
    network.eval()
    head = network.model[-1]
    for branch, module in head.named_children():
        if not branch.startswith(("cv", "one2one_cv")):
            continue
        for level in module if isinstance(module, torch.nn.ModuleList) else [module]:
            last = [part for part in level.modules() if isinstance(part, torch.nn.Conv2d)][-1:]
            for convolution in last:
                _randomise(convolution, is_class=branch.endswith("cv3"))


def _randomise(convolution: Any, is_class: bool) -> None:
    import torch

    fan = convolution.weight[0].numel()
    torch.nn.init.normal_(convolution.weight, 0, (2.0 if is_class else 1.0) / fan**0.5)
    if convolution.bias is not None:
        # Distances without DFL are taken as they are: 2 cells on every side make a box.
        torch.nn.init.normal_(convolution.bias, -3.0 if is_class else 2.0, 0.5)
