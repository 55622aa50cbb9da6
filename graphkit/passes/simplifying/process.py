"""Start the worker, hand it a model and read its verdict."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

TIMEOUT = 600.0
"""Seconds. YOLOv8n takes one."""

_waiting: list[subprocess.Popen[bytes]] = []
"""At most one worker that has been started ahead of time."""


class OnnxsimFailed(Exception):
    """onnxsim raised, crashed or took too long; the message is half a sentence that says which."""


class UnknownOptimizer(Exception):
    """A name that onnxsim does not know was to be skipped; the message says which and what is near."""


def start_ahead() -> None:
    """Start the worker, which spends half a second on importing onnxsim, while this process does other things.

    A worker that is never asked ends with this process, whose end closes its standard input.
    """
    if not _waiting:
        _waiting.append(_start())


def run_onnxsim(
    proto: onnx.ModelProto,
    skip: Sequence[str],
    fold_constants: bool,
    max_bytes: int,
    subgraphs: bool,
    timeout: float = TIMEOUT,
) -> onnx.ModelProto:
    """Simplify a model below 2 GiB without external data.

    A process of its own buys three things: onnxsim's crashes and endless loops on odd models do not take graphkit
    along, torch is kept out, and nothing that onnxsim prints reaches the terminal. Started ahead, it costs no time.

    Raises:
        OnnxsimFailed: It raised, crashed or took longer than `timeout` seconds.
        UnknownOptimizer: `skip` names an optimizer that onnxsim does not have.
    """
    import onnx

    with tempfile.TemporaryDirectory(prefix="graphkit-") as folder:
        source, target = Path(folder, "before.onnx"), Path(folder, "after.onnx")
        source.write_bytes(proto.SerializeToString())
        order = {
            "source": str(source),
            "target": str(target),
            "skip": list(skip),
            "fold_constants": fold_constants,
            "max_bytes": max_bytes,
            "subgraphs": subgraphs,
        }
        worker = _waiting.pop() if _waiting else _start()
        try:
            stdout, stderr = worker.communicate(json.dumps(order).encode(), timeout)
        except subprocess.TimeoutExpired:
            raise OnnxsimFailed(f"onnxsim did not finish within {timeout:g} s") from None
        finally:
            worker.kill()
            worker.wait()
        if worker.returncode < 0:
            raise OnnxsimFailed(f"onnxsim crashed on it ({signal.Signals(-worker.returncode).name})")
        try:
            answer = json.loads(stdout)
        except ValueError:
            last = stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise OnnxsimFailed(f"onnxsim could not be run: {last[0] if last else 'it said nothing'}") from None
        if "unknown" in answer:
            raise UnknownOptimizer(_nearest(answer["unknown"], answer["known"]))
        if "error" in answer:
            raise OnnxsimFailed(f"onnxsim cannot take it: {_first_line(answer['error'])}")
        return onnx.load_model_from_string(target.read_bytes())


def _start() -> subprocess.Popen[bytes]:
    # -P keeps this folder off sys.path: its modules must not hide others.
    command = [sys.executable, "-P", str(Path(__file__).with_name("worker.py"))]
    pipe = subprocess.PIPE
    # A session of its own: Ctrl-C is for this process, which then ends the worker.
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)  # noqa: S603 - our own file


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
