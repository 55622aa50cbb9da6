"""Time of passes and analyses against the size of the graph: `python -m benchmarks.scale`."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import onnx
import typer
from onnx import TensorProto, helper
from rich.console import Console
from rich.table import Table

from graphkit.model import Model

BLOCK = 10
"""Nodes of a block: something for every pass to do."""


def graph(count: int) -> onnx.ModelProto:
    """Blocks one behind the other: Identity, a no-op, a chain of shapes, Transposes, a constant computation, a copy."""
    nodes: list[onnx.NodeProto] = []
    constants = [
        onnx.numpy_helper.from_array(np.array([1, 4, 16], np.int64), "flat"),
        onnx.numpy_helper.from_array(np.array([1, 4, 4, 4], np.int64), "square"),
        onnx.numpy_helper.from_array(np.ones(4, np.float32), "ones"),
    ]
    last = "x"
    for index in range(count // BLOCK):
        names = [f"t{index}_{place}" for place in range(BLOCK)]
        constants.append(onnx.numpy_helper.from_array(np.full(4, index % 7, np.float32), f"c{index}"))
        nodes += [
            helper.make_node("Identity", [last], [names[0]]),
            helper.make_node("Relu", [names[0]], [names[1]]),
            helper.make_node("Transpose", [names[1]], [names[2]], perm=[0, 2, 3, 1]),
            helper.make_node("Add", [names[2], names[3]], [names[4]]),
            helper.make_node("Mul", [f"c{index}", "ones"], [names[3]]),
            helper.make_node("Transpose", [names[4]], [names[5]], perm=[0, 3, 1, 2]),
            helper.make_node("Reshape", [names[5], "flat"], [names[6]]),
            helper.make_node("Reshape", [names[6], "square"], [names[7]]),
            helper.make_node("Cast", [names[7]], [names[8]], to=TensorProto.FLOAT),
            helper.make_node("Sigmoid", [names[8]], [names[9]]),
        ]
        nodes[-6], nodes[-7] = nodes[-7], nodes[-6]
        last = names[-1]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, 4, 4]) for name in ("x", last)]
    made = helper.make_graph(nodes, "g", values[:1], values[1:], constants)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def works() -> dict[str, Callable[[Model], object]]:
    """What is timed: each on a model of its own."""
    from graphkit.analysis.differences import compare
    from graphkit.analysis.statistics import measure
    from graphkit.passes import registry

    passes = ("sort", "fold-constants", "remove-identity", "remove-transposes", "remove-no-ops", "merge-reshapes")
    found: dict[str, Callable[[Model], object]] = {}
    for name in (*passes, "deduplicate-constants", "strip-metadata", "pin-opset"):
        item = registry().get(name)
        made = item(opset=15) if name == "pin-opset" else item()  # type: ignore[call-arg]
        found[name] = made.run
    found["inspect"] = measure
    found["diff with itself"] = lambda model: compare(model, model.copy())
    return found


def main(
    most: int = typer.Option(100_000, min=1000, help="Nodes of the largest graph."),
    only: str = typer.Option("", help="Only what has this in its name."),
) -> None:
    """Print seconds for growing graphs, and the exponent that fits the larger half of them."""
    sizes = [size for size in (1000, 3000, 10_000, 30_000, 100_000) if size <= most]
    table = Table("", *(f"{size:,}" for size in sizes), "exponent")
    for name, work in works().items():
        if only not in name:
            continue
        seconds = []
        for size in sizes:
            given = Model(graph(size))
            start = time.perf_counter()
            work(given)
            given.proto()
            seconds.append(time.perf_counter() - start)
        slope = np.polyfit(np.log(sizes[-3:]), np.log(seconds[-3:]), 1)[0]
        table.add_row(name, *(f"{item:.2f} s" for item in seconds), f"{slope:.2f}")
        Console(stderr=True).print(name, [round(item, 2) for item in seconds])
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
