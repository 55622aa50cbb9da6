"""Fixtures that more than one part of the suite needs."""

import fcntl
import gc
import importlib.util
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.exports import export_untrained

DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def export(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`export("yolov8n", imgsz=64, dynamic=True)`: an untrained model as ultralytics exports it, made once a run.

    Shared by all workers of a run; do not write to the file.
    """
    if importlib.util.find_spec("ultralytics") is None:
        pytest.skip("ultralytics is not installed (pip install onnx-graphkit[export])")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-gw") else base) / "exports"
    folder.mkdir(exist_ok=True)

    def make(name: str, **options: Any) -> Path:
        options = {"imgsz": 64, **options}
        told = "_".join(f"{key}-{value}" for key, value in sorted(options.items()))
        path = folder / (re.sub(r"[^\w.-]", "-", f"{name}_{told}") + ".onnx")
        with (folder / f"{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                unfinished = path.with_suffix(".part")
                export_untrained(unfinished, name, **options)
                unfinished.rename(path)
        return path

    return make


@pytest.fixture(scope="session")
def coco_model() -> Path:
    """A COCO-trained YOLOv8n, 640 x 640, as exported."""
    path = DATA / "yolov8n-coco-640.onnx"
    if not path.is_file():
        pytest.skip("the trained test model ../shared/data/yolov8n-coco-640.onnx is not here")
    return path


@pytest.fixture
def only_what_is_new_is_collected() -> Iterator[None]:
    """For what collects garbage before it times anything: what tests before left in memory is not looked through."""
    gc.freeze()
    yield
    gc.unfreeze()
