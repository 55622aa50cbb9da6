"""Untrained models as ultralytics exports them, made offline from its own YAML files."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any


def export_untrained(target: Path, name: str, **options: Any) -> None:
    """Write `name` (yolov8n, yolo11n, yolov8n-seg …), untrained and seeded, to `target`.

    Options are ultralytics' export arguments; `classes` sets the number of classes.
    """
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ["YOLO_OFFLINE"] = "true"
    import torch
    from ultralytics import YOLO
    from ultralytics.utils import YAML, checks

    classes = options.pop("classes", None)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        source = f"{name}.yaml"
        if classes is not None:
            # The scale is read from the file's name, so that stays.
            unscaled = name.replace("n-", "-", 1) if "-" in name else name[:-1]
            config = YAML.load(checks.check_yaml(f"{unscaled}.yaml")) | {"nc": classes}
            source = str(Path(folder) / f"{name}.yaml")
            YAML.save(source, config)
        model = YOLO(source, verbose=False)
        home = Path.cwd()
        os.chdir(folder)  # the exporter writes beside the name of the model, into the current folder
        try:
            made = Path(model.export(format="onnx", verbose=False, simplify=options.pop("simplify", False), **options))
            shutil.move(made.resolve(), target)
        finally:
            os.chdir(home)
