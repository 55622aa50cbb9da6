"""Sizes at which a model runs, where it does not at the usual ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from graphkit.model import Model
from graphkit.verify.feeds import USUAL, Feed, Sizes, make_feeds
from graphkit.verify.run import Values, run_what_works
from graphkit.verify.session import NotRunnable

Ran = TypeVar("Ran", bound=Mapping[str, Any])
"""What a model returned, by output."""

_OTHERS = (
    Sizes(1, 48, 320, 32),
    Sizes(1, 224, 224, 256),
    Sizes(1, 640, 640, 1600),
    Sizes(32, 64, 64, 32),
    Sizes(1, 32, 128, 16000),
)
"""A line of text, a classifier's picture, a frame of speech and a second of it, a graph of 32 nodes."""


def run_somewhere(model: Model, images: Sequence[Path], seed: int) -> tuple[list[Feed], list[Values], str]:
    """Run a model on what `make_feeds` makes of it; where it runs on nothing of it, at other sizes, on other values.

    Args:
        model: The model.
        images: Pictures of the user's, at whose size it has to run; none for the built-in one.
        seed: Of the random values.

    Returns:
        As `run_what_works`: the feeds that ran, their outputs, and what was left out.

    Raises:
        NotRunnable: It cannot be loaded, or runs nowhere; what it said at the usual sizes.
        ModelError: See `make_feeds`.
    """

    def run(another: int, sizes: Sizes) -> tuple[list[Feed], list[Values], str]:
        return run_what_works(model, make_feeds(model, images, another, sizes))

    return first_that_runs(run, images, seed)


def first_that_runs(
    run: Callable[[int, Sizes], tuple[list[Feed], list[Ran], str]], images: Sequence[Path], seed: int
) -> tuple[list[Feed], list[Ran], str]:
    """The first of several tries in which a model runs and returns anything; else one in which it runs.

    So much as a whole second of sound, or pictures of one height, is asked for by no declaration of an input. Values
    are others with each try: what is not in the range that a model wants may be there then.

    Args:
        run: Runs it on values of a seed, at sizes.
        images: Pictures of the user's, with which there is one try.
        seed: Of the first try: the one at the usual sizes.

    Raises:
        NotRunnable: It cannot be loaded, or runs nowhere; what it said at the usual sizes.
    """
    first: NotRunnable | None = None
    silent: tuple[list[Feed], list[Ran], str] | None = None
    for number, sizes in enumerate((USUAL, *_OTHERS)):
        try:
            found = run(seed + number, sizes)
        except NotRunnable as error:
            if error.feed is None or images:
                raise
            first = first or error
            continue
        if images or any(np.asarray(value).size for outputs in found[1] for value in outputs.values()):
            return found
        silent = silent or found  # every output is empty
    if silent is not None:
        return silent
    assert first is not None
    raise first
