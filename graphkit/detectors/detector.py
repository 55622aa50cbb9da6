"""Detector: the one form in which a model is asked for detections."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from graphkit.errors import UsageError
from graphkit.heads import Head, NmsContract, RawDetections
from graphkit.heads.head import Task
from graphkit.verify import Detections, Input

Values = Mapping[str, NDArray[Any]]
DEFAULT_SIZE = 640
"""Of a dynamic model that names no size of its own; ultralytics' default."""


@dataclass(frozen=True, eq=False)
class Detector:
    """A model that finds objects in pictures.

    Attributes:
        name: The file's name.
        path: The file.
        task: What is found.
        names: Class names by index, as far as the model tells them.
        inputs: What has to be given; `dims` are sizes, symbols, or None.
        outputs: Names of what comes out, in order.
        decoded: In a few words how detections are read from the outputs: "YOLOv8-style detect (DFL), 80 classes".
        nms_inside: Whether the outputs are final, so that only confidence and number of detections can still be chosen.
        head: The recognised head, or None.
        no_head: Why there is none; "" where there is one.
        prototypes: The output with mask prototypes [B, E, H, W], or None.
        keypoint_values: Values of a keypoint: 2 (x y) or 3 (x y visibility).
        strides: The largest is what a dynamic height and width must be a multiple of; may be empty.
        preferred_size: Height and width that the model's metadata names, or None.
        largest_batch: Images that may be given at once at most, or None where nothing limits them.
        candidates: From the outputs to every candidate before NMS; None where the outputs are final.
    """

    name: str
    path: Path
    task: Task
    names: Mapping[int, str]
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    decoded: str
    nms_inside: bool
    head: Head | None
    no_head: str
    prototypes: str | None
    keypoint_values: int
    strides: tuple[int, ...]
    preferred_size: tuple[int, int] | None
    largest_batch: int | None
    _runner: Callable[[Mapping[str, NDArray[Any]]], dict[str, NDArray[Any]]] = field(repr=False)
    _reader: Callable[[Values, NmsContract], list[Detections]] = field(repr=False)
    candidates: Callable[[Values], RawDetections] | None = field(default=None, repr=False)

    def run(self, feed: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The raw outputs by name.

        Raises:
            NotRunnable: The model cannot be run on these inputs; says why.
        """
        return self._runner(feed)

    def detections(self, outputs: Values, contract: NmsContract) -> list[Detections]:
        """The detections of each image, best first, in pixels of the network's input.

        Decoded and suppressed in NumPy by the references that proofs use. Where NMS is inside the model, or the head
        chooses its own detections, `contract` filters only: by confidence, and by the number of rows.

        Raises:
            UsageError: The outputs are not what was recognised.
        """
        return self._reader(outputs, contract)

    @property
    def picture_input(self) -> Input:
        """The input that takes the picture.

        Raises:
            UsageError: There is none, or the model wants something besides.
        """
        pictures = [item for item in self.inputs if item.image_axes is not None]
        if len(pictures) != 1 or len(self.inputs) != 1:
            listed = ", ".join(f'"{item.name}" {list(item.dims)}' for item in self.inputs) or "none"
            raise UsageError(
                f"{self.path} does not take one picture [B,3,H,W] and nothing else (its inputs: {listed}); give a "
                "model that does."
            )
        return pictures[0]

    @property
    def dynamic_batch(self) -> bool:
        """Whether the number of images that are given at once may be chosen, up to `largest_batch`."""
        return not isinstance(self.picture_input.dims[0], int) and self.largest_batch != 1

    @property
    def dynamic_size(self) -> bool:
        """Whether height or width may be chosen."""
        item = self.picture_input
        return any(not isinstance(item.dims[axis], int) for axis in (item.image_axes or ())[1:])

    @property
    def batch(self) -> int:
        """Images a run; 1 where it may be chosen."""
        size = self.picture_input.dims[0]
        return size if isinstance(size, int) else 1

    def image_size(self, wanted: int | tuple[int, int] | None = None) -> tuple[int, int]:
        """Height and width of the frame.

        Args:
            wanted: A side, or height and width. By default what the model is made for: its fixed size, else the size
                its metadata names, else 640.

        Raises:
            UsageError: The model has a fixed size and another is wanted, or it is no multiple of the largest stride.
        """
        item = self.picture_input
        fixed = tuple(item.dims[axis] for axis in (item.image_axes or ())[1:])
        asked = (wanted, wanted) if isinstance(wanted, int) else wanted
        sides = []
        for axis, (side, default) in enumerate(zip(fixed, self.preferred_size or (DEFAULT_SIZE,) * 2, strict=True)):
            chosen = asked[axis] if asked is not None else side if isinstance(side, int) else default
            if isinstance(side, int) and chosen != side:
                raise UsageError(
                    f"{self.path} takes pictures of {fixed[0]} × {fixed[1]} only (height × width), not {asked}; leave "
                    "the size out, or use a model that was exported with dynamic axes."
                )
            step = max(self.strides, default=1)
            if chosen < 1 or (not isinstance(side, int) and chosen % step):
                near = max(step, round(chosen / step) * step)
                raise UsageError(
                    f"{self.path} takes sizes that are multiples of {step}, its largest stride, not {chosen}; {near} "
                    "is the nearest."
                )
            sides.append(chosen)
        return sides[0], sides[1]

    def feed(self, frames: Sequence[NDArray[np.float32]]) -> dict[str, NDArray[Any]]:
        """The input for some letterboxed pictures, in the type and the layout that the model takes.

        Args:
            frames: float32 [3, H, W] each, RGB, 0..1. Of a fixed batch the missing ones are filled with grey.
        """
        item = self.picture_input
        batch = np.stack(frames)
        size = item.dims[0]
        if isinstance(size, int) and len(batch) < size:
            grey = np.full((size - len(batch), *batch.shape[1:]), 114 / 255, np.float32)
            batch = np.concatenate([batch, grey])
        if item.image_axes is not None and item.image_axes[0] == 3:
            batch = batch.transpose(0, 2, 3, 1)
        dtype = onnx.helper.tensor_dtype_to_np_dtype(item.elem_type)
        if dtype == np.uint8:
            return {item.name: np.rint(batch * np.float32(255)).astype(np.uint8)}
        return {item.name: np.ascontiguousarray(batch.astype(dtype, copy=False))}

    def name_of(self, label: int) -> str:
        """The name of a class, or "class 7" where the model tells none."""
        return self.names.get(label, f"class {label}")


def told_size(text: str) -> tuple[int, int] | None:
    """Height and width as metadata has it ("imgsz"): "[640, 640]" or "640"; None where it says nothing usable."""
    try:
        value = ast.literal_eval(text)
        height, width = (value, value) if isinstance(value, int) else value
        return (height, width) if all(type(side) is int and 1 <= side <= 8192 for side in (height, width)) else None
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
