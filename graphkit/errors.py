"""Every error graphkit raises on purpose: one tree, one plain sentence each.

A message names the file, the node and the value that are in the way, and ends with what to do next. `exit_status`
is what the command line returns: 2 for bad usage or bad input, 1 when a pass, a check or a requirement failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class GraphkitError(Exception):
    """The root of every error that is meant for the user to read."""

    exit_status: ClassVar[int] = 2


class UsageError(GraphkitError):
    """A command, an option or an argument makes no sense or cannot be satisfied."""


class ModelError(GraphkitError):
    """A model file cannot be read, or holds something that cannot be worked with."""


class WriteError(GraphkitError):
    """A file cannot be written; whatever stood at that path before still stands there."""


@dataclass(frozen=True)
class Problem:
    """One mistake in a pipeline file.

    Attributes:
        line: 1-based line, or 0 where the mistake has no place of its own.
        column: 1-based column.
        message: What is wrong and what to write instead, without file and position.
    """

    line: int
    column: int
    message: str


class PipelineError(GraphkitError):
    """A pipeline file is wrong; carries every mistake found in it, in the order of the file."""

    def __init__(self, source: str, problems: list[Problem]) -> None:
        self.source = source
        self.problems = sorted(problems, key=lambda problem: (problem.line, problem.column))
        lines = [
            f"{source}:{p.line}:{p.column}: {p.message}" if p.line else f"{source}: {p.message}" for p in self.problems
        ]
        super().__init__("\n".join(lines))


class PassRefused(GraphkitError):
    """A pass cannot do what it is for on this model. Nothing is written.

    Raised by a pass with a sentence that says what it looked at, why that does not fit and what the user could do
    instead. The pipeline puts the file and the pass in front of it.
    """

    exit_status: ClassVar[int] = 1


class PassFailed(GraphkitError):
    """A pass broke: it raised, left an invalid graph, or broke a promise of the Pass contract."""

    exit_status: ClassVar[int] = 1


class ProofFailed(GraphkitError):
    """The rewritten model does not compute what the model before it computed."""

    exit_status: ClassVar[int] = 1


class NotProven(GraphkitError):
    """Nothing honest can be said of a rewrite: it cannot be run here, or what it returns holds nothing to compare."""

    exit_status: ClassVar[int] = 1


class Stopped(GraphkitError):
    """The user stopped a run over many models; those that were done by then are whole."""

    exit_status: ClassVar[int] = 1
