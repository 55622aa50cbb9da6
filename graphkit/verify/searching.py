"""Sizes at which a model runs, where it does not at the usual ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from graphkit.model import Model
from graphkit.verify.feeds import USUAL, Feed, Sizes, make_feeds
from graphkit.verify.run import Values, run_what_works
from graphkit.verify.session import NotRunnable

_OTHERS = (
    Sizes(1, 48, 320, 32),
    Sizes(1, 224, 224, 256),
    Sizes(1, 640, 640, 1600),
    Sizes(32, 64, 64, 32),
    Sizes(1, 32, 128, 16000),
)
"""A line of text, a classifier's picture, a frame of speech and a second of it, a graph of 32 nodes."""


def tries(seed: int) -> Iterator[tuple[int, Sizes]]:
    """Seeds and sizes, in the order in which they are tried: the usual ones first."""
    return ((seed + number, sizes) for number, sizes in enumerate((USUAL, *_OTHERS)))


def run_somewhere(model: Model, images: Sequence[Path], seed: int) -> tuple[list[Feed], list[Values], str]:
    """Run a model on what `make_feeds` makes of it; where it runs on nothing of it, at other sizes, on other values.

    So much as a whole second of sound, or pictures of one height, is asked for by no declaration of an input. Values
    are others with each try: what is not in the range that a model wants may be there then.

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
    first: NotRunnable | None = None
    silent: tuple[list[Feed], list[Values], str] | None = None
    for another, sizes in tries(seed):
        try:
            found = run_what_works(model, make_feeds(model, images, another, sizes))
        except NotRunnable as error:
            if error.feed is None or images:
                raise
            first = first or error
            continue
        if images or any(value.size for outputs in found[1] for value in outputs.values()):
            return found
        silent = silent or found  # every output is empty
    if silent is not None:
        return silent
    assert first is not None
    raise first
