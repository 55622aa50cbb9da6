"""Make the exported detector small enough for the repository."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

# Weights are 4 bytes each and aligned, so that the position within the word says which byte to expect.
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 0, "lp": 2, "pb": 2}]


def to_bfloat16_grid(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The nearest values with eight significant bits, still as float32: their last two bytes are 0."""
    bits = weights.view(np.uint32).astype(np.uint64)
    nearest_even = bits + 0x7FFF + ((bits >> np.uint64(16)) & np.uint64(1))
    return (nearest_even & np.uint64(0xFFFF0000)).astype(np.uint32).view(np.float32)


def ship(exported: Path, target: Path) -> None:
    """Round the kernels of all convolutions and compress the file. Biases and box anchors stay as they are."""
    model = onnx.load(exported)
    kernels = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    for tensor in model.graph.initializer:
        if tensor.name in kernels:
            rounded = to_bfloat16_grid(numpy_helper.to_array(tensor))
            tensor.CopyFrom(numpy_helper.from_array(rounded, tensor.name))
    onnx.checker.check_model(model, full_check=True)
    target.write_bytes(lzma.compress(model.SerializeToString(deterministic=True), lzma.FORMAT_XZ, filters=FILTERS))
