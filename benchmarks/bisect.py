"""Errors planted in YOLOv8x, and how `graphkit verify --bisect` finds them: the node, the time, the memory.

    python -m benchmarks.bisect [--size 640] [--model yolov8x] [--folder FOLDER]

Each pair runs in a process of its own, whose peak resident memory the operating system reports. Exit status 1 where one
is not found in the right node, or takes more than 60 s or 2 GB.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from benchmarks.breaking import change_constant, node

SECONDS, BYTES = 60.0, 2_000_000_000
Change = Callable[[onnx.ModelProto, str], None]


@dataclass(frozen=True)
class Plant:
    """An error: what is done to which node."""

    kind: str
    where: str
    change: Change


def main() -> int:
    """Plant, bisect, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=640)
    parser.add_argument("--model", default="yolov8x")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "graphkit-bisect")
    parser.add_argument("--only", type=int, action="append", help="numbers of the errors to plant")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    right = _exported(asked.folder, asked.model, asked.size)
    proto = onnx.load(right)
    plants = plan(proto)
    del proto
    failed = 0
    print(f"{'what':<26} {'node':<38} {'found':<6} {'before':>8} {'at':>8} {'s':>6} {'GB':>5}")
    for number, item in enumerate(plants):
        if asked.only and number not in asked.only:
            continue
        broken = asked.folder / "broken.onnx"
        changed = onnx.load(right)
        item.change(changed, item.where)
        broken.write_bytes(changed.SerializeToString())
        del changed
        told, seconds, peak = bisected(right, broken)
        culprits = told.get("bisection", {}).get("culprits", [])
        first = culprits[0] if culprits else {}
        found = bool(first) and item.where in {shown["label"] for shown in (*first["left"], *first["right"])}
        alone = found and first["left_count"] <= 1 and first["right_count"] <= 1
        good = found and alone and seconds < SECONDS and peak < BYTES
        failed += not good
        before, at = (float(first.get(key, "nan")) for key in ("before", "at"))
        said = "yes" if alone else "among" if found else "NO"
        print(
            f"{item.kind:<26} {item.where:<38} {said:<6} {before:8.1e} {at:8.1e} {seconds:6.1f} {peak / 1e9:5.2f}",
            flush=True,
        )
        if not found:
            print(f"    named instead: {first.get('left_tensor', told)}")
    return 1 if failed else 0


def plan(proto: onnx.ModelProto) -> list[Plant]:
    """Errors of every kind at several depths, by what the graph holds."""
    nodes = proto.graph.node
    convolutions = [item.name for item in nodes if item.op_type == "Conv"]
    wide = [item.name for item in nodes if item.op_type == "Conv" and _kernel(item) == 3]
    sigmoids = [item.name for item in nodes if item.op_type == "Sigmoid"]
    joins = [item.name for item in nodes if item.op_type == "Concat" and len(item.input) >= 2]
    adds = [item.name for item in nodes if item.op_type == "Add"]
    last = {item.op_type: item.name for item in nodes}
    return [
        *(Plant("weights perturbed 1 %", name, weights) for name in _at(convolutions, 0.02, 0.5, 0.95)),
        *(Plant("bias shifted", name, bias) for name in _at(convolutions, 0.1, 0.6, 0.9)),
        *(Plant("padding moved", name, padding) for name in _at(wide, 0.2, 0.7)),
        *(Plant("Sigmoid to HardSigmoid", name, operator("HardSigmoid")) for name in _at(sigmoids, 0.05, 0.5, 0.97)),
        *(Plant("Add to Sub", name, operator("Sub")) for name in _at(adds, 0.3, 0.8)),
        *(Plant("wires swapped", name, wires) for name in _at(joins, 0.1, 0.5, 0.7)),
        Plant("Softmax axis", last["Softmax"], axis),
        Plant("stride constant", last["Mul"], constant),
    ]


def _at(names: list[str], *places: float) -> list[str]:
    return [names[int(place * (len(names) - 1))] for place in places]


def _kernel(item: onnx.NodeProto) -> int:
    return next((int(part.ints[0]) for part in item.attribute if part.name == "kernel_shape"), 0)


def weights(proto: onnx.ModelProto, where: str) -> None:
    """Every weight off by 1 % of itself, at random."""
    noise = np.random.default_rng(0)
    change_constant(proto, node(proto, where).input[1], lambda w: w * (1 + 0.01 * noise.standard_normal(w.shape)))


def bias(proto: onnx.ModelProto, where: str) -> None:
    """The bias, or where there is none one weight in ten, moved by a tenth of its spread."""
    change_constant(proto, node(proto, where).input[-1], lambda b: b + 0.1 * (np.abs(b).mean() + 1e-3))


def padding(proto: onnx.ModelProto, where: str) -> None:
    """The picture moved by one pixel."""
    item = next(part for part in node(proto, where).attribute if part.name == "pads")
    top, left, bottom, right = item.ints
    item.ints[:] = [top + 1, left, bottom - 1, right]


def operator(name: str) -> Change:
    """Another operator in the place of one."""

    def change(proto: onnx.ModelProto, where: str) -> None:
        node(proto, where).op_type = name

    return change


def wires(proto: onnx.ModelProto, where: str) -> None:
    """Two inputs of one shape in each other's place."""
    item = node(proto, where)
    shapes = {info.name: str(info.type.tensor_type.shape) for info in _inferred(proto)}
    for one in range(len(item.input)):
        for other in range(one + 1, len(item.input)):
            a, b = item.input[one], item.input[other]
            if a != b and shapes.get(a) == shapes.get(b):
                item.input[one], item.input[other] = b, a
                return
    item.input[0], item.input[1] = item.input[1], item.input[0]


def _inferred(proto: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    return list(onnx.shape_inference.infer_shapes(proto).graph.value_info)


def axis(proto: onnx.ModelProto, where: str) -> None:
    """A Softmax over another axis."""
    item = next(part for part in node(proto, where).attribute if part.name == "axis")
    item.i = 2 if item.i == 1 else 1


def constant(proto: onnx.ModelProto, where: str) -> None:
    """The constant that an operator reads, 0.1 % larger."""
    item = node(proto, where)
    known = {tensor.name for tensor in proto.graph.initializer}
    known |= {made.output[0] for made in proto.graph.node if made.op_type == "Constant"}
    change_constant(proto, next(name for name in item.input if name in known), lambda values: values * 1.001)


_COMMAND = """
import pathlib, re, sys
from graphkit.cli import main
try:
    main()
finally:
    status = pathlib.Path("/proc/self/status").read_text()
    print(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1], file=sys.stderr)
"""
"""The command, and behind it on stderr the kernel's own count: ru_maxrss would hold what this process took as well."""


def bisected(left: Path, right: Path) -> tuple[dict[str, Any], float, int]:
    """What `graphkit verify --bisect` prints, its seconds, and the bytes of its peak."""
    line = [sys.executable, "-c", _COMMAND, "verify", str(left), str(right), "--bisect", "--json"]
    start = time.perf_counter()
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    return json.loads(done.stdout or "{}"), seconds, int(done.stderr.split()[-1]) * 1024


def _exported(folder: Path, name: str, size: int) -> Path:
    """The model, made once, with outputs that are spread as a trained one's are."""
    from tests.families.trained import export_lively

    path = folder / f"{name}-{size}.onnx"
    if not path.exists():
        unfinished = path.with_suffix(".part")
        export_lively(unfinished, name, imgsz=size)
        unfinished.rename(path)
    return path


if __name__ == "__main__":
    sys.exit(main())
