"""Sessions of onnxruntime: how a model is loaded, and in which words it is said that it cannot be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import onnx
import onnxruntime as ort

from graphkit.errors import GraphkitError, UsageError
from graphkit.model import Model, holders
from graphkit.verify.libraries import register_libraries

THREADS = 2
_UNIMPLEMENTED = re.compile(r"Could not find an implementation for (\S+?)\((\d+)\)")


@dataclass(frozen=True)
class Setting:
    """How a model is run.

    Attributes:
        threads: Of one operator; the same number gives the same bits.
        providers: Execution providers of onnxruntime, in the order of preference.
        optimise: Whether onnxruntime may rewrite the graph. Proofs are made without, so that what is run is what is in
            the file.
        spin: Whether waiting threads go on running for a while, as onnxruntime has it by default.
    """

    threads: int = THREADS
    providers: tuple[str, ...] = ("CPUExecutionProvider",)
    optimise: bool = False
    spin: bool = False


class NotRunnable(GraphkitError):
    """onnxruntime cannot load or run the model, so nothing can be proven about it.

    Attributes:
        feed: The name of the feed it failed on; None where the model cannot be loaded at all.
    """

    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, feed: str | None = None) -> None:
        super().__init__(message)
        self.feed = feed


class UnknownOperator(NotRunnable):
    """onnxruntime does not know an operator at all.

    Attributes:
        operator: Its domain and its type.
    """

    def __init__(self, message: str, operator: tuple[str, str]) -> None:
        super().__init__(message)
        self.operator = operator


class NoKernel(NotRunnable):
    """onnxruntime knows the operator, and has no kernel for this version or these types of it."""


def _options(config: Mapping[str, str], setting: Setting) -> ort.SessionOptions:
    options = ort.SessionOptions()
    # It keeps what it has grown to: 100 MB more at the peak on YOLOv8n, and what is run often is faster with it.
    options.enable_cpu_mem_arena = setting.optimise
    level = ort.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if setting.optimise else level.ORT_DISABLE_ALL
    options.intra_op_num_threads = setting.threads
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = not setting.optimise
    options.log_severity_level = 4
    # Waiting threads that spin take the core from those that work: a run took 0.22 s with them, 0.14 s without.
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(setting.spin)))
    for key, value in config.items():
        options.add_session_config_entry(key, value)
    register_libraries(options)
    return options


def open_session(
    model: Model, setting: Setting, change: Callable[[ort.SessionOptions], None] | None = None
) -> ort.InferenceSession:
    """A session of onnxruntime; a model of a newer IR version than it reads is lowered in a copy.

    Args:
        model: Any model.
        setting: How it is run.
        change: Has the last word on the session's options.

    Raises:
        NotRunnable: The model cannot be loaded.
        UsageError: A provider that is asked for is not there, or does not load.
    """
    there = ort.get_available_providers()
    for name in setting.providers:
        if name not in there:
            raise UsageError(f"this onnxruntime has no {name}; it has {', '.join(there)}.")
    proto = model.proto()
    try:
        return _load(model, setting, change)
    except GraphkitError:
        raise
    except Exception as error:  # onnxruntime's exceptions share no base class
        newest = re.search(r"max supported IR version: (\d+)", str(error))
        if newest is None or proto.ir_version <= int(newest[1]):
            raise _not_runnable(proto, error) from error
        lowered = int(newest[1])
    older = onnx.ModelProto()
    older.CopyFrom(proto)
    older.ir_version = lowered
    try:
        return _load(Model(older, model.source), setting, change)
    except Exception as error:
        raise _not_runnable(proto, error) from error


def _load(model: Model, setting: Setting, change: Callable[[ort.SessionOptions], None] | None) -> ort.InferenceSession:
    source = model.session_source()
    options = _options(source.config, setting)
    if change is not None:
        change(options)
    session = ort.InferenceSession(source.model, options, providers=list(setting.providers))
    lost = [name for name in setting.providers if name not in session.get_providers()]
    if lost:
        # onnxruntime itself goes on with the CPU, and says so in its log only.
        raise UsageError(
            f"onnxruntime has {lost[0]} and could not load it (its libraries are missing, or there is no device for "
            f"it): run with {', '.join(session.get_providers())}, or install what it needs."
        )
    return session


def _not_runnable(proto: onnx.ModelProto, error: Exception) -> NotRunnable:
    unknown = _unknown(proto, str(error))
    if unknown is not None:
        domain, op = unknown
        return UnknownOperator(
            f"onnxruntime does not know the operator {op} of domain {domain or 'ai.onnx'!r}, so nothing can be proven "
            "about this model: give the library that has it with --custom-op-library FILE.so, replace the operator, or "
            "cut the model in front of it",
            unknown,
        )
    kind = NoKernel if _UNIMPLEMENTED.search(str(error)) else NotRunnable
    return kind(_why_not(proto, str(error)))


def _unknown(proto: onnx.ModelProto, message: str) -> tuple[str, str] | None:
    """Domain and type of the operator that onnxruntime says it does not know."""
    said = r"Fatal error: (.+)\(-?\d+\) is not a registered|No Op registered for (.+) with"
    found = re.search(said, message, re.DOTALL)  # a hostile name has line breaks
    if found is None:
        return None
    operators = {(node.domain, node.op_type) for holder in holders(proto) for node in holder.node}
    # It puts the domain in front of the type, or leaves it out; either may hold a colon.
    called = found[1] or found[2]
    named = [item for item in operators if called in (f"{item[0]}:{item[1]}", item[1])]
    return min(named, key=lambda item: called != f"{item[0]}:{item[1]}", default=None)


def _why_not(proto: onnx.ModelProto, message: str) -> str:
    """What onnxruntime said, as a sentence with the operator, the domain and what to do."""
    text = first_line(message)
    unimplemented = _UNIMPLEMENTED.search(message)
    if unimplemented:
        op = unimplemented[1].rpartition(".")[2]
        domain = next((node.domain for node in proto.graph.node if node.op_type == op), "")
        return (
            f"onnxruntime has no CPU kernel for {op} of domain {domain or 'ai.onnx'!r}, version {unimplemented[2]}, "
            "with the types it has here: convert the model to another opset or to float32 before it is proven"
        )
    opset = re.search(r"Opset (\d+) is under development.*?is till opset (\d+)", message, re.DOTALL)
    if opset:
        return (
            f"onnxruntime reads models up to opset {opset[2]} and this one is opset {opset[1]}: update onnxruntime or "
            "export the model with an older opset"
        )
    if "not acyclic" in message:
        return "the graph is cyclic: its nodes depend on each other in a circle, so it cannot be run"
    return f"onnxruntime cannot load the model: {text}"


def first_line(error: object) -> str:
    """What onnxruntime said, without its codes and the places in its own source."""
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", str(error).strip())
    # Paths and signatures of onnxruntime's own source say nothing to a reader.
    text = re.sub(r"^/\S+:\d+ .*?\) (?=[A-Z])", "", text)
    return (text.splitlines() or [type(error).__name__])[0].strip()[:400]
