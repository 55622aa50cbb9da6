"""A small trained detector, a picture for it and a pipeline: everything a first try of graphkit needs.

The detector is a YOLOv8 with few channels that finds ten shapes in eight colours; `scripts/train_demo.py` made it from
drawn pictures. It is a raw Ultralytics export, [1,3,320,320] -> [1,84,2100], and kept compressed.
"""

from __future__ import annotations

import lzma
import os
from importlib import resources
from pathlib import Path

from graphkit.errors import UsageError, WriteError


def demo_detector() -> bytes:
    """The content of `detector.onnx`."""
    return lzma.decompress(_packaged("detector.onnx.xz").read_bytes())


def demo_picture() -> Path:
    """The path of the packaged picture, a PNG of 640 x 480 pixels with 13 objects on it."""
    return _packaged("shapes.png")


def write_demo(folder: Path) -> list[Path]:
    """Write `detector.onnx`, `shapes.png` and `pipeline.yaml` to `folder`, which is made if need be.

    Files that are there already with the same content are left alone.

    Returns:
        The three paths, in the order named above.

    Raises:
        UsageError: A file of that name with other content is there; then nothing is written.
        WriteError: The folder or a file cannot be written.
    """
    contents = {
        "detector.onnx": demo_detector(),
        "shapes.png": demo_picture().read_bytes(),
        "pipeline.yaml": _packaged("pipeline.yaml").read_bytes(),
    }
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: name a folder for the demo to go to.")
    try:
        missing = {name: data for name, data in contents.items() if not _is_written(folder / name, data)}
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in missing.items():
            _write(folder / name, data)
    except OSError as error:
        raise WriteError(f"The demo cannot be written to {folder}: {error.strerror or error}.") from error
    return [folder / name for name in contents]


def _packaged(name: str) -> Path:
    return Path(str(resources.files("graphkit.demo").joinpath(name)))


def _is_written(path: Path, data: bytes) -> bool:
    """Whether `path` holds `data`; False if nothing is there."""
    if not path.exists():
        return False
    if not path.is_file() or path.read_bytes() != data:
        raise UsageError(
            f"{path} is there already and is not what the demo would write, so nothing was written: "
            "name another folder, or move it out of the way."
        )
    return True


def _write(path: Path, data: bytes) -> None:
    """Write beside and rename, so that a killed run leaves no half file."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
