"""Models whose weights lie in a file of their own."""

from pathlib import Path

import onnx


def save_beside(proto: onnx.ModelProto, folder: Path) -> Path:
    """Write `model.onnx`, and every initializer into `weights.bin`; the path of the model."""
    path = folder / "model.onnx"
    onnx.save(proto, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    return path
