"""The ways in which pictures are given to models, and what each calls for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from PIL import Image

from graphkit.detectors import Detector
from graphkit.errors import UsageError
from graphkit.images import letterbox
from graphkit.verify import Input

Frame = NDArray[np.float32]
Feed = Mapping[str, NDArray[Any]]
_MEAN = np.array([0.485, 0.456, 0.406], np.float32).reshape(3, 1, 1)
_SPREAD = np.array([0.229, 0.224, 0.225], np.float32).reshape(3, 1, 1)
"""ImageNet's, as torchvision has them."""


@dataclass(frozen=True)
class Way:
    """What is done, and what to do instead."""

    text: str
    mend: str


@dataclass(frozen=True)
class Scale:
    """What values mean.

    Attributes:
        name: For a float input.
        change: From 0..1.
        float_mend: What to do for a float input that wants this.
        signed: Whether it makes no sense for uint8.
        usual: Whether this is what ultralytics' models take.
        whole: Its name for a uint8 input.
    """

    name: str
    change: Callable[[Frame], Frame]
    float_mend: str
    signed: bool = False
    usual: bool = False
    whole: str = ""

    def told(self, whole: bool) -> str:
        """Its name."""
        return self.whole if whole else self.name

    def mend(self, whole: bool) -> str:
        """What to do where a model wants this."""
        return "give the picture's bytes as they are" if whole else self.float_mend


@dataclass(frozen=True)
class Order:
    """In which order colours come."""

    name: str
    change: Callable[[Frame], Frame]
    mend: str


@dataclass(frozen=True)
class Layout:
    """How the picture is put into the frame; None from `change` where that is not possible."""

    way: Way
    change: Callable[[Image.Image, Frame], Frame | None]


def _stretched(image: Image.Image, frame: Frame) -> Frame | None:
    height, width = frame.shape[1:]
    if image.width * height == image.height * width:
        return None
    return _array(image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR))


def _cropped(image: Image.Image, frame: Frame) -> Frame | None:
    """The picture's top left corner as it is, without any scaling."""
    height, width = frame.shape[1:]
    if image.width <= width and image.height <= height:
        return None
    return _array(image.convert("RGB").crop((0, 0, width, height)))


def _unmoved(_: Image.Image, frame: Frame) -> Frame:
    """Values in the order height, width, channels, called channels, height, width: `reshape` for `transpose`."""
    return np.ascontiguousarray(frame.transpose(1, 2, 0)).reshape(frame.shape)


def _swapped(_: Image.Image, frame: Frame) -> Frame | None:
    return np.ascontiguousarray(frame.transpose(0, 2, 1)) if frame.shape[1] == frame.shape[2] else None


def _array(image: Image.Image) -> Frame:
    return np.ascontiguousarray(np.asarray(image, np.float32).transpose(2, 0, 1) / np.float32(255))


SCALES = (
    Scale("0..1", lambda frame: frame, "divide by 255, once, and nothing else", usual=True, whole="0..255"),
    Scale("0..255", lambda frame: frame * np.float32(255), "do not divide by 255", signed=True),
    Scale(
        "0..1, divided by 255 once more",
        lambda frame: frame / np.float32(255),
        "divide by 255 twice",
        whole="0..1, rounded to bytes",
    ),
    Scale("-1..1", lambda frame: frame * 2 - 1, "divide by 127.5 and take 1 off", signed=True),
    Scale(
        "0..1 with ImageNet's mean and deviation",
        lambda frame: (frame - _MEAN) / _SPREAD,
        "take ImageNet's mean off, and divide by its deviation",
        signed=True,
    ),
)
ORDERS = (
    Order("RGB", lambda frame: frame, "swap the channels: OpenCV reads BGR"),
    Order("BGR", lambda frame: np.ascontiguousarray(frame[::-1]), "leave the channels as OpenCV reads them"),
)
LAYOUTS = (
    Layout(Way("stretched to the frame, without letterbox", "keep the proportions, and pad with grey 114"), _stretched),
    Layout(Way("the top left corner only, not scaled", "scale the whole picture into the frame"), _cropped),
    Layout(Way("height, width, channels reshaped to channels first", "transpose(2, 0, 1), not reshape"), _unmoved),
    Layout(Way("height and width swapped", "transpose(2, 0, 1), not transpose(2, 1, 0)"), _swapped),
)


def typed(item: Input, given: Feed) -> Iterator[tuple[Way, Feed]]:
    """The same values in types that the model does not take."""
    own = onnx.helper.tensor_dtype_to_np_dtype(item.elem_type)
    for dtype in (np.dtype(np.float64), np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.uint8)):
        if dtype != own:
            why = ", which NumPy makes of bytes / 255.0" if dtype == np.float64 else ""
            yield (
                Way(f"values as {dtype} instead of {own}{why}", f"astype(np.{own})"),
                {name: value.astype(dtype) for name, value in given.items()},
            )


def shaped(
    detector: Detector, image: Image.Image, frame: Frame, change: Callable[[Frame], Frame]
) -> Iterator[tuple[Way, Feed]]:
    """The right values in shapes that the model was not made for."""
    item = detector.picture_input
    height, width = frame.shape[1:]
    given = detector.feed([change(frame)])[item.name]
    channels_last = item.image_axes is not None and item.image_axes[0] == 3
    turned = given.transpose(0, 3, 1, 2) if channels_last else given.transpose(0, 2, 3, 1)
    first, last = f"[1,3,{height},{width}]", f"[1,{height},{width},3]"
    wanted, other = (last, first) if channels_last else (first, last)
    mend = "transpose(1, 2, 0)" if channels_last else "transpose(2, 0, 1)"
    yield Way(f"shape {other} instead of {wanted}", mend), {item.name: np.ascontiguousarray(turned)}
    yield Way("without a batch axis", "image[None]"), {item.name: given[0]}
    half = _half(detector, height, width)
    smaller = detector.feed([change(letterbox(image, *half)[0])])
    yield Way(f"a frame of {half[0]} × {half[1]}", f"letterbox to {height} × {width}"), smaller


def _half(detector: Detector, height: int, width: int) -> tuple[int, int]:
    """Half of the frame, of whole strides where the model takes any size."""
    step = max(detector.strides, default=32)
    half = (max(step, height // 2 // step * step), max(step, width // 2 // step * step))
    try:
        return detector.image_size(half)
    except UsageError:
        return half
