"""Networks: loaded from weights, or built from a YAML file with seeded weights."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from graphkit.detectors.pytorch import load_network
from graphkit.errors import UsageError
from graphkit.export.quiet import quiet, said
from graphkit.export.source import Source
from graphkit.heads.head import Task


def open_network(
    source: Source,
    folder: Path,
    seed: int,
    *,
    trust: bool = False,
    debug: bool = False,
    change: Callable[[Any, int], None] | None = None,
) -> tuple[Any, Path]:
    """The network, and weights that hold it.

    Args:
        source: What to export.
        folder: For what has to be written; the source's own is only read.
        seed: Of the weights of an untrained network: the same seed gives the same.
        trust: As `load_network` takes it.
        debug: Show what ultralytics says.
        change: Called with an untrained network and the seed, before it is written.

    Returns:
        An `ultralytics` model, float32, in evaluation mode, and a `.pt`: the source, or one in `folder` with what was
        built.

    Raises:
        UsageError: Nothing here finds boxes, the YAML cannot be built, or `load_network` refuses.
        ModelError: `load_network` cannot read it.
    """
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ["YOLO_OFFLINE"] = "true"
    if source.kind == "weights":
        network = load_network(source.path, trust=trust)
        _check_task(source, getattr(network, "task", None), type(network.model[-1]).__name__)
        return network, source.path
    network = _build(source, folder, seed, debug)
    if change is not None:
        change(network, seed)
    import torch

    weights = folder / f"{source.stem}.pt"
    torch.save({"model": network, "train_args": {}}, weights)
    return network, weights


def _build(source: Source, folder: Path, seed: int, debug: bool) -> Any:
    """The untrained network of a YAML."""
    import torch
    from ultralytics import YOLO
    from ultralytics.nn import tasks
    from ultralytics.utils import YAML

    # The scale is read from the file's name, so the copy has the name that was asked for.
    copy = folder / source.name
    shutil.copyfile(source.path, copy)
    try:
        described = YAML.load(copy)
    except Exception as error:
        text = said(error).replace(f"'{copy}'", "it").partition(". ")[0]
        raise UsageError(f"{source.name} is no YAML that can be read: {text}.") from error
    parts = [described.get(key) for key in ("backbone", "head")] if isinstance(described, dict) else []
    layers = [layer for part in parts if isinstance(part, list) for layer in part if isinstance(layer, list)]
    modules = [str(layer[2]) for layer in layers if len(layer) > 2]
    if not modules:
        raise UsageError(
            f"{source.name} describes no network: it has no backbone and head, which are lists of layers; name one of "
            "ultralytics', as yolov8n.yaml."
        )
    if "TorchVision" in modules:
        raise UsageError(
            f"{source.name} holds the layer TorchVision, which downloads weights, and graphkit downloads nothing; "
            "train it where there is a network, and export the .pt."
        )
    with quiet(debug):
        task = tasks.guess_model_task(described)
    _check_task(source, task, modules[-1])
    safe = getattr(tasks, "SAFE_LOAD", False)
    try:
        # Otherwise a YAML's activation is evaluated as Python.
        tasks.SAFE_LOAD = True
        with quiet(debug), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return YOLO(str(copy), verbose=False).model.eval()
    except Exception as error:
        text = said(error).replace(str(copy), "it")
        raise UsageError(f"{source.name} describes no network that ultralytics can build: {text}.") from error
    finally:
        tasks.SAFE_LOAD = safe


def _check_task(source: Source, task: object, head: str) -> None:
    """Refuse what finds no boxes, and heads whose outputs nobody here reads.

    Raises:
        UsageError: It is one of these.
    """
    if task not in get_args(Task) or head == "RTDETRDecoder":
        shown = f'the task "{task}"' if isinstance(task, str) and task not in get_args(Task) else f"the head {head}"
        raise UsageError(
            f"{source.name} is made for {shown}, and graphkit exports YOLO's detectors alone: "
            f"{', '.join(get_args(Task))}; yolo export takes others."
        )
