"""A runtime that misbehaves as it is told: the adapter that the tests of runners run in a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto

from graphkit.runtimes.runners.contract import Adapter, NotLoaded, NotMeasurable, Ready


def make(choice: str, alone: bool) -> Adapter:
    """An adapter that does what `choice` says."""
    if choice == "cannot be imported":
        raise ImportError("no such library")
    return _Fake(choice)


class _Fake(Adapter):
    def __init__(self, choice: str) -> None:
        self._choice = choice
        self._served = 0

    def load(self, model: ModelProto | None, path: Path, folder: Path) -> Ready:
        self._served += 1
        match self._choice:
            case "refuse":
                raise NotLoaded("it has no such operator")
            case "raise":
                raise ValueError("broken\n  in two lines")
            case "crash loading" | "crash once":
                if self._choice == "crash loading" or self._served > 1:
                    os.kill(os.getpid(), signal.SIGSEGV)
            case "exit":
                os._exit(3)
            case "litter":
                Path("left").write_text("x")
                Path.home().joinpath("cache").write_text("x")
                (folder / "made").write_text(str(path))
            case "sizes":
                raise NotLoaded(f"told {dict(self.fed)}")
            case "other types":
                raise NotMeasurable("it cannot be given float8")
        return self._run

    def _run(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        match self._choice:
            case "crash running":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "hang":
                time.sleep(60)
            case "print":
                sys.stdout.write("hello\n")
                sys.stdout.flush()
                os.write(1, b"hello from native code\n")
            case "call home":
                socket.create_connection(("127.0.0.1", 9), timeout=1)
            case "grow":
                return {"y": np.ones(1 << 34, np.uint8)}
            case "wrong":
                return {"y": inputs["x"] + 1}
            case "other shape":
                return {"y": inputs["x"].reshape(-1)}
            case "other type":
                return {"y": inputs["x"].astype(np.float64)}
            case "nothing":
                return {}
        return {"y": np.abs(inputs["x"])} if "x" in inputs else dict(inputs)
