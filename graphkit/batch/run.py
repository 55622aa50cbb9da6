"""Run a pipeline over many models: skip what is done, run the others, and keep record of both."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from graphkit.batch.crew import Event, run_crew
from graphkit.batch.done import Done, Key
from graphkit.batch.planning import Job
from graphkit.batch.report import BatchReport, ModelResult
from graphkit.batch.work import Work
from graphkit.errors import Stopped
from graphkit.pipeline import Pipeline
from graphkit.version import __version__

Watcher = Callable[[Event, ModelResult | None], None]
"""Called with what goes on; with the result once there is one."""


def run_batch(
    jobs: Sequence[Job],
    work: Work,
    pipeline: Pipeline,
    *,
    folder: Path | None = None,
    count: int = 1,
    skip_done: bool = False,
    watcher: Watcher | None = None,
) -> BatchReport:
    """Run every model, in processes of their own; one that fails, or takes its process along, stops no other.

    Args:
        jobs: The models, from `plan`.
        work: How to run them.
        pipeline: What `work` says, parsed.
        folder: The output folder, which keeps a record of what is done; None for none.
        count: How many processes at once.
        skip_done: Leave out models of which `folder` has the result already: the same model, data files included, the
            same pipeline, options and version of graphkit, and all that was written then still there.
        watcher: Is told what goes on.

    Raises:
        UsageError: A picture is not there, or the record cannot be read.
        WriteError: The record cannot be written.
        Stopped: Ctrl-C; what is done by then is whole and recorded.
    """
    started = time.perf_counter()
    key = Key(version=__version__, pipeline=pipeline.sha256, settings=work.fingerprint(pipeline))
    done = None if folder is None else Done(folder)
    results: dict[Job, ModelResult] = {}

    def note(event: Event) -> None:
        result = None
        if event.ended is not None:
            if done is not None and work.write:
                if event.ended.record is not None:
                    done.add(event.job, event.ended.record)
                else:
                    done.forget(event.job)
            result = results[event.job] = _result(event)
        if watcher is not None:
            watcher(event, result)

    try:
        for job in jobs if skip_done and done is not None else ():
            if done is not None and done.has(job, key):
                results[job] = ModelResult(str(job.model), job.name, str(job.target), "skipped")
                if watcher is not None:
                    watcher(Event(job), results[job])
        left = [job for job in jobs if job not in results]
        run_crew(left, work, key if done is not None and work.write else None, min(count, len(left)), note)
    except KeyboardInterrupt as error:
        raise Stopped(_stopped(results, len(jobs), done is not None and work.write)) from error
    return BatchReport(
        version=__version__,
        pipeline=pipeline.source,
        pipeline_sha256=pipeline.sha256,
        folder=None if folder is None else str(folder),
        jobs=count,
        seconds=time.perf_counter() - started,
        models=tuple(results[job] for job in jobs),
    )


def _result(event: Event) -> ModelResult:
    ended, job = event.ended, event.job
    assert ended is not None
    if ended.report is None:
        return ModelResult(str(job.model), job.name, None, "failed", event.seconds, failure=ended.failure)
    return ModelResult(str(job.model), job.name, ended.report.output, "done", event.seconds, ended.report)


def _stopped(results: dict[Job, ModelResult], of: int, recorded: bool) -> str:
    done = sum(result.status == "done" for result in results.values())
    there = sum(result.status == "skipped" for result in results.values())
    before = f" and {there} were before" if there else ""
    on = "the same command with --skip-done goes on from here" if recorded else "the others are as they were"
    return f"stopped: {done} of {of} models were done{before}; {on}."
