"""Time of `remove-transposes` against the size of the graph: `python -m benchmarks.transposes_scale`."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import onnx
import typer
from onnx import TensorProto, helper
from rich.console import Console
from rich.table import Table

from graphkit.model import Model
from graphkit.passes.transposes import optimise

LAST, FIRST, SWAP = [0, 2, 3, 1], [0, 3, 1, 2], [0, 1, 3, 2]


def pairs(count: int) -> list[onnx.NodeProto]:
    """Transpose, Relu, Add, inverse, again and again."""
    nodes, last = [], "x"
    for index in range(count // 4):
        a, b, c, d = (f"{name}{index}" for name in "abcd")
        nodes += [
            helper.make_node("Transpose", [last], [a], perm=LAST),
            helper.make_node("Relu", [a], [b]),
            helper.make_node("Add", [b, "bias"], [c]),
            helper.make_node("Transpose", [c], [d], perm=FIRST),
        ]
        last = d
    return nodes


def far(count: int) -> list[onnx.NodeProto]:
    """One Transpose at the beginning, its inverse at the end."""
    names = ["a", *(f"b{index}" for index in range(count - 2))]
    between = [helper.make_node("Relu", [one], [other]) for one, other in pairwise(names)]
    first = helper.make_node("Transpose", ["x"], ["a"], perm=LAST)
    return [first, *between, helper.make_node("Transpose", [names[-1]], ["y"], perm=FIRST)]


def tangle(count: int) -> list[onnx.NodeProto]:
    """Three in ten are Transposes at random, between Relu and Add of what was made shortly before."""
    rng = random.Random(0)
    nodes, names = [], ["x"]
    for index in range(count):
        source, other, kind = (*rng.choices(names[-3:], k=2), rng.random())
        name = f"t{index}"
        if kind < 0.3:
            nodes.append(helper.make_node("Transpose", [source], [name], perm=rng.choice([LAST, FIRST, SWAP])))
        elif kind < 0.6:
            nodes.append(helper.make_node("Relu", [source], [name]))
        else:
            nodes.append(helper.make_node("Add", [source, other], [name]))
        names.append(name)
    return nodes


def model(nodes: list[onnx.NodeProto]) -> Model:
    """A model of these nodes."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 4, 4])],
        [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(np.ones(4, np.float32), "bias")],
    )
    return Model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]))


def main(most: int = typer.Option(100_000, min=1000, help="Nodes of the largest graph.")) -> None:
    """Print seconds for growing graphs, and the exponent that fits them."""
    sizes = [size for size in (1000, 3000, 10_000, 30_000, 100_000) if size <= most]
    table = Table("graph", *(f"{size:,} nodes" for size in sizes), "exponent", "Transposes")
    makers: list[Callable[[int], list[onnx.NodeProto]]] = [pairs, far, tangle]
    for maker in makers:
        seconds = []
        told = ""
        for size in sizes:
            given = model(maker(size))
            start = time.perf_counter()
            outcome = optimise(given)
            seconds.append(time.perf_counter() - start)
            told = f"{outcome.before[0]} → {outcome.after[0]}"
        slope = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
        table.add_row(maker.__name__, *(f"{item:.2f} s" for item in seconds), f"{slope:.2f}", told)
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
