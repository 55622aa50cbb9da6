"""The inputs that both models are run on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray

from graphkit.errors import UsageError
from graphkit.images import letterbox, read_image
from graphkit.verdict.sides import Side
from graphkit.verify import Input, make_feeds

Kind = Literal["base", "batch", "size"]
_BASE = (320, 320)
_OTHER = (256, 384)
"""A second size, not square, of multiples of 64."""
_BATCHES = (1, 3)
_DEFAULT = 640


@dataclass(frozen=True, eq=False)
class Frames:
    """Pictures for one run of both.

    Attributes:
        name: For a reader: "random", "bus.jpg", "batch 3", "256 × 384".
        kind: What it tries: "base" one batch at one size, "batch" another batch, "size" another size.
        random: Whether it is noise: no detections are looked for in noise where there are pictures.
        values: float32 [B, 3, H, W], RGB, 0..1; None of inputs that are no pictures.
        given: Input name -> value, of models that take something else than one picture; {} otherwise.
        sources: The picture that each image of the batch was made from, and whether it is mirrored; None for noise.
    """

    name: str
    kind: Kind
    random: bool
    values: NDArray[np.float32] | None
    given: dict[str, NDArray[Any]]
    sources: tuple[tuple[Path, bool] | None, ...] = ()

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width, pixels."""
        return None if self.values is None else (int(self.values.shape[2]), int(self.values.shape[3]))

    def image(self, row: int) -> str:
        """An image of the batch, for a reader."""
        if self.values is None or len(self.values) == 1:
            return self.name
        return f"{self.name}, image {row}"

    def feed(self, side: Side, values: NDArray[np.float32] | None = None) -> dict[str, NDArray[Any]]:
        """The input as one of the two takes it: its name, type and layout."""
        if self.values is None:
            return dict(self.given)
        item = side.picture()
        assert item is not None
        frames = self.values if values is None else values
        if item.image_axes is not None and item.image_axes[0] == 3:
            frames = frames.transpose(0, 2, 3, 1)
        dtype = onnx.helper.tensor_dtype_to_np_dtype(item.elem_type)
        if dtype == np.uint8:
            return {item.name: np.rint(frames * np.float32(255)).astype(np.uint8)}
        return {item.name: np.ascontiguousarray(frames.astype(dtype, copy=False))}


@dataclass(frozen=True)
class Wanted:
    """What the user asked for.

    Attributes:
        images: Pictures; () for the built-in one.
        batches: Batch sizes; () for 1 and 3, where both are dynamic.
        sizes: Heights and widths; () for what fits.
        seed: Of the random values.
    """

    images: tuple[Path, ...] = ()
    batches: tuple[int, ...] = ()
    sizes: tuple[tuple[int, int], ...] = ()
    seed: int = 0


def plan_frames(left: Side, right: Side, wanted: Wanted) -> list[Frames]:
    """What to run both on: noise and every picture, then another batch and another size where both take such.

    Every value is a multiple of 1/255, so that a model that reads uint8 sees the same; where one of the two reads
    float16, both are given what float16 holds.

    Raises:
        UsageError: No input fits both, a picture cannot be read, or a batch or size was asked for that one refuses.
    """
    pictures = left.picture(), right.picture()
    if pictures[0] is None or pictures[1] is None:
        return _by_name(left, right, wanted)
    batches = _batches(left, right, wanted, pictures[0], pictures[1])
    sizes = _sizes(left, right, wanted, pictures[0], pictures[1])
    half = onnx.TensorProto.FLOAT16 in (pictures[0].elem_type, pictures[1].elem_type)
    paths = wanted.images or (_built_in(),)
    found = [_noise("random", "base", batches[0], sizes[0], [wanted.seed, 0], half)]
    found += [
        _pictured(path.name, "base", paths, index, batches[0], sizes[0], half) for index, path in enumerate(paths)
    ]
    found += [_pictured(f"batch {batch}", "batch", paths, 0, batch, sizes[0], half) for batch in batches[1:]]
    for height, width in sizes[1:]:
        name = f"{height} × {width}"
        found.append(_noise(f"random, {name}", "size", batches[0], (height, width), [wanted.seed, 1], half))
        found.append(_pictured(name, "size", paths, 0, batches[0], (height, width), half))
    return found


def _by_name(left: Side, right: Side, wanted: Wanted) -> list[Frames]:
    """Models that take something else than one picture: the same values under the same names."""
    if wanted.images:
        side = left if left.picture() is None else right
        raise UsageError(f"{side.path} does not take one picture and nothing else, so it cannot be run on images.")
    shapes = [{item.name: (item.elem_type, len(item.dims)) for item in side.inputs} for side in (left, right)]
    if shapes[0] != shapes[1]:
        told = [
            ", ".join(f'"{item.name}" {list(item.dims)}' for item in side.inputs) or "none" for side in (left, right)
        ]
        raise UsageError(
            f"{left.name} and {right.name} take other inputs ({told[0]}; {told[1]}), so they cannot be run "
            "on the same; give two models with the same inputs, or with one picture each."
        )
    if left.model is None or right.model is None:
        raise UsageError(
            f"{left.name} and {right.name} cannot be run on the same inputs: one is a .pt, which takes one."
        )
    model = max((left.model, right.model), key=lambda one: sum(_fixed(item) for item in _inputs_of(one, left, right)))
    return [Frames(feed.name, "base", True, None, feed.inputs) for feed in make_feeds(model, None, wanted.seed)]


def _inputs_of(model: object, left: Side, right: Side) -> tuple[Input, ...]:
    return left.inputs if model is left.model else right.inputs


def _fixed(item: Input) -> int:
    return sum(isinstance(dim, int) for dim in item.dims)


def _batches(left: Side, right: Side, wanted: Wanted, one: Input, other: Input) -> list[int]:
    fixed = {side.name: item.dims[0] for side, item in ((left, one), (right, other)) if isinstance(item.dims[0], int)}
    sizes = {size for size in (one.dims[0], other.dims[0]) if isinstance(size, int)}
    if len(sizes) > 1:
        raise UsageError(
            f"{left.name} takes batches of {one.dims[0]} and {right.name} of {other.dims[0]}, so they cannot be run on "
            "the same input; export one of them with a dynamic batch."
        )
    asked = list(wanted.batches)
    if not sizes:
        return asked or list(_BATCHES)
    only = sizes.pop()
    wrong = [size for size in asked if size != only]
    if wrong:
        raise UsageError(f"{next(iter(fixed))} takes batches of {only} only, not {wrong[0]}; leave --batch out.")
    return [only]


def _sizes(left: Side, right: Side, wanted: Wanted, one: Input, other: Input) -> list[tuple[int, int]]:
    sides = [[item.dims[axis] for axis in (item.image_axes or ())[1:]] for item in (one, other)]
    fixed: list[int | None] = []
    for a, b in zip(*sides, strict=True):
        if isinstance(a, int) and isinstance(b, int) and a != b:
            shown = [" × ".join(str(side) for side in item) for item in sides]
            raise UsageError(
                f"{left.name} takes pictures of {shown[0]} and {right.name} of {shown[1]} (height × width), so they "
                "cannot be run on the same input; export one of them with dynamic axes, or at the other's size."
            )
        fixed.append(a if isinstance(a, int) else b if isinstance(b, int) else None)
    for size in wanted.sizes:
        if any(side is not None and side != asked for side, asked in zip(fixed, size, strict=True)):
            raise UsageError(
                f"{left.name} and {right.name} cannot both be run at {size[0]} × {size[1]}: one takes pictures of "
                f"{fixed[0] or 'any height'} × {fixed[1] or 'any width'} only; leave --imgsz out."
            )
    if wanted.sizes:
        return list(wanted.sizes)
    told = left.size or right.size or (_DEFAULT, _DEFAULT)
    base = told if wanted.images else _BASE
    first = (fixed[0] or base[0], fixed[1] or base[1])
    second = (fixed[0] or _OTHER[0], fixed[1] or _OTHER[1])
    return [first] if first == second or None not in fixed else [first, second]


def _rounded(values: NDArray[np.float32], half: bool) -> NDArray[np.float32]:
    return values.astype(np.float16).astype(np.float32) if half else values


def _noise(name: str, kind: Kind, batch: int, size: tuple[int, int], seed: list[int], half: bool) -> Frames:
    pixels = np.random.default_rng(seed).integers(0, 256, (batch, 3, *size)).astype(np.float32)
    return Frames(name, kind, True, _rounded(pixels / np.float32(255), half), {}, (None,) * batch)


def _pictured(
    name: str, kind: Kind, paths: Sequence[Path], first: int, batch: int, size: tuple[int, int], half: bool
) -> Frames:
    """A batch of the picture and those that follow, mirrored where there are no more, so that no two are the same."""
    rows, sources = [], list[tuple[Path, bool] | None]()
    for row in range(batch):
        path = paths[(first + row) % len(paths)]
        array = letterbox(read_image(path), *size)[0]
        turn = row // len(paths)
        mirrored = bool(turn % 2)
        if mirrored:
            array = array[:, :, ::-1]
        # Beyond two the same come round again: shifted, so that they still differ.
        array = np.roll(array, 8 * (turn // 2), axis=2)
        rows.append(array)
        sources.append((path, mirrored) if turn < 2 else None)
    return Frames(name, kind, False, _rounded(np.ascontiguousarray(np.stack(rows)), half), {}, tuple(sources))


def _built_in() -> Path:
    from graphkit.demo import demo_picture

    return Path(demo_picture())
