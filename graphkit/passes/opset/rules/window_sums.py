"""Pooling windows that older definitions lack, as sums: Conv with weights of 1, each channel an image of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphkit.passes.opset.rules.dimensions import extents, join
from graphkit.passes.opset.site import Dimension, Site

_SAME = ("SAME_UPPER", "SAME_LOWER")


@dataclass(frozen=True)
class Window:
    """How a pooling window moves along one axis.

    Attributes:
        size: Of the input, where it is known.
        taps: Elements of the window.
        dilation: How far they are apart.
        stride: The window's steps.
        start: Padding in front.
        end: Padding behind.
    """

    size: Dimension
    taps: int
    dilation: int
    stride: int
    start: int
    end: int

    @property
    def kernel(self) -> int:
        """The window's size, dilated."""
        return (self.taps - 1) * self.dilation + 1

    @property
    def settled(self) -> bool:
        """Whether rounding up gives no window that starts behind the input, whatever the size.

        The last window starts before size + start + end - kernel + stride.
        """
        return self.stride == 1 or self.stride + self.end <= self.kernel

    def short(self) -> int | None:
        """What padding lacks behind for as many windows rounded down as there are rounded up; None if not known.

        Windows = ceil((size + start + end - kernel) / stride) + 1, but for one that would start behind the input, which
        is none (AveragePool-22, MaxPool-22).
        """
        if self.stride == 1:
            return 0
        if not isinstance(self.size, int):
            return None
        room = self.size + self.start + self.end - self.kernel
        windows = -(-room // self.stride) + 1
        if (windows - 1) * self.stride >= self.size + self.start:
            windows -= 1
        return max(0, (windows - 1) * self.stride - room)

    def inside(self, more: int, padding: bool) -> NDArray[np.int64] | None:
        """How many of its elements each window has inside the input; None where the size is not known.

        Args:
            more: Padding to add behind.
            padding: Whether padding (but not that) is inside, too.
        """
        if not isinstance(self.size, int):
            return None
        windows = (self.size + self.start + self.end + more - self.kernel) // self.stride + 1
        places = np.arange(windows)[:, None] * self.stride + np.arange(self.taps) * self.dilation - self.start
        least, most = (-self.start, self.size + self.end) if padding else (0, self.size)
        return np.asarray(((places >= least) & (places < most)).sum(axis=1), np.int64)


def windows(site: Site) -> list[Window]:
    """How the window moves along each axis.

    Raises:
        Blocked: It pads as much as it takes, and how much that is, is not known: the size of the input is not, or
            dilations are in play, with which runtimes pad less than the definition says.
    """
    taps = [int(size) for size in site.attr("kernel_shape")]
    count = len(taps)
    auto = site.attr("auto_pad", "NOTSET")
    pads = site.attr("pads", [0] * 2 * count) if auto == "NOTSET" else [0] * 2 * count
    dilations, strides = site.attr("dilations", [1] * count), site.attr("strides", [1] * count)
    shape = site.shape(site.input(0))
    sizes: list[Dimension] = list(shape[2:]) if shape is not None and len(shape) == count + 2 else [None] * count
    made = []
    for i, (size, stride) in enumerate(zip(sizes, strides, strict=True)):
        start, end = pads[i], pads[count + i]
        if auto in _SAME:
            if not isinstance(size, int):
                site.block(f"its auto_pad={auto} pads as the size of its input has it, which is not known")
            if dilations[i] != 1:
                site.block(f"with its dilations, auto_pad={auto} is read in different ways")
            total = max(0, (-(-size // stride) - 1) * stride + taps[i] - size)
            start = total // 2 if auto == "SAME_UPPER" else total - total // 2
            end = total - start
        made.append(Window(size, taps[i], dilations[i], stride, start, end))
    return made


def added(site: Site, moves: list[Window]) -> list[int]:
    """Padding behind each axis that does what ceil_mode=1 does, for what no window counts.

    Raises:
        Blocked: It is not known.
    """
    if not site.attr("ceil_mode", 0) or site.attr("auto_pad", "NOTSET") in _SAME:  # those round up in any case
        return [0] * len(moves)
    short = [window.short() for window in moves]
    known = [item for item in short if item is not None]
    if len(known) < len(short):
        site.block(
            "its ceil_mode=1 does not exist there, and the size of its input, which would tell the padding that does "
            "the same, is not known",
            "static shapes tell it",
        )
    return known


def averages(site: Site) -> None:
    """The average in each window: the sum divided by how many elements there are.

    Raises:
        Blocked: How many is not known.
    """
    moves = windows(site)
    more, padding = added(site, moves), bool(site.attr("count_include_pad", 0))
    counts = np.ones((), np.int64)
    for window, behind in zip(moves, more, strict=True):
        inside = window.inside(behind, padding)
        if inside is None:
            if not (padding or (window.start, window.end) == (0, 0)):
                site.block("its padding does not count, and the size of its input, to tell where it lies, is not known")
            inside = np.array([window.taps])
        counts = np.multiply.outer(counts, inside)
    x = site.input(0)
    divisor = site.like(counts, site.need_element(x), "count")
    _restored(site, site.emit("Div", sums(site, x, moves, more), divisor), moves)


def norms(site: Site) -> None:
    """The norm of each window: (Σ |x|^p)^(1/p)."""
    moves = windows(site)
    x, p = site.input(0), int(site.attr("p", 2))
    element = site.need_element(x)
    powers = site.emit("Pow", site.emit("Abs", x), site.like(p, element, "p"))
    total = sums(site, powers, moves, added(site, moves))
    _restored(site, site.emit("Pow", total, site.like(1 / p, element, "root")), moves)


def sums(site: Site, x: str, moves: list[Window], more: list[int]) -> str:
    """The sum in each window, with each channel an image of its own: [N · C, 1, …]."""
    axes = list(range(2, len(moves) + 2))
    images = site.emit("Reshape", x, join(site, site.const([-1, 1], hint="shape"), extents(site, site.input(0), axes)))
    ones = site.like(np.ones([1, 1, *(window.taps for window in moves)]), site.need_element(x), "ones")
    return site.emit(
        "Conv",
        images,
        ones,
        kernel_shape=[window.taps for window in moves],
        dilations=[window.dilation for window in moves],
        strides=[window.stride for window in moves],
        pads=[*(window.start for window in moves), *(w.end + extra for w, extra in zip(moves, more, strict=True))],
    )


def _restored(site: Site, images: str, moves: list[Window]) -> None:
    """Put [N, C, …] here, of images [N · C, 1, …]."""
    axes = list(range(2, len(moves) + 2))
    shape = join(site, extents(site, site.input(0), [0, 1]), extents(site, images, axes))
    drop = [item.name for item in site.node.attribute]
    site.rewrite(op="Reshape", inputs=[images, shape], drop=drop)
