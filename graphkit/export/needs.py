"""What runtimes need of a model whose dimensions are open."""

from __future__ import annotations

import math

from graphkit.export.report import Need, Tensor


def needs_of(inputs: tuple[Tensor, ...], file: str, size: tuple[int, int], batch: int, stride: int) -> tuple[Need, ...]:
    """What to type for each runtime, from the model's own inputs.

    TensorRT's profile runs from one image at half the size to the batch at twice the size, in multiples of the largest
    stride, and is fastest at what was exported.

    Args:
        inputs: Of the model; the first takes pictures [batch, channels, height, width].
        file: The file's name.
        size: Height and width, pixels.
        batch: Images at once.
        stride: The largest.
    """
    first = inputs[0]
    channels = first.shape[1]
    sizes = {
        "min": (1, *(_multiple(side / 2, stride) for side in size)),
        "opt": (batch, *size),
        "max": (batch, *(2 * side for side in size)),
    }
    shapes = {key: f"{first.name}:{n}x{channels}x{height}x{width}" for key, (n, height, width) in sizes.items()}
    profile = " ".join(f"--{key}Shapes={shape}" for key, shape in shapes.items())
    fixed = f"{first.name}[{batch},{channels},{size[0]},{size[1]}]"
    listed = f"[{batch}, {channels}, {size[0]}, {size[1]}]"
    symbols = {
        symbol: value
        for symbol, value in zip(first.shape, (batch, channels, *size), strict=True)
        if isinstance(symbol, str)
    }
    overrides = "; ".join(
        f'options.add_free_dimension_override_by_name("{symbol}", {value})' for symbol, value in symbols.items()
    )
    return (
        Need(
            "TensorRT",
            "builds an engine for a range: change it to what you will feed, and batch to what you will feed at once",
            f"trtexec --onnx={file} {profile}",
        ),
        Need("OpenVINO", "takes it as it is, and is faster and smaller for one shape", f"ovc {file} --input {fixed}"),
        Need(
            "onnxruntime, CPU and CUDA",
            "takes it as it is, and plans memory ahead where it is told the sizes",
            overrides,
        ),
        Need(
            "CoreML, NNAPI, QNN and other phones",
            "take fixed shapes only: make them fixed, in a pipeline for graphkit run",
            f"- set-input-shape: {{{first.name}: {listed}}}",
        ),
    )


def _multiple(value: float, stride: int) -> int:
    return max(1, math.ceil(value / stride)) * stride
