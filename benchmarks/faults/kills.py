"""`graphkit run … --in-place` killed with SIGKILL at random moments: the file is the old one or the new one, and loads.

Each run is a process of its own, as a shell would start it. Two thirds of the kills are spread evenly over the run's
length, as the runs that were not caught in time measure it; the others come within milliseconds of the moment at which
the first temporary file appears. Every other model has its weights in a data file.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from rich.progress import track

from benchmarks.faults.seeds import EXTERNAL
from graphkit.errors import GraphkitError
from graphkit.model import Model

_PIPELINE = "version: 1\npasses: [remove-identity, remove-transposes]\n"
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")
_WRITING = 0.03
"""Seconds after the first temporary file, within which a third of the kills come."""


def main(count: int, seed: int) -> int:
    """Kill `count` runs and print what was found; exit status 1 where a file was lost."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="kills-") as scratch:
        models = [_prepare(Path(scratch, name), external=name == "external") for name in ("inline", "external")]
        lengths = [[_length(folder)] for folder in models]
        counts: Counter[str] = Counter()
        for number in track(range(count), "killing", transient=True):
            kind, aimed = number % 2, number % 3 == 2
            found: list[str] = []
            while "killed" not in found:
                moment = chance.uniform(0, _WRITING if aimed else statistics.median(lengths[kind][-9:]))
                found = _kill(models[kind], Path(scratch, "work"), moment, lengths[kind], aimed=aimed)
                counts.update(found)
    inline, external = (statistics.median(item) for item in lengths)
    print(f"{count} runs killed, of {inline:.2f} s (weights inside) and {external:.2f} s (in a data file)")
    for what, times in sorted(counts.items()):
        print(f"  {times:6} {what}")
    return int(any(what.startswith("LOST") for what in counts))


def _prepare(folder: Path, *, external: bool) -> Path:
    """A folder with the model, the pipeline, and what the model becomes."""
    folder.mkdir()
    weights = numpy_helper.from_array(np.arange(3_000_000, dtype=np.float32), "w")
    nodes = [
        helper.make_node("Identity", ["x"], ["a"]),
        helper.make_node("Identity", ["w"], ["v"]),
        helper.make_node("Add", ["a", "v"], ["y"]),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [3_000_000]) for name in "xy"]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "model.onnx", save_as_external_data=external, location=EXTERNAL)
    (folder / "p.yaml").write_text(_PIPELINE)
    done = folder.with_name(f"{folder.name}-done")
    shutil.copytree(folder, done)
    subprocess.run(_line(done), check=True, capture_output=True)
    shutil.copy(done / "model.onnx", folder.with_name(f"{folder.name}.after"))
    if _hash(done / "model.onnx") == _hash(folder / "model.onnx"):
        raise AssertionError("the run changed nothing, so that killing it would show nothing")
    return folder


def _line(folder: Path) -> list[str]:
    code = "from graphkit.cli import main; main()"
    return [sys.executable, "-c", code, "run", str(folder / "p.yaml"), str(folder / "model.onnx"), "--in-place"]


def _length(folder: Path) -> float:
    """Seconds that a run takes."""
    work = folder.with_name("timing")
    shutil.copytree(folder, work)
    started = time.perf_counter()
    subprocess.run(_line(work), check=True, capture_output=True)
    taken = time.perf_counter() - started
    shutil.rmtree(work)
    return taken


def _kill(folder: Path, work: Path, moment: float, lengths: list[float], *, aimed: bool) -> list[str]:
    """Start a run on a copy, kill it, and say what is left; where it was done before, its length goes to `lengths`."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(folder, work)
    started = time.perf_counter()
    process = subprocess.Popen(
        _line(work), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while aimed and process.poll() is None and not any(_TEMPORARY.fullmatch(item.name) for item in work.iterdir()):
        time.sleep(0.0005)
    try:
        process.wait(moment)
        lengths.append(time.perf_counter() - started)
        found = ["finished before it was killed"]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        found = ["killed"]
    path = work / "model.onnx"
    states = {
        _hash(folder / "model.onnx"): "the old file",
        _hash(folder.with_name(f"{folder.name}.after")): "the new file",
    }
    found.append(states.get(_hash(path), "LOST: neither the old file nor the new one"))
    try:
        Model.load(path)
    except GraphkitError as error:
        found.append(f"LOST: {error}")
    known = {item.name for item in folder.iterdir()}
    for item in work.iterdir():
        if _TEMPORARY.fullmatch(item.name):
            found.append("a hidden temporary file left")
        elif item.name not in known:
            found.append(f"another file left: {item.name}")
    return found


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
