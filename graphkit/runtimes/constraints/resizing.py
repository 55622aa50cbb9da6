"""A Resize or Upsample node of any version, put the same way."""

from __future__ import annotations

from dataclasses import dataclass
from math import isclose

from graphkit.facts.node import NodeFacts, TensorFacts
from graphkit.runtimes.constraints.checks import Answer, given, listed, numbers
from graphkit.runtimes.constraints.registry import Unknown


@dataclass(frozen=True)
class Resizing:
    """What a Resize or Upsample does.

    Attributes:
        mode: nearest, linear or cubic.
        transform: The coordinate transformation; that of Upsample and Resize-10 is asymmetric.
        nearest: The rounding of mode nearest; that of Upsample and Resize-10 is floor.
        antialias: Whether it smooths when it shrinks.
        exclude_outside: Whether samples outside weigh nothing.
        aspect: stretch, not_larger or not_smaller.
        axes: Which axes scales or sizes are of; () for all.
        by_sizes: Whether sizes are given, not scales.
        parameter: The input that gives them; None for an attribute.
        data: What is resized.
        factors: The scale of each axis of the data as far as it is known; None where not even the rank is.
        output: The sizes of the result as far as they are known; None where not even the rank is.
    """

    mode: str
    transform: str
    nearest: str
    antialias: bool
    exclude_outside: bool
    aspect: str
    axes: tuple[int, ...]
    by_sizes: bool
    parameter: TensorFacts | None
    data: TensorFacts | None
    factors: tuple[float | None, ...] | None
    output: tuple[int | None, ...] | None

    @property
    def smooth(self) -> bool:
        """Whether it is not mode nearest."""
        return self.mode != "nearest"

    def half_pixel_alike(self) -> bool | None:
        """Whether pytorch_half_pixel is half_pixel here: it differs only where a side becomes 1. None: not known."""
        sides = None if self.output is None or len(self.output) < 3 else self.output[2:]
        if sides is None or None in sides:
            return None
        return all(size != 1 for size in sides)


def resizing(node: NodeFacts) -> Resizing:
    """A Resize or Upsample node."""
    old = node.op == "Upsample" or node.since == 10
    index = 1 if old else 2
    scales, sizes = node.input(index), None if old else node.input(3)
    by_sizes = given(sizes)
    parameter = sizes if by_sizes else scales if given(scales) else None
    data = node.input(0)
    mode = str(node.attr("mode", "nearest"))
    return Resizing(
        mode={"bilinear": "linear"}.get(mode, mode),
        transform="asymmetric" if old else str(node.attr("coordinate_transformation_mode", "half_pixel")),
        nearest="floor" if old else str(node.attr("nearest_mode", "round_prefer_floor")),
        antialias=bool(node.attr("antialias", 0)),
        exclude_outside=bool(node.attr("exclude_outside", 0)),
        aspect=str(node.attr("keep_aspect_ratio_policy", "stretch")),
        axes=tuple(node.attr("axes", ())),
        by_sizes=by_sizes,
        parameter=parameter,
        data=data,
        factors=_factors(node, data, parameter, by_sizes),
        output=_output(node),
    )


def constant_parameter(node: NodeFacts) -> Answer:
    """Scales or sizes must be the same in every run."""
    tensor = resizing(node).parameter
    if tensor is None or tensor.folded:
        return None
    return "its scales or sizes are computed at run time and must be constant"


def only_sides(node: NodeFacts) -> Answer:
    """Only what comes after batch and channels may change."""
    return innermost(node, None)


def innermost(node: NodeFacts, count: int | None) -> Answer:
    """Only the last `count` axes may change; None: all but batch and channels."""
    made = resizing(node)
    if made.factors is None:
        return Unknown("the rank of its input is not known")
    outer = made.factors[:2] if count is None else made.factors[: max(0, len(made.factors) - count)]
    if any(factor is not None and not isclose(factor, 1) for factor in outer):
        what = "batch and channels" if count is None else f"more than the last {count} axes"
        return f"it resizes {what}, with factors {listed([_short(item) for item in made.factors])}"
    return Unknown("it is not known by how much it resizes batch and channels") if None in outer else None


def _short(value: float | None) -> str:
    return "?" if value is None else f"{value:g}"


def _factors(
    node: NodeFacts, data: TensorFacts | None, parameter: TensorFacts | None, by_sizes: bool
) -> tuple[float | None, ...] | None:
    rank = None if data is None else data.rank
    values = numbers(parameter) if parameter is not None else node.attr("scales")
    if rank is None:
        return tuple(map(float, values)) if values is not None and not by_sizes and not node.attr("axes") else None
    shape = data.shape if data is not None and data.shape is not None else ()
    axes = [axis % rank for axis in node.attr("axes", ())] or list(range(rank))
    made: list[float | None] = [1.0] * rank
    if values is None or len(values) != len(axes):
        return tuple(_by_shapes(node, index, shape) if index in axes else 1.0 for index in range(rank))
    for axis, value in zip(axes, values, strict=True):
        size = shape[axis]
        if not by_sizes:
            made[axis] = float(value)
        elif isinstance(size, int) and size:
            made[axis] = float(value) / size
        else:
            made[axis] = None
    return tuple(made)


def _by_shapes(node: NodeFacts, axis: int, shape: tuple[int | str | None, ...]) -> float | None:
    """What the shapes tell where the parameter is not known."""
    output = node.outputs[0].shape if node.outputs and node.outputs[0] is not None else None
    if output is None or len(output) != len(shape):
        return None
    before, after = shape[axis], output[axis]
    if isinstance(before, int) and isinstance(after, int) and before:
        return after / before
    return 1.0 if isinstance(before, str) and before == after else None


def _output(node: NodeFacts) -> tuple[int | None, ...] | None:
    shape = node.outputs[0].shape if node.outputs and node.outputs[0] is not None else None
    return None if shape is None else tuple(size if isinstance(size, int) else None for size in shape)
