"""A runtime in a process of its own: started when it is first needed, and again after it died."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from queue import Empty, Queue
from tempfile import TemporaryDirectory
from threading import Thread
from types import TracebackType
from typing import IO, Self

from graphkit.runtimes.runners import contract
from graphkit.runtimes.runners.contract import (
    Crashed,
    NotInstalled,
    NotLoaded,
    NotMeasurable,
    RunnerError,
    TimedOut,
    Value,
)
from graphkit.runtimes.runners.wire import Message, receive, send

TIMEOUT = 30.0
MEMORY = 4 << 30
_START = 120.0
"""Importing a runtime takes some of them several seconds, and minutes on a busy machine."""


class Process:
    """Runs models in one runtime, one after the other.

    Args:
        name: The runtime, for a reader.
        module: The module whose `make` makes the adapter.
        choice: What it is made with.
        timeout: Seconds that one model may take.
        memory: Bytes of private memory that the process may have.
        alone: Whether nodes that the runtime leaves to another one are refused.
    """

    def __init__(
        self,
        name: str,
        module: str,
        choice: str,
        timeout: float = TIMEOUT,
        memory: int = MEMORY,
        *,
        alone: bool = False,
    ) -> None:
        self.name = name
        self.timeout = timeout
        self._options = json.dumps({"module": module, "choice": choice, "memory": memory, "alone": alone})
        self._child: subprocess.Popen[bytes] | None = None
        self._folder: TemporaryDirectory[str] | None = None
        self._answers: Queue[Message | None] = Queue()
        self.served = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def run(
        self,
        model: bytes | Path,
        inputs: Mapping[str, Value],
        constant: Iterable[str] = (),
        timeout: float | None = None,
    ) -> dict[str, Value]:
        """Load a model and run it once.

        Args:
            model: A file, or what would be in it.
            inputs: Input name -> value.
            constant: Inputs that are made into initializers first; only of a model given as bytes.
            timeout: Seconds; the process's own limit where None.

        Returns:
            Output name -> value.

        Raises:
            NotLoaded: The runtime does not take the model.
            NotRun: It takes it and does not run it.
            Crashed: It took its process down.
            TimedOut: It was not done in time.
            NotMeasurable: Its Python interface cannot be given such values.
            NotInstalled: The runtime cannot be imported.
        """
        limit = self.timeout if timeout is None else timeout
        child = self._started()
        self.served += 1
        path = "" if isinstance(model, bytes) else str(model.resolve())
        request = Message(
            {"path": path, "constant": sorted(constant)}, inputs, model if isinstance(model, bytes) else b""
        )
        loaded = False
        try:
            assert child.stdin is not None
            _send(child.stdin, request)
            while True:
                answer = self._answers.get(timeout=limit)
                if answer is None:
                    raise self._crashed(loaded)
                if answer.head["stage"] == "loaded":
                    loaded = True
                elif answer.head["stage"] == "ran":
                    return dict(answer.values)
                else:
                    raise _error(answer)
        except BrokenPipeError:
            raise self._crashed(loaded) from None
        except Empty:
            self.close()
            raise TimedOut(f"it was not done {'running' if loaded else 'loading'} after {limit:g} s") from None

    def close(self) -> None:
        """End the process and remove what it left."""
        child, self._child = self._child, None
        if child is not None:
            if child.poll() is None:
                _kill(child)
            child.wait()
            for stream in (child.stdin, child.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):  # a request that it never read is still in the buffer
                        stream.close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
        self.served = 0

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self.close()
        self._folder = TemporaryDirectory(prefix="graphkit-", ignore_cleanup_errors=True)
        with Path(self._folder.name, "stderr").open("wb") as heard:
            self._child = subprocess.Popen(  # noqa: S603  (this interpreter, and a module from the registry)
                [sys.executable, "-m", "graphkit.runtimes.runners.worker", self._options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=heard,
                cwd=self._folder.name,
                env=_environment(self._folder.name),
                start_new_session=True,
            )
        self._answers = Queue()
        Thread(target=_listen, args=(self._child, self._answers), daemon=True).start()
        try:
            hello = self._answers.get(timeout=_START)
        except Empty:
            self.close()
            raise NotInstalled(f"{self.name} cannot be used: importing it takes more than {_START:g} s.") from None
        if hello is None:
            said = self._said()
            self.close()
            raise NotInstalled(f"{self.name} cannot be used: importing it fails ({said}).")
        return self._child

    def _crashed(self, loaded: bool) -> Crashed:
        child = self._child
        code = child.wait() if child is not None else 0
        said = self._said()
        self.close()
        stage = "running" if loaded else "loading"
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        return Crashed(f"{how} while {stage}" + (f": {said}" if said else ""))

    def _said(self) -> str:
        """The last line on stderr."""
        if self._folder is None:
            return ""
        text = Path(self._folder.name, "stderr").read_text("utf-8", "replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1][:200] if lines else ""


def _send(stream: IO[bytes], request: Message) -> None:
    try:
        send(stream, request)
    except (TypeError, ValueError) as error:  # before anything was written
        raise NotMeasurable(f"the installed onnx cannot store such values: {error}") from error


def _listen(child: subprocess.Popen[bytes], answers: Queue[Message | None]) -> None:
    assert child.stdout is not None
    try:
        while (message := receive(child.stdout)) is not None:
            answers.put(message)
    except (OSError, ValueError):  # closed on our side
        pass
    answers.put(None)


def _error(answer: Message) -> RunnerError:
    kind = getattr(contract, str(answer.head["kind"]), NotLoaded)
    made: RunnerError = kind(str(answer.head["reason"]))
    return made


def _environment(folder: str) -> dict[str, str]:
    """That of this process, with every cache and temporary file in a folder that is removed."""
    package_root = str(Path(__file__).parents[3])
    paths = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {
        "HOME": folder,
        "TMPDIR": folder,
        "XDG_CACHE_HOME": folder,
        "PYTHONPATH": os.pathsep.join(paths),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", ""),
    }


def _kill(child: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # with the converters that it started
    else:
        child.kill()
