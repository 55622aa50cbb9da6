"""The inputs a model is run on."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from graphkit.errors import ModelError, UsageError
from graphkit.images import letterbox, read_image
from graphkit.model import Model
from graphkit.verify.inputs import FLOATS, INTEGERS, Input, model_inputs

_MOST_ELEMENTS = 1 << 28


@dataclass(frozen=True)
class Feed:
    """One set of inputs.

    Attributes:
        name: For a reader: "random", "bus.jpg".
        inputs: Input name -> value.
        ignore: Absolute differences below it say nothing, where the two models run it in different ways: one image by
            image, the other in a batch.
    """

    name: str
    inputs: dict[str, NDArray[Any]]
    ignore: float = 0.0


@dataclass(frozen=True)
class Sizes:
    """What dimensions are set to that a model leaves open.

    Attributes:
        batch: Images.
        height: Of pictures, in pixels.
        width: Of pictures, in pixels.
        free: Every other one; None for the usual (see `make_feeds`).
    """

    batch: int
    height: int
    width: int
    free: int | None = None


USUAL = Sizes(1, 320, 320)
_FREE = 4
_SAMPLES = 512
"""Of a signal: some 30 ms of speech, what a short-time spectrum is made of."""


def make_feeds(model: Model, images: Sequence[Path] | None = None, seed: int = 0, base: Sizes = USUAL) -> list[Feed]:
    """The inputs to prove a rewrite on: seeded random values and pictures.

    Without `images` the built-in test picture is used. Every picture is a feed, letterboxed to the input's size; a
    fixed batch of more than one holds the pictures that follow, and mirrored ones where there are none, so that no
    two images of a batch are the same. A dynamic batch adds a feed with three different images: code that only serves
    the first image of a batch works at 1. A dynamic height or width adds a second, non-square size, because anchors
    traced at one size and swapped axes work at that size only. Dynamic sizes are 320 × 320 and 256 × 384 (multiples
    of 32 and 64, a quarter of the work of 640 × 640); the user's pictures are run at the size the metadata names
    ("imgsz"), else at 640. Other dynamic dimensions are 4; the second one of a float
    matrix that is all dynamic, which is taken for signals, is 512.

    Pictures are RGB, NCHW or NHWC, 0..1 for float inputs and 0..255 for uint8. Other inputs get random values: floats
    from a normal distribution, integers 1 to 3 (uint8 and int8 their whole range), booleans. Initializers that are
    listed as inputs are left out: they have a value.

    Args:
        model: The model before the rewrite.
        images: Picture files.
        seed: Of the random values; the same seed gives the same feeds.
        base: What dynamic dimensions are set to, but for pictures of the user's.

    Raises:
        ModelError: An input has no shape, no elements, or a type that no values can be made for.
        UsageError: A picture cannot be read, or the model has no input for pictures.
    """
    inputs = model_inputs(model.proto().graph)
    if not inputs:
        return [Feed("no inputs", {})]
    pictures = [item for item in inputs if item.image_axes is not None]
    if images and not pictures:
        names = ", ".join(f'"{item.name}"' for item in inputs)
        raise UsageError(f"the model has no input for pictures (its inputs: {names}); leave out the images")
    free = [item.dims[axis] for item in pictures for axis in (item.image_axes or ())[1:]]
    dynamic_size = any(not isinstance(dim, int) for dim in free)
    dynamic_batch = any(item.dims and not isinstance(item.dims[0], int) for item in inputs)
    feeds = [random_feed("random", inputs, base, [seed, 0])]
    if pictures:
        frame = _picture_size(model) if images else base
        feeds += picture_feeds(inputs, list(images) if images else [_test_picture()], frame, seed)
    if dynamic_batch:
        feeds.append(random_feed("random, batch 3", inputs, replace(base, batch=3 * base.batch), [seed, 1]))
    if dynamic_size:
        feeds.append(random_feed("random, 256 × 384", inputs, replace(base, height=256, width=384), [seed, 2]))
    return feeds


def _shapes(inputs: list[Input], sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """A size for every dimension; one symbol has one size everywhere."""
    symbols: dict[str, int] = {}
    shapes = {}
    # Pictures choose first: what their symbols stand for is known.
    for item in sorted(inputs, key=lambda item: item.image_axes is None):
        axes = item.image_axes
        wanted = [sizes.free or _FREE] * len(item.dims)
        if wanted:
            wanted[0] = sizes.batch
        if len(wanted) == 2 and item.elem_type in FLOATS and not any(isinstance(dim, int) for dim in item.dims):
            wanted[1] = sizes.free or _SAMPLES
        if len(wanted) == 3 and isinstance(item.dims[0], int) and isinstance(item.dims[2], int):
            wanted[1] = sizes.batch  # what a recurrent network carries along: layers, batch, hidden
        if axes is not None:
            wanted[axes[0]], wanted[axes[1]], wanted[axes[2]] = 3, sizes.height, sizes.width
        shape = []
        for dim, want in zip(item.dims, wanted, strict=True):
            shape.append(dim if isinstance(dim, int) else symbols.setdefault(dim, want) if dim else want)
        if math.prod(shape) > _MOST_ELEMENTS:
            raise ModelError(f'input "{item.name}" {shape} is too large to be run here')
        shapes[item.name] = tuple(shape)
    return shapes


def _random(item: Input, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
    if item.elem_type == onnx.TensorProto.BOOL:
        return rng.integers(0, 2, shape).astype(np.bool_)
    if item.elem_type in FLOATS:
        values = rng.random(shape) if item.image_axes is not None else rng.standard_normal(shape)
        return np.asarray(values).astype(FLOATS[item.elem_type])
    if item.elem_type == onnx.TensorProto.UINT8:
        return rng.integers(0, 256, shape, np.uint8)
    if item.elem_type == onnx.TensorProto.INT8:
        return rng.integers(-128, 128, shape, np.int8)
    # Wider integers are sizes, counts and indices: 0 divides, and large ones leave every table.
    return rng.integers(1, 4, shape).astype(INTEGERS[item.elem_type])


def random_feed(name: str, inputs: list[Input], sizes: Sizes, seed: list[int]) -> Feed:
    """Seeded random values for every input, as `make_feeds` has them; a fixed dimension keeps its size."""
    rng = np.random.default_rng(seed)
    shapes = _shapes(inputs, sizes)
    return Feed(name, {item.name: _random(item, shapes[item.name], rng) for item in inputs})


def _test_picture() -> Path:
    from graphkit.demo import demo_picture

    return Path(demo_picture())


def _picture_size(model: Model) -> Sizes:
    try:
        size = ast.literal_eval(model.metadata.get("imgsz", ""))
        height, width = (size, size) if isinstance(size, int) else size
        if all(type(value) is int and 32 <= value <= 2048 for value in (height, width)):
            return Sizes(1, height, width)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        pass
    return Sizes(1, 640, 640)


def picture_feeds(inputs: list[Input], paths: list[Path], sizes: Sizes, seed: int) -> list[Feed]:
    """A feed for each picture, as `make_feeds` has them; a fixed dimension keeps its size."""
    shapes = _shapes(inputs, sizes)
    feeds = []
    for index, path in enumerate(paths):
        rng = np.random.default_rng([seed, 3, index])
        values: dict[str, NDArray[Any]] = {}
        for item in inputs:
            shape, axes = shapes[item.name], item.image_axes
            if axes is None or shape[axes[0]] != 3:
                values[item.name] = _random(item, shape, rng)
                continue
            rows = [_row(paths, index + row, shape[axes[1]], shape[axes[2]], row) for row in range(shape[0])]
            batch = np.stack(rows) if axes[0] == 1 else np.stack(rows).transpose(0, 2, 3, 1)
            if item.elem_type == onnx.TensorProto.UINT8:
                values[item.name] = np.rint(batch * 255).astype(np.uint8)
            else:
                values[item.name] = np.ascontiguousarray(batch.astype(FLOATS[item.elem_type]))
        feeds.append(Feed(path.name, values))
    return feeds


def _row(paths: list[Path], index: int, height: int, width: int, row: int) -> NDArray[np.float32]:
    array = letterbox(read_image(paths[index % len(paths)]), height, width)[0]
    turn = row // len(paths)
    if turn % 2:
        array = array[:, :, ::-1]
    if turn // 2 % 2:
        array = array[:, ::-1, :]
    # Beyond four the mirrored ones come round again: shift them, so that the images still differ.
    return np.roll(array, 8 * (turn // 4), axis=2)
