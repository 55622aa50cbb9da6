"""Folders of tiny models, and a pass that does to some of them what a bad library does."""

from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from tests.cli.command import Result

PIPELINE = "version: 1\npasses: [sort, remove-identity]\n"
POISONED = "version: 1\npasses: [sort, poison, remove-identity]\n"

PLUGIN = '''
"""What producer_name says happens."""
import os, signal, time
from pathlib import Path
from graphkit import Pass
from graphkit.passes import Numerics, PassResult

def breaking(source, target):
    os._exit(3)

class Poison(Pass):
    """Does harm."""
    name = "poison"
    numerics = Numerics.EXACT

    def run(self, model):
        harm = model.producer
        if harm == "segv":
            os.kill(os.getpid(), signal.SIGSEGV)
        if harm == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if harm == "memory":
            raise MemoryError
        if harm == "second" and Path("first.txt").exists() and Path("first.txt").read_text() == str(os.getpid()):
            os.kill(os.getpid(), signal.SIGSEGV)
        if harm == "first":
            Path("first.txt").write_text(str(os.getpid()))
        if harm == "halfway":
            os.replace = breaking
        if harm == "sleep":
            Path(f"asleep-{model.name}").touch()
            time.sleep(60)
        if harm == "busy":
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # as in a library that is at work
            time.sleep(60)
        return PassResult(0, summary="no harm done")
'''


def model(identities: int = 1, producer: str = "") -> ModelProto:
    """y = relu(x) + w, with so many Identity nodes before it."""
    nodes = [helper.make_node("Identity", [f"x{i}" if i else "x"], [f"x{i + 1}"]) for i in range(identities)]
    nodes += [
        helper.make_node("Relu", [f"x{identities}" if identities else "x"], ["r"]),
        helper.make_node("Add", ["r", "w"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3])],
        [numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(2, 3), "w")],
    )
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8, producer_name=producer)


def put(path: Path, made: ModelProto | None = None) -> Path:
    """Write a model, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((made or model()).SerializeToString())
    return path


def put_external(path: Path, data: bytes | None = None) -> Path:
    """A model whose weights lie in weights.bin beside it."""
    made = model()
    tensor = made.graph.initializer[0]
    raw = data or tensor.raw_data
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "weights.bin"), ("offset", "0"), ("length", str(len(raw)))):
        tensor.external_data.add(key=key, value=value)
    put(path, made)
    path.with_name("weights.bin").write_bytes(raw)
    return path


def files(folder: Path | str) -> set[str]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file()}


def statuses(result: Result) -> dict[str, str]:
    """Name of the model -> what became of it."""
    return {Path(row["model"]).name: row["status"] for row in result.json()["models"]}
