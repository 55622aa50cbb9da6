"""What a runner is: one runtime that models can really be run in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from graphkit.errors import GraphkitError, UsageError

if TYPE_CHECKING:
    from onnx import ModelProto

Value = Any
"""A NumPy array, a list of them for a sequence, None for an empty optional."""

Ready = Callable[[Mapping[str, Value]], dict[str, Value]]
"""A loaded model: input name -> value to output name -> value."""


class NotInstalled(UsageError):
    """The runtime, or something that it needs, is not installed."""


class RunnerError(GraphkitError):
    """A runtime did not run a model; `reason` is what it said."""

    exit_status: ClassVar[int] = 1

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotLoaded(RunnerError):
    """It does not load the model."""


class NotRun(RunnerError):
    """It loads the model and does not run it."""


class Crashed(RunnerError):
    """It took its process down."""


class TimedOut(RunnerError):
    """It had not answered when its time was over."""


class NotMeasurable(RunnerError):
    """The runtime's Python interface cannot be given such values, so nothing is known of the runtime itself."""


class Adapter(ABC):
    """Talks to a runtime, in a process of its own: it may print, leak and crash.

    Attributes:
        fed: The shape of each tensor that the model will be fed, set before it is loaded: for runtimes whose users say
            it when they convert a model that leaves it open.
    """

    fed: Mapping[str, tuple[int, ...]] = MappingProxyType({})

    @abstractmethod
    def load(self, model: ModelProto | None, path: Path, folder: Path) -> Ready:
        """Load a model.

        Args:
            model: The model; None where it is to be read from `path`.
            path: Where it lies as a file.
            folder: An empty folder to work in; removed afterwards.

        Raises:
            NotLoaded: The runtime does not take it.
        """


def first_line(error: object, limit: int = 300) -> str:
    """What an exception says, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines)[:limit] if lines else type(error).__name__
