"""Processes that run models, and what to do when one of them dies.

concurrent.futures gives up on everything that is still to be done when a process dies, and does not say on which task
it was at work; here each process has a pipe of its own, so that a death is the end of one model and of nothing else.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import re
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from graphkit.batch.done import Key
from graphkit.batch.planning import Job
from graphkit.batch.report import Failure
from graphkit.batch.work import Work
from graphkit.batch.worker import At, Ended, MayWrite, serve

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

_STARTING = At(0, "starting")

GRACE = 5.0
"""Seconds that a process has to put its things in order before it is killed."""

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")
"""What graphkit.model.atomic calls a file that is not whole yet."""


@dataclass(frozen=True)
class Event:
    """What a model is at.

    Attributes:
        job: The model.
        step: 1-based number of the pass that is at work; 0 where none is.
        doing: In a few words.
        ended: What came of it, once it is done with.
        seconds: Since it was given to a process.
    """

    job: Job
    step: int = 0
    doing: str = ""
    ended: Ended | None = None
    seconds: float = 0.0


@dataclass(eq=False)
class _Worker:
    """A process, and what it is at."""

    process: SpawnProcess
    pipe: Connection
    job: Job | None = None
    at: At = _STARTING
    finished: int = 0
    started: float = 0.0
    clock: float | None = None
    may_write: float | None = None

    def give(self, job: Job) -> None:
        self.job, self.at, self.started, self.clock = job, _STARTING, time.monotonic(), None
        with contextlib.suppress(OSError):  # it is dead, and its pipe will say so
            self.pipe.send(job)

    def allow(self) -> None:
        self.may_write = time.time()
        with contextlib.suppress(OSError):
            self.pipe.send(True)


def run_crew(jobs: Sequence[Job], work: Work, key: Key | None, count: int, tell: Callable[[Event], None]) -> None:
    """Run every model in one of `count` processes.

    Whatever ends this function, the processes have ended too, and left no unfinished files.

    Args:
        jobs: What to run, in this order.
        work: How to run it.
        key: What to record of results; None for no record.
        count: How many processes at once.
        tell: Is called with what goes on; once with `ended` for every model.
    """
    crew = _Crew(deque(jobs), work, key, count, tell)
    try:
        crew.run()
    finally:
        crew.stop()


@dataclass
class _Crew:
    waiting: deque[Job]
    work: Work
    key: Key | None
    count: int
    tell: Callable[[Event], None]
    workers: list[_Worker] = field(default_factory=list)
    asking: deque[_Worker] = field(default_factory=deque)
    again: set[Job] = field(default_factory=set)

    def run(self) -> None:
        while True:
            self._hand_out()
            busy = {worker.pipe: worker for worker in self.workers if worker.job is not None}
            if not busy:
                return
            for pipe in wait(list(busy), self._patience()):
                assert isinstance(pipe, Connection)
                self._listen(busy[pipe])
            self._end_late_ones()
            self._let_one_write()

    def stop(self) -> None:
        """End every process: at once where it is idle, and after it has cleaned up where it is not."""
        try:
            for worker in self.workers:
                if worker.job is not None:
                    worker.process.terminate()
                worker.pipe.close()
            end = time.monotonic() + GRACE
            for worker in self.workers:
                worker.process.join(max(end - time.monotonic(), 0))
        finally:
            for worker in self.workers:
                if worker.process.exitcode is None:
                    worker.process.kill()
                    worker.process.join()
                _sweep(worker)

    def _hand_out(self) -> None:
        for worker in self.workers:
            if self.waiting and worker.job is None:
                self._give(worker)
        while self.waiting and len(self.workers) < self.count:
            worker = _start(self.work, self.key)
            self.workers.append(worker)
            self._give(worker)

    def _give(self, worker: _Worker) -> None:
        job = self.waiting.popleft()
        worker.give(job)
        self.tell(Event(job, 0, worker.at.doing))

    def _listen(self, worker: _Worker) -> None:
        assert worker.job is not None
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            self._bury(worker)
            return
        if isinstance(message, At):
            worker.at = message
            worker.clock = worker.clock or time.monotonic()  # to start a process is nothing that a model does
            self.tell(Event(worker.job, message.step, message.doing))
        elif isinstance(message, MayWrite):
            self.asking.append(worker)
        else:
            worker.finished += 1
            self._end(worker, message)

    def _end(self, worker: _Worker, ended: Ended) -> None:
        job, seconds = worker.job, time.monotonic() - worker.started
        assert job is not None
        worker.job, worker.may_write = None, None
        self.tell(Event(job, ended=ended, seconds=seconds))

    def _let_one_write(self) -> None:
        if self.asking and all(worker.may_write is None for worker in self.workers):
            self.asking.popleft().allow()

    def _due(self, worker: _Worker) -> float | None:
        """When the time of a model is up; None where there is no limit, or it has come to writing."""
        limit = self.work.time_limit
        if limit is None or worker.job is None or worker.may_write is not None or worker in self.asking:
            return None
        return None if worker.clock is None else worker.clock + limit

    def _patience(self) -> float | None:
        """Seconds until the time of some model is up; None where that is never."""
        due = [moment for worker in self.workers if (moment := self._due(worker)) is not None]
        return max(min(due) - time.monotonic(), 0) if due else None

    def _end_late_ones(self) -> None:
        now = time.monotonic()
        for worker in [worker for worker in self.workers if (due := self._due(worker)) is not None and due <= now]:
            assert worker.job is not None
            worker.process.terminate()
            self._remove(worker)
            what = f'it was not done within {self.work.time_limit:g} s, and was at "{worker.at.doing}"'
            next_step = "Nothing was written; give it more with --time-limit, or run it by itself."
            self._end(worker, Ended(failure=Failure("TimeLimit", f"{worker.job.model}: {what}. {next_step}")))

    def _remove(self, worker: _Worker) -> None:
        """Take leave of a process that is dead, or was told to end and may not hear it."""
        worker.pipe.close()
        worker.process.join(GRACE)
        if worker.process.exitcode is None:
            worker.process.kill()
            worker.process.join()
        self.workers.remove(worker)

    def _bury(self, worker: _Worker) -> None:
        """A process died. Where it had run other models before, one of those may be to blame: this one is run again."""
        job = worker.job
        assert job is not None
        self._remove(worker)
        with contextlib.suppress(ValueError):
            self.asking.remove(worker)
        _sweep(worker)
        if worker.finished and job not in self.again:
            self.again.add(job)
            self.waiting.appendleft(job)
        else:
            self._end(worker, Ended(failure=_death(worker, job)))


def _start(work: Work, key: Key | None) -> _Worker:
    # Spawned: a fork of a process with threads (rich's, onnxruntime's) may hang.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, work, key), name="graphkit", daemon=True)
    with _without_interrupts():
        process.start()
    theirs.close()
    return _Worker(process, ours)


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """A process that starts here never sees Ctrl-C: a terminal sends it to all, and what is to end is said by us."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it lets SIGINT through again, once it has been started
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _sweep(worker: _Worker) -> None:
    """Remove what a process left unfinished that died while it wrote; nobody else of us was writing then."""
    if worker.job is None or worker.may_write is None:
        return
    with contextlib.suppress(OSError):
        for path in worker.job.target.parent.rglob(".*.tmp"):
            if _TEMPORARY.fullmatch(path.name) and path.stat().st_mtime >= worker.may_write - 1:
                path.unlink()


def _death(worker: _Worker, job: Job) -> Failure:
    status = worker.process.exitcode or 0
    name = signal.Signals(-status).name if -status in set(signal.Signals) else ""
    if name in ("SIGKILL", "SIGTERM"):
        how, next_step = f"was ended from outside ({name})", "run it by itself, or with fewer --jobs"
        if name == "SIGKILL":
            how += ", as happens where memory runs out,"
    else:
        how = f"crashed with {name}" if name else f"ended with exit status {status}"
        next_step = "run it by itself to see what was said, or without the pass that was at work"
    next_step = f"Nothing was written; {next_step}" if worker.may_write is None else next_step.capitalize()
    what = f'{how} while it was at "{worker.at.doing}". {next_step}.'
    return Failure("WorkerDied", f"{job.model}: the process that ran it {what}")
