"""Train the demo detector from nothing on a CPU and export it the way everybody exports a YOLOv8."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

IMAGE_SIZE = 320
OPSET = 18
ARCHITECTURE = Path(__file__).with_name("yolov8-demo.yaml")
CHECKPOINT = Path("training", "weights", "last.pt")  # below the folder given to `train`


def _fast_on_cpu(trainer: Any) -> None:
    """Make the convolutions about twice as fast: channels last, and bfloat16 where the CPU has it.

    Only the network's own forward pass is in bfloat16. Ultralytics' `amp` would take the loss with it, where eight
    bits are too few for the box distances.
    """
    import torch

    network = trainer.model
    network.to(memory_format=torch.channels_last)
    predict = network.predict

    def predict_in_bfloat16(*args: Any, **kwargs: Any) -> Any:
        with torch.autocast("cpu", torch.bfloat16):
            outputs = predict(*args, **kwargs)
        return {
            name: [x.float() for x in value] if isinstance(value, list) else value.float()
            for name, value in outputs.items()
        }

    network.predict = predict_in_bfloat16


def train(dataset: Path, folder: Path, epochs: int, threads: int = 2, seed: int = 0) -> Path:
    """Train on the dataset's YAML file and return the checkpoint.

    Hue is left alone, because the colour is half of the class, and there is no mosaic: the pictures hold several
    objects of all sizes already.
    """
    os.environ["YOLO_OFFLINE"] = "1"  # nothing is to be fetched: there are no weights to start from
    import torch
    from ultralytics import YOLO

    torch.set_num_threads(threads)
    model = YOLO(str(ARCHITECTURE), task="detect")
    model.add_callback("on_train_start", _fast_on_cpu)
    # fmt: off
    model.train(
        data=str(dataset), imgsz=IMAGE_SIZE, epochs=epochs, batch=16, nbs=16, device="cpu", workers=0, cache="ram",
        project=str(folder.resolve()), name="training", exist_ok=True, pretrained=False, seed=seed, deterministic=True,
        optimizer="AdamW", lr0=0.004, lrf=0.01, cos_lr=True, warmup_epochs=0.5, weight_decay=0.01, cls=1.0,
        hsv_h=0.0, hsv_s=0.1, hsv_v=0.15, degrees=0.0, translate=0.0, scale=0.0, fliplr=0.5, flipud=0.5, mosaic=0.0,
        mixup=0.0, amp=False, val=False, plots=False,
    )
    # fmt: on
    return folder / CHECKPOINT


def export(checkpoint: Path, target: Path) -> None:
    """Write the raw export: static [1,3,320,320] -> [1,84,2100], not simplified, with Ultralytics' metadata."""
    os.environ["YOLO_OFFLINE"] = "1"
    from ultralytics import YOLO

    model = YOLO(str(checkpoint))
    model.model.args["data"] = "shapes.yaml"  # goes into the metadata, where a path of this machine has no place
    written = model.export(format="onnx", imgsz=IMAGE_SIZE, opset=OPSET, simplify=False, dynamic=False, device="cpu")
    shutil.move(written, target)
