"""`graphkit run` against the simplifiers' own commands: time and peak memory of whole commands, interleaved.

    python -m benchmarks.main_job yolov8n.onnx --python path/to/core-only/venv/bin/python

Each round runs every command once, so that a drifting machine slows all of them; the ratio of a round is to onnxsim's
time in that round, and the median of the ratios is printed. `--python` names the interpreter of an environment with
graphkit and the peers: an environment without torch is what a deployment machine has (onnxsim imports torch where it
finds it).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

_BROKEN_PIPELINE = "version: 1\npasses:\n  - simplfy\n  - embed-nms: {iuo: 0.5}\n"

# Runs a command in this process and prints, last, what went into inference and into waiting for onnxsim's process.
_SPLIT = """
import subprocess, sys, time
import onnxruntime
spent = {"inference": 0.0, "onnxsim": 0.0}
def timed(owner, name, key):
    function = getattr(owner, name)
    def wrapped(*args, **kwargs):
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent[key] += time.perf_counter() - start
    setattr(owner, name, wrapped)
timed(onnxruntime.InferenceSession, "run", "inference")
timed(subprocess.Popen, "communicate", "onnxsim")
from graphkit.cli import main
try:
    main()
except SystemExit:
    pass
print(spent["inference"], spent["onnxsim"], file=sys.stderr)
"""


def _timed(command: list[str]) -> tuple[float, float, int, str]:
    """Seconds, peak memory in MB, exit status and stderr of a command."""
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        return seconds, usage.ru_maxrss / 1000, process.returncode, errors.read().decode()


def main(
    model: Annotated[Path, typer.Argument(help="A YOLOv8n export.")],
    python: Annotated[Path, typer.Option(help="The interpreter to measure with.")] = Path(sys.executable),
    rounds: Annotated[int, typer.Option(min=1)] = 7,
) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "out.onnx")
        broken = Path(folder) / "broken.yaml"
        broken.write_text(_BROKEN_PIPELINE)
        graphkit = [str(python), "-c", "from graphkit.cli import main; main()"]
        job = [*graphkit, "run", "yolo-onnxruntime", str(model), "-o", out]
        commands = {
            "onnxsim": [str(python), "-m", "onnxsim", str(model), out],
            "onnxslim": [str(python), "-m", "onnxslim", str(model), out],
            "graphkit run, --no-verify": [*job, "--no-verify"],
            "graphkit run": job,
            "graphkit --help": [*graphkit, "--help"],
            "graphkit --version": [*graphkit, "--version"],
            "graphkit passes": [*graphkit, "passes"],
            "graphkit run, a YAML mistake": [*graphkit, "run", str(broken), str(model)],
        }
        for name in list(commands):  # a warm-up; what is not installed is left out
            if _timed(commands[name])[2] != (2 if "mistake" in name else 0):
                Console(stderr=True).print(f"left out: {name} does not run in {python}")
                del commands[name]
        results: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                results[name].append(_timed(command)[:2])
        table = Table("command", "median s", "fastest s", "ratio to onnxsim", "peak MB")
        for name, runs in results.items():
            seconds = [run[0] for run in runs]
            ratios = [run[0] / base[0] for run, base in zip(runs, results["onnxsim"], strict=True)]
            table.add_row(
                name,
                f"{statistics.median(seconds):.2f}",
                f"{min(seconds):.2f}",
                f"{statistics.median(ratios):.2f}",
                f"{max(run[1] for run in runs):.0f}",
            )
        Console(width=120).print(table)
        parts = []
        for _ in range(3):
            total, _, _, errors = _timed([str(python), "-c", _SPLIT, *job[3:]])
            inference, waiting = map(float, errors.strip().splitlines()[-1].split())
            parts.append((total, inference, waiting, total - inference - waiting))
        total, inference, waiting, rest = sorted(parts, key=lambda part: part[3])[1]
        print(
            f"graphkit run with verification, once more with its parts: {total:.2f} s = inference {inference:.2f} s + "
            f"waiting for onnxsim {waiting:.2f} s + the rest {rest:.2f} s"
        )


if __name__ == "__main__":
    typer.run(main)
