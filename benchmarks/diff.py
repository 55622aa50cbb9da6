"""`graphkit diff`: how its time grows with the model, and that a model in disguise is the same.

    python -m benchmarks.diff [--most 20000] [--folder EXPORTS]

Residual blocks of four nodes, each with weights of its own or all with the same, are held against themselves in
disguise (every name another, a random order, constants moved) with one block taken out and one weight changed. The
exponent of time against nodes is fitted by least squares on the logarithms: 1 is linear. Seconds are of the processor:
the machine may have other things to do. With --folder every model there is held against itself in disguise. Exit
status 1 where 20 000 nodes take more than 10 s, or a difference is wrong.
"""

from __future__ import annotations

import gc
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import onnx
import typer
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from benchmarks.disguise import disguised
from graphkit.analysis.differences import GraphDiff, compare
from graphkit.model import Model

SIZES = (1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
SECONDS, NODES = 10.0, 20_000


def blocks(nodes: int, weights: str) -> ModelProto:
    """Residual blocks, one behind the other: MatMul, Sigmoid, Mul, Add."""
    noise = np.random.default_rng(0)
    made, stored, last = list[NodeProto](), list[TensorProto](), "x"
    for n in range(nodes // 4):
        value = noise.standard_normal((8, 8)).astype(np.float32) if weights == "own" else np.eye(8, dtype=np.float32)
        stored.append(numpy_helper.from_array(value, f"w{n}"))
        made += [
            helper.make_node("MatMul", [last, f"w{n}"], [f"a{n}"]),
            helper.make_node("Sigmoid", [f"a{n}"], [f"b{n}"]),
            helper.make_node("Mul", [f"a{n}", f"b{n}"], [f"c{n}"]),
            helper.make_node("Add", [last, f"c{n}"], [f"d{n}"]),
        ]
        last = f"d{n}"
    made.append(helper.make_node("Relu", [last], ["y"]))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [8, 8]) for name in ("x", "y")]
    graph = helper.make_graph(made, "g", ends[:1], ends[1:], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def changed(proto: ModelProto) -> ModelProto:
    """A block in the middle taken out, a weight at three quarters doubled."""
    made = ModelProto()
    made.CopyFrom(proto)
    graph = made.graph
    count = len(graph.initializer)
    gone, other = count // 2, count * 3 // 4
    graph.node[4 * gone + 4].input[0] = graph.node[4 * gone + 7].input[0] = f"d{gone - 1}"
    del graph.node[4 * gone : 4 * gone + 4]
    value = numpy_helper.to_array(graph.initializer[other]) * np.float32(2)
    graph.initializer[other].CopyFrom(numpy_helper.from_array(value, f"w{other}"))
    del graph.initializer[gone]
    return made


def right(found: GraphDiff) -> bool:
    """Whether exactly the block and the weight are told."""
    removed = [node.op for place in found.places for node in place.removed]
    changes = [(change.kind, change.relative_l2) for node in found.nodes for change in node.changes]
    return sorted(removed) == ["Add", "MatMul", "Mul", "Sigmoid"] and not found.added and changes == [("constant", 1.0)]


def main(
    most: Annotated[int, typer.Option(help="Nodes of the largest graph.")] = NODES,
    folder: Annotated[Path | None, typer.Option(help="Models that are held against themselves in disguise.")] = None,
) -> None:
    """Print the times, and what was wrong."""
    failed = False
    for weights in ("own", "equal"):
        points = []
        print(f"weights {'of its own in each block' if weights == 'own' else 'the same in all blocks'}")
        for size in (size for size in SIZES if size <= most):
            proto = blocks(size, weights)
            left, other = Model(proto), Model(disguised(changed(proto)))
            gc.collect()
            begin = time.process_time()
            found = compare(left, other)
            seconds = time.process_time() - begin
            points.append((size, seconds))
            good = right(found) and (size != NODES or seconds < SECONDS)
            failed |= not good
            print(
                f"{size:>8,} nodes {seconds:7.2f} s   {'exactly what was done' if good else 'WRONG OR SLOW'}",
                flush=True,
            )
        print(f"         time grows as nodes to the power {_exponent(points):.2f}")
    failed |= not _command(min(NODES, most))
    if folder is not None:
        failed |= not _folder(folder)
    raise typer.Exit(1 if failed else 0)


def _exponent(points: list[tuple[int, float]]) -> float:
    if len(points) < 2:
        return math.nan
    logs = np.log([[size, seconds] for size, seconds in points])
    return float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])


def _command(size: int) -> bool:
    """The whole command, reading and printing included."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("a.onnx", "b.onnx")]
        proto = blocks(size, "own")
        for path, made in zip(paths, (proto, disguised(changed(proto))), strict=True):
            onnx.save(made, path)
        begin = time.perf_counter()
        line = [sys.executable, "-c", "from graphkit.cli import main; main()", "diff", *map(str, paths)]
        status = subprocess.run(line, capture_output=True, check=False).returncode
        seconds = time.perf_counter() - begin
    print(f"graphkit diff of {size:,} nodes: {seconds:.1f} s in all, exit status {status}")
    return status == 1 and seconds < SECONDS


def _folder(folder: Path) -> bool:
    paths = sorted(folder.glob("*.onnx"))
    wrong = 0
    for number, path in enumerate(paths):
        model = Model.load(path)
        inner = compare(model, Model(disguised(model.proto(), number), model.source))
        outer = compare(model, Model(disguised(model.proto(), number, ends=True), model.source))
        named = {change.kind for item in outer.ends for change in item.changes} == {"name"}
        if not inner.equal or not named or outer.settings or outer.places or outer.nodes or outer.tensors:
            wrong += 1
            print(f"  {path.name}: a difference where there is none")
    print(f"{len(paths) - wrong} of {len(paths)} models in {folder} are the same in disguise")
    return bool(paths) and not wrong


if __name__ == "__main__":
    typer.run(main)
