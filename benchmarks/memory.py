"""How much memory every pass and analysis needs, against the weights of the model.

    python -m benchmarks.memory [--small 20] [--large 2000] [--only diff] [--folder DIR]

The demo detector gets convolutions in front, on a map of one pixel, whose weights lie in a file beside it: zeros but
for a number at the end of each, so that the file takes no room on disk. Each command runs in a process of its own, as
a user would run it; its peak is what the system says of that process (ru_maxrss, what `/usr/bin/time -v` prints), in
which pages of mapped files count. What is the same for both sizes does not depend on the weights.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import onnx
import typer
from onnx import NodeProto, TensorProto, helper, numpy_helper
from rich.console import Console
from rich.table import Table

LAYERS = 12

PASSES: dict[str, str] = {
    "extract": "{outputs: [heavy/sum]}",
    "pin-opset": "13",
    "rename-io": "{inputs: {images: pictures}}",
    "set-input-shape": "{batch: 1}",
    "replace-nms": "{backend: efficientnms}",
}
"""Options of passes that cannot do without."""

BEFORE = {"replace-nms": "embed-nms", "set-input-shape": "make-dynamic"}
"""What has to run first for a pass to have something to do."""


def big_detector(folder: Path, megabytes: int) -> Path:
    """Write the demo detector with so many megabytes of external weights; the path of the model."""
    from graphkit.demo import demo_detector

    proto = onnx.load_model_from_string(demo_detector())
    name = proto.graph.input[0].name
    side = int((megabytes * 1_000_000 / 4 / LAYERS) ** 0.5)
    nodes = [helper.make_node("GlobalAveragePool", [name], ["heavy/mean"], "heavy/mean")]
    last, offset = "heavy/mean", 0
    data = folder / "weights.bin"
    with data.open("wb") as file:
        for index in range(LAYERS + 2):
            rows, columns = (3 if index == LAYERS + 1 else side), (3 if index == 0 else side)
            length = rows * columns * 4
            tensor = TensorProto(name=f"heavy/{index}", data_type=TensorProto.FLOAT, dims=[rows, columns, 1, 1])
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in (("location", data.name), ("offset", str(offset)), ("length", str(length))):
                tensor.external_data.add(key=key, value=value)
            proto.graph.initializer.append(tensor)
            offset += length
            file.seek(offset - 1)
            file.write(bytes([index]))
            nodes.append(helper.make_node("Conv", [last, tensor.name], [f"heavy/{index}/out"], f"heavy/{index}/conv"))
            last = f"heavy/{index}/out"
    proto.graph.initializer.append(numpy_helper.from_array(np.zeros([1], np.float32), "heavy/zero"))
    nodes += [
        helper.make_node("Identity", [last], ["heavy/same"], "heavy/same"),
        helper.make_node("Mul", ["heavy/same", "heavy/zero"], ["heavy/nothing"], "heavy/nothing"),
        helper.make_node("Add", [name, "heavy/nothing"], ["heavy/sum"], "heavy/sum"),
    ]
    for item in proto.graph.node:
        for place, read in enumerate(item.input):
            if read == name:
                item.input[place] = "heavy/sum"
    kept = [NodeProto.FromString(item.SerializeToString()) for item in (*nodes, *proto.graph.node)]
    proto.graph.ClearField("node")
    proto.graph.node.extend(kept)
    path = folder / "big.onnx"
    onnx.save(proto, path)
    return path


def commands(model: Path) -> dict[str, list[str]]:
    """What is measured, by name: each pass alone and the analyses, as arguments of `graphkit`."""
    from graphkit.passes import registry

    folder = model.parent
    out = str(folder / "out.onnx")
    found: dict[str, list[str]] = {}
    for name in registry().names():
        pipeline = folder / f"{name}.yaml"
        step = f"{name}: {PASSES[name]}" if name in PASSES else name
        steps = [BEFORE[name], step] if name in BEFORE else [step]
        pipeline.write_text("version: 1\npasses:\n" + "".join(f"  - {item}\n" for item in steps))
        found[name] = ["run", str(pipeline), str(model), "-o", out, "--no-verify"]
    other = str(folder / "other.onnx")
    found |= {
        "run cleanup --no-verify": ["run", "cleanup", str(model), "-o", other, "--no-verify"],
        "run cleanup": ["run", "cleanup", str(model), "-o", out],
        "run yolo-onnxruntime": ["run", "yolo-onnxruntime", str(model), "-o", out],
        "inspect": ["inspect", str(model)],
        "inspect --tensor": ["inspect", str(model), "--tensor", "heavy/1"],
        "coverage": ["coverage", str(model)],
        "opsets": ["opsets", str(model)],
        "diff with itself": ["diff", str(model), str(model)],
        "diff after cleanup": ["diff", str(model), other],
        "picture": ["picture", str(model), "-o", str(folder / "picture.svg")],
        "report": ["report", str(model), "-o", str(folder / "report.html")],
        "verify": ["verify", str(model), other],
    }
    return found


_LAUNCH = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(pid, 0)
print(f"\\n{used.ru_maxrss} {os.waitstatus_to_exitcode(status)}")
"""
"""A small process in between: a process counts as its own peak what the one that started it held."""


def peak(arguments: list[str]) -> tuple[int, int, str]:
    """Run a command: its peak in kilobytes, its exit status, and the last line that it said."""
    line = [sys.executable, "-c", "from graphkit.cli import main; main()", *arguments]
    process = subprocess.run(
        [sys.executable, "-S", "-c", _LAUNCH, *line],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
    )
    *said, last = process.stdout.decode(errors="replace").strip().splitlines()
    kilobytes, status = map(int, last.split())
    lines = [item for item in said if item.strip()] or [""]
    return kilobytes, status, " ".join(lines)[:300] if status else lines[-1]


def main(
    small: Annotated[int, typer.Option(help="Megabytes of weights of the one model.")] = 20,
    large: Annotated[int, typer.Option(help="Megabytes of weights of the other.")] = 2000,
    only: Annotated[str, typer.Option(help="Only what has this in its name.")] = "",
    folder: Annotated[Path | None, typer.Option(help="Where to write; a temporary folder without it.")] = None,
) -> None:
    """Print the peak of each command with both models."""
    console = Console(soft_wrap=True, width=None if Console().is_terminal else 160)
    table = Table("command", f"{small} MB", f"{large} MB", "grows by", "exit status")
    with tempfile.TemporaryDirectory(prefix="graphkit-memory-", dir=folder) as home:
        todo: list[dict[str, list[str]]] = []
        for megabytes in (small, large):
            place = Path(home, str(megabytes))
            place.mkdir()
            todo.append(commands(big_detector(place, megabytes)))
        for name in todo[0]:
            if only not in name:
                continue
            found = [peak(lines[name]) for lines in todo]
            (one, _, _), (two, status, said) = found
            table.add_row(name, _mb(one), _mb(two), _mb(two - one), str(status))
            Console(stderr=True, width=200).print(
                name, _mb(one), _mb(two), status, said if status else "", markup=False
            )
    console.print(table)


def _mb(kilobytes: int) -> str:
    return f"{kilobytes * 1024 / 1e6:.0f} MB"


if __name__ == "__main__":
    typer.run(main)
