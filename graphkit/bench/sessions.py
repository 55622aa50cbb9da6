"""Models in onnxruntime, loaded as a program in service loads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import onnxruntime as ort
from numpy.typing import NDArray

from graphkit.errors import UsageError
from graphkit.model import Model
from graphkit.verify import Feed, NotRunnable, Setting, open_session
from graphkit.verify.plugin import OPERATOR, has_plugin
from graphkit.verify.session import first_line

Level = Literal["all", "basic", "off"]


@dataclass(frozen=True)
class Serving:
    """How models are loaded.

    Attributes:
        threads: Of one operator.
        providers: In the order of preference.
        optimise: What onnxruntime may do to the graph: everything, only what every provider understands, nothing.
        spin: Whether threads that wait go on running for a while, as onnxruntime has it by default. It is faster on
            a machine of its own and slower on one that is shared. They stop where a run ends, so that the threads of
            one model do not slow down the next.
    """

    threads: int = 2
    providers: tuple[str, ...] = ("CPUExecutionProvider",)
    optimise: Level = "all"
    spin: bool = False


def open_model(
    model: Model, serving: Serving, profile: str | None = None, keep: Path | None = None
) -> ort.InferenceSession:
    """Load a model.

    Args:
        model: Any model.
        serving: How.
        profile: Where onnxruntime writes what every node takes; None to leave that be.
        keep: Where it writes the graph that it runs, its weights in a file beside it, so that a graph of any size can
            be written; None to leave that be.

    Raises:
        UsageError: It is made for TensorRT only, or a provider is not there.
        NotRunnable: onnxruntime cannot load it.
    """
    if has_plugin(model.proto()):
        raise UsageError(
            f"{model.name} holds {OPERATOR}, which runs in TensorRT only, so onnxruntime cannot time it; time it with "
            "trtexec, or take replace-nms: onnx for onnxruntime."
        )
    levels = {
        "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
        "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
        "off": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    }

    def change(options: ort.SessionOptions) -> None:
        options.graph_optimization_level = levels[serving.optimise]
        options.add_session_config_entry("session.force_spinning_stop", "1")
        if profile is not None:
            options.enable_profiling = True
            options.profile_file_prefix = profile
        if keep is not None:
            options.optimized_model_filepath = str(keep)
            options.add_session_config_entry(
                "session.optimized_model_external_initializers_file_name", f"{keep.stem}.data"
            )

    try:
        return open_session(
            model, Setting(serving.threads, serving.providers, optimise=True, spin=serving.spin), change
        )
    except NotRunnable as error:
        raise NotRunnable(f"{model.name} cannot be timed: {error}") from error


def runner(session: ort.InferenceSession, feeds: Sequence[Feed], name: str) -> Callable[[int], None]:
    """A function that runs a model on one feed after the other.

    The values are copied first, so that where they lie in memory is a matter of this load only. They go in from and
    come out to the host's memory, as with `session.run` in a program; a GPU copies.

    Raises:
        NotRunnable: The function does, where the model cannot be run on what it is given.
    """
    wanted = {item.name for item in session.get_inputs()}
    given: list[Mapping[str, NDArray[Any]]] = [
        {key: value.copy() for key, value in feed.inputs.items() if key in wanted} for feed in feeds
    ]

    def run(number: int) -> None:
        try:
            session.run(None, given[number % len(given)])
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise NotRunnable(
                f'{name} cannot be run on "{feeds[number % len(given)].name}": {first_line(error)}'
            ) from error

    return run
