"""Keeping ultralytics and torch from writing between graphkit's lines."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet(debug: bool = False) -> Iterator[None]:
    """Silence what ultralytics, torch and onnxruntime log and print; with `debug` it goes to stderr.

    stdout stays for the report in both cases.
    """
    from ultralytics.utils import LOGGER

    known = [LOGGER, logging.getLogger("torch.onnx"), logging.getLogger("onnxruntime")]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in known]
    with contextlib.ExitStack() as stack:
        stack.enter_context(_own_stdout(debug))
        stack.enter_context(contextlib.redirect_stdout(sys.stderr if debug else io.StringIO()))
        stack.enter_context(warnings.catch_warnings())
        if not debug:
            stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
            warnings.simplefilter("ignore")
        for logger in known:
            logger.handlers[:] = [logging.StreamHandler(sys.stderr) if debug else logging.NullHandler()]
            logger.setLevel(logging.INFO if debug else logging.CRITICAL)
            logger.propagate = False
        try:
            yield
        finally:
            for logger, handlers, level, propagate in before:
                logger.handlers[:] = handlers
                logger.setLevel(level)
                logger.propagate = propagate


@contextlib.contextmanager
def _own_stdout(debug: bool) -> Iterator[None]:
    """The same for what torch's C++ prints: the whole graph, where an operator is not supported."""
    sys.stdout.flush()
    kept = os.dup(1)
    target = os.dup(2) if debug else os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(target, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(target)


def said(error: BaseException) -> str:
    """The first line of an error that says something, without torch's addresses and ultralytics' signs."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    text = re.sub(r"\s*Please feel free.*|\s*\[Caused by.*", "", text)
    text = re.sub(r"^ERROR\s*\W*\s*", "", text)
    return "".join(char for char in text if char.isprintable()).strip().rstrip(".")[:300]
