"""The process in which a runtime works: `python -m graphkit.runtimes.runners.worker OPTIONS`.

Requests come in on stdin, answers go out on what was stdout; from then on stdout is stderr, so that whatever the
runtime prints is not taken for an answer.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from graphkit.runtimes.runners.constants import with_constants
from graphkit.runtimes.runners.contract import Adapter, NotLoaded, NotRun, RunnerError, first_line
from graphkit.runtimes.runners.wire import Message, receive, send


def main(options: Mapping[str, Any]) -> None:
    """Serve until stdin ends."""
    asked, answers = _own_streams()
    _limit(int(options["memory"]))
    sys.addaudithook(_offline)
    adapter: Adapter = import_module(str(options["module"])).make(str(options["choice"]), bool(options["alone"]))
    send(answers, Message({"stage": "started"}))
    while (request := receive(asked)) is not None:
        try:
            _serve(adapter, request, answers)
        except RunnerError as error:
            send(answers, Message({"stage": "failed", "kind": type(error).__name__, "reason": error.reason}))


def _serve(adapter: Adapter, request: Message, answers: IO[bytes]) -> None:
    from onnx import ModelProto

    with TemporaryDirectory(dir=Path.cwd(), ignore_cleanup_errors=True) as folder:
        model, path = None, Path(request.head["path"])
        inputs = dict(request.values)
        if request.blob:
            model = ModelProto.FromString(request.blob)
            constant = set(request.head["constant"])
            model = with_constants(model, {name: inputs.pop(name) for name in constant})
            path = Path(folder, "model.onnx")
            path.write_bytes(model.SerializeToString())
        work = Path(folder, "work")
        work.mkdir()
        adapter.fed = {name: tuple(map(int, value.shape)) for name, value in inputs.items() if hasattr(value, "shape")}
        try:
            ready = adapter.load(model, path, work)
        except RunnerError:
            raise
        except Exception as error:  # runtimes raise anything
            raise NotLoaded(first_line(error)) from error
        send(answers, Message({"stage": "loaded"}))
        try:
            outputs = ready(inputs)
        except RunnerError:
            raise
        except Exception as error:
            raise NotRun(first_line(error)) from error
        try:
            answer = Message({"stage": "ran"}, outputs)
            send(answers, answer)
        except (TypeError, ValueError) as error:  # what came back is no tensor at all
            raise NotRun(f"its output cannot be read: {first_line(error)}") from error


def _own_streams() -> tuple[IO[bytes], IO[bytes]]:
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return asked, answers


def _limit(memory: int) -> None:
    """At most so many bytes of private memory, and no core file when it crashes."""
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


def _offline(event: str, _arguments: tuple[Any, ...]) -> None:
    """Some runtimes and converters report home; nobody who asks whether a model runs has agreed to that."""
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        raise PermissionError("a runtime may not use the network here")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
