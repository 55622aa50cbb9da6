"""The process that runs models, one after the other, for the process that the user started."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from graphkit.batch.done import Key, Record
from graphkit.batch.planning import Job
from graphkit.batch.report import Failure
from graphkit.batch.work import Work, file_sha256
from graphkit.errors import GraphkitError

if TYPE_CHECKING:
    from graphkit.model import Model
    from graphkit.pipeline import Pipeline, RunReport
    from graphkit.pipeline.report import PassRecord


@dataclass(frozen=True)
class At:
    """Sent to say what is going on.

    Attributes:
        step: 1-based number of the pass; 0 before the first and after the last.
        doing: In a few words.
    """

    step: int
    doing: str


@dataclass(frozen=True)
class MayWrite:
    """Sent to ask for leave to write, which is given to one process at a time.

    Models may share a data file: where a result cannot be written, its data files are taken back, and no other must
    have come to rely on them meanwhile.
    """


@dataclass(frozen=True)
class Ended:
    """Sent when a model is done with: what was done and the record of it, or why it failed."""

    report: RunReport | None = None
    record: Record | None = None
    failure: Failure | None = None


def serve(pipe: Connection, work: Work, key: Key | None) -> None:
    """Run the models that come through `pipe` until None comes, or the other end is gone.

    Args:
        pipe: Job | None comes in, At, MayWrite and Ended go out; MayWrite is answered with True.
        work: How to run them.
        key: What to record of results; None for no record.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    _silence(work.debug)
    from graphkit.verify import use_libraries

    try:
        use_libraries(work.libraries)
        pipeline = work.pipeline()
        while (job := pipe.recv()) is not None:
            pipe.send(_attempt(job, pipeline, work, key, pipe))
    except (EOFError, BrokenPipeError):
        return  # nobody is left to work for
    except KeyboardInterrupt:
        # All is in order; end as whoever sent the signal expects it.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)


def _attempt(job: Job, pipeline: Pipeline, work: Work, key: Key | None, pipe: Connection) -> Ended:
    """Run one model; whatever goes wrong with it is told in one sentence."""
    try:
        return _run(job, pipeline, work, key, pipe)
    except BrokenPipeError:
        raise
    except GraphkitError as error:
        message = str(error)
        kind, trace = type(error).__name__, traceback.format_exc()
    except Exception as error:  # noqa: BLE001 - the other models are still to be run
        kind, trace = type(error).__name__, traceback.format_exc()
        message = f"{job.model}: {_unexpected(error)}; nothing was written."
    return Ended(failure=Failure(kind, message, trace))


def _unexpected(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "there is not enough memory for it; run it by itself, or with fewer --jobs"
    if isinstance(error, RecursionError):
        return "it is nested deeper than graphkit can follow"
    return f"graphkit itself broke ({type(error).__name__}: {error}), --debug shows where"


def _run(job: Job, pipeline: Pipeline, work: Work, key: Key | None, pipe: Connection) -> Ended:
    started = time.perf_counter()
    if any(step.name == "simplify" for step in pipeline.steps):
        from graphkit.passes.simplifying.process import start_ahead

        start_ahead()  # importing onnxsim takes longer than all that comes before it is needed
    from graphkit.model import Model
    from graphkit.pipeline.run import Settings, run_pipeline, with_output

    def observe(index: int, activity: str, record: PassRecord | None) -> None:
        if record is None:
            pipe.send(At(index + 1, f"{pipeline.steps[index].name}: {activity}"))

    pipe.send(At(0, "reading the model"))
    source = Model.load(job.model)
    inputs = {} if key is None else _hashes(source, job.model)
    outcome = run_pipeline(pipeline, source, Settings(verify=work.verify, images=work.images), observe)
    report, record = outcome.report, None
    if work.write:
        pipe.send(MayWrite())
        pipe.recv()
        pipe.send(At(0, "writing"))
        job.target.parent.mkdir(parents=True, exist_ok=True)
        outcome.model.save(job.target)
        if key is not None:
            del source, outcome  # the file is read again: two of a large model need not be in memory at once
            written = _hashes(Model.load(job.target), job.target)
            place = Path(job.place).parent
            outputs = {(place / name).as_posix(): value for name, value in written.items()}
            record = Record(key=key, inputs=inputs, outputs=outputs)
    target = str(job.target) if work.write else None
    return Ended(with_output(report, target, time.perf_counter() - started), record)


def _hashes(model: Model, path: Path) -> dict[str, str]:
    """Hash of a model that was just read and of its data files, by their paths below its folder."""
    return {path.name: model.sha256} | {name: file_sha256(file) for name, file in model.data_files.items()}


def _silence(debug: bool) -> None:
    """Libraries print what they think; stdout is for the report, stderr for progress and messages."""
    sys.stdout.flush()
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)
        if not debug:
            os.dup2(nowhere.fileno(), 2)


def _stop(_number: int, _frame: object) -> None:
    """SIGTERM unwinds the stack, so that temporary files are removed and onnxsim's process is ended."""
    raise KeyboardInterrupt
