"""What the models are run on: the same sizes for all, as far as they leave them open."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from graphkit.errors import UsageError
from graphkit.model import Model
from graphkit.verify import Feed, Input, Sizes, model_inputs, picture_feeds, random_feed

_DEFAULT = 640


@dataclass(frozen=True)
class Fed:
    """What one model is run on.

    Attributes:
        feeds: In turn.
        batch: Images a run.
        size: Height and width, pixels; None of a model that takes no picture.
        given: For a reader: "images [1,3,640,640] float32".
    """

    feeds: tuple[Feed, ...]
    batch: int
    size: tuple[int, int] | None
    given: str


def bench_inputs(
    models: Sequence[Model], batch: int | None, size: tuple[int, int] | None, images: Sequence[Path], seed: int
) -> list[Fed]:
    """Inputs for every model: seeded noise, or pictures.

    A dimension that a model leaves open is what was asked for, else what another of the models has fixed, else the
    size its metadata names and a batch of 1. Where two have the same inputs they get the same values.

    Raises:
        UsageError: A batch or size was asked for that a model has fixed otherwise, or pictures for a model that takes
            none.
        ModelError: An input is of a kind that no values can be made for.
    """
    inputs = [model_inputs(model.proto().graph) for model in models]
    fixed = [_fixed(items) for items in inputs]
    wanted = (batch, *(size or (None, None)))
    shared = [next((own[axis] for own in fixed if own[axis] is not None), None) for axis in range(3)]
    found = []
    for model, items, own in zip(models, inputs, fixed, strict=True):
        _agree(model, own, wanted, any(item.image_axes is not None for item in items))
        told = (1, *(_told(model) or (_DEFAULT, _DEFAULT)))
        sizes = Sizes(*(own[axis] or wanted[axis] or shared[axis] or told[axis] for axis in range(3)))
        found.append(_fed(model, items, sizes, images, seed))
    return found


def _fixed(items: Sequence[Input]) -> tuple[int | None, int | None, int | None]:
    """Batch, height and width as far as the model has fixed them; the batch is that of the picture."""
    first = next((item for item in items if item.image_axes is not None), items[0] if items else None)
    if first is None or not first.dims:
        return None, None, None
    axes = (0, *(first.image_axes or ())[1:])
    sides = [first.dims[axis] if isinstance(first.dims[axis], int) else None for axis in axes]
    batch, height, width = (*sides, None, None)[:3]
    return batch, height, width


def _agree(model: Model, own: tuple[int | None, ...], wanted: tuple[int | None, ...], picture: bool) -> None:
    if wanted[0] is not None and own[0] not in (None, wanted[0]):
        raise UsageError(
            f"{model.name} takes batches of {own[0]} only, not {wanted[0]}; leave --batch out, or make-dynamic first."
        )
    if wanted[1] is None or not picture:
        return
    for side, asked in zip(own[1:], wanted[1:], strict=True):
        if side not in (None, asked):
            raise UsageError(
                f"{model.name} takes pictures of {own[1]} × {own[2]} only (height × width), not {wanted[1]} × "
                f"{wanted[2]}; leave --imgsz out, or make-dynamic first."
            )


def _told(model: Model) -> tuple[int, int] | None:
    try:
        value = ast.literal_eval(model.metadata.get("imgsz", ""))
        height, width = (value, value) if isinstance(value, int) else value
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return (height, width) if all(type(side) is int and 1 <= side <= 8192 for side in (height, width)) else None


def _fed(model: Model, items: list[Input], sizes: Sizes, images: Sequence[Path], seed: int) -> Fed:
    picture = any(item.image_axes is not None for item in items)
    if images and not picture:
        names = ", ".join(f'"{item.name}"' for item in items) or "none"
        raise UsageError(f"{model.name} has no input for pictures (its inputs: {names}); leave --images out.")
    if images:
        feeds = picture_feeds(items, list(images), sizes, seed)
    else:
        feeds = [random_feed(f"noise (seed {seed})", items, sizes, [seed])]
    values = feeds[0].inputs
    given = ", ".join(f"{name} [{','.join(map(str, value.shape))}] {value.dtype}" for name, value in values.items())
    return Fed(tuple(feeds), sizes.batch, (sizes.height, sizes.width) if picture else None, given or "no inputs")
