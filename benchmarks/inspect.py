"""`graphkit inspect`: how long the command takes, and its MACs and parameters beside ultralytics-thop's.

    python -m benchmarks.inspect yolov8n.pt yolov8n.onnx

The network is fused first, as it is in the export. Both count products that are summed up and no biases; thop also
counts BatchNormalization, of which none is left. On a busy machine the CPU time says more than the wall time. Needs
the `export` extra.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer


def main(
    weights: Annotated[Path, typer.Argument(help="ultralytics' weights.")],
    model: Annotated[Path, typer.Argument(help="Their export.")],
    rounds: Annotated[int, typer.Option(help="How often the command is timed.")] = 7,
) -> None:
    """Print the median of the wall time, and both counts with their ratio."""
    line = [sys.executable, "-c", "from graphkit.cli import main; main()", "inspect", str(model)]
    walls, busy = [], []
    for _ in range(rounds):
        begin, before = time.perf_counter(), os.times()
        subprocess.run(line, check=True, capture_output=True)
        after = os.times()
        walls.append(time.perf_counter() - begin)
        busy.append(after.children_user + after.children_system - before.children_user - before.children_system)
    for name, times in (("wall time", walls), ("CPU time", busy)):
        print(f"{name:<11} median {statistics.median(times):.2f} s, least {min(times):.2f} s, of {rounds}")
    told = json.loads(subprocess.run([*line, "--json"], check=True, capture_output=True, text=True).stdout)
    found = told["statistics"]
    shape = found["summary"]["inputs"][0]["shape"]
    macs, parameters = _thop(weights, shape)
    for name, ours, theirs in (
        ("MACs", found["total"]["macs"], macs),
        ("parameters", found["total"]["parameters"], parameters),
    ):
        print(f"{name:<11} {ours:,} and thop's {theirs:,.0f}: ratio {ours / theirs:.5f}")


def _thop(weights: Path, shape: list[int]) -> tuple[float, float]:
    import thop
    import torch
    from ultralytics import YOLO

    network: Any = YOLO(weights).model
    network = network.float().eval()
    network.fuse(verbose=False)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    macs, _ = thop.profile(network, inputs=[torch.zeros(shape)], verbose=False)
    return float(macs), float(parameters)


if __name__ == "__main__":
    typer.run(main)
