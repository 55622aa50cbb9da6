"""Start the worker and read its verdict."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import onnx

TIMEOUT = 600.0
"""Seconds. YOLOv8n takes one."""


class OnnxsimFailed(Exception):
    """onnxsim raised, crashed or took too long; the message is half a sentence that says which."""


class UnknownOptimizer(Exception):
    """A name that onnxsim does not know was to be skipped; the message says which and what is near."""


def run_onnxsim(
    proto: onnx.ModelProto, skip: Sequence[str], fold_constants: bool, subgraphs: bool, timeout: float = TIMEOUT
) -> onnx.ModelProto:
    """Simplify a model below 2 GiB without external data.

    A process of its own costs 0.2 s and buys three things: onnxsim's crashes and endless loops on odd models do not
    take graphkit along, torch is kept out, and nothing that onnxsim prints reaches the terminal.

    Raises:
        OnnxsimFailed: It raised, crashed or took longer than `timeout` seconds, or onnx.checker rejects its result.
        UnknownOptimizer: `skip` names an optimizer that onnxsim does not have.
    """
    options = json.dumps({"skip": list(skip), "fold_constants": fold_constants, "subgraphs": subgraphs})
    worker = Path(__file__).with_name("worker.py")
    with tempfile.TemporaryDirectory(prefix="graphkit-") as folder:
        source, target = Path(folder, "before.onnx"), Path(folder, "after.onnx")
        source.write_bytes(proto.SerializeToString())
        # -P keeps this folder off sys.path: its modules must not hide others.
        command = [sys.executable, "-P", str(worker), str(source), str(target), options]
        try:
            done = subprocess.run(command, capture_output=True, timeout=timeout, check=False)  # noqa: S603 - our own file
        except subprocess.TimeoutExpired:
            raise OnnxsimFailed(f"onnxsim did not finish within {timeout:g} s") from None
        if done.returncode < 0:
            raise OnnxsimFailed(f"onnxsim crashed on it ({signal.Signals(-done.returncode).name})")
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise OnnxsimFailed(f"onnxsim could not be run: {last[0] if last else 'it said nothing'}") from None
        if "unknown" in answer:
            raise UnknownOptimizer(_nearest(answer["unknown"], answer["known"]))
        if "error" in answer:
            raise OnnxsimFailed(f"onnxsim cannot take it: {_first_line(answer['error'])}")
        return onnx.load_model_from_string(target.read_bytes())


def _first_line(message: str) -> str:
    """The first line of an error that says something; the checker puts an empty "Nodes in a graph …" first."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return " ".join(lines[:1])[:300]


def _nearest(unknown: list[str], known: list[str]) -> str:
    parts = []
    for name in unknown:
        near = get_close_matches(name, known, 1)
        parts.append(f'"{name}"' + (f' (did you mean "{near[0]}"?)' if near else ""))
    return ", ".join(parts)
