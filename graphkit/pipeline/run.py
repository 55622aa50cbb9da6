"""Run a pipeline on a model: every pass is run, tidied up after, checked and proven before the next one starts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from graphkit.errors import GraphkitError, ModelError, NotProven, PassFailed, PassRefused, ProofFailed, WriteError
from graphkit.images import find_images
from graphkit.passes import Pass, PassResult
from graphkit.pipeline.pipeline import Pipeline
from graphkit.pipeline.prover import Prover
from graphkit.pipeline.report import PassRecord, RunReport
from graphkit.pipeline.settling import settle
from graphkit.pipeline.suspect import Suspect
from graphkit.version import __version__

if TYPE_CHECKING:
    from graphkit.analysis import ModelSummary
    from graphkit.model import Model
    from graphkit.verify import Proof

Observer = Callable[[int, str, PassRecord | None], None]
"""Called with a step's index and what goes on in it; with the record once the step is done."""


@dataclass(frozen=True)
class Settings:
    """How to run, as the command line says it.

    Attributes:
        verify: Prove every rewrite; without, rewritten graphs are still checked.
        images: Pictures to prove on instead of the pipeline's own choice; empty for that choice.
        keep_failing: Where to save the graph that went into a pass that fails.
        suspected: Is called with a pass whose proof failed, before that is raised.
        kept: Is called with the name of each pass that rewrote something and the model that it left, once that is
            proven; not to be changed.
    """

    verify: bool = True
    images: Sequence[Path] = ()
    keep_failing: Path | None = None
    suspected: Callable[[Suspect], None] | None = None
    kept: Callable[[str, Model], None] | None = None


@dataclass(frozen=True)
class Outcome:
    """The rewritten model and what was done to it."""

    model: Model
    report: RunReport


def run_pipeline(
    pipeline: Pipeline,
    model: Model,
    settings: Settings = Settings(),
    observer: Observer | None = None,
) -> Outcome:
    """Run every pass of `pipeline` on a copy of `model`. Nothing is written, but for `settings.keep_failing`.

    A pass that reports no rewrite has its work thrown away, so that "untouched" is true whatever it did.

    Raises:
        PassRefused: A pass cannot do what it is for on this model, or the model was not valid and is less so now.
        PassFailed: A pass raised, needs more memory than there is, or left a graph that is worse than the one it was
            given.
        ProofFailed: A rewritten model does not compute what it computed before.
        ModelError: The model cannot be worked on, or an image cannot be read.
    """
    started = time.perf_counter()
    try:
        return _Runner(pipeline, model, settings, observer).run(started)
    except MemoryError as error:  # outside of the passes, which say it themselves
        name = model.source.name if model.source else "the model"
        raise ModelError(
            f"{name}: there is not enough memory to look at it. Nothing was written; end other programs, or run it on "
            "a machine that has more."
        ) from error


class _Runner:
    """The state of one run: the model so far and what has been computed about it."""

    def __init__(self, pipeline: Pipeline, model: Model, settings: Settings, observer: Observer | None) -> None:
        from graphkit.analysis import summarise

        self._pipeline = pipeline
        self._settings = settings
        self._observer = observer or _ignore
        self._source = model
        self._current = model
        self._before: ModelSummary = summarise(model)
        self._nodes = self._before.nodes
        self._prover: Prover | None = None

    def run(self, started: float) -> Outcome:
        from graphkit.analysis import summarise

        records = [self._step(index, step) for index, step in enumerate(self._pipeline.steps)]
        if any(record.rewrites for record in records):
            self._current.set_metadata(self._provenance(records))
        report = RunReport(
            version=__version__,
            source=str(self._source.source or ""),
            source_sha256=self._source.sha256,
            output=None,
            pipeline=self._pipeline.source,
            pipeline_sha256=self._pipeline.sha256,
            label=_label(self._source),
            before=self._before,
            after=summarise(self._current),
            passes=tuple(records),
            verified=self._settings.verify,
            feeds=self._prover.feeds if self._prover else (),
            note=self._prover.note if self._prover else "",
            seconds=time.perf_counter() - started,
        )
        return Outcome(self._current, report)

    def _step(self, index: int, step: Pass) -> PassRecord:
        self._observer(index, "rewriting", None)
        try:
            record = self._run_pass(index, step)
        except MemoryError as error:
            raise PassFailed(
                f"{self._name()}: {step.name} needs more memory than there is. Nothing was written; end other "
                "programs, run it on a machine that has more, or leave the proofs out with --no-verify."
            ) from error
        except GraphkitError:
            self._keep_failing()
            raise
        self._observer(index, "done", record)
        return record

    def _run_pass(self, index: int, step: Pass) -> PassRecord:
        started = time.perf_counter()
        candidate = self._current.copy()
        result = self._guarded(step, candidate)
        proof: Proof | None = None
        if result.rewrites:
            settle(candidate, self._current.proto(), result)
        seconds = time.perf_counter() - started
        if result.rewrites:
            self._observer(index, "checking" if not self._settings.verify else "proving", None)
            proof = self._judge(step, result, candidate)
            self._current = candidate
            self._nodes = candidate.node_count
            if self._settings.kept is not None:
                self._settings.kept(step.name, candidate.copy())
        return PassRecord(
            name=step.name,
            options=step.options(),
            numerics=str(result.numerics or step.numerics),
            rewrites=result.rewrites,
            summary=result.summary,
            declined=result.declined,
            warnings=result.warnings,
            nodes=self._nodes,
            seconds=seconds,
            proof=proof,
        )

    def _guarded(self, step: Pass, candidate: Model) -> PassResult:
        """Run the pass; whatever it raises comes out as one plain sentence that names it and the file."""
        where = f"{self._name()}: {step.name}"
        try:
            result = step.run(candidate)
        except PassRefused as error:
            raise PassRefused(f"{where} {str(error).rstrip('. ')}. Nothing was written.") from error
        except (GraphkitError, MemoryError):
            raise
        except OSError as error:
            raise WriteError(
                f"{where} could not use a temporary file: {error.strerror or error}. Nothing was written; free some "
                "space, or point TMPDIR to a folder that has some."
            ) from error
        except Exception as error:
            raise PassFailed(
                f"{where} broke with {type(error).__name__}: {error}. Nothing was written; --debug shows where, and "
                "--keep-failing PATH saves the graph that it was given, for a bug report."
            ) from error
        if not isinstance(result, PassResult):
            raise PassFailed(
                f"{where} broke the contract of passes: run() returned {type(result).__name__}, not PassResult."
            )
        return result

    def _judge(self, step: Pass, result: PassResult, candidate: Model) -> Proof | None:
        if self._prover is None:
            default = [] if self._pipeline.verify.images is None else [self._pipeline.verify.images]
            pictures = find_images(self._settings.images or default)
            self._prover = Prover(self._current, pictures, self._pipeline.verify.seed)
        where = f"{self._name()}: {step.name}"
        complaint = self._prover.check(candidate)
        if complaint and self._prover.fault:
            raise PassRefused(
                f"{where} has to be given a valid model, and this one was not: {self._prover.fault.rstrip('. ')}. "
                f"Behind the pass, {complaint.rstrip('. ')}. Nothing was written; export the model again."
            )
        if complaint:
            raise PassFailed(f"{where} left an invalid graph: {complaint} Nothing was written.")
        if not self._settings.verify:
            return None
        try:
            proof = self._prover.prove(candidate, result.numerics or step.numerics, result.relation, result.inputs)
        except NotProven as error:
            raise NotProven(f"{where} is {error}. Nothing was written.") from error
        if not proof.passed:
            if self._settings.suspected is not None:
                self._settings.suspected(self._prover.suspect(step, candidate, result))
            raise ProofFailed(f"{where} changed what the model computes: {proof.failure} Nothing was written.")
        return proof

    def _keep_failing(self) -> None:
        if self._settings.keep_failing is not None:
            self._current.save(self._settings.keep_failing)

    def _name(self) -> str:
        return self._source.source.name if self._source.source else "the model"

    def _provenance(self, records: list[PassRecord]) -> dict[str, str]:
        """What was done, for the metadata. A model that went through several runs lists the passes of all of them."""
        known = self._source.metadata
        try:
            earlier = json.loads(known.get("graphkit.passes", "[]"))
        except ValueError:
            earlier = []
        done = [{"name": r.name, "options": r.options} for r in records if r.rewrites]
        return {
            "graphkit.version": __version__,
            "graphkit.pipeline": self._pipeline.sha256,
            "graphkit.source": known.get("graphkit.source", self._source.sha256),
            "graphkit.passes": json.dumps((earlier if isinstance(earlier, list) else []) + done),
        }


def with_output(report: RunReport, output: str | None, seconds: float) -> RunReport:
    """The report of a run whose result has been written to `output`."""
    return replace(report, output=output, seconds=seconds)


def _label(model: Model) -> str:
    """What the model is, in a few words; "" where its head is not known."""
    from graphkit.heads import HeadNotFound, recognise

    try:
        head = recognise(model.copy().graph, model.metadata)
    except (HeadNotFound, GraphkitError):
        return ""
    return head.label


def _ignore(_index: int, _activity: str, _record: PassRecord | None) -> None:
    """Nobody is watching."""
