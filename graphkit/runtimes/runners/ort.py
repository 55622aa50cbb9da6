"""onnxruntime, with one of its execution providers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphkit.runtimes.runners.contract import Adapter, NotLoaded, NotMeasurable, NotRun, Ready, Value, first_line

if TYPE_CHECKING:
    from onnx import ModelProto

_CPU = "CPUExecutionProvider"
_NOISE = (
    r"^\[ONNXRuntimeError\] : \d+ : \w+ : ",
    r"^Load model from \S+ failed: ?",
    r"^Exception during initialization: ",
    r"^Non-zero status code returned while running \w+ node\. Name:'[^']*' Status Message: ",
    r"^/\S+:\d+ [^\n]*?\)( const)?( \[with [^\]]*\])? (?=\S)",
)
_PLAIN = "float double float16 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool string complex64 complex128"


def make(provider: str, alone: bool) -> Adapter:
    """An adapter for an execution provider.

    Args:
        provider: As onnxruntime calls it.
        alone: Whether a model that the provider does not take whole is refused.
    """
    return _Onnxruntime(provider, alone)


class _Onnxruntime(Adapter):
    def __init__(self, provider: str, alone: bool) -> None:
        import onnxruntime

        self._ort = onnxruntime
        self._provider = provider
        self._alone = alone and provider != _CPU

    def load(self, model: ModelProto | None, path: Path, folder: Path) -> Ready:  # noqa: ARG002
        """Load with graph optimisation off, so that what is run is what is in the file."""
        options = self._ort.SessionOptions()
        options.graph_optimization_level = self._ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        try:
            session = self._ort.InferenceSession(str(path), options, providers=[self._provider])
        except Exception as error:  # its exceptions share no base class
            raise NotLoaded(_reason(error)) from error
        if self._alone:
            left = others(session, self._provider)
            if left:
                raise NotLoaded(f"{self._provider} leaves {_counted(left)} to {_CPU}")
        names = [item.name for item in session.get_outputs()]
        wanted = {item.name for item in session.get_inputs()}
        ends = (*session.get_inputs(), *session.get_outputs())
        odd = ", ".join(sorted({_odd(item.type) for item in ends} - {""}))

        def ready(inputs: Mapping[str, Value]) -> dict[str, Value]:
            if odd:
                raise NotMeasurable(
                    f"NumPy has no {odd}, so onnxruntime's Python interface cannot be given or give one"
                )
            given = {name: value for name, value in inputs.items() if name in wanted}
            try:
                return dict(zip(names, session.run(None, given), strict=True))
            except Exception as error:
                raise NotRun(_reason(error)) from error

        return ready


def others(session: Any, provider: str) -> list[str]:
    """The operators of nodes that were not taken by an execution provider."""
    parts = session.get_provider_graph_assignment_info()
    return [node.op_type for part in parts if part.ep_name != provider for node in part.get_nodes()]


def _reason(error: object) -> str:
    """What it says, without its codes, the file and the places in its own source."""
    text = str(error).strip()
    for pattern in _NOISE:
        text = re.sub(pattern, "", text)
    return first_line(re.sub(r" node with name '[^']*'", "", text))


def _odd(kind: str) -> str:
    """The element type of a tensor, where NumPy has none like it: bfloat16, and those of less than eight bits."""
    element = kind.rpartition("tensor(")[2].rstrip(")")
    return "" if element in _PLAIN.split() else element


def _counted(ops: list[str]) -> str:
    return ", ".join(f"{count} {op}" for op, count in Counter(ops).most_common(5))
