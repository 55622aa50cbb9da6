"""How long a conversion takes, and how that grows with the model.

    python -m benchmarks.opset_scale [--most 100000] [--detector yolov8x] [--profile 50000]

Chains of n nodes go from opset 18 down to 11 and up to 21, and the exponent of time against n is fitted by least
squares on the logarithms: 1 is linear. An untrained detector is exported by ultralytics, if that is installed, and
converted by graphkit, and by onnx.version_converter where that can. Seconds are of the processor: the machine may have
other things to do.
"""

from __future__ import annotations

import cProfile
import gc
import importlib.util
import math
import pstats
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import onnx
import typer
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from rich.console import Console
from rich.table import Table

from benchmarks.opset_tools import Refused, graphkit, version_converter

SIZES = (1000, 3000, 10_000, 30_000, 100_000)
TARGETS = (11, 21)
NOW = 18


def chain(count: int) -> ModelProto:
    """`count` nodes of opset 18, one behind the other: some are the same in every opset, some are not."""
    nodes: list[NodeProto] = []
    last = "x"

    def add(op: str, inputs: list[str], outputs: int = 1, **attributes: Any) -> list[str]:
        names = [f"t{len(nodes)}_{index}" for index in range(outputs)]
        nodes.append(helper.make_node(op, inputs, names, f"/{op}_{len(nodes)}", **attributes))
        return names

    while len(nodes) < count:
        (last,) = add("Relu", [last])
        (last,) = add("Add", [last, "one"])
        halves = add("Split", [last], outputs=2, axis=1, num_outputs=2)
        (last,) = add("Concat", halves, axis=1)
        (last,) = add("Reshape", [last, "shape"])
        (mean,) = add("ReduceMean", [last, "axes"], keepdims=1)
        (last,) = add("Sub", [last, mean])
        (last,) = add("Softmax", [last], axis=1)
    constants = [
        numpy_helper.from_array(np.ones(1, np.float32), "one"),
        numpy_helper.from_array(np.array([2, 8], np.int64), "shape"),
        numpy_helper.from_array(np.array([1], np.int64), "axes"),
    ]
    kind = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 8]) for name in ("x", last)]
    graph = helper.make_graph(nodes, "chain", kind[:1], kind[1:], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", NOW)], ir_version=8)


def seconds(proto: ModelProto, target: int, times: int = 1) -> float:
    """The best of several conversions."""
    best = math.inf
    for _ in range(times):
        gc.collect()
        start = time.process_time()
        graphkit(proto, target)
        best = min(best, time.process_time() - start)
    return best


def exponent(sizes: list[int], times: list[float]) -> float:
    """b of time = a · size^b."""
    slope, _ = np.polyfit(np.log(sizes), np.log(times), 1)
    return float(slope)


def detector(name: str) -> ModelProto | None:
    """An untrained detector at opset 18; None without ultralytics."""
    if importlib.util.find_spec("ultralytics") is None:
        return None
    from tests.exports import export_untrained

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.onnx"
        export_untrained(path, name, opset=NOW)
        return onnx.load(path)


def main(
    most: Annotated[int, typer.Option(help="The longest chain.")] = SIZES[-1],
    name: Annotated[str, typer.Option("--detector", help="What ultralytics exports; empty for none.")] = "yolov8x",
    profile: Annotated[int, typer.Option(help="Profile a chain of this many nodes instead.")] = 0,
) -> None:
    """Print the table."""
    console = Console(soft_wrap=True)
    seconds(chain(8), TARGETS[0])  # schemas and rules are read once
    if profile:
        proto = chain(profile)
        with cProfile.Profile() as record:
            graphkit(proto, TARGETS[0])
        pstats.Stats(record).sort_stats("tottime").print_stats(30)
        return
    sizes = [size for size in SIZES if size <= most]
    table = Table("nodes", *(f"{NOW} → {target}" for target in TARGETS))
    times: list[list[float]] = []
    for size in sizes:
        proto = chain(size)
        times.append([seconds(proto, target, 3 if size <= 10_000 else 1) for target in TARGETS])
        table.add_row(f"{size}", *(f"{value:.3f} s" for value in times[-1]))
    if len(sizes) > 1:
        fits = [exponent(sizes, [row[index] for row in times]) for index in range(len(TARGETS))]
        table.add_row("exponent", *(f"{value:.2f}" for value in fits))
    console.print(table)
    proto_or_none = detector(name) if name else None
    if proto_or_none is not None:
        _detector(console, name, proto_or_none)


def _detector(console: Console, name: str, proto: ModelProto) -> None:
    size = proto.ByteSize() / 1e6
    table = Table(f"{name}, {len(proto.graph.node)} nodes, {size:.0f} MB", "graphkit", "onnx.version_converter")
    for target in (11, 17, 19, 21):
        start = time.process_time()
        try:
            version_converter(proto, target)
            theirs = f"{time.process_time() - start:.3f} s"
        except Refused:
            theirs = "refused"
        try:
            ours = f"{seconds(proto, target, 3):.3f} s"
        except Refused as error:
            ours = " ".join(str(error).split())[:200]
        table.add_row(f"{NOW} → {target}", ours, theirs)
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
